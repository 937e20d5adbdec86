//! The certificates besides its own that a server sends, without those that only cost time. The TLS library tries every path over
//! them, and looks at all of them in each step: a hundred, of which eight have the same name in each of six levels, would keep this
//! process from everything else for seconds.

use std::borrow::Cow;

use rustls::{RootCertStore, pki_types::CertificateDer};

/// The most certificates of one name that are tried. A CA that another one vouches for, too, has two. So a step leads to two others at
/// most.
const MOST_OF_A_NAME: usize = 2;
/// So few are tried whatever their names are, because a CA whose key was renewed has one for each key: there are 326 steps at most.
const FEW: usize = 5;

/// The certificates that are tried, in the order in which they were sent.
pub(super) fn to_be_tried<'a>(sent: &'a [CertificateDer<'a>]) -> Cow<'a, [CertificateDer<'a>]> {
    if sent.len() <= FEW {
        return sent.into();
    }
    let mut named: Vec<(_, &CertificateDer<'_>)> = Vec::new();
    for certificate in sent {
        let Some(name) = name(certificate) else {
            continue;
        };
        let same = named.iter().filter(|(other, _)| *other == name);
        let is_new = same.clone().all(|(_, other)| other != &certificate);
        if is_new && same.count() < MOST_OF_A_NAME {
            named.push((name, certificate));
        }
    }
    let certificates = named
        .into_iter()
        .map(|(_, certificate)| certificate.clone());
    certificates.collect()
}

/// The name of its subject, as the TLS library reads it; `None`: the library cannot read it either.
fn name(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let mut store = RootCertStore::empty();
    store.add(certificate.clone()).ok()?;
    Some(store.roots.first()?.subject.to_vec())
}
