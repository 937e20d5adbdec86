//! What the decision's own checks say of each part, for people who ask: `cube-operator check`. Nothing is decided here, and the
//! words are those of the conditions.

use jiff::Timestamp;

use super::{
    case::{Case, Inputs, Login},
    checks::{self, Step},
    finding::{Finding, Mark},
    local, message,
    observed::{Observed, Source},
    rotation,
    settings::Settings,
    state::{Standing, State},
    verdict::Conditions,
};
use crate::{
    api::{Condition, ConditionStatus, ConditionType},
    oauth::ca_bundle,
};

/// An exchange that is planned for a time so long ago is not going to be made: a timer comes five minutes late at most.
const OVERDUE_SECONDS: i64 = 360;

/// What the status says at present.
#[must_use]
pub fn conditions(observed: &Observed, now: Timestamp) -> Vec<Finding> {
    let (credential, status) = (&observed.credential, &observed.credential.status);
    let condition = |r#type| status.condition(r#type);
    let (Some(ready), Some(refreshed)) = (
        condition(ConditionType::Ready),
        condition(ConditionType::Refreshed),
    ) else {
        let text = "the operator has not looked at it yet: check that it runs, and that it watches this namespace";
        return vec![Finding::bad(text)];
    };
    let mut findings = vec![told(ready, Finding::bad)];
    if (refreshed.status, &refreshed.message) != (ready.status, &ready.message) {
        // With a live token it is a warning, and no outage yet.
        let failed = match ready.status {
            ConditionStatus::True => Finding::notice,
            _ => Finding::bad,
        };
        findings.push(told(refreshed, failed));
    }
    if status.observed_generation != Some(credential.generation) {
        findings.push(Finding::notice(
            "the operator has not looked at the present spec yet: check that it runs if this lasts",
        ));
    }
    let overdue = |at: &Timestamp| now.duration_since(*at).as_secs() > OVERDUE_SECONDS;
    if let Some(at) = status.refresh_at.filter(overdue) {
        findings.push(Finding::bad(format!(
            "an exchange was planned for {at} and was not made: check that the operator runs"
        )));
    }
    findings
}

fn told(condition: &Condition, failed: fn(String) -> Finding) -> Finding {
    let Condition {
        r#type,
        status,
        reason,
        message,
        ..
    } = condition;
    match status {
        ConditionStatus::True => Finding::good(format!("{type:?}: {message}")),
        ConditionStatus::False => failed(format!("{type:?} is False, {reason}: {message}")),
        ConditionStatus::Unknown => {
            Finding::unseen(format!("{type:?} is Unknown, {reason}: {message}"))
        }
    }
}

/// One credential whose spec can be read, and whose parts were looked at.
pub struct Inspection<'a>(Case<'a>);

impl<'a> Inspection<'a> {
    /// Inspects what was observed.
    ///
    /// # Errors
    /// If the spec cannot be used.
    pub fn of(observed: &'a Observed, now: Timestamp) -> Result<Self, Finding> {
        match &observed.settings {
            Ok(settings) => Ok(Self(Case {
                observed,
                settings,
                now,
            })),
            Err(why) => Err(Finding::bad(Conditions::unreadable(why).ready.message)),
        }
    }

