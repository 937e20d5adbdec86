//! A place with a login: a client that signs users in, and a `CubeCredential` that keeps such a user's refresh token.

use std::ops::Deref;

use cube_operator::api::{
    ConditionType::{Ready, Refreshed},
    CubeCredentialStatus,
};
use serde_json::{Value, json};

use crate::{
    environment::{ControlPlane, Refresh, TokenServer, fingerprint},
    operator::eventually,
    place::{CLIENT_SECRET, Place, is},
};

/// The name of the state Secret of `main`.
pub(crate) const STATE: &str = "main-cube-state";

/// A place whose client signs users in.
pub(crate) struct Login {
    place: Place,
    secret: Option<&'static str>,
}

/// What the state Secret holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) refresh_token: String,
    pub(crate) access_token: Option<String>,
    pub(crate) record: Value,
}

impl Deref for Login {
    type Target = Place;

    fn deref(&self) -> &Place {
        &self.place
    }
}

impl Login {
    /// A place at this token server.
    pub(crate) fn at(server: &'static TokenServer) -> Self {
        Self::on(ControlPlane::shared(), server, Some(CLIENT_SECRET))
    }

    /// A place at a token server of its own with these options.
    pub(crate) fn with(options: &[&str]) -> Self {
        Self::at(Box::leak(Box::new(TokenServer::start_with(options))))
    }

    /// A place on this control plane, whose client is public if it has no secret.
    pub(crate) fn on(
        plane: &'static ControlPlane,
        server: &'static TokenServer,
        secret: Option<&'static str>,
    ) -> Self {
        let place = Place::without_client(plane, server);
        server.create_login_client(&place.namespace, secret);
        Self { place, secret }
    }

    /// Signs the user in, and returns the refresh token.
    pub(crate) fn sign_in(&self) -> String {
        self.server.sign_in(&self.namespace, self.secret)
    }

    /// The Secret `client`, which has no secret for a public client.
    pub(crate) fn client(&self) -> Value {
        let mut source = self.source();
        if self.secret.is_none() {
            source["stringData"] = json!({"client-id": self.namespace});
        }
        source
    }

    /// A labelled Secret `seed` with this refresh token.
    #[expect(clippy::unused_self, reason = "reads like the others")]
    pub(crate) fn seed(&self, token: &str) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "seed", "labels": {"cube-operator.dev/credential": "true"}},
            "stringData": {"refresh-token": token},
        })
    }

    /// The `CubeCredential` `main`.
    pub(crate) fn main(&self) -> Value {
        let mut object = self.credential("main");
        object["spec"]["grant"] = json!("RefreshToken");
        object["spec"]["refreshTokenRef"] = json!({"name": "seed"});
        if self.secret.is_none() {
            object["spec"]["clientAuthentication"] = json!("None");
        }
        object
    }

    /// Signs in, applies the objects, waits until `main` is ready, and returns the seed.
    pub(crate) fn begin(&self) -> String {
        let seed = self.sign_in();
        self.apply(&self.client());
        self.apply(&self.seed(&seed));
        self.apply(&self.main());
        self.wait_until_good();
        seed
    }

    /// Waits until the last exchange worked and its token is published.
    pub(crate) fn wait_until_good(&self) -> CubeCredentialStatus {
        self.wait_for("main", "Ready and Refreshed", |status| {
            is(status, Ready, "True", "Synced") && is(status, Refreshed, "True", "TokenIssued")
        })
    }

    /// Waits until the last exchange failed for this reason.
    pub(crate) fn wait_until_refused(&self, reason: &str) -> CubeCredentialStatus {
        self.wait_for("main", reason, |status| {
            is(status, Refreshed, "False", reason)
        })
    }

    /// The status, if it says that this request was served.
    pub(crate) fn served(&self, value: &str) -> Option<CubeCredentialStatus> {
        let status = self.status("main");
        // The status has its hash.
        let hash = fingerprint(value);
        let served = status.refresh_request == Some(hash)
            && is(&status, Refreshed, "True", "TokenIssued")
            && is(&status, Ready, "True", "Synced");
        served.then_some(status)
    }

    /// Asks for a refresh and waits until it is served.
    pub(crate) fn refresh(&self, value: &str) {
        self.request(value);
        eventually(&format!("{value} is served"), || self.served(value));
    }

    /// The refreshes that the server saw.
    pub(crate) fn refreshes(&self) -> Vec<Refresh> {
        self.server.refreshes_of(&self.namespace)
    }

    /// Waits until the server has seen so many.
    pub(crate) fn wait_for_refreshes(&self, count: usize) {
        eventually(&format!("{count} refreshes"), || {
            (self.refreshes().len() >= count).then_some(())
        });
    }

    /// The content of the state Secret.
    pub(crate) fn state(&self) -> Stored {
        let secret = self.get("secret", STATE).expect("there is a state");
        let has_token = secret["data"]["access-token"].is_string();
        Stored {
            refresh_token: self.value(STATE, "refresh-token"),
            access_token: has_token.then(|| self.value(STATE, "access-token")),
            record: serde_json::from_str(&self.value(STATE, "record")).unwrap(),
        }
    }

    /// Asserts that each refresh was served and sent the token of the response before it, the first one the seed; and that the
    /// last answer is stored, claimed by nobody, and published.
    pub(crate) fn assert_unbroken(&self, seed: &str, refreshes: usize) {
        let seen = self.refreshes();
        assert_eq!(seen.len(), refreshes, "{seen:#?}");
        let mut next = fingerprint(seed);
        for refresh in &seen {
            assert_eq!(
                (&refresh.sent, refresh.status),
                (&next, 200),
                "{seed}, {seen:#?}"
            );
            next.clone_from(&refresh.issued);
        }
        let state = self.state();
        assert_eq!(fingerprint(&state.refresh_token), next);
        assert_eq!(state.record["claim"], Value::Null);
        assert_eq!(state.access_token, Some(self.token("main-token")));
        assert_eq!(self.call_api("main-token"), 200);
    }
}
