//! Provider objects with an issuer, whose metadata names the endpoints.

use std::sync::{Arc, Mutex};

use super::*;

/// An authorization server whose metadata a test decides.
pub(super) struct Server {
    pub(super) authority: Authority,
    pub(super) provider: Provider,
    document: Arc<Mutex<Option<Value>>>,
    /// The path of the token endpoint that is not there any more.
    gone: Arc<Mutex<Option<String>>>,
}

impl Server {
    pub(super) fn start() -> Self {
        let authority = Authority::new("private");
        let document: Arc<Mutex<Option<Value>>> = Arc::default();
        let shown = Arc::clone(&document);
        let gone: Arc<Mutex<Option<String>>> = Arc::default();
        let is_gone = Arc::clone(&gone);
        let server = Provider::start(&authority.certificate(&LOCAL), move |request| {
            if is_gone.lock().unwrap().as_ref() == Some(&request.target) {
                return Reply::json(404, "planted body");
            }
            if !request.target.contains(".well-known") {
                return Reply::token("planted");
            }
            match &*shown.lock().unwrap() {
                Some(document) => Reply::json(200, document.to_string()),
                None => Reply::json(503, "planted body"),
            }
        });
        let started = Self {
            authority,
            provider: server,
            document,
            gone,
        };
        started.says(&started.provider.url("/first"));
        started
    }

    /// The metadata names this token endpoint from now on.
    fn says(&self, token_endpoint: &str) {
        let document = json!({
            "issuer": self.provider.url(""), "token_endpoint": token_endpoint,
            "authorization_endpoint": self.provider.url("/authorize"),
        });
        *self.document.lock().unwrap() = Some(document);
    }

    fn goes_down(&self) {
        *self.document.lock().unwrap() = None;
    }

    fn spec(&self) -> Value {
        json!({"issuer": self.provider.url(""), "caBundle": self.authority.pem()})
    }

    /// The numbers of requests for metadata, and for tokens.
    pub(super) fn requests(&self) -> (usize, usize) {
        let requests = self.provider.requests();
        let of_metadata = requests
            .iter()
            .filter(|request| request.target.contains(".well-known"))
            .count();
        (of_metadata, requests.len() - of_metadata)
    }
}

fn ready_message(status: &Value) -> &str {
    status["conditions"][0]["message"].as_str().unwrap()
}

#[test]
fn the_endpoints_of_an_issuer_are_found_once_for_all_and_outlive_the_issuer_and_the_operator() {
    let (place, server) = (Place::new(), Server::start());
    place.define("CubeProvider", "okta", &server.spec());
    place.apply(&place.source());
    let operator = place.operator();
    let status = place.provider_becomes("okta", "NotNamed", Some(0));
    assert_eq!(status["conditions"][0]["status"], "True");
    assert_eq!(server.requests(), (0, 0), "no credential names it");
    for number in 0..3 {
        place.apply(&place.named(&format!("main-{number}"), "CubeProvider", "okta"));
    }
    for number in 0..3 {
        place.becomes(&format!("main-{number}"), Ready, "True", "Synced");
    }
    let status = place.provider_becomes("okta", "Discovered", Some(3));
    assert_eq!(
        ready_message(&status),
        format!(
            "tokens come from {}, as the issuer's metadata says",
            server.provider.url("/first")
        )
    );
    assert_eq!(
        status["endpoints"]["authorizationURL"],
        server.provider.url("/authorize")
    );
    assert_eq!(server.requests(), (1, 3), "one document, whatever names it");

    // The issuer is down, and the operator begins anew.
    server.goes_down();
    drop(operator);
    let operator = place.operator();
    place.request_of("main-0", "again");
    eventually("a token without the metadata", || {
        (server.requests() == (1, 4)).then_some(())
    });
    place.becomes("main-0", Ready, "True", "Synced");

    // Another spelling is another issuer, which is down: the tokens stay.
    let token = place.token("main-1-token");
    let mut other = server.spec();
    other["issuer"] = json!(server.provider.url("/other"));
    place.define("CubeProvider", "okta", &other);
    let status = place.provider_becomes("okta", "DiscoveryFailed", Some(3));
    assert_eq!(status["conditions"][0]["status"], "False");
    assert!(status["endpoints"].is_null());
    assert_eq!(
        ready_message(&status),
        "the metadata of the issuer responded 503: correct spec.issuer, or set tokenURL in place of it; retried after 10 s to 1 h"
    );
    let message = place.becomes("main-1", Refreshed, "False", "ProviderNotReady");
    assert!(
        message.starts_with("the token endpoint of CubeProvider \"okta\" is not known"),
        "{message}"
    );
    assert!(is(&place.status("main-1"), Ready, "True", "Synced"));
    assert_eq!(place.token("main-1-token"), token);
    assert!(!operator.log().contains("planted body"));

    // The right one is back.
    server.says(&server.provider.url("/first"));
    place.define("CubeProvider", "okta", &server.spec());
    place.provider_becomes("okta", "Discovered", Some(3));
    place.becomes("main-1", Refreshed, "True", "TokenIssued");
    assert_eq!(
        place.token("main-1-token"),
        token,
        "the endpoint is the same"
    );
}

