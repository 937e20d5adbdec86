use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

use super::*;

fn certificate() -> String {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::default();
    params
        .self_signed(&key)
        .unwrap()
        .pem()
        .replace("\r\n", "\n")
}

fn key() -> String {
    KeyPair::generate().unwrap().serialize_pem()
}

/// How many certificates are used, and what is said about the rest.
fn read(pem: impl AsRef<[u8]>) -> Result<(usize, Option<String>), String> {
    let read = CaCertificates::read(pem.as_ref()).map_err(|error| error.to_string())?;
    let left_out = read.left_out().map(|left_out| left_out.to_string());
    Ok((read.roots().len(), left_out))
}

#[test]
fn a_bundle_is_one_or_more_certificates_with_any_text_between() {
    let (one, two) = (certificate(), certificate());
    for text in [
        format!("# ours\n{one}and\n-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n{two}"),
        format!("{one}{two}").replace('\n', "\r\n"),
        format!("{one}{two}").replace('\n', "\r"),
        format!("{one}{two}").replace('\n', "\n  "),
        format!("\u{feff}{one}{two}"),
        // Files without a trailing newline.
        format!("{}{two}", one.trim_end()),
        format!("{one}{two}").replace(" CERTIFICATE", " X509 CERTIFICATE"),
    ] {
        assert_eq!(read(&text), Ok((2, None)), "{text}");
    }
    let latin = [b"# Zertifikat f\xfcr M\xfcnchen\n", one.as_bytes()].concat();
    assert_eq!(read(latin), Ok((1, None)));
}

#[test]
fn what_is_kept_of_a_bundle_has_a_limit_too() {
    let certificate = |unit: usize| {
        let mut params = CertificateParams::default();
        let name = &mut params.distinguished_name;
        name.push(DnType::OrganizationalUnitName, "x".repeat(unit));
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().pem()
    };
    let (large, small) = (certificate(24 * 1024), certificate(1));
    assert!(read(large.repeat(7) + &small).is_ok());
    let refused = "the names and keys in the CA bundle take more than 192 KiB".into();
    assert_eq!(read(large.repeat(8) + &small), Err(refused));
}

#[test]
fn a_bad_block_is_left_out_and_named_by_its_position() {
    let (one, two) = (certificate(), certificate());
    let second = one.lines().count() + 1;
    let body = one.lines().nth(1).unwrap();
    let trusted = "TRUSTED CERTIFICATE of OpenSSL: convert it with `openssl x509`";
    for (bad, why) in [
        (one.replace(body, "?"), "is not base64"),
        (
            one.replace(body, "AAAA"),
            "is not a certificate that can be used",
        ),
        (
            "-----BEGIN CERTIFICATE-----\nMAA=\n".into(),
            "has no END line",
        ),
        (
            one.replace(" CERTIFICATE", " TRUSTED CERTIFICATE"),
            &format!("is a {trusted}"),
        ),
        (
            key(),
            "is a private key: remove it from the bundle, and replace it if others could read it",
        ),
    ] {
        let said = format!("block 2 (line {second}) {why}");
        assert_eq!(
            read(format!("{one}{bad}{two}")),
            Ok((2, Some(said.clone())))
        );
        let again = format!("{said} (and 1 more left out)");
        assert_eq!(read(format!("{one}{bad}{two}{bad}")), Ok((2, Some(again))));
        let alone = format!("the CA bundle holds no usable certificate: block 1 (line 1) {why}");
        assert_eq!(read(bad), Err(alone));
    }
}

#[test]
fn three_hundred_certificates_are_read_and_a_text_has_an_end() {
    let one = certificate();
    // As long as a certificate with a key of 4096 bits.
    let padded = format!("{one}{}\n", "#".repeat(2000 - one.len()));
    assert_eq!(read(padded.repeat(300)), Ok((300, None)));
    let full = one.clone() + &" ".repeat(LARGEST - one.len());
    assert_eq!(read(&full), Ok((1, None)));
    let large = Err("the CA bundle has more than 768 KiB".into());
    assert_eq!(read(full + " "), large);
}

#[test]
fn a_text_without_certificates_is_no_bundle() {
    for text in [
        "",
        "not PEM",
        "-----BEGIN ",
        "-----BEGIN CERTIFICATE\n-----",
    ] {
        let none = Err("the CA bundle holds no PEM certificate".into());
        assert_eq!(read(text), none, "{text}");
    }
}

#[test]
fn the_certificate_that_expires_first_is_known() {
    let key = KeyPair::generate().unwrap();
    let until = |year| {
        let mut params = CertificateParams::default();
        params.not_after = date_time_ymd(year, 1, 2);
        params.self_signed(&key).unwrap().pem()
    };
    let bundle = [until(2040), until(2020), until(2030)].concat();
    let found = CaCertificates::read(bundle.as_bytes()).unwrap();
    let first = found.first_to_expire().unwrap();
    assert_eq!(first.at.to_string(), "2020-01-02T00:00:00Z");
    assert!(first.certificate.to_string().starts_with("block 2 (line "));
}
