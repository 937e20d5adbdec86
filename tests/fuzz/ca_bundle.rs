//! PEM texts of further CA certificates.

use base64::{Engine, engine::general_purpose::STANDARD};
use cube_operator::oauth::{ca_bundle::read, client};

pub(crate) fn holds(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let found = read(&text);
    assert_eq!(
        client::certificates(&text).is_ok(),
        found.is_ok(),
        "what is accepted can be used"
    );
    let Ok(found) = found else {
        return;
    };
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
