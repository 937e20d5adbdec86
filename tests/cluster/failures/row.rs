//! What a row of the table says.

mod repair;
mod retry;

use cube_operator::api::{Grant, Reason};
use serde_json::json;

use super::{
    objects::Objects,
    remedies::{MAY_BE_CONSUMED, OF_A_CLIENT_THAT_WORKED, OF_A_NEW_CLIENT, remedy, retry_sentence},
    setup::Setup,
};
use crate::scripted::Reply;

pub(super) use repair::Repair;
pub(super) use retry::Retry;

/// One failure (or a state that is none), with everything that follows from it.
pub(super) struct Row {
    /// Its `CubeCredential` is `row-<name>`, its client id and the path of its token endpoint are the name itself.
    pub(super) name: &'static str,
    pub(super) grant: Grant,
    /// The provider's responses, one after the other; the last one is repeated until the repair.
    pub(super) replies: Vec<Reply>,
    /// The fault of its objects.
    pub(super) fault: Change,
    /// All conditions, whole, with the placeholders of `Setup::fill`.
    pub(super) conditions: Vec<String>,
    /// The events so far, without their notes.
    pub(super) events: Vec<String>,
    pub(super) retry: Retry,
    /// How many requests the provider gets before the repair, without planned attempts.
    pub(super) requests: usize,
    /// The row that has to be as in the table before this one begins.
    pub(super) after: Option<&'static str>,
    /// Whether the first response has a good token, so that the failure begins with a request for another one.
    pub(super) starts_with_token: bool,
    pub(super) repair: Repair,
    /// How many requests follow the repair.
    pub(super) requests_after_repair: usize,
    /// The prefix of the refresh token in the first of them.
    pub(super) sends: &'static str,
}

/// The end of a response's description that says that the refresh token may have been consumed.
pub(super) const OUTCOME_UNKNOWN: &str = " (outcome unknown)";

/// A change to the objects of a row.
pub(super) type Change = fn(&mut Objects, &Setup);

impl Row {
    fn new(name: &'static str, grant: Grant, retry: Retry, conditions: Vec<String>) -> Self {
        Self {
            name,
            grant,
            replies: Vec::new(),
            fault: |_, _| {},
            conditions,
            events: Vec::new(),
            retry,
            requests: 0,
            after: None,
            starts_with_token: false,
            repair: Repair::Provider,
            requests_after_repair: 1,
            sends: "seed",
        }
    }

    /// A failure that leaves no token, with this message in condition Refreshed.
    pub(super) fn failing(
        name: &'static str,
        grant: Grant,
        reason: Reason,
        message: &str,
        retry: Retry,
    ) -> Self {
        let meaning = reason.meaning();
        let conditions = vec![
            format!("Ready=False {reason}: Secret {{target}} has no valid token: {meaning}"),
            format!("Refreshed=False {reason}: {message}"),
            retry.progress(reason, "Refreshed"),
        ];
        Self {
            events: vec![format!("Warning {reason}")],
            ..Self::new(name, grant, retry, conditions)
        }
    }

    fn refused(
        name: &'static str,
        grant: Grant,
        reply: Reply,
        reason: Reason,
        what: &str,
        retry: Retry,
    ) -> Self {
        let (what, outcome_unknown) = match what.strip_suffix(OUTCOME_UNKNOWN) {
            Some(what) => (what, true),
            None => (what, false),
        };
        let remedy = remedy(reason, grant);
        let remedy = match (outcome_unknown, reason) {
            (false, _) => remedy.to_owned(),
            (true, Reason::NoResponse | Reason::Unavailable) => MAY_BE_CONSUMED.into(),
            (true, _) => format!("{remedy}; the refresh token may have been consumed"),
        };
        let message = format!("token endpoint {what}: {remedy}; {}", retry_sentence(retry));
        Self {
            replies: vec![reply],
            requests: 1,
            repair: Repair::of(reason, retry),
            ..Self::failing(name, grant, reason, &message, retry)
        }
    }

    /// A failure as the response to client credentials.
    pub(super) fn c(
        name: &'static str,
        reply: Reply,
        reason: Reason,
        what: &str,
        retry: Retry,
    ) -> Self {
        Self::refused(name, Grant::ClientCredentials, reply, reason, what, retry)
    }

    /// A failure as the response to a refresh token.
    pub(super) fn r(
        name: &'static str,
        reply: Reply,
        reason: Reason,
        what: &str,
        retry: Retry,
    ) -> Self {
        Self::refused(name, Grant::RefreshToken, reply, reason, what, retry)
    }

    /// A response to a refresh token that ends the login.
    pub(super) fn login_ended(
        name: &'static str,
        replies: Vec<Reply>,
        reason: Reason,
        message: &str,
        retry: Retry,
    ) -> Self {
        let message = format!(
            "token endpoint {message}: sign in again with `kubectl cube login {{name}} -n {{namespace}}`{}",
            match retry {
                Retry::Confirm => "; last retry at {time}",
                _ => "",
            }
        );
        Self {
            requests: replies.len(),
            replies,
            repair: Repair::SignIn,
            sends: "new",
            ..Self::failing(name, Grant::RefreshToken, reason, &message, retry)
        }
    }

