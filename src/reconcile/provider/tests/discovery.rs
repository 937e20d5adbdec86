//! Endpoints are used for the issuer and on the hosts that the spec names, wherever they are read from.

use super::*;
use crate::{
    api::ProviderEndpoints,
    oauth::{
        discovery::{Metadata, read},
        endpoint::Endpoint,
        response::{Body, Response},
    },
};

const ISSUER: &str = "https://login.example.com/realms/a";

fn found(token: &str, authorization: Option<&str>) -> ProviderStatus {
    ProviderStatus {
        endpoints: Some(ProviderEndpoints {
            issuer: ISSUER.into(),
            token_url: token.into(),
            authorization_url: authorization.map(Into::into),
            read_at: jiff::Timestamp::UNIX_EPOCH,
        }),
        ..ProviderStatus::default()
    }
}

fn with(spec: serde_json::Value, status: &ProviderStatus) -> ProviderObject {
    ProviderObject::of_namespace(serde_json::from_value(spec).unwrap(), status).unwrap()
}

/// The token endpoint that is taken from metadata with this one.
fn discovered(spec: serde_json::Value, token: &str) -> Result<String, String> {
    let object = with(spec, &ProviderStatus::default());
    let wanted = object.discovery().unwrap();
    let document = json!({
        "issuer": ISSUER, "token_endpoint": token, "authorization_endpoint": "https://login.example.com/authorize",
    });
    let response = Response {
        status: 200,
        body: Body::Complete(document.to_string().into()),
        ..Response::default()
    };
    let metadata = read(&response, wanted.issuer()).unwrap();
    let endpoints = wanted.endpoints(&metadata, jiff::Timestamp::UNIX_EPOCH);
    let endpoints = endpoints.map_err(|failure| failure.to_string())?;
    assert!(wanted.is_known(&endpoints), "what is written is read again");
    Ok(endpoints.token_url)
}

#[test]
fn an_endpoint_on_another_host_is_refused_in_the_metadata_and_in_the_status() {
    let spec = |hosts: &[&str]| json!({"issuer": ISSUER, "endpointHosts": hosts});
    for (token, hosts, allowed) in [
        ("https://login.example.com/token", &[][..], true),
        ("https://LOGIN.example.com:443/token", &[], true),
        ("https://login.example.com:8443/token", &[], false),
        (
            "https://login.example.com:8443/token",
            &["login.example.com:8443"],
            true,
        ),
        ("https://evil.example/token", &[], false),
        ("https://evil.example/token", &["oauth2.example.com"], false),
        (
            "https://oauth2.example.com/token",
            &["oauth2.example.com"],
            true,
        ),
        (
            "https://login.example.com.evil.example/token",
            &["example.com"],
            false,
        ),
    ] {
        let result = discovered(spec(hosts), token);
        assert_eq!(result.is_ok(), allowed, "{token} {result:?}");
        let object = with(spec(hosts), &found(token, None));
        assert_eq!(object.token_url.is_some(), allowed, "{token}");
    }
    assert_eq!(
        discovered(spec(&[]), "https://evil.example/token"),
        Err(
            "the metadata has the token_endpoint on evil.example, which is not the issuer's host"
                .into()
        )
    );
    assert!(discovered(spec(&[]), "https://login.example.com/token?scope=all").is_err());
}

#[test]
fn an_authorization_endpoint_that_cannot_be_used_costs_no_token_endpoint() {
    let (token, wanted) = (
        "https://login.example.com/token",
        with(json!({"issuer": ISSUER}), &ProviderStatus::default()),
    );
    for (url, expected) in [
        ("https://login.example.com/authorize", true),
        ("https://evil.example/authorize", false),
        ("https://login.example.com/authorize?state=fixed", false),
    ] {
        let endpoint = |url| Endpoint::parse(url).unwrap();
        let metadata = Metadata {
            token_endpoint: endpoint(token),
            authorization_endpoint: Some(endpoint(url)),
            authentication_methods: None,
            scopes: Vec::new(),
            challenge_methods: None,
            redirects_name_issuer: false,
        };
        let wanted = wanted.discovery().unwrap();
        let found = wanted.endpoints(&metadata, jiff::Timestamp::UNIX_EPOCH);
        let found = found.unwrap();
        assert_eq!(found.token_url, token);
        assert_eq!(found.authorization_url.is_some(), expected, "{url}");
    }
}

#[test]
fn a_forged_status_cannot_send_a_client_elsewhere() {
    let token = "https://login.example.com/token";
    let spec = json!({"issuer": ISSUER});
    for status in [
        found("http://login.example.com/token", None),
        found("https://login.example.com@evil.example/token", None),
        found("https://login.example.com/token?grant_type=password", None),
        found("https://login.example.com\\@evil.example/", None),
        ProviderStatus::default(),
    ] {
        assert_eq!(with(spec.clone(), &status).token_url, None, "{status:?}");
    }
    let mut of_another = found(token, None);
    of_another.endpoints.as_mut().unwrap().issuer = "https://login.example.com/realms/b".into();
    assert_eq!(with(spec.clone(), &of_another).token_url, None);
    // A bad place to sign in costs no token.
    let object = with(spec, &found(token, Some("https://evil.example/")));
    assert_eq!(
        (object.token_url.as_deref(), object.authorization_url),
        (Some(token), None)
    );
    // With a URL of its own, the status does not count.
    let own = "https://login.example.com/own";
    let object = with(json!({"tokenURL": own}), &found(token, None));
    assert_eq!(object.token_url.as_deref(), Some(own));
}

#[test]
fn the_authorization_endpoint_of_the_spec_comes_first() {
    let status = found(
        "https://login.example.com/token",
        Some("https://login.example.com/found"),
    );
    let object = with(json!({"issuer": ISSUER}), &status);
    assert_eq!(
        object.authorization_url.as_deref(),
        Some("https://login.example.com/found")
    );
    let own = "https://elsewhere.example.com/own";
    let object = with(json!({"issuer": ISSUER, "authorizationURL": own}), &status);
    assert_eq!(object.authorization_url.as_deref(), Some(own));
}

#[test]
fn a_spec_without_exactly_one_way_to_an_endpoint_cannot_be_used() {
    let read = |spec| {
        ProviderObject::of_namespace(
            serde_json::from_value(spec).unwrap(),
            &ProviderStatus::default(),
        )
    };
    let both = json!({"issuer": ISSUER, "tokenURL": "https://login.example.com/token"});
    assert_eq!(read(both), Err(Unusable::NoEndpoint));
    assert_eq!(read(json!({})), Err(Unusable::NoEndpoint));
    assert!(matches!(
        read(json!({"issuer": "https://a.example/?b"})),
        Err(Unusable::Issuer(_))
    ));
    let hosts = json!({"issuer": ISSUER, "endpointHosts": ["a.example,b.example"]});
    assert_eq!(
        read(hosts),
        Err(Unusable::EndpointHost("a.example,b.example".into()))
    );
}

#[test]
fn a_token_endpoint_that_was_found_is_the_same_as_one_that_was_written() {
    let url = "https://login.example.com/token";
    let written = object(json!({"tokenURL": url}));
    assert_eq!(
        with(json!({"issuer": ISSUER}), &found(url, None)).version,
        written.version
    );
}
