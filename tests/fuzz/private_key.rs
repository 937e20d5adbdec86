//! Private keys of clients.

use std::sync::Arc;

use cube_operator::oauth::{
    assertion::Signer, authentication::Authentication, client::signed, private_key::PrivateKey,
};
use jiff::Timestamp;

pub(crate) fn holds(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let key = match PrivateKey::read(text) {
        Ok(key) => key,
        Err(flaw) => {
            // The longest messages have no room for a part of a key.
            assert!(flaw.to_string().len() < 100, "{flaw}");
            return;
        }
    };
    let windows = PrivateKey::read(&text.replace('\n', "\r\n"));
    let windows = windows.map(|key| key.public().to_vec());
    assert_eq!(
        windows,
        Ok(key.public().to_vec()),
        "with the line ends of Windows"
    );
    let shown = format!("{key:?}");
    assert!(shown.len() < 40, "{shown}");
    let signer = Signer {
        id: "cube".into(),
        algorithm: key.algorithm(None).expect("a key has an algorithm"),
        key: Arc::new(key),
        key_id: None,
        certificate: None,
        audience: "https://login.example/token".into(),
    };
    let client = signed(Authentication::PrivateKeyJwt(signer), Timestamp::UNIX_EPOCH);
    assert!(client.is_ok(), "a key that was read can sign");
}