    /// A response with a token that lives so many seconds.
    pub(super) fn issued(name: &'static str, grant: Grant, reply: Reply, lifetime: i64) -> Self {
        let conditions = vec![
            "Ready=True Synced: token in Secret {target} is valid until {expires}".into(),
            "Refreshed=True TokenIssued: token issued at {issued}; next request at {refresh}"
                .into(),
        ];
        Self {
            replies: vec![reply],
            events: vec!["Normal TokenIssued".into()],
            requests: 1,
            ..Self::new(name, grant, Retry::Refresh(lifetime), conditions)
        }
    }

    /// A token that its API does not accept, and that was published because there is no other.
    pub(super) fn unproven(name: &'static str, message: &str) -> Self {
        let conditions = vec![
            "Ready=True Synced: token in Secret {target} is valid until {expires}, but unproven: its API has not accepted it yet; see \
             condition Refreshed"
                .into(),
            format!("Refreshed=False ProbeFailed: {message}; retrying at {{probe}}"),
        ];
        let good = Self::new(name, Grant::ClientCredentials, Retry::Probe, Vec::new()).good();
        Self {
            replies: vec![good],
            fault: |objects, setup| {
                let spec = &mut objects.credential["spec"];
                spec["probe"] = json!({"url": setup.api.url("/me")});
            },
            events: vec!["Warning ProbeFailed".into(), "Normal TokenIssued".into()],
            requests: 1,
            repair: Repair::Objects,
            requests_after_repair: 0,
            ..Self::new(name, Grant::ClientCredentials, Retry::Probe, conditions)
        }
    }

    /// A fault of the objects that is found before anything is sent.
    pub(super) fn preflight(
        name: &'static str,
        reason: Reason,
        message: &str,
        fault: Change,
    ) -> Self {
        Self {
            fault,
            repair: Repair::Objects,
            ..Self::failing(
                name,
                Grant::ClientCredentials,
                reason,
                message,
                Retry::Never,
            )
        }
    }

    /// The same for a stored refresh token.
    pub(super) fn preflight_r(
        name: &'static str,
        reason: Reason,
        message: &str,
        fault: Change,
    ) -> Self {
        Self {
            grant: Grant::RefreshToken,
            ..Self::preflight(name, reason, message, fault)
        }
    }

    /// The response of a repaired row.
    pub(super) fn good(&self) -> Reply {
        let successor = match self.grant {
            Grant::ClientCredentials
            | Grant::AccountCredentials
            | Grant::JwtBearer
            | Grant::TokenExchange => String::new(),
            Grant::RefreshToken => format!(r#","refresh_token":"successor-{}""#, self.name),
        };
        let body = format!(
            r#"{{"access_token":"good-{}","expires_in":3600{successor}}}"#,
            self.name
        );
        Reply::json(200, body)
    }

    /// The first response has a good token, and that token is still valid when the failure begins.
    pub(super) fn while_a_token_lives(mut self) -> Self {
        self.starts_with_token = true;
        self.replies.insert(0, self.good());
        self.requests += 1;
        self.events.insert(0, "Normal TokenIssued".into());
        self.conditions.truncate(2);
        let reason = self.reasons().next().unwrap();
        self.conditions[0] = format!(
            "Ready=True Synced: token in Secret {{target}} is valid until {{expires}}, but refresh is failing ({reason}): consumers lose \
             access then unless this is fixed"
        );
        self.conditions[1] = self.conditions[1].replace(OF_A_NEW_CLIENT, OF_A_CLIENT_THAT_WORKED);
        if self.sends == "seed" {
            self.sends = "successor";
        }
        self
    }

    /// Another message of condition Ready.
    pub(super) fn with_ready(mut self, message: &str) -> Self {
        let head = self.conditions[0].split(": ").next().unwrap();
        self.conditions[0] = format!("{head}: {message}");
        self
    }

    /// A remedy other than the one of its reason.
    pub(super) fn with_remedy(mut self, reason: Reason, other: &str) -> Self {
        self.conditions[1] = self.conditions[1].replace(remedy(reason, self.grant), other);
        self
    }

    pub(super) fn with_fault(self, fault: Change) -> Self {
        Self { fault, ..self }
    }

    pub(super) fn repaired_by(self, repair: Repair) -> Self {
        Self { repair, ..self }
    }

    /// Sets the prefix of the refresh token in the next request.
    pub(super) fn then_sends(self, sends: &'static str) -> Self {
        Self { sends, ..self }
    }

    pub(super) fn with_events(self, events: &[&str]) -> Self {
        let events = events.iter().map(|line| (*line).to_owned()).collect();
        Self { events, ..self }
    }

    /// The name of its `CubeCredential`.
    pub(super) fn object(&self) -> String {
        format!("row-{}", self.name)
    }

    /// The reasons in its conditions.
    pub(super) fn reasons(&self) -> impl Iterator<Item = String> {
        let reason = |line: &String| line.split([' ', ':']).nth(1).unwrap().to_owned();
        self.conditions.iter().map(reason)
    }
}
