//! PEM texts of further CA certificates.

use base64::{Engine, engine::general_purpose::STANDARD};
use cube_operator::oauth::ca_bundle::read;

pub(crate) fn holds(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let found = read(&text);
    let Ok(found) = found else {
        return;
    };
    // Written in another way, or twice, it must not become too large.
    if text.len() > 16 * 1024 {
        return;
    }
    assert!(!found.is_empty() && text.contains("-----BEGIN CERTIFICATE"));
    let written: String = found.iter().map(|der| pem(der)).collect();
    assert_eq!(read(&written), Ok(found.clone()), "written and read again");
    let twice = [found.clone(), found.clone()].concat();
    assert_eq!(
        read(&format!("{text}\n{text}")),
        Ok(twice),
        "one after the other"
    );
    assert_eq!(
        read(&written.replace('\n', "\r\n")),
        Ok(found),
        "with the line ends of Windows"
    );
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}
