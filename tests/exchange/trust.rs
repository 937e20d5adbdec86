//! Which certificates are trusted: those that the system or the CA bundle vouches for, and no others.

use std::{fs, path::PathBuf};

use cube_operator::{
    api::Reason,
    oauth::{ca_bundle::TrustedCa, request::TokenRequest},
};
use rcgen::{BasicConstraints, IsCa, date_time_ymd};
use rustls::version;

use crate::{
    Outcome, exchange, fine, local,
    process::{Lone, shown},
    refused, request,
    scripted::{Authority, Certificate, LOCAL, Provider, Reply},
    trusting,
};

fn start(certificate: &Certificate) -> Provider {
    Provider::start(certificate, |_| Reply::json(200, "{}"))
}

fn untrusted(provider: &Provider, why: &str) -> Outcome {
    let port = provider.address.port();
    refused(
        Reason::TLSUntrusted,
        format!("TLS certificate of localhost:{port} {why}"),
    )
}

#[test]
fn a_certificate_has_to_be_valid_now_and_for_this_host_from_an_authority_that_is_trusted() {
    let (trusted, other) = (Authority::new("trusted"), Authority::new("other"));
    let (past, future) = (date_time_ymd(2020, 1, 1), date_time_ymd(4000, 1, 1));
    for (certificate, why) in [
        (
            trusted.certificate(&["example.com", "127.0.0.1"]),
            "is for \"example.com\", \"127.0.0.1\", not for this host",
        ),
        (
            trusted.certificate_with(&LOCAL, |params| params.not_after = past),
            "expired at 2020-01-01T00:00:00Z (issuer \"CN=trusted\")",
        ),
        (
            trusted.certificate_with(&LOCAL, |params| params.not_before = future),
            "is not valid before 4000-01-01T00:00:00Z",
        ),
        (
            other.certificate(&LOCAL),
            "is signed by \"CN=other\", an unknown CA",
        ),
        (
            trusted.certificate_with(&LOCAL, |params| {
                params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            }),
            "is a CA certificate, which a server must not use",
        ),
    ] {
        let provider = start(&certificate);
        let request = trusting(&trusted, &provider.url("/token"));
        assert_eq!(exchange(&local(), &request), untrusted(&provider, why));
        assert_eq!(provider.requests(), [], "nothing is sent: {why}");
    }
}

/// A server with a chain that is kept in a file, because the authority of these tests cannot make it. `openssl req -x509` and
/// `openssl x509 -req` made them, for 100 years.
macro_rules! kept {
    ($name:literal) => {
        (
            Certificate::read(
                include_bytes!(concat!("certificates/", $name, ".pem")),
                include_bytes!("certificates/key.pem"),
            ),
            include_str!(concat!("certificates/", $name, ".root.pem")),
        )
    };
}

#[test]
fn every_algorithm_that_is_safe_is_trusted() {
    for algorithm in [
        &rcgen::PKCS_ECDSA_P256_SHA256,
        &rcgen::PKCS_ECDSA_P384_SHA384,
        &rcgen::PKCS_ECDSA_P521_SHA512,
        &rcgen::PKCS_ED25519,
    ] {
        let authority = Authority::signing("private", algorithm);
        for versions in [&[&version::TLS13][..], &[&version::TLS12]] {
            let certificate = authority.certificate_of(&LOCAL, algorithm, |_| {});
            let provider =
                Provider::start_with_tls(&certificate, versions, |_| Reply::json(200, "{}"));
            let request = trusting(&authority, &provider.url("/token"));
            assert_eq!(exchange(&local(), &request), Ok(fine()), "{algorithm:?}");
        }
    }
    let (certificate, root) = kept!("ecdsa-sha512");
    assert_eq!(trusting_pem(&start(&certificate), root), Ok(fine()));
}

fn trusting_pem(provider: &Provider, root: &str) -> Outcome {
    let request = TokenRequest {
        ca_bundle: Some(TrustedCa::besides_system(root).unwrap()),
        ..request(&provider.url("/token"))
    };
    exchange(&local(), &request)
}

#[test]
fn an_algorithm_or_a_key_that_is_not_safe_is_named() {
    for ((certificate, root), why) in [
        (
            kept!("sha1"),
            "is signed with sha1WithRSAEncryption, which is not supported",
        ),
        (
            kept!("rsa1024"),
            "has, or is signed by, an RSA key of 1024 bits; at least 2048 are required",
        ),
        (
            kept!("brainpool"),
            "is signed with brainpoolP256r1, which is not supported",
        ),
    ] {
        let provider = start(&certificate);
        assert_eq!(trusting_pem(&provider, root), untrusted(&provider, why));
        assert_eq!(provider.requests(), []);
    }
}

