//! What a row of the table says.

use cube_operator::api::{Grant, Reason};

use super::{
    objects::Objects,
    stage::Stage,
    words::{next_sentence, remedy},
};
use crate::scripted::Reply;

/// One thing that goes wrong (or does not), with all that follows from it.
pub(super) struct Row {
    /// Its `CubeCredential` is `row-<name>`, its client id and the path of its token endpoint are the name itself.
    pub(super) name: &'static str,
    pub(super) grant: Grant,
    /// What the provider answers, one after the other; the last one is repeated until the cure.
    pub(super) replies: Vec<Reply>,
    /// What is wrong with its objects.
    pub(super) spoil: Change,
    /// All conditions, whole, with the placeholders of `Stage::fill`.
    pub(super) told: Vec<String>,
    /// The events so far, without their notes.
    pub(super) events: Vec<String>,
    pub(super) next: Next,
    /// How many requests the provider sees, unless it is tried again by itself meanwhile.
    pub(super) requests: usize,
    /// The row that has to be as it should be before this one begins.
    pub(super) after: Option<&'static str>,
    /// Whether the first answer is a good one, so that the trouble begins with a request for another token.
    pub(super) begins_well: bool,
    pub(super) cure: Cure,
    /// How many requests are made after the cure.
    pub(super) asks_again: usize,
    /// The refresh token that these have.
    pub(super) sends: &'static str,
}

/// A change of a row's objects.
pub(super) type Change = fn(&mut Objects, &Stage);

/// When it is tried again by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Next {
    Slow,
    Fast,
    /// A refresh that may have arrived.
    Doubt,
    /// After so many seconds, and up to ten more.
    Pause(i64),
    /// A rejected refresh token, once more.
    Confirm,
    /// A Secret that could not be written, which shows in the message alone.
    Write,
    /// Every minute, to look at a Secret: nothing is sent.
    Look,
    /// When the pause of another row's client is over.
    Turn,
    Never,
    /// A token with this lifetime is replaced before it expires.
    Refresh(i64),
}

/// What helps.
#[derive(Clone, Copy)]
pub(super) enum Cure {
    /// The provider mends it, which the cluster cannot see, and a person asks for a try.
    Provider,
    /// The provider mends it soon, and the next planned try finds out.
    Time,
    /// The provider mends it. During the pause neither a request nor a changed spec makes a try, but another client id.
    Pause,
    /// A right client secret.
    Secret,
    /// Another tokenURL.
    Spec,
    /// Another sign-in.
    SignIn,
    /// The objects as they should have been from the beginning.
    Objects,
    /// The command that the message gives.
    Command,
    /// This change of the objects.
    Change(Change),
    /// These are deleted, and a person asks for a look.
    Deletion(&'static [&'static str]),
    /// The policy in the way is deleted, and the spec changed.
    Policy,
    /// The policy in the way is deleted, and nothing else.
    Early,
}

impl Cure {
    /// Whether an object is to be applied.
    pub(super) fn is_in_the_objects(&self) -> bool {
        matches!(
            self,
            Self::Pause
                | Self::Secret
                | Self::Spec
                | Self::SignIn
                | Self::Objects
                | Self::Change(_)
                | Self::Policy
        )
    }

    /// Whether the cluster cannot see it.
    pub(super) fn needs_a_request(&self) -> bool {
        matches!(self, Self::Provider | Self::Deletion(_) | Self::Early)
    }
}

impl Next {
    /// Seconds from the moment that the `failures`-th failure in a row is known, at least and at most.
    pub(super) fn bounds(self, failures: i32) -> Option<(i64, i64)> {
        let nth = |delays: &[i64]| {
            let index = usize::try_from(failures.max(1) - 1).unwrap();
            let delay = delays[index.min(delays.len() - 1)];
            Some((delay * 4 / 5, delay * 6 / 5))
        };
        match self {
            Self::Slow => nth(&[300, 900, 1800, 3600]),
            Self::Fast => nth(&[10, 20, 40, 80, 160, 300]),
            Self::Doubt => nth(&[2, 8, 20, 60, 120, 300]),
            // Without Retry-After each pause is twice as long as the one before.
            Self::Pause(60) => {
                let pause = [60, 120, 240, 480, 900][usize::try_from(failures - 1).unwrap()];
                Some((pause, pause + 10))
            }
            Self::Pause(seconds) => Some((seconds, seconds + 10)),
            Self::Confirm => Some((300, 300)),
            Self::Write => Some((8, 360)),
            Self::Look | Self::Turn | Self::Never | Self::Refresh(_) => None,
        }
    }

    /// Seconds until the next try on the page.
    pub(super) fn usual(self) -> i64 {
        match (self, self.bounds(1)) {
            (Self::Pause(seconds), _) => seconds,
            (Self::Write, _) => 10,
            (Self::Turn, _) => 300,
            (_, Some((least, most))) => (least + most + 1) / 2,
            // Of the failure before.
            (_, None) => 2,
        }
    }

    /// Whether the provider may be asked again while the test runs.
    pub(super) fn is_soon(self) -> bool {
        match self {
            Self::Fast | Self::Doubt => true,
            Self::Pause(seconds) => seconds < 240,
            _ => false,
        }
    }

    /// The third condition of a failure without a live token.
    fn pressure(self) -> &'static str {
        match self {
            Self::Fast | Self::Doubt | Self::Pause(_) | Self::Write => "Reconciling",
            _ => "Stalled",
        }
    }
}

impl Row {
    fn new(name: &'static str, grant: Grant, next: Next, told: Vec<String>) -> Self {
        Self {
            name,
            grant,
            replies: Vec::new(),
            spoil: |_, _| {},
            told,
            events: Vec::new(),
            next,
            requests: 0,
            after: None,
            begins_well: false,
            cure: Cure::Provider,
            asks_again: 1,
            sends: "seed",
        }
    }

