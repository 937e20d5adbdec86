//! The metadata of an authorization server.

use cube_operator::oauth::{
    discovery::{Issuer, read},
    endpoint::Endpoint,
    response::{Body, Response},
};

/// The first line is the issuer that was asked for; the rest is the response's body.
pub(crate) fn holds(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (asked, body) = text.split_once('\n').unwrap_or((&text, ""));
    let issuer = match Issuer::parse(asked) {
        Ok(issuer) => issuer,
        Err(error) => {
            // Only our own words are shown.
            assert!(error.to_string().len() < 120, "{error}");
            return;
        }
    };
    let host = Endpoint::parse(asked).map(|asked| asked.authority());
    for address in issuer.addresses() {
        assert_eq!(Ok(address.authority()), host, "another host is asked");
        assert!(
            address.url().path().contains("/.well-known/"),
            "{address:?}"
        );
    }
    let response = Response {
        status: 200,
        body: Body::Complete(body.as_bytes().to_vec()),
        ..Response::default()
    };
    match read(&response, &issuer) {
        Ok(metadata) => {
            assert!(body.contains("token_endpoint"));
            let sign_in = metadata.authorization_endpoint.iter();
            for endpoint in sign_in.chain([&metadata.token_endpoint]) {
                assert!(endpoint.url().scheme() == "https" && endpoint.url().as_str().len() < 4096);
            }
            for scope in &metadata.scopes {
                assert!(!scope.contains([' ', '"', '\\']) && scope.is_ascii());
            }
        }
        Err(error) => {
            let shown = error.to_string();
            assert!(!shown.contains(char::is_control), "{shown}");
            assert!(shown.len() < 700, "{shown}");
        }
    }
}
