//! The sentences about one credential: its status, its spec, and the Secrets around it.

use std::fmt::{self, Display, Formatter};

use jiff::Timestamp;

use crate::{
    api::{Condition, ConditionStatus},
    oauth::ca_bundle::Expiry,
    reconcile::{
        finding::{InputFact, KeyFact, LoginFact, SpecFact, StatusFact, TargetFact},
        status::{inputs, message},
    },
};

impl Display for KeyFact {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if let Some(algorithm) = self.algorithm {
            write!(f, ", signs with {algorithm:?}")?;
        }
        if let Some(id) = &self.id {
            write!(f, ", key ID {id:?}")?;
        }
        self.certificate_expires_at
            .map_or(Ok(()), |at| write!(f, ", certificate until {at}"))
    }
}

impl Display for StatusFact {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotObserved => f.write_str(
                "the operator has not observed it yet: check that it runs, and that it watches this namespace",
            ),
            Self::SpecNotObserved => f.write_str(
                "the operator has not observed the present spec yet: if this persists, check that it runs",
            ),
            Self::Condition(condition) => f.write_str(&recalled(condition)),
            Self::Expired { expired_at, now } => write!(
                f,
                "Ready is out of date: the token expired at {expired_at}, {} ago, and the operator has not updated the status since: \
                 check that it runs, and that it watches this namespace",
                ago(*expired_at, *now)
            ),
            Self::Overdue { planned } => write!(
                f,
                "an exchange was planned for {planned} and was not made: check that the operator runs"
            ),
        }
    }
}

/// Minutes, or seconds where it is less than one.
fn ago(then: Timestamp, now: Timestamp) -> String {
    match now.duration_since(then).as_secs() {
        seconds @ ..60 => format!("{seconds} s"),
        seconds => format!("{} min", seconds / 60),
    }
}

fn recalled(condition: &Condition) -> String {
    let Condition {
        r#type,
        status,
        reason,
        message,
        ..
    } = condition;
    match status {
        ConditionStatus::True => format!("{type:?}: {message}"),
        ConditionStatus::False | ConditionStatus::Unknown => {
            format!("{type:?} is {status:?}, {reason}: {message}")
        }
    }
}

impl Display for SpecFact {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unusable(error) => error.fmt(f),
            Self::ProviderUnusable(settings) => f.write_str(&inputs::unusable_provider(settings)),
            Self::RestNotChecked => f.write_str("nothing else was checked"),
            Self::Requests { host, path, grant } => write!(
                f,
                "the spec requests a token from https://{host}{path}, grant {grant}"
            ),
            Self::Probes(probe) => write!(
                f,
                "a new token is tried with {} https://{}{} before it is published; expected status: {}",
                probe.method.name(),
                probe.endpoint.authority(),
                probe.endpoint.url().path(),
                probe.expected()
            ),
            Self::GrantNotListed(settings) => {
                f.write_str(&message::unlisted_grant(settings).unwrap_or_default())
            }
            Self::Suspended => f.write_str(message::suspended()),
            Self::Deleting => f.write_str("it is being deleted: no further token is requested"),
        }
    }
}

