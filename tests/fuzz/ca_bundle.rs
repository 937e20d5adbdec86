//! PEM texts of further CA certificates.

use cube_operator::oauth::ca_bundle::CaCertificates;

pub(crate) fn holds(bytes: &[u8]) {
    let Ok(found) = CaCertificates::read(bytes) else {
        return;
    };
    // Written twice, it must not become too large.
    if bytes.len() > 16 * 1024 {
        return;
    }
    let number = found.roots().len();
    assert!(number > 0, "a bundle has a certificate");
    let text = String::from_utf8_lossy(bytes);
    let windows = CaCertificates::read(text.replace('\n', "\r\n").as_bytes());
    let windows = windows.map(|found| found.roots().len());
    assert_eq!(windows, Ok(number), "with the line ends of Windows");
    // A block without an end may find one in what follows.
    if found.left_out().is_none() {
        let twice = CaCertificates::read(&[bytes, b"\n", bytes].concat());
        let twice = twice.map(|found| (found.roots().len(), found.left_out()));
        assert_eq!(twice, Ok((2 * number, None)), "one after the other");
    }
}
