//! A django-oauth-toolkit server, and the commands that change what it does.

#[path = "token_server/request_log.rs"]
mod request_log;

use std::{fs, sync::OnceLock};

use serde_json::json;

use super::launcher::Launcher;
pub(crate) use request_log::{Refresh, fingerprint};

/// The URL to which a sign-in redirects browsers.
const REDIRECT_URI: &str = "http://127.0.0.1:8000/callback";

/// A django-oauth-toolkit server.
pub(crate) struct TokenServer {
    launcher: Launcher,
    /// Its token endpoint.
    pub(crate) token_url: String,
    /// A resource that its tokens give access to.
    pub(crate) resource_url: String,
    /// The certificate of its private CA.
    pub(crate) ca_pem: String,
}

impl TokenServer {
    /// The server that most tests share; its tokens live for an hour.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<TokenServer> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(3600))
    }

    /// A server for one test.
    pub(crate) fn start(lifetime: u32) -> Self {
        Self::start_with(&["--lifetime", &lifetime.to_string()])
    }

    /// A server for one test, with these options of `tests/environment.py`.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let launcher = Launcher::start("token-server", arguments);
        Self {
            token_url: launcher.fact("token_url"),
            resource_url: launcher.fact("resource_url"),
            ca_pem: fs::read_to_string(launcher.fact("ca_file")).unwrap(),
            launcher,
        }
    }

    /// Registers a client for the client-credentials grant.
    pub(crate) fn create_client(&self, id: &str, secret: &str) {
        self.launcher
            .command(&json!({"cmd": "create-client", "client_id": id, "client_secret": secret}));
    }

    /// Registers a client that signs users in, public if it has no secret, and a user of the same name.
    pub(crate) fn create_login_client(&self, id: &str, secret: Option<&str>) {
        let mut client = json!({
            "cmd": "create-client", "client_id": id, "grant_type": "authorization-code", "redirect_uris": REDIRECT_URI,
        });
        match secret {
            Some(secret) => client["client_secret"] = json!(secret),
            None => client["client_type"] = json!("public"),
        }
        self.launcher.command(&client);
        let user = json!({"cmd": "create-user", "username": id, "password": "Planted-password-1"});
        self.launcher.command(&user);
    }

    /// Signs the client's user in, and returns the refresh token.
    pub(crate) fn sign_in(&self, id: &str, secret: Option<&str>) -> String {
        let mut command = json!({
            "cmd": "sign-in", "client_id": id, "username": id, "password": "Planted-password-1", "redirect_uri": REDIRECT_URI,
        });
        if let Some(secret) = secret {
            command["client_secret"] = json!(secret);
        }
        let answer = self.launcher.ask(&command);
        let token = answer["refresh_token"].as_str();
        token
            .unwrap_or_else(|| panic!("no sign-in: {}", answer["error"]))
            .to_owned()
    }

    /// From now on token requests wait so many seconds before they are processed, and between commit and response.
    pub(crate) fn delay(&self, before: f64, after: f64) {
        self.launcher
            .command(&json!({"cmd": "delay", "before": before, "after": after}));
    }

    /// Holds the responses to committed token requests, or releases them.
    pub(crate) fn hold(&self, on: bool) {
        self.launcher.command(&json!({"cmd": "hold", "on": on}));
    }

    /// The next token requests are committed, but get a 502.
    pub(crate) fn lose_answers(&self, count: u32) {
        self.launcher
            .command(&json!({"cmd": "lose-answers", "count": count}));
    }

    /// The next access tokens live for so many seconds, one after the other, and all later ones as long as the last.
    pub(crate) fn set_lifetimes(&self, seconds: &[u32]) {
        self.launcher
            .command(&json!({"cmd": "lifetimes", "seconds": seconds}));
    }

    /// The grace period at the next token requests, one after the other, and at all later ones the last.
    pub(crate) fn set_graces(&self, seconds: &[u32]) {
        self.launcher
            .command(&json!({"cmd": "graces", "seconds": seconds}));
    }

    /// Revokes an access or refresh token.
    pub(crate) fn revoke(&self, token: &str) {
        self.launcher
            .command(&json!({"cmd": "revoke", "token": token}));
    }

    /// Changes a client's secret.
    pub(crate) fn set_secret(&self, id: &str, secret: &str) {
        self.launcher
            .command(&json!({"cmd": "set-secret", "client_id": id, "client_secret": secret}));
    }

    /// Responds 403 to every token request, as to an address that is not on the allow-list; or stops doing so.
    pub(crate) fn forbid(&self, on: bool) {
        self.launcher.command(&json!({"cmd": "forbid", "on": on}));
    }
}