    /// A failure that leaves no token, with this message in all conditions.
    pub(super) fn failing(
        name: &'static str,
        grant: Grant,
        reason: Reason,
        message: &str,
        next: Next,
    ) -> Self {
        let told = [
            "Ready=False".into(),
            "Refreshed=False".into(),
            format!("{}=True", next.pressure()),
        ];
        let told = told.map(|condition: String| format!("{condition} {reason}: {message}"));
        Self {
            events: vec![format!("Warning {reason}")],
            ..Self::new(name, grant, next, told.into())
        }
    }

    fn refused(
        name: &'static str,
        grant: Grant,
        reply: Reply,
        reason: Reason,
        what: &str,
        next: Next,
    ) -> Self {
        let sentence = next_sentence(reason, next);
        let who = if what.starts_with("the ") {
            ""
        } else {
            "the token endpoint "
        };
        let message = format!("{who}{what}: {}; {sentence}", remedy(reason, grant));
        Self {
            replies: vec![reply],
            requests: 1,
            cure: cure(reason, next),
            ..Self::failing(name, grant, reason, &message, next)
        }
    }

    /// An answer to client credentials that is a failure.
    pub(super) fn c(
        name: &'static str,
        reply: Reply,
        reason: Reason,
        what: &str,
        next: Next,
    ) -> Self {
        Self::refused(name, Grant::ClientCredentials, reply, reason, what, next)
    }

    /// An answer to a refresh token that is a failure.
    pub(super) fn r(
        name: &'static str,
        reply: Reply,
        reason: Reason,
        what: &str,
        next: Next,
    ) -> Self {
        Self::refused(name, Grant::RefreshToken, reply, reason, what, next)
    }

    /// An answer to a refresh token that ends the login.
    pub(super) fn dead(
        name: &'static str,
        replies: Vec<Reply>,
        reason: Reason,
        message: &str,
        next: Next,
    ) -> Self {
        let message = format!(
            "the token endpoint {message}: sign in at the provider again and write the new refresh token into key \
             \"refresh-token\" of Secret {{login}}, where it is used at once; the old one is {}",
            match next {
                Next::Confirm => "sent once more at {time}, to make sure, and then never",
                _ => "never sent again",
            }
        );
        Self {
            requests: replies.len(),
            replies,
            cure: Cure::SignIn,
            sends: "new",
            ..Self::failing(name, Grant::RefreshToken, reason, &message, next)
        }
    }

    /// An answer with a token that lives so many seconds.
    pub(super) fn issued(name: &'static str, grant: Grant, reply: Reply, lifetime: i64) -> Self {
        let told = vec![
            "Ready=True Synced: Secret {target} holds a token that expires at {expires}".into(),
            "Refreshed=True TokenIssued: a token was issued at {issued}; the next one is requested at {refresh}".into(),
        ];
        Self {
            replies: vec![reply],
            events: vec!["Normal TokenIssued".into()],
            requests: 1,
            ..Self::new(name, grant, Next::Refresh(lifetime), told)
        }
    }

    /// Something about the objects for which nothing is sent.
    pub(super) fn local(name: &'static str, reason: Reason, message: &str, spoil: Change) -> Self {
        Self {
            spoil,
            cure: Cure::Objects,
            ..Self::failing(name, Grant::ClientCredentials, reason, message, Next::Never)
        }
    }

    /// The same of a stored refresh token.
    pub(super) fn local_r(
        name: &'static str,
        reason: Reason,
        message: &str,
        spoil: Change,
    ) -> Self {
        Self {
            grant: Grant::RefreshToken,
            ..Self::local(name, reason, message, spoil)
        }
    }

    /// The answer when all is well.
    pub(super) fn good(&self) -> Reply {
        let successor = match self.grant {
            Grant::ClientCredentials => String::new(),
            Grant::RefreshToken => format!(r#","refresh_token":"successor-{}""#, self.name),
        };
        let body = format!(
            r#"{{"access_token":"good-{}","expires_in":3600{successor}}}"#,
            self.name
        );
        Reply::json(200, body)
    }

    /// The first answer is a good one, and its token still lives when the trouble begins.
    pub(super) fn while_a_token_lives(mut self) -> Self {
        self.begins_well = true;
        self.replies.insert(0, self.good());
        self.requests += 1;
        self.events.insert(0, "Normal TokenIssued".into());
        self.told.truncate(2);
        self.told[0] = "Ready=True Synced: Secret {target} holds a token that expires at {expires}; it cannot be replaced so \
                        far, and condition Refreshed says why"
            .into();
        if self.sends == "seed" {
            self.sends = "successor";
        }
        self
    }

    pub(super) fn spoiled(self, spoil: Change) -> Self {
        Self { spoil, ..self }
    }

    pub(super) fn cured_by(self, cure: Cure) -> Self {
        Self { cure, ..self }
    }

    /// The refresh token that the next request has.
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
        self.told.iter().map(reason)
    }
}

/// Who can mend it, by the reason.
fn cure(reason: Reason, next: Next) -> Cure {
    match (next, reason) {
        (Next::Pause(_), _) => Cure::Pause,
        (_, Reason::InvalidClient) => Cure::Secret,
        (
            _,
            Reason::InvalidScope
            | Reason::InvalidTarget
            | Reason::InvalidRequest
            | Reason::Redirected
            | Reason::EndpointNotFound
            | Reason::TLSUntrusted
            | Reason::Unreachable
            | Reason::HostNotAllowed,
        ) => Cure::Spec,
        _ => Cure::Provider,
    }
}
