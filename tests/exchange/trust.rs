//! Which certificates are trusted: those that the system or the CA bundle vouches for, and no others.

use std::{fs, path::PathBuf};

use cube_operator::{
    api::Reason,
    oauth::{ca_bundle::TrustedCa, request::TokenRequest},
};
use rcgen::{BasicConstraints, IsCa, date_time_ymd};

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
        format!("the certificate of the token endpoint localhost:{port} is not trusted: {why}"),
    )
}

#[test]
fn a_certificate_has_to_be_valid_now_and_for_this_host_from_an_authority_that_is_trusted() {
    let (trusted, other) = (Authority::new("trusted"), Authority::new("other"));
    let (past, future) = (date_time_ymd(2020, 1, 1), date_time_ymd(4000, 1, 1));
    for (certificate, why) in [
        (
            trusted.certificate(&["example.com", "127.0.0.1"]),
            "it is for another host name",
        ),
        (
            trusted.certificate_with(&LOCAL, |params| params.not_after = past),
            "it has expired",
        ),
        (
            trusted.certificate_with(&LOCAL, |params| params.not_before = future),
            "it is not valid yet",
        ),
        (
            other.certificate(&LOCAL),
            "it was issued by an authority that is not trusted",
        ),
        (
            trusted.certificate_with(&LOCAL, |params| {
                params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            }),
            "a server cannot use it, mostly because it is self-signed and made for an authority",
        ),
    ] {
        let provider = start(&certificate);
        let request = trusting(&trusted, &provider.url("/token"));
        assert_eq!(exchange(&local(), &request), untrusted(&provider, why));
        assert_eq!(provider.requests(), [], "nothing is sent: {why}");
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
        params.not_after = date_time_ymd(2020, 1, 1)
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
            "it was issued by an authority that is not trusted"
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
        "no TLS client could be made: there is no CA certificate, neither the system's nor one of a CA bundle",
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
            untrusted(
                &provider,
                "it was issued by an authority that is not trusted",
            )
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
                "it was issued by an authority that is not trusted"
            )
        );
    }
}
