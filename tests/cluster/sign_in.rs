//! `kubectl cube login` as a process, for a user who has the role `edit` and no more. The provider is scripted: the test reads the
//! printed URL and sends the browser's redirect itself.

mod changes;
mod faults;
mod keys;
mod provider_object;
mod rights;
mod secret;
mod secrets;
mod trust;
mod turns;
mod user;

use std::{
    net::TcpListener,
    sync::atomic::{AtomicU16, Ordering},
};

use serde_json::{Value, json};
use url::Url;

use crate::{
    operator::Operator,
    place::Place,
    scripted::{Authority, LOCAL, Provider, Reply, Request},
};
use user::{Cube, User};

/// Planted, so that tests can look for them where they must not be.
const CODE: &str = "Planted-code-4f0e5c31aa";
const REFRESH_TOKEN: &str = "Planted-refresh-token-9b1d";
const ACCESS_TOKEN: &str = "Planted-access-token-77ac";

/// A provider that signs users in, a `CubeCredential` for it, and a user.
struct SignIn {
    place: Place,
    authority: Authority,
    provider: Provider,
    user: User,
}

impl SignIn {
    fn new() -> Self {
        Self::with(|_| token())
    }

    fn with(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let place = Place::new();
        let authority = Authority::new("private");
        let provider = Provider::start(&authority.certificate(&LOCAL), script);
        place.trust("scripted", &authority);
        let user = User::with_role(&place, "editor", "edit");
        let sign_in = Self {
            place,
            authority,
            provider,
            user,
        };
        sign_in.place.apply(&sign_in.client(&sign_in.host()));
        sign_in.place.apply(&sign_in.credential());
        sign_in
    }

    /// The Secret of the client, whose owner allows these hosts.
    fn client(&self, hosts: &str) -> Value {
        let mut client = self.place.source();
        client["metadata"]["annotations"] = json!({
            "cube-operator.dev/token-hosts": hosts, "cube-operator.dev/token-ca": "ConfigMap/scripted",
        });
        client
    }

    /// The provider's host and port.
    fn host(&self) -> String {
        let url = self.provider.url("");
        url.trim_start_matches("https://").to_owned()
    }

    fn credential(&self) -> Value {
        let url = self.provider.url("/token");
        let mut object = self.place.credential_at("main", &url, "scripted");
        object["spec"]["grant"] = json!("RefreshToken");
        object["spec"]["refreshTokenRef"] = json!({"name": "main-login"});
        object["spec"]["authorizationURL"] = json!(self.provider.url("/authorize"));
        object["spec"]["scopes"] = json!(["read", "write"]);
        object
    }

    /// Begins `kubectl cube login main`, and reads the URL.
    fn begin(&self, arguments: &[&str]) -> (Cube, Authorize) {
        let all = [
            &["login", "main", "--allow-network", "127.0.0.0/8,::1/128"],
            arguments,
        ]
        .concat();
        let mut cube = self.user.start(&all);
        let url = cube.line();
        (cube, Authorize(url.parse().unwrap()))
    }

    /// A login that ends without a redirect.
    fn refused(&self, arguments: &[&str]) -> String {
        let all = [
            &["login", "main", "--allow-network", "127.0.0.0/8,::1/128"],
            arguments,
        ]
        .concat();
        let (code, output, errors) = self.user.start(&all).end();
        assert_eq!((code, output.as_str()), (Some(1), ""), "{errors}");
        last_line(&errors)
    }

    fn operator(&self) -> Operator {
        self.place.operator()
    }

    /// The value of the key in the Secret of the refresh token.
    fn stored(&self) -> Option<String> {
        self.place.get("secret", "main-login")?;
        Some(self.place.value("main-login", "refresh-token"))
    }
}

/// A port that nothing uses. It is below those that the kernel gives to connections, or a program that runs meanwhile could get it.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(20_000);
    loop {
        let port = NEXT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn token() -> Reply {
    let body = json!({
        "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 3600, "refresh_token": REFRESH_TOKEN,
    });
    Reply::json(200, body.to_string())
}

/// The printed URL.
struct Authorize(Url);

impl Authorize {
    fn parameter(&self, name: &str) -> String {
        let mut found = self.0.query_pairs().filter(|(found, _)| found == name);
        let value = found.next().map(|(_, value)| value.into_owned());
        value.unwrap_or_default()
    }

    /// Where the provider sends the browser.
    fn redirect(&self, query: &str) -> Url {
        let state = self.parameter("state");
        let uri = self.parameter("redirect_uri");
        format!("{uri}?state={state}&{query}").parse().unwrap()
    }
}

/// Follows a redirect as a browser does: the status and the page.
fn follow(url: &Url) -> (u16, String) {
    let address = format!("127.0.0.1:{}", url.port().unwrap());
    let path = format!("{}?{}", url.path(), url.query().unwrap_or_default());
    crate::operator::get(&address, &path)
}

fn last_line(text: &str) -> String {
    text.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn a_person_signs_in_and_the_operator_makes_the_first_refresh() {
    let sign_in = SignIn::new();
    let _operator = sign_in.operator();
    let (cube, authorize) = sign_in.begin(&[]);
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", sign_in.place.namespace.as_str()),
        ("scope", "read write"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(authorize.parameter(name), value);
    }
    let (status, page) = follow(&authorize.redirect(&format!("code={CODE}")));
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("Secret &quot;main-login&quot;"), "{page}");
    assert!(!page.contains("<script"), "{page}");
    let (code, output, errors) = cube.end();
    assert_eq!(code, Some(0), "{errors}");
    let expires_at = sign_in.place.status("main").expires_at.unwrap();
    assert_eq!(
        output,
        format!(
            "Signed in; the first refresh worked; Secret \"main-token\" is valid until {expires_at}.\n"
        )
    );
    let requests = sign_in.provider.requests();
    assert!(requests[0].body.contains("grant_type=authorization_code"));
    assert!(requests[0].body.contains("code_verifier="));
    assert!(requests[1].body.contains("grant_type=refresh_token"));
    assert_eq!(sign_in.stored().as_deref(), Some(REFRESH_TOKEN));
    for planted in [CODE, REFRESH_TOKEN, ACCESS_TOKEN] {
        assert!(!format!("{output}{errors}{page}").contains(planted));
    }
}

#[test]
fn without_a_browser_the_address_is_pasted() {
    let sign_in = SignIn::new();
    let _operator = sign_in.operator();
    // Where the browser runs elsewhere, it does not matter that a program uses the port here.
    let used = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = used.local_addr().unwrap().port();
    let flags = ["--no-browser", "--redirect-port", &port.to_string()];
    let (mut cube, authorize) = sign_in.begin(&flags);
    assert_eq!(
        authorize.parameter("redirect_uri"),
        format!("http://127.0.0.1:{port}/callback")
    );
    cube.write(authorize.redirect(&format!("code={CODE}")).as_str());
    let (code, output, errors) = cube.end();
    assert_eq!(code, Some(0), "{errors}");
    assert!(output.starts_with("Signed in; "), "{output}");
}

#[test]
fn a_registered_redirect_uri_is_sent_as_it_is() {
    let sign_in = SignIn::new();
    let port = free_port();
    let uri = format!("http://localhost:{port}/signed-in");
    let (cube, authorize) = sign_in.begin(&["--redirect-uri", &uri]);
    assert_eq!(authorize.parameter("redirect_uri"), uri);
    assert_eq!(follow(&authorize.redirect(&format!("code={CODE}"))).0, 200);
    assert_eq!(sign_in.stored().as_deref(), Some(REFRESH_TOKEN));
    drop(cube);
}