#[test]
fn a_missing_ca_is_told_from_one_whose_key_has_changed_and_from_a_self_signed_certificate() {
    let (old, new) = (Authority::new("private"), Authority::new("private"));
    let provider = start(&new.certificate(&LOCAL));
    assert_eq!(
        trusting_pem(&provider, &old.pem()),
        untrusted(
            &provider,
            "is signed with another key than the key of the trusted CA \"CN=private\""
        )
    );
    let self_signed = Certificate::self_signed(&LOCAL);
    let provider = start(&self_signed);
    let why = "is self-signed and not trusted";
    assert_eq!(
        trusting_pem(&provider, &old.pem()),
        untrusted(&provider, why)
    );
    // The advice is to trust it, so that has to work.
    assert_eq!(trusting_pem(&provider, &self_signed.pem()), Ok(fine()));
    // A chain without its root names the root, and one whose intermediate certificate has expired names that.
    let root = Authority::new("root");
    let middle = root.below("middle", |_| {});
    let provider = start(&middle.certificate(&LOCAL).followed_by(&middle));
    let why = "is signed by \"CN=root\", an unknown CA";
    assert_eq!(
        trusting_pem(&provider, &old.pem()),
        untrusted(&provider, why)
    );
    assert_eq!(trusting_pem(&provider, &root.pem()), Ok(fine()));
    let provider = start(&middle.certificate(&LOCAL));
    let why = "is signed by \"CN=middle\", an unknown CA";
    assert_eq!(
        trusting_pem(&provider, &root.pem()),
        untrusted(&provider, why)
    );
    let past = date_time_ymd(2020, 1, 1);
    let expired = root.below("middle", |params| params.not_after = past);
    let provider = start(&expired.certificate(&LOCAL).followed_by(&expired));
    let why =
        "depends on the CA certificate of \"CN=middle\", which expired at 2020-01-01T00:00:00Z";
    assert_eq!(
        trusting_pem(&provider, &root.pem()),
        untrusted(&provider, why)
    );
}

#[test]
fn a_server_that_sends_thousands_of_certificates_is_refused() {
    let authority = Authority::new("private");
    for (others, expected) in [(100, true), (101, false), (5_000, false)] {
        let junk = (0..others).map(|_| vec![0].into());
        let provider = start(&authority.certificate(&LOCAL).followed_by_all(junk));
        let expected = if expected {
            Ok(fine())
        } else {
            untrusted(&provider, "comes with more than 100 others")
        };
        assert_eq!(trusting_pem(&provider, &authority.pem()), expected);
    }
}

/// The server of a company sends the whole history of its CA.
#[test]
fn a_few_certificates_of_one_authority_are_all_tried() {
    let root = Authority::new("root");
    let [first, second, third] = [(); 3].map(|()| root.below("issuing", |_| {}));
    let chain = [&first, &second, &third].map(Authority::der);
    let certificate = third.certificate(&LOCAL);
    let provider = start(&certificate.followed_by_all(chain.into_iter()));
    assert_eq!(trusting_pem(&provider, &root.pem()), Ok(fine()));
}

/// Six levels of eight CA certificates: each level has one name, and could be signed by each of the level above. There are 300,000 ways
/// up, of which the top is missing.
#[test]
fn a_server_cannot_send_a_maze_of_certificates() {
    let mut above = Authority::new("root");
    let mut maze = Vec::new();
    for level in 1..=6 {
        let mut below = |_| above.below(&level.to_string(), |_| {});
        let level: Vec<_> = (0..8).map(&mut below).collect();
        maze.extend(level.iter().map(Authority::der));
        above = level.into_iter().next().unwrap();
    }
    let certificate = above.certificate(&LOCAL);
    let provider = start(&certificate.followed_by_all(maze.into_iter()));
    let other = Authority::new("other");
    assert_eq!(
        trusting_pem(&provider, &other.pem()),
        untrusted(&provider, "is signed by \"CN=root\", an unknown CA")
    );
}

/// A CA may have renewed its certificate, or be vouched for by two others, and a server may send one twice.
#[test]
fn a_server_may_send_two_certificates_of_one_authority_and_each_of_them_twice() {
    let (first, second) = (Authority::new("first"), Authority::new("second"));
    let middle = first.below("middle", |_| {});
    let across = middle.vouched_for_by(&second, "middle");
    for trusted in [&first, &second] {
        let once = [middle.der(), across.clone(), first.der()];
        let chain = once.clone().into_iter().chain(once);
        let certificate = middle.certificate(&LOCAL);
        let provider = start(&certificate.followed_by_all(chain));
        assert_eq!(trusting_pem(&provider, &trusted.pem()), Ok(fine()));
    }
}

#[test]
fn a_bundle_may_hold_several_authorities_and_text_between_them() {
    let (first, second) = (Authority::new("first"), Authority::new("second"));
    let bundle = format!("# ours\r\n{}\n# theirs\n{}", first.pem(), second.pem());
    for authority in [&first, &second] {
        let provider = start(&authority.certificate(&LOCAL));
        let request = TokenRequest {
            ca_bundle: Some(TrustedCa::besides_system(&bundle).unwrap()),
            ..request(&provider.url("/token"))
        };
        assert_eq!(exchange(&local(), &request), Ok(fine()));
    }
}