/// The metadata is read a day after the last read at most. A token endpoint that is gone brings that forward, once the last read is an
/// hour old.
#[test]
fn an_endpoint_that_is_gone_is_looked_up_again() {
    let (place, server) = (Place::new(), Server::start());
    place.define("CubeProvider", "okta", &server.spec());
    place.apply(&place.source());
    let operator = place.operator();
    for name in ["main", "other"] {
        place.apply(&place.named(name, "CubeProvider", "okta"));
        place.becomes(name, Ready, "True", "Synced");
    }
    place.provider_becomes("okta", "Discovered", Some(2));
    drop(operator);
    let mut status = place.get("cubeprovider", "okta").unwrap()["status"].clone();
    let an_hour_ago = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(61);
    status["endpoints"]["readAt"] = json!(an_hour_ago.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    place.patch_status("cubeprovider", "okta", &status);

    let _operator = place.operator();
    server.says(&server.provider.url("/second"));
    *server.gone.lock().unwrap() = Some("/first".into());
    assert_eq!(server.requests().0, 1);
    place.request_of("main", "again");
    eventually("the new endpoint", || {
        let object = place.get("cubeprovider", "okta")?;
        (object["status"]["endpoints"]["tokenURL"] == server.provider.url("/second")).then_some(())
    });
    for name in ["main", "other"] {
        place.becomes(name, Refreshed, "True", "TokenIssued");
    }
    // Two first tokens, one request in vain, and two at the new endpoint.
    eventually("both have followed", || {
        (server.requests() == (2, 5)).then_some(())
    });
}

#[test]
fn metadata_that_names_another_host_sends_no_client_there_until_the_spec_lists_it() {
    let (place, server) = (Place::new(), Server::start());
    let elsewhere = Issuer::start();
    let url = elsewhere.server.url("/token");
    server.says(&url);
    place.define("CubeProvider", "okta", &server.spec());
    place.apply(&place.source());
    place.apply(&place.named("main", "CubeProvider", "okta"));
    let _operator = place.operator();
    let status = place.provider_becomes("okta", "DiscoveryFailed", Some(1));
    let host = format!("localhost:{}", elsewhere.server.address.port());
    assert_eq!(
        ready_message(&status),
        format!(
            "the metadata has the token_endpoint on {host}, which is not the issuer's host: if that is the provider's too, add it to \
             spec.endpointHosts; retried after 10 s to 1 h"
        )
    );
    // Neither does a forged status.
    place.patch_status(
        "cubeprovider",
        "okta",
        &json!({"endpoints": {
            "issuer": server.provider.url(""), "tokenURL": url, "readAt": "2026-11-28T09:00:00Z",
        }}),
    );
    place.becomes("main", Refreshed, "False", "ProviderNotReady");
    assert_eq!(elsewhere.server.connections(), 0);

    let mut spec = server.spec();
    spec["endpointHosts"] = json!([host]);
    spec["caBundle"] = json!(format!(
        "{}{}",
        server.authority.pem(),
        elsewhere.authority.pem()
    ));
    place.define("CubeProvider", "okta", &spec);
    place.becomes("main", Ready, "True", "Synced");
    assert_eq!(elsewhere.paths(), ["/token"]);
}

#[test]
fn an_issuer_on_a_host_that_the_installer_does_not_allow_is_not_asked() {
    let (place, server) = (Place::new(), Server::start());
    place.define("CubeProvider", "okta", &server.spec());
    place.apply(&place.source());
    place.apply(&place.named("main", "CubeProvider", "okta"));
    let _operator = place.operator_with(&["--allowed-token-hosts=login.example.com"], &[]);
    let status = place.provider_becomes("okta", "DiscoveryFailed", Some(1));
    assert!(
        ready_message(&status).contains("ask the installer to add it to --allowed-token-hosts"),
        "{status}"
    );
    assert_eq!(server.provider.connections(), 0);
}

#[test]
fn where_network_details_are_hidden_a_provider_does_not_show_them_either() {
    let (place, server) = (Place::new(), Server::start());
    server.goes_down();
    let mut closed = server.spec();
    closed["issuer"] = json!(format!("https://localhost:{}", crate::scripted::CLOSED));
    place.define("CubeProvider", "closed", &closed);
    place.define("CubeProvider", "down", &server.spec());
    place.apply(&place.source());
    for name in ["closed", "down"] {
        place.apply(&place.named(name, "CubeProvider", name));
    }
    let operator = place.operator_with(&["--hide-network-detail=true"], &[]);
    let messages = ["closed", "down"].map(|name| {
        let status = place.provider_becomes(name, "DiscoveryFailed", Some(1));
        ready_message(&status).to_owned()
    });
    assert_eq!(messages[0], messages[1]);
    operator.wait_for_log("could not be reached: connection refused");
}