impl Display for InputFact {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client {
                secret,
                keys,
                works,
                key,
            } => {
                let keys: Vec<_> = keys.iter().map(|key| format!("{key:?}")).collect();
                let keys = keys.join(" and ");
                write!(f, "Secret {secret:?} has the label, and well-formed {keys}")?;
                if let Some(key) = key {
                    write!(f, " ({key})")?;
                }
                match works {
                    Some(works) => write!(f, " (the provider last accepted {works:?})"),
                    None => Ok(()),
                }
            }
            Self::ServiceAccount { account } => {
                write!(
                    f,
                    "ServiceAccount {account:?} has the label (no token of it was requested)"
                )
            }
            Self::InitialToken { secret, key } => write!(
                f,
                "Secret {secret:?} has the label, and a well-formed {key:?}"
            ),
            Self::InitialTokenGone { secret } => write!(
                f,
                "Secret {secret:?} has no refresh token any more, and needs none: the login continues without it"
            ),
            Self::CaBundle {
                ca,
                key,
                certificates,
                left_out,
                expired,
            } => {
                write!(f, "{ca} has certificates in {key:?}: {certificates}")?;
                if let Some(left_out) = left_out {
                    write!(f, "; {left_out}")?;
                }
                if let Some(Expiry { certificate, at }) = expired {
                    write!(f, "; {certificate} expired at {at}: replace it")?;
                }
                Ok(())
            }
            Self::HostAllowed { host } => write!(f, "no list of hosts denies {host}"),
            Self::HostsNotNamed(role, settings) => {
                f.write_str(&inputs::unlimited_secret(*role, settings))
            }
            Self::HostConsentUnknown { secret, host } => write!(
                f,
                "unknown whether the owner of Secret {secret:?} allows {host}"
            ),
            Self::Rejected(rejection, settings) => {
                f.write_str(&inputs::rejected_inputs(rejection, settings))
            }
        }
    }
}

impl Display for LoginFact {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict(conflict) => f.write_str(&message::state_conflict(conflict)),
            Self::Absent { secret } => write!(
                f,
                "Secret {secret:?} does not exist yet: the operator creates it before it sends the initial refresh token"
            ),
            Self::LeftBehind(settings) => f.write_str(&message::refresh_token_left(settings)),
            Self::Rejected(rejection, settings) => {
                f.write_str(&message::rejected_token(rejection, settings))
            }
            Self::AnotherSignIn { secret } => write!(
                f,
                "the initial refresh token is from another sign-in than Secret {secret:?}: the operator adopts it at the next \
                 exchange"
            ),
            Self::Claimed { secret, until } => write!(
                f,
                "Secret {secret:?} is claimed until {until}: the operator is about to send the refresh token, or has just sent it"
            ),
            Self::OutcomeUnknown { secret } => write!(
                f,
                "the refresh token in Secret {secret:?} was sent, and its response was lost: the operator sends it again to find \
                 out whether it was consumed"
            ),
            Self::SignedIn { secret } => write!(
                f,
                "Secret {secret:?} holds the refresh token of the sign-in"
            ),
            Self::Refreshed { secret, generation } => write!(
                f,
                "Secret {secret:?} holds the refresh token of the provider's response {generation}"
            ),
            Self::Ends { at, fixed: true } => write!(
                f,
                "the login ends at {at}, and no refresh extends it: sign in again before that"
            ),
            Self::Ends { at, fixed: false } => {
                write!(f, "the login ends at {at}, unless a refresh extends it")
            }
            Self::Ended { at } => write!(f, "the login ended at {at}: sign in again"),
        }
    }
}

impl Display for TargetFact {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Earlier {
                secret,
                target,
                pod,
            } => write!(
                f,
                "{}: mount Secret {target:?} instead",
                message::earlier_target(secret, pod.as_ref())
            ),
            Self::Conflict(conflict) => f.write_str(&message::target_conflict(conflict)),
            Self::Absent { secret } => write!(
                f,
                "Secret {secret:?} does not exist: the operator writes it with the first token; if there is no other fault here, \
                 check that the operator runs"
            ),
            Self::Damaged { secret } => write!(
                f,
                "Secret {secret:?} does not hold what the operator wrote: it is repaired within seconds; if this persists, check \
                 that the operator runs"
            ),
            Self::Expired { secret, expired_at } => write!(
                f,
                "the token in Secret {secret:?} expired at {expired_at}: fix the faults here; if there are none, check that the \
                 operator runs"
            ),
            Self::Outdated { secret, expires_at } => write!(
                f,
                "{}, but was issued for an earlier spec, client or sign-in: the operator replaces it",
                message::valid(secret, *expires_at)
            ),
            Self::Synced {
                secret,
                expires_at,
                keys,
            } => {
                f.write_str(&message::valid(secret, *expires_at))?;
                if keys.is_empty() {
                    return Ok(());
                }
                write!(f, ", with templates for {}", keys.join(", "))
            }
        }
    }
}
