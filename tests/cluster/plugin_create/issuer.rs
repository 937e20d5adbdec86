//! `--issuer`: the endpoints come from the metadata of the authorization server.

use serde_json::{Value, json};

use super::{last_line, run};
use crate::place::Place;
use crate::scripted::{Authority, LOCAL, Provider, Reply};

const LOOPBACK: [&str; 2] = ["--allow-network", "127.0.0.0/8,::1/128"];

/// A server whose metadata is at this path, and the printed objects of a `create` for its issuer.
fn printed(
    place: &Place,
    path: &'static str,
    issuer: &str,
    change: fn(&mut Value),
) -> (Provider, Option<i32>, String, String) {
    let authority = Authority::new("private");
    let own = std::sync::Arc::new(std::sync::OnceLock::<String>::new());
    let shared = own.clone();
    let provider = Provider::start(&authority.certificate(&LOCAL), move |request| {
        if request.target != path {
            return Reply::json(404, "{}");
        }
        let base = shared.get().unwrap();
        let mut metadata = json!({
            "issuer": format!("{base}/realms/a"),
            "token_endpoint": format!("{base}/token"),
            "authorization_endpoint": format!("{base}/authorize"),
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "scopes_supported": ["openid", "offline_access"],
            "code_challenge_methods_supported": ["S256"],
        });
        change(&mut metadata);
        Reply::json(200, metadata.to_string())
    });
    own.set(provider.url("")).unwrap();
    place.trust("scripted", &authority);
    let issuer = provider.url(issuer);
    let arguments = [
        &[
            "create",
            "main",
            "--issuer",
            &issuer,
            "--grant",
            "RefreshToken",
            "--ca-bundle",
            "ConfigMap/scripted",
            "--dry-run=client",
            "-o",
            "json",
        ],
        &LOOPBACK[..],
    ]
    .concat();
    let (code, output, errors) = run(&place.kubeconfig, &arguments, "");
    (provider, code, output, errors)
}

#[test]
fn what_the_metadata_says_is_written_into_the_spec() {
    let place = Place::new();
    for path in [
        "/realms/a/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/realms/a",
    ] {
        let (provider, code, output, errors) = printed(&place, path, "/realms/a", |_| {});
        assert_eq!(code, Some(0), "{errors}");
        let list: Value = serde_json::from_str(&output).unwrap();
        let spec = json!({
            "provider": "Custom", "clientSecretRef": {"name": "main-client"}, "grant": "RefreshToken",
            "refreshTokenRef": {"name": "main-login"}, "clientAuthentication": "Basic",
            "tokenURL": provider.url("/token"), "authorizationURL": provider.url("/authorize"),
            "scopes": ["offline_access", "openid"], "caBundleRef": {"kind": "ConfigMap", "name": "scripted"},
        });
        assert_eq!(list["items"][1]["spec"], spec);
        for request in provider.requests() {
            assert_eq!(
                (request.method.as_str(), request.body.as_str()),
                ("GET", "")
            );
        }
    }
}

#[test]
fn metadata_that_cannot_be_used_is_told() {
    let place = Place::new();
    let openid = "/realms/a/.well-known/openid-configuration";
    let told = |path, issuer, change| {
        let (provider, code, output, errors) = printed(&place, path, issuer, change);
        assert_eq!((code, output.as_str()), (Some(1), ""), "{errors}");
        let base = provider.url("");
        last_line(&errors).replace(&base, "BASE")
    };
    assert_eq!(
        told(openid, "/realms/a/", |_| {}),
        "kubectl cube: the metadata of BASE/realms/a/ names another issuer, \"BASE/realms/a\": --issuer has to be \
         written as the provider writes it"
    );
    assert_eq!(
        told("/nowhere", "/realms/a", |_| {}),
        "kubectl cube: issuer BASE/realms/a responded 404; name the endpoints with --token-url and \
         --authorization-url"
    );
    let insecure: fn(&mut Value) =
        |metadata| metadata["token_endpoint"] = json!("http://a.example/token");
    assert_eq!(
        told(openid, "/realms/a", insecure),
        "kubectl cube: the metadata of BASE/realms/a has an unusable token_endpoint: it must start with https:// in lower case; \
         name the endpoints with --token-url and --authorization-url"
    );
}

#[test]
fn an_issuer_on_a_network_that_is_refused_is_not_asked() {
    let authority = Authority::new("private");
    let provider = Provider::start(&authority.certificate(&LOCAL), |_| Reply::json(200, "{}"));
    let issuer = provider.url("");
    let arguments = ["create", "main", "--issuer", &issuer, "--dry-run=client"];
    let (code, _, errors) = run("/nowhere/config", &arguments, "");
    assert_eq!(code, Some(1));
    let host = issuer.trim_start_matches("https://");
    assert_eq!(
        last_line(&errors),
        format!(
            "kubectl cube: issuer {issuer} cannot be looked up: {host} is on a network that is refused by default (loopback)"
        )
    );
    assert_eq!(provider.connections(), 0);
}
