use super::{corpus::text, flaw::LARGEST, *};
use crate::api::SigningAlgorithm;

const RSA: KeyKind = KeyKind::Rsa { bits: 2048 };

fn kind(text: &str) -> Result<KeyKind, KeyFlaw> {
    PrivateKey::read(text).map(|key| key.kind())
}

#[test]
fn a_key_is_read_in_each_format_that_programs_write() {
    for (text, expected) in [
        (text!("rsa-pkcs8"), RSA),
        (text!("rsa-pkcs1"), RSA),
        (text!("rsa-jwk"), RSA),
        (text!("p256-pkcs8"), KeyKind::P256),
        (text!("p256-sec1-with-parameters"), KeyKind::P256),
        (text!("p256-jwk"), KeyKind::P256),
        (text!("certificate-and-key"), KeyKind::P256),
        (text!("p384-pkcs8"), KeyKind::P384),
        (text!("p384-sec1"), KeyKind::P384),
        (text!("p384-jwk"), KeyKind::P384),
        (text!("ed25519"), KeyKind::Ed25519),
        (text!("ed25519-jwk"), KeyKind::Ed25519),
    ] {
        assert_eq!(kind(text), Ok(expected), "{text}");
        let windows = text.replace('\n', "\r\n");
        assert_eq!(
            kind(&windows),
            Ok(expected),
            "with the line ends of Windows"
        );
        assert_eq!(kind(&format!("\n {}", text.trim())), Ok(expected));
    }
}

#[test]
fn one_key_is_the_same_in_every_format() {
    for same in [
        [text!("rsa-pkcs8"), text!("rsa-pkcs1"), text!("rsa-jwk")].as_slice(),
        &[text!("p384-pkcs8"), text!("p384-sec1"), text!("p384-jwk")],
        &[text!("p256-pkcs8"), text!("certificate-and-key")],
    ] {
        let keys: Vec<_> = same
            .iter()
            .map(|text| PrivateKey::read(text).unwrap())
            .collect();
        for key in &keys {
            assert_eq!(key.public(), keys[0].public());
            assert_eq!(key.digest(), keys[0].digest());
        }
    }
    let digest = |text| PrivateKey::read(text).unwrap().digest();
    assert_ne!(digest(text!("p256-pkcs8")), digest(text!("p256-jwk")));
}

#[test]
fn a_key_that_cannot_be_used_is_rejected_with_its_own_flaw() {
    for (text, flaw) in [
        ("", KeyFlaw::Empty),
        (" \n", KeyFlaw::Empty),
        ("s3cret", KeyFlaw::NoKey),
        ("{\"kty\":", KeyFlaw::Unreadable),
        ("{}", KeyFlaw::JwkMember("kty")),
        (text!("public"), KeyFlaw::Public),
        (text!("certificate"), KeyFlaw::Public),
        (text!("public-jwk"), KeyFlaw::Public),
        (text!("encrypted-pkcs8"), KeyFlaw::Encrypted),
        (text!("encrypted-pkcs1"), KeyFlaw::Encrypted),
        (text!("openssh"), KeyFlaw::OpenSsh),
        (text!("two-keys"), KeyFlaw::Several),
        (text!("rsa-1024"), KeyFlaw::RsaBits(1024)),
        (text!("p521"), KeyFlaw::Curve),
        (text!("secp256k1-sec1"), KeyFlaw::Curve),
        (text!("x25519"), KeyFlaw::Type),
        (text!("jwk-set"), KeyFlaw::JwkSet),
        (text!("rsa-jwk-without-primes"), KeyFlaw::JwkMember("p")),
        (text!("jwk-with-another-alg"), KeyFlaw::JwkAlgorithm),
        (text!("p384-jwk-with-an-empty-kid"), KeyFlaw::JwkId),
        (text!("jwk-off-the-curve"), KeyFlaw::Unreadable),
        (
            &text!("p256-pkcs8").replace("MIGH", "MIGG"),
            KeyFlaw::Unreadable,
        ),
        (
            &text!("p256-pkcs8").replace("-----END", ""),
            KeyFlaw::Unreadable,
        ),
        (&"x".repeat(LARGEST + 1), KeyFlaw::TooLarge),
    ] {
        assert_eq!(kind(text), Err(flaw), "{}", &text[..text.len().min(60)]);
    }
}

#[test]
fn a_key_signs_only_with_its_own_algorithms() {
    use SigningAlgorithm::{ES256, ES384, EdDSA, PS256, RS256};
    for (text, usual, others) in [
        (text!("rsa-pkcs8"), RS256, [RS256, PS256].as_slice()),
        // Its own "alg".
        (text!("rsa-jwk"), PS256, &[RS256, PS256]),
        (text!("p256-jwk"), ES256, &[ES256]),
        (text!("p384-sec1"), ES384, &[ES384]),
        (text!("ed25519"), EdDSA, &[EdDSA]),
    ] {
        let key = PrivateKey::read(text).unwrap();
        assert_eq!(key.algorithm(None), Ok(usual));
        for algorithm in [RS256, PS256, ES256, ES384, EdDSA] {
            let found = key.algorithm(Some(algorithm));
            assert_eq!(found.is_ok(), others.contains(&algorithm), "{algorithm:?}");
        }
    }
    let key = PrivateKey::read(text!("p256-jwk")).unwrap();
    assert_eq!(
        key.algorithm(Some(RS256)).unwrap_err().to_string(),
        "holds a key (P-256) that cannot sign with RS256"
    );
}

#[test]
fn the_kid_of_a_jwk_names_the_key() {
    let id = |text| PrivateKey::read(text).unwrap().id().map(str::to_owned);
    assert_eq!(id(text!("rsa-jwk")).as_deref(), Some("rsa-key"));
    assert_eq!(id(text!("p256-jwk")), None);
    assert_eq!(id(text!("rsa-pkcs8")), None);
}

#[test]
fn a_key_is_not_shown_and_each_part_of_it_is_known() {
    for text in [text!("rsa-pkcs1"), text!("p256-jwk")] {
        let key = PrivateKey::read(text).unwrap();
        let shown = format!("{key:?} {key:#?}");
        assert!(shown.contains("<redacted>"));
        assert!(key.parts().next().is_some());
        for part in key.parts() {
            assert!(text.contains(part));
            assert!(!shown.contains(part), "{shown}");
        }
    }
    let parts = |text| PrivateKey::read(text).unwrap().parts().count();
    assert_eq!(parts(text!("p256-jwk")), 1, "d alone is private");
    assert_eq!(parts(text!("rsa-jwk")), 6);
    assert_eq!(parts(text!("p256-pkcs8")), 3, "the lines of the key");
}

#[test]
fn a_private_key_is_recognised_where_another_value_is_expected() {
    for text in [
        text!("rsa-pkcs8"),
        text!("rsa-pkcs1"),
        text!("p256-sec1-with-parameters"),
        text!("encrypted-pkcs8"),
        text!("openssh"),
        text!("rsa-jwk"),
        text!("jwk-set"),
        &text!("ed25519").replace('\n', " "),
    ] {
        assert!(is_in(text), "{text}");
    }
    for text in [
        "s3cret",
        "{s3cret}",
        r#"{"d":1}"#,
        text!("public"),
        text!("public-jwk"),
        text!("certificate"),
    ] {
        assert!(!is_in(text), "{text}");
    }
}
