//! What can go wrong: each ends with one sentence, and nothing is stored.

use serde_json::json;

use super::{CODE, SignIn, follow, last_line, token};
use crate::scripted::{Reply, Request};

/// The error of a sign-in whose browser comes back with this query.
fn failed(sign_in: &SignIn, redirect: impl Fn(&super::Authorize) -> url::Url) -> String {
    let (cube, authorize) = sign_in.begin(&[]);
    let (status, page) = follow(&redirect(&authorize));
    let (code, output, errors) = cube.end();
    assert_eq!((code, output.as_str()), (Some(1), ""), "{errors}");
    assert_eq!(status, 400, "{page}");
    assert!(!errors.contains(CODE) && !page.contains(CODE), "{errors}");
    assert_eq!(sign_in.stored(), None);
    let error = last_line(&errors);
    let error = error.strip_prefix("kubectl cube: ").unwrap().to_owned();
    // The page says the same, and begins with a capital letter.
    let escaped = error
        .replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;");
    assert!(
        page.contains(&escaped.replace('<', "&lt;").replace('>', "&gt;")[1..]),
        "{page}"
    );
    error
}

#[test]
fn a_redirect_without_a_usable_code_ends_the_sign_in_and_nothing_is_sent() {
    let sign_in = SignIn::new();
    let with = |query: &'static str| failed(&sign_in, |authorize| authorize.redirect(query));
    assert_eq!(
        with("error=access_denied"),
        "the sign-in was denied: sign in again and authorize the client, or ask who administers it"
    );
    assert_eq!(
        with("error=invalid_scope&error_description=%3Cscript%3Eno"),
        "the provider responded invalid_scope (the provider says: \"<script>no\"): check spec.scopes"
    );
    assert_eq!(
        with("hello=world"),
        "the redirect has neither a code nor an error: run the command again; if it persists, check the authorization URL"
    );
    assert_eq!(
        with("code=Planted-code-4f0e5c31aa&iss=https%3A%2F%2Felsewhere.example"),
        format!(
            "the redirect names another provider as its issuer: check that {} is the authorization endpoint of the provider that \
             issues the tokens",
            sign_in.provider.url("").trim_start_matches("https://")
        )
    );
    assert!(sign_in.provider.requests().is_empty());
}

#[test]
fn a_refused_code_is_explained_in_the_providers_words() {
    for (status, body, expected) in [
        (
            401,
            r#"{"error":"invalid_client"}"#,
            "the sign-in worked, but token endpoint responded 401 invalid_client: check the client id and the client secret in Secret \
             \"client\", and spec.clientAuthentication",
        ),
        (
            400,
            r#"{"error":"unauthorized_client"}"#,
            "the sign-in worked, but token endpoint responded 400 unauthorized_client: allow this client to use the \
             authorization_code grant at the provider",
        ),
        (
            200,
            r#"{"access_token":"Planted-access-token-77ac","token_type":"Bearer"}"#,
            "the sign-in worked, but the response has no refresh token: add offline_access to spec.scopes if the provider knows that \
             scope, or allow refresh tokens for this client at the provider (Google: add ?access_type=offline&prompt=consent to \
             spec.authorizationURL), then run `kubectl cube login main` again",
        ),
    ] {
        let sign_in = SignIn::with(move |_| Reply::json(status, body));
        let error = failed(&sign_in, |authorize| {
            authorize.redirect(&format!("code={CODE}"))
        });
        assert_eq!(error, expected);
    }
}

#[test]
fn a_sign_in_that_takes_too_long_names_the_redirect_uri() {
    let sign_in = SignIn::new();
    let (cube, authorize) = sign_in.begin(&["--login-timeout", "1s"]);
    let (code, _, errors) = cube.end();
    assert_eq!(code, Some(1));
    assert_eq!(
        last_line(&errors),
        format!(
            "kubectl cube: the sign-in did not end within 1s: if the browser shows an error about the redirect URI, register {} at \
             the provider or name the registered one with --redirect-uri; otherwise run the command again",
            authorize.parameter("redirect_uri")
        )
    );
}

#[test]
fn an_address_that_is_not_the_redirects_is_refused() {
    let sign_in = SignIn::new();
    let (mut cube, authorize) = sign_in.begin(&["--no-browser"]);
    cube.write("https://portal.example.com/o/authorize/?client_id=a");
    let (code, _, errors) = cube.end();
    assert_eq!(code, Some(1));
    let expected = format!(
        "this is not an address that begins with {}",
        authorize.parameter("redirect_uri")
    );
    assert!(last_line(&errors).contains(&expected), "{errors}");
}

