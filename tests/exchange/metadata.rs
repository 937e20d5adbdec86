//! The metadata of an issuer is read with the guards of a token request, and without a credential.

use std::{thread, time::Duration};

use cube_operator::oauth::{
    ca_bundle::TrustedCa,
    client::TokenClient,
    discovery::{Issuer, Metadata},
    error::MetadataError,
};
use serde_json::json;

use crate::{
    client, local,
    scripted::{Authority, LOCAL, Provider, Reply, Request},
};

/// A server at whose URL an issuer is.
fn start(
    script: impl Fn(&Request, &str) -> Reply + Send + Sync + 'static,
) -> (Authority, Provider) {
    let authority = Authority::new("private");
    let provider = Provider::start(&authority.certificate(&LOCAL), move |request| {
        let host = header(request, "host").unwrap().to_owned();
        script(request, &format!("https://{host}"))
    });
    (authority, provider)
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let mut headers = request.headers.iter();
    let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

fn document(issuer: &str) -> Reply {
    let metadata =
        json!({"issuer": format!("{issuer}/a"), "token_endpoint": format!("{issuer}/token")});
    Reply::json(200, metadata.to_string())
}

fn read(
    client: &TokenClient,
    authority: &Authority,
    provider: &Provider,
) -> Result<Metadata, MetadataError> {
    let issuer = Issuer::parse(&provider.url("/a")).unwrap();
    let trusted = TrustedCa::besides_system(authority.pem()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(client.metadata(&issuer, Some(&trusted)))
}

fn error(client: &TokenClient, authority: &Authority, provider: &Provider) -> String {
    read(client, authority, provider).unwrap_err().to_string()
}

#[test]
fn the_document_is_found_at_the_addresses_of_both_standards_without_a_credential() {
    for path in [
        "/a/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/a",
    ] {
        let (authority, provider) = start(move |request, issuer| {
            if request.target == path {
                document(issuer)
            } else {
                Reply::json(404, "{}")
            }
        });
        let metadata = read(&local(), &authority, &provider).unwrap();
        assert_eq!(
            metadata.token_endpoint.url().as_str(),
            provider.url("/token")
        );
        for request in provider.requests() {
            assert_eq!(
                (request.method.as_str(), request.body.as_str()),
                ("GET", "")
            );
            assert_eq!(header(&request, "authorization"), None);
        }
    }
}

#[test]
fn no_redirect_is_followed() {
    let target = start(|_, issuer| document(issuer));
    let location = target.1.url("/.well-known/openid-configuration");
    let (authority, provider) =
        start(move |_, _| Reply::json(302, "").header("Location", &location));
    assert_eq!(
        error(&local(), &authority, &provider),
        "the metadata of the issuer responded 302"
    );
    assert_eq!(target.1.connections(), 0);
}

#[test]
fn a_document_of_another_issuer_a_large_one_and_none_are_refused() {
    let (authority, provider) = start(|_, issuer| {
        let other =
            json!({"issuer": format!("{issuer}/b"), "token_endpoint": format!("{issuer}/token")});
        Reply::json(200, other.to_string())
    });
    let text = error(&local(), &authority, &provider);
    assert!(
        text.starts_with("the metadata of the issuer names another issuer, https://localhost:"),
        "{text}"
    );
    assert_eq!(provider.requests().len(), 1, "the answer is clear");

    let (authority, provider) = start(|_, issuer| {
        let large = format!(
            r#"{{"issuer":"{issuer}/a","token_endpoint":"{issuer}/token","more":"{}"}}"#,
            "x".repeat(1024 * 1024)
        );
        Reply::json(200, large)
    });
    let text = error(&local(), &authority, &provider);
    assert!(text.contains("no metadata"), "{text}");
    assert_eq!(provider.requests().len(), 4, "one at each address");
}

#[test]
fn all_addresses_together_have_the_time_of_one_exchange() {
    let (authority, provider) = start(|_, _| {
        thread::sleep(Duration::from_millis(1200));
        Reply::json(404, "{}")
    });
    let text = error(
        &local().with_timeout(Duration::from_secs(2)),
        &authority,
        &provider,
    );
    assert_eq!(
        text,
        format!(
            "localhost:{} sent no complete response within 2s",
            provider.address.port()
        )
    );
}

#[test]
fn a_refused_network_an_unknown_certificate_and_a_closed_port_are_what_they_are_for_a_token_request()
 {
    let (authority, provider) = start(|_, issuer| document(issuer));
    let text = error(&client(&[]), &authority, &provider);
    assert!(
        text.starts_with(&format!(
            "localhost:{} is on a network that",
            provider.address.port()
        )),
        "{text}"
    );
    assert_eq!(provider.connections(), 0);
    let text = error(&local(), &Authority::new("another"), &provider);
    assert!(text.starts_with("TLS certificate of localhost:"), "{text}");
    assert_eq!(provider.requests().len(), 0);
}