    /// What the spec says.
    #[must_use]
    pub fn settings(&self) -> &'a Settings {
        self.0.settings
    }

    /// What it asks for.
    #[must_use]
    pub fn spec(&self) -> Vec<Finding> {
        let settings = self.0.settings;
        let endpoint = &settings.endpoint;
        let (host, path) = (endpoint.authority(), endpoint.url().path());
        let grant = settings.grant.name_in_hash();
        let mut findings = vec![Finding::good(format!(
            "the spec asks https://{host}{path} for a token, grant {grant}"
        ))];
        if settings.suspend {
            findings.push(Finding::notice(
                Conditions::suspended(&self.0).refreshed.message,
            ));
        }
        if self.0.observed.credential.deleting {
            findings.push(Finding::notice(
                "it is being deleted: no token is requested any more",
            ));
        }
        findings
    }

    /// The Secret with the client.
    #[must_use]
    pub fn source(&self) -> Finding {
        let source = &self.0.settings.source;
        let keys = local::client_keys(self.0.settings);
        let good = format!(
            "Secret {:?} has the label, and well-formed {keys}",
            source.name
        );
        found(
            local::client(self.0.settings, &self.0.observed.source),
            good,
        )
    }

    /// The Secret with the seed, with the grant that has one.
    #[must_use]
    pub fn seed(&self) -> Option<Finding> {
        let seed = self.0.settings.seed()?;
        let name = &seed.name;
        let good = format!(
            "Secret {name:?} has the label, and a well-formed {:?}",
            seed.key
        );
        let finding = found(local::seed(&self.0), good);
        Some(
            match (&finding.mark, local::seed_token(&self.0.observed.seed)) {
                (Mark::Good, None) => Finding::unseen(format!(
                    "Secret {name:?} has no refresh token any more, and needs none: the login goes on without"
                )),
                _ => finding,
            },
        )
    }

    /// The Secret with the current refresh token, with that grant.
    #[must_use]
    pub fn state(&self) -> Option<Finding> {
        let (case, name) = (&self.0, &self.0.settings.state_name);
        case.settings.seed()?;
        if let Some(refusal) = refused(rotation::an_unusable_state_is_left_alone(case)) {
            return Some(Finding::bad(refusal.refreshed.message));
        }
        let State::Present(secret) = &case.observed.state else {
            return Some(Finding::unseen(format!(
                "Secret {name:?} does not exist yet: the operator makes it before it sends the seed"
            )));
        };
        let record = &secret.stored.record;
        if let Some(rejection) = &record.rejection {
            return Some(Finding::bad(message::rejected(rejection, case.settings).1));
        }
        if let Login::New(_) = case.login() {
            return Some(Finding::notice(format!(
                "the seed is of another sign-in than Secret {name:?}: the operator takes it up with the next exchange"
            )));
        }
        let standing = secret
            .stored
            .standing(&case.observed.identity, None, case.now);
        Some(match standing {
            Standing::Others(until) => Finding::notice(format!(
                "Secret {name:?} is claimed until {until}: the operator is about to send the refresh token, or has just sent it"
            )),
            Standing::OutcomeUnknown => Finding::notice(outcome_unknown(name)),
            _ if record.outcome_unknown => Finding::notice(outcome_unknown(name)),
            _ if record.generation == 0 => Finding::good(format!(
                "Secret {name:?} holds the refresh token of the sign-in"
            )),
            _ => Finding::good(format!(
                "Secret {name:?} holds the refresh token of the provider's answer {}",
                record.generation
            )),
        })
    }

    /// The further authorities, if there are any.
    #[must_use]
    pub fn ca_bundle(&self) -> Option<Finding> {
        let reference = self.0.settings.ca_bundle.as_ref()?;
        let read = local::ca_bundle(self.0.settings, &self.0.observed.ca_bundle);
        let roots = match &read {
            Ok(Some(pem)) => ca_bundle::read(pem).map_or(0, |roots| roots.len()),
            _ => 0,
        };
        let good = format!(
            "{} has certificates in {:?}: {roots}",
            local::ca_bundle_name(reference),
            reference.key
        );
        Some(found(read, good))
    }

    /// Whether the operator and the owners of the Secrets permit the host.
    #[must_use]
    pub fn hosts(&self) -> Finding {
        let host = self.0.settings.endpoint.authority();
        let good = format!("no list of hosts forbids {host}");
        match (&self.0.observed.source, local::hosts(&self.0)) {
            (Source::Unread(_), Ok(())) => Finding::unseen(format!(
                "whether the owner of Secret {:?} permits {host} is not known",
                self.0.settings.source.name
            )),
            (_, checked) => found(checked, good),
        }
    }

    /// The Secret with the token.
    #[must_use]
    pub fn target(&self) -> Finding {
        let (case, name) = (&self.0, &self.0.settings.target_name);
        let conflict = refused(checks::an_older_credential_owns_the_target(case))
            .or_else(|| refused(checks::a_foreign_secret_is_left_alone(case)));
        if let Some(verdict) = conflict {
            return Finding::bad(verdict.ready.message);
        }
        let Some(target) = case.target() else {
            return Finding::bad(format!(
                "Secret {name:?} does not exist: the operator writes it with the first token; if nothing else is wrong here, check \
                 that it runs"
            ));
        };
        let Some(record) = target.confirmed_record() else {
            return Finding::bad(format!(
                "Secret {name:?} does not hold what the operator wrote: it is repaired within seconds; if it stays so, check that \
                 the operator runs"
            ));
        };
        if record.expires_at <= case.now {
            return Finding::bad(format!(
                "the token in Secret {name:?} expired at {}: repair what is wrong here; if nothing is, check that the operator runs",
                record.expires_at
            ));
        }
        let synced = message::synced(name, record.expires_at);
        if case.inputs(&record) == Inputs::Changed {
            return Finding::notice(format!(
                "{synced}, but was issued for an earlier spec, client or sign-in: the operator replaces it"
            ));
        }
        Finding::good(synced)
    }
}

fn outcome_unknown(name: &str) -> String {
    format!(
        "the refresh token in Secret {name:?} was sent, and its answer was lost: the operator sends it again to find out what \
         became of it"
    )
}

fn found<T>(checked: Result<T, local::PreflightError>, good: String) -> Finding {
    match checked {
        Ok(_) => Finding::good(good),
        Err(refusal) => Finding::bad(refusal.message),
    }
}

/// What a check settles with; one that asks for a look or an act refuses nothing.
fn refused(step: Option<Step>) -> Option<Conditions> {
    match step? {
        Step::Settle(verdict) => Some(verdict),
        Step::Do(_) => None,
    }
}