#[test]
fn what_cannot_work_is_refused_before_anybody_signs_in() {
    let sign_in = SignIn::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    assert_eq!(
        sign_in.refused(&["--redirect-port", &port.to_string()]),
        format!(
            "kubectl cube: failed to listen on 127.0.0.1:{port} for the redirect of the browser: Address already in use (os error \
             98); end the program that uses the port, or choose another with --redirect-port"
        )
    );

    let (place, namespace) = (&sign_in.place, &sign_in.place.namespace);
    let (code, _, errors) = sign_in.user.start(&["login", "absent"]).end();
    assert_eq!(code, Some(1));
    assert_eq!(
        errors,
        format!(
            "kubectl cube: CubeCredential \"absent\" not found in namespace \"{namespace}\": list them with `kubectl get \
             cubecredentials -n {namespace}`, or create it with `kubectl cube create absent -n {namespace}`\n"
        )
    );
    place.apply(&place.credential("other"));
    let (code, _, errors) = sign_in.user.start(&["login", "other"]).end();
    assert_eq!(code, Some(1));
    assert_eq!(
        errors,
        "kubectl cube: CubeCredential \"other\" has grant ClientCredentials, which needs no sign-in: a sign-in is for grant \
         RefreshToken\n"
    );

    place.kubectl(&["delete", "secret", "client"]);
    let error = sign_in.refused(&[]);
    assert!(
        error.starts_with("kubectl cube: Secret \"client\" not found"),
        "{error}"
    );
    assert!(sign_in.provider.requests().is_empty());
}

#[test]
fn an_operator_that_is_not_there_is_named_and_the_refresh_token_stays() {
    let sign_in = SignIn::with(|_| token());
    let (cube, authorize) = sign_in.begin(&["--refresh-timeout", "1s"]);
    assert_eq!(follow(&authorize.redirect(&format!("code={CODE}"))).0, 200);
    let (code, _, errors) = cube.end();
    assert_eq!(code, Some(1));
    assert_eq!(
        last_line(&errors),
        format!(
            "kubectl cube: the refresh token is stored in Secret \"main-login\", but the operator has not responded to CubeCredential \
             \"main\" within 1s: check that it runs, with `kubectl get pods -A -l app.kubernetes.io/name=cube-operator`, and that it \
             watches namespace {}",
            sign_in.place.namespace
        )
    );
    assert!(sign_in.stored().is_some());
}

/// A provider with metadata, which names itself at `issuer` and this token endpoint.
fn metadata(request: &Request, token_path: &str) -> Reply {
    let host = request.headers.iter().find(|(name, _)| name == "host");
    let host = &host.unwrap().1;
    if !request.target.contains(".well-known") {
        return token();
    }
    let body = json!({
        "issuer": format!("https://{host}"),
        "authorization_endpoint": format!("https://{host}/from-metadata"),
        "token_endpoint": format!("https://{host}{token_path}"),
    });
    Reply::json(200, body.to_string())
}

#[test]
fn an_issuer_is_looked_up_and_has_to_sign_in_at_the_token_endpoint_of_the_spec() {
    let sign_in = SignIn::with(|request| metadata(request, "/token"));
    sign_in.place.patch(
        "cubecredential",
        "main",
        &json!({"spec": {"authorizationURL": null}}),
    );
    let error = sign_in.refused(&[]);
    assert!(error.contains("has no spec.authorizationURL"), "{error}");
    let url = sign_in.provider.url("/mine");
    assert_eq!(sign_in.begin(&["--login-url", &url]).1.0.path(), "/mine");
    let issuer = sign_in.provider.url("");
    let (cube, authorize) = sign_in.begin(&["--issuer", &issuer, "--replace"]);
    assert_eq!(authorize.0.path(), "/from-metadata");
    let iss: String = url::form_urlencoded::byte_serialize(issuer.as_bytes()).collect();
    assert_eq!(
        follow(&authorize.redirect(&format!("code={CODE}&iss={iss}"))).0,
        200
    );
    drop(cube);
    let spec = sign_in.provider.url("/authorize");
    let url = json!({"spec": {"authorizationURL": spec}});
    sign_in.place.patch("cubecredential", "main", &url);
    assert_eq!(
        sign_in.refused(&["--issuer", &issuer]),
        format!(
            "kubectl cube: CubeCredential \"main\" signs in at {spec}, and you have named {issuer}/from-metadata: correct \
             spec.authorizationURL, or leave the flag out"
        )
    );

    let other = SignIn::with(|request| metadata(request, "/elsewhere"));
    let issuer = other.provider.url("");
    let error = other.refused(&["--issuer", &issuer]);
    assert_eq!(
        error,
        format!(
            "kubectl cube: issuer {issuer} has token endpoint {issuer}/elsewhere, and the spec names another one: correct \
             spec.tokenURL, or leave --issuer out"
        )
    );
}

#[test]
fn a_redirect_of_another_sign_in_is_ignored_and_the_right_one_still_counts() {
    let sign_in = SignIn::new();
    let (cube, authorize) = sign_in.begin(&[]);
    let uri = authorize.parameter("redirect_uri");
    for query in [
        "x",
        "code=another&state=another",
        "state=another&error=access_denied",
    ] {
        let (status, page) = follow(&format!("{uri}?{query}").parse().unwrap());
        assert_eq!(status, 400);
        assert!(
            page.contains("belongs to another sign-in, and was ignored"),
            "{page}"
        );
    }
    let right = authorize.redirect(&format!("code={CODE}"));
    assert_eq!(follow(&right).0, 200);
    assert!(sign_in.stored().is_some());
    drop(cube);
}

#[test]
fn a_parameter_that_a_sign_in_sets_itself_is_refused() {
    let sign_in = SignIn::new();
    sign_in.place.patch(
        "cubecredential",
        "main",
        &json!({"spec": {"parameters": {"state": "planted"}}}),
    );
    assert_eq!(
        sign_in.refused(&[]),
        "kubectl cube: the sign-in cannot begin: spec.parameters has \"state\", which a sign-in sets itself; remove it"
    );
}
