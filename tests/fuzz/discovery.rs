//! The metadata of an authorization server.

use std::sync::Arc;

use cube_operator::{
    api::{CubeProviderSpec, ProviderEndpoints, ProviderStatus},
    oauth::{
        discovery::{Issuer, read},
        endpoint::Endpoint,
        response::{Body, Response},
    },
    reconcile::{FoundProvider, ProviderObject, Settings},
};
use jiff::Timestamp;
use serde_json::json;

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
    status_holds(asked, body);
    match read(&response, &issuer) {
        Ok(metadata) => {
            assert!(body.contains("token_endpoint"));
            let sign_in = metadata.authorization_endpoint.iter();
            for endpoint in sign_in.chain([&metadata.token_endpoint]) {
                assert!(endpoint.url().scheme() == "https" && endpoint.url().as_str().len() <= 512);
            }
            for scope in &metadata.scopes {
                assert!(!scope.contains([' ', '"', '\\']) && scope.is_ascii());
            }
        }
        Err(error) => {
            let shown = error.to_string();
            assert!(!shown.contains(char::is_control), "{shown}");
            assert!(shown.is_ascii(), "{shown}");
            assert!(shown.len() < 700, "{shown}");
        }
    }
}

/// The same text in the status of a provider object: no endpoint on another host than the issuer's is ever used.
fn status_holds(issuer: &str, url: &str) {
    let Ok(asked) = Endpoint::parse(issuer) else {
        return;
    };
    let status = ProviderStatus {
        endpoints: Some(ProviderEndpoints {
            issuer: issuer.into(),
            token_url: url.trim().into(),
            authorization_url: None,
            read_at: Timestamp::UNIX_EPOCH,
        }),
        ..ProviderStatus::default()
    };
    let provider = CubeProviderSpec {
        issuer: Some(issuer.into()),
        ..CubeProviderSpec::default()
    };
    let found =
        FoundProvider::Present(ProviderObject::of_namespace(provider, &status).map(Arc::new));
    let spec = json!({"providerRef": {"name": "a"}, "clientSecretRef": {"name": "client"}});
    let spec = serde_json::from_value(spec).expect("it is a spec");
    let settings = Settings::with_provider("treasury", "main", &spec, found);
    let endpoint = settings.expect("it can be read").endpoint.authority();
    assert!(
        endpoint == asked.authority() || endpoint == "provider.invalid",
        "{endpoint}"
    );
}
