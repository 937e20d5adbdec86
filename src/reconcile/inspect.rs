//! What the decision's own checks say of each part, for people who ask: `cube-operator check`. Nothing is decided here, and the
//! words are those of the conditions.

use jiff::Timestamp;

use super::{
    case::{Case, Inputs, NextLogin},
    checks::{self, Step},
    finding::{Finding, Mark},
    login::{ClaimState, State},
    observed::Observed,
    settings::Settings,
    source::{Rejection, Source, ca_bundle_name, preflight},
    status::{self, Conditions},
};
use crate::{
    api::{self, ClientAuthentication, ConditionStatus, ConditionType},
    oauth::authorities,
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

fn told(condition: &api::Condition, failed: fn(String) -> Finding) -> Finding {
    let api::Condition {
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
            Err(error) => Err(Finding::bad(Conditions::unreadable(error).ready.message)),
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
        let grant = settings.grant.kind();
        let mut findings = vec![Finding::good(format!(
            "the spec asks https://{host}{path} for a token, grant {grant:?}"
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
        let keys = match self.0.settings.authentication {
            ClientAuthentication::None => format!("{:?}", source.client_id_key),
            _ => format!(
                "{:?} and {:?}",
                source.client_id_key, source.client_secret_key
            ),
        };
        let good = format!(
            "Secret {:?} has the label, and well-formed {keys}",
            source.name
        );
        found(
            preflight::client(self.0.settings, &self.0.observed.source),
            self.0.settings,
            good,
        )
    }

    /// The Secret with the seed, with the grant that has one.
    #[must_use]
    pub fn seed(&self) -> Option<Finding> {
        let seed = self.0.settings.grant.initial()?;
        let name = &seed.name;
        let good = format!(
            "Secret {name:?} has the label, and a well-formed {:?}",
            seed.key
        );
        let finding = found(self.0.initial_token(), self.0.settings, good);
        Some(
            match (
                &finding.mark,
                preflight::usable_token(&self.0.observed.seed),
            ) {
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
        case.settings.grant.initial()?;
        if let Some(refusal) = settled(checks::an_unusable_state_is_left_alone(case)) {
            return Some(Finding::bad(refusal.refreshed.message));
        }
        let State::Present(secret) = &case.observed.state else {
            return Some(Finding::unseen(format!(
                "Secret {name:?} does not exist yet: the operator makes it before it sends the seed"
            )));
        };
        let record = &secret.stored.record;
        if let Some(rejection) = &record.rejection {
            return Some(Finding::bad(status::rejected_token(
                rejection,
                case.settings,
            )));
        }
        if let NextLogin::New(_) = case.next_login() {
            return Some(Finding::notice(format!(
                "the seed is of another sign-in than Secret {name:?}: the operator takes it up with the next exchange"
            )));
        }
        let claim = secret
            .stored
            .claim_state(&case.observed.identity, None, case.now);
        Some(match claim {
            ClaimState::Others { until } => Finding::notice(format!(
                "Secret {name:?} is claimed until {until}: the operator is about to send the refresh token, or has just sent it"
            )),
            ClaimState::OutcomeUnknown => Finding::notice(outcome_unknown(name)),
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
        let read = preflight::ca_bundle(self.0.settings, &self.0.observed.ca_bundle);
        let roots = match &read {
            Ok(Some(pem)) => authorities::read(pem).map_or(0, |roots| roots.len()),
            _ => 0,
        };
        let good = format!(
            "{} has certificates in {:?}: {roots}",
            ca_bundle_name(reference),
            reference.key
        );
        Some(found(read, self.0.settings, good))
    }

    /// Whether the operator and the owners of the Secrets permit the host.
    #[must_use]
    pub fn hosts(&self) -> Finding {
        let host = self.0.settings.endpoint.authority();
        let good = format!("no list of hosts forbids {host}");
        match (&self.0.observed.source, self.0.hosts()) {
            (Source::Unread(_), Ok(())) => Finding::unseen(format!(
                "whether the owner of Secret {:?} permits {host} is not known",
                self.0.settings.source.name
            )),
            (_, checked) => found(checked, self.0.settings, good),
        }
    }

    /// The Secret with the token.
    #[must_use]
    pub fn target(&self) -> Finding {
        let (case, name) = (&self.0, &self.0.settings.target_name);
        let conflict = settled(checks::an_older_credential_owns_the_target(case))
            .or_else(|| settled(checks::a_foreign_secret_is_left_alone(case)));
        if let Some(verdict) = conflict {
            return Finding::bad(verdict.ready.message);
        }
        let Some(target) = case.target() else {
            return Finding::bad(format!(
                "Secret {name:?} does not exist: the operator writes it with the first token; if nothing else is wrong here, check \
                 that it runs"
            ));
        };
        let Some(token) = target.confirmed_metadata() else {
            return Finding::bad(format!(
                "Secret {name:?} does not hold what the operator wrote: it is repaired within seconds; if it stays so, check that \
                 the operator runs"
            ));
        };
        if token.expires_at <= case.now {
            return Finding::bad(format!(
                "the token in Secret {name:?} expired at {}: repair what is wrong here; if nothing is, check that the operator runs",
                token.expires_at
            ));
        }
        let synced = status::synced(name, token.expires_at);
        if case.inputs(&token) == Inputs::Changed {
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

fn found<T>(checked: Result<T, Rejection>, settings: &Settings, good: String) -> Finding {
    match checked {
        Ok(_) => Finding::good(good),
        Err(rejection) => Finding::bad(status::rejected_inputs(&rejection, settings)),
    }
}

/// What a check settles with; one that asks for a look or an act refuses nothing.
fn settled(step: Option<Step>) -> Option<Conditions> {
    match step? {
        Step::Settle(conditions) => Some(*conditions),
        Step::Do(_) => None,
    }
}