#[test]
fn the_good_certificates_of_a_bundle_are_trusted_whatever_else_is_in_it() {
    let (private, other) = (Authority::new("private"), Authority::new("other"));
    let expired = Authority::with("expired", |params| {
        params.not_after = date_time_ymd(2020, 1, 1);
    });
    let whole = private.pem();
    let cut = &whole[..whole.len() / 2];
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let many: String = (0..299)
        .map(|number| Authority::new(&number.to_string()).pem())
        .collect();
    for bundle in [
        [b"# Beh\xf6rde\n", whole.as_bytes()].concat(),
        [b"\xef\xbb\xbf", whole.as_bytes()].concat(),
        whole.replace("\r\n", "\n").into(),
        format!("{cut}\n{whole}").into(),
        format!("{key}{}{whole}", other.pem()).into(),
        format!("{}{whole}", other.pem().trim_end()).into(),
        format!("{}{whole}", expired.pem()).into(),
        format!("{many}{whole}").into(),
    ] {
        let provider = start(&private.certificate(&LOCAL));
        let request = TokenRequest {
            ca_bundle: Some(TrustedCa::besides_system(&bundle).unwrap()),
            ..request(&provider.url("/token"))
        };
        assert_eq!(exchange(&local(), &request), Ok(fine()));
    }
}

/// A file with the CA certificates of a system.
fn system(name: &str, pem: &str) -> (&'static str, String) {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("{name}-{}.pem", std::process::id()));
    fs::write(&path, pem).unwrap();
    ("SSL_CERT_FILE", path.to_str().unwrap().to_owned())
}

#[test]
fn a_bundle_is_added_to_the_systems_authorities() {
    let (public, private) = (Authority::new("public"), Authority::new("private"));
    let system = system("system", &public.pem());
    let trust = |provider: &Provider, bundle: Option<String>| {
        let lone = Lone::to(&provider.url("/token"))
            .allow("127.0.0.0/8")
            .bundle(bundle);
        lone.exchange(std::slice::from_ref(&system)).outcome
    };
    let public_server = start(&public.certificate(&LOCAL));
    let private_server = start(&private.certificate(&LOCAL));
    assert_eq!(trust(&public_server, None), shown(&Ok(fine())));
    assert_eq!(
        trust(&public_server, Some(private.pem())),
        shown(&Ok(fine()))
    );
    assert_eq!(
        trust(&private_server, Some(private.pem())),
        shown(&Ok(fine()))
    );
    assert_eq!(
        trust(&private_server, None),
        shown(&untrusted(
            &private_server,
            "is signed by \"CN=private\", an unknown CA"
        ))
    );
    fs::remove_file(system.1).unwrap();
}

#[test]
fn a_bundle_is_enough_where_the_system_has_no_authorities() {
    let private = Authority::new("private");
    let system = system("no-system", "");
    let provider = start(&private.certificate(&LOCAL));
    let trust = |bundle: Option<String>| {
        let lone = Lone::to(&provider.url("/token"))
            .allow("127.0.0.0/8")
            .bundle(bundle);
        lone.exchange(std::slice::from_ref(&system)).outcome
    };
    assert_eq!(trust(Some(private.pem())), shown(&Ok(fine())));
    let none: Outcome = refused(
        Reason::CABundleInvalid,
        "there is no CA certificate, neither of the system nor in a CA bundle",
    );
    assert_eq!(trust(None), shown(&none));
    fs::remove_file(system.1).unwrap();
}

#[test]
fn a_bundle_that_replaces_the_systems_authorities_is_trusted_alone() {
    let (public, private) = (Authority::new("public"), Authority::new("private"));
    let system = system("replaced", &public.pem());
    for (authority, trusted) in [(&public, false), (&private, true)] {
        let provider = start(&authority.certificate(&LOCAL));
        let lone = Lone::to(&provider.url("/token"))
            .allow("127.0.0.0/8")
            .bundle(Some(private.pem()))
            .instead_of_system();
        let expected = if trusted {
            Ok(fine())
        } else {
            untrusted(&provider, "is signed by \"CN=public\", an unknown CA")
        };
        let made = lone.exchange(std::slice::from_ref(&system));
        assert_eq!(made.outcome, shown(&expected));
    }
    fs::remove_file(system.1).unwrap();
}

#[test]
fn one_client_tells_the_bundles_of_its_exchanges_apart() {
    let names = (0..20).map(|number| number.to_string());
    let authorities: Vec<_> = names.map(|name| Authority::new(&name)).collect();
    let providers: Vec<_> = authorities
        .iter()
        .map(|authority| start(&authority.certificate(&LOCAL)))
        .collect();
    let client = local();
    // More than are kept, each twice.
    for nth in (0..20).chain(0..20) {
        let own = trusting(&authorities[nth], &providers[nth].url("/token"));
        assert_eq!(exchange(&client, &own), Ok(fine()));
        let other = trusting(&authorities[(nth + 1) % 20], &providers[nth].url("/token"));
        assert_eq!(
            exchange(&client, &other),
            untrusted(
                &providers[nth],
                &format!("is signed by \"CN={nth}\", an unknown CA")
            )
        );
    }
}
