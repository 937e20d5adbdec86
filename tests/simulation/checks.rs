//! What must hold of every history.

use cube_operator::{
    api::{ConditionStatus, ConditionType, CubeCredentialStatus, Reason},
    reconcile::SourceValue,
};
use secrecy::ExposeSecret;

use crate::{
    model::cluster::number,
    operator::Publishes,
    world::{STATE, STRAY, Spec, TARGET, World},
};

/// The limit of an exchange.
pub(crate) const EXCHANGE: i64 = 30;

/// Two processes, and an API server that comes back after a claim has ended.
const OUTLIVED: &str = "the API server did not take the successor for longer than a claim";

/// A person who deletes both has the seed sent again.
pub(crate) const NOTHING_TELLS: &str = "the state was deleted, and the target that told so";

/// A refresh token that was sent.
#[derive(Default)]
pub(crate) struct Sent {
    pub(crate) at: i64,
    pub(crate) by: u64,
    /// Until when nobody else may send it; `None`: its sender knows the outcome.
    pub(crate) open_until: Option<i64>,
    /// Whether the sender knows that it was served.
    served: bool,
    pub(crate) rejected_at: Option<i64>,
    /// The refresh request that its sender knew, and the one that it knew when it was rejected.
    request: u64,
    rejected_request: u64,
}

impl World {
    /// A request with this refresh token begins.
    pub(crate) fn sends(&mut self, who: usize, token: u64) {
        self.may_be_sent(who, token);
        let noted = self.rejection_is_stored();
        let (at, operator) = (self.now, &self.operators[who]);
        let sent = self.sent.entry(token).or_default();
        // A rejection that another process has not stored yet is not known to this one.
        if sent.by != operator.pod && !noted {
            sent.rejected_at = None;
        }
        (sent.at, sent.by, sent.request) = (at, operator.pod, operator.request);
        sent.open_until = Some(at + EXCHANGE);
    }

    /// The response has arrived, and its receiver is alive.
    pub(crate) fn arrived(&mut self, token: u64, received: Option<u64>, refused: Option<Reason>) {
        let now = self.now;
        self.note(|| format!("the response to r{token} arrives ({refused:?})"));
        let Some(sent) = self.sent.get_mut(&token) else {
            return;
        };
        let unknown = matches!(refused, Some(Reason::NoResponse | Reason::Unavailable));
        sent.open_until = unknown.then_some(now);
        sent.served |= received.is_some();
        if refused == Some(Reason::RefreshTokenRejected) {
            sent.rejected_at = Some(now);
            sent.rejected_request = sent.request;
        }
    }

    /// A refresh token goes only where a labelled Secret with that very token allowed it, and its successors only to the provider
    /// that issued them.
    pub(crate) fn may_go_there(&mut self, who: usize, token: u64) {
        let Spec { stray, absent, .. } = self.operators[who].spec;
        let initial = self.old_seeds.contains(&token);
        if absent || (initial || stray) && !self.allowed.contains(&(token, stray)) {
            self.violated(format!(
                "operator {who} sends r{token} without consent (author's endpoint: {stray}, no such Secret: {absent})"
            ));
        }
    }

    /// What the owner of the labelled Secret allows now.
    pub(crate) fn note_consent(&mut self) {
        let Some(seed) = self.objects.seed.as_ref().filter(|seed| seed.labelled) else {
            return;
        };
        let SourceValue::Text(token) = &seed.values else {
            return;
        };
        let token = number(token.expose_secret()).expect("it is one of ours");
        for stray in [false, true] {
            let hosts = seed.token_hosts.as_deref();
            if hosts.is_none_or(|hosts| (hosts == STRAY) == stray) {
                self.allowed.insert((token, stray));
            }
        }
    }

    fn may_be_sent(&mut self, who: usize, token: u64) {
        let (by, request) = (self.operators[who].pod, self.operators[who].request);
        let now = self.now;
        let Some(sent) = self.sent.get(&token) else {
            return;
        };
        self.figures.retries += 1;
        // Another pod waits for the claim; clocks differ by up to four seconds, and times are whole seconds.
        // A token that is not rotated may be sent by many.
        // A login that has not worked yet is forgotten with its claim when an old seed is applied in between.
        let forgotten = self.old_seed_applied && self.logins.contains(&token);
        let claimed = self.provider.logins.rules.rotates
            && !forgotten
            && sent.by != by
            && sent.open_until.is_some()
            && now < sent.at + EXCHANGE;
        if claimed {
            return self.violated(format!(
                "operator {who} sends r{token} within the claim of another"
            ));
        }
        let dead =
            sent.rejected_at.is_some_and(|at| now < at + 290) && request == sent.rejected_request;
        let taken_over = sent.by != by;
        if dead && !taken_over {
            return self.violated(format!(
                "operator {who} sends r{token} again, which was rejected"
            ));
        }
        let api_trouble = self.api_down_until > sent.at;
        let stored = self.objects.cluster.number(STATE, "refresh-token");
        if sent.served && !self.logins_since(token) && self.excuse.is_none() {
            if api_trouble || taken_over {
                return self.excused(OUTLIVED);
            }
            self.violated(format!(
                "operator {who} sends r{token} again, whose successor was received (the state has {stored:?})"
            ));
        }
    }

    /// A target never goes back to an older token. Only one that was deleted may be created with an older one, when another process
    /// has published a newer one in between: it has the newest when the reconcile ends.
    pub(crate) fn published(&mut self, who: usize, token: Option<u64>) {
        let Some(token) = token else { return };
        self.note(|| format!("a{token} is published"));
        if token < self.newest_published {
            let publishes = &mut self.operators[who].publishes;
            if *publishes == Publishes::Creates {
                *publishes = Publishes::CreatedOlder;
                return;
            }
            let newest = self.newest_published;
            self.violated(format!("a{token} is published after a{newest}"));
        }
        self.newest_published = self.newest_published.max(token);
    }

    /// A workload is restarted once for a token, and never for the first one, whichever process dies in between.
    pub(crate) fn restarted(&mut self, mark: &str, failed: bool) {
        let restarted = &self.objects.workloads.restarted;
        let times = restarted.iter().filter(|(_, of)| of == mark).count();
        if times > 1 || times == 0 && !failed {
            self.violated(format!("a workload is restarted {times} times for {mark}"));
        }
    }

    /// A reconcile has ended.
    pub(crate) fn check_the_target(&mut self, who: usize) {
        if std::mem::take(&mut self.operators[who].publishes) != Publishes::CreatedOlder {
            return;
        }
        let (found, newest) = (
            self.objects.cluster.number(TARGET, "access-token"),
            self.newest_published,
        );
        if self.state_deleted_at.is_none() && found.is_some_and(|found| found < newest) {
            self.violated(format!(
                "operator {who} leaves {found:?} in the target, which had a{newest}"
            ));
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        let ready = self.objects.status.condition(ConditionType::Ready);
        ready.is_some_and(|ready| ready.status == ConditionStatus::True)
            && self.objects.cluster.number(TARGET, "access-token") == Some(self.newest_published)
    }

    /// Faults have stopped: it is ready, or the login is dead for a good reason, and says which.
    pub(crate) fn check_the_end(&mut self) {
        if self.violation.is_some() || self.is_ready() {
            return;
        }
        let stored = self.objects.cluster.number(STATE, "refresh-token");
        let reported = reasons(&self.objects.status);
        let conflict = reported.iter().any(|line| line.ends_with(" StateConflict"));
        if self.state_deleted_at.is_some() && conflict && self.seed_was_sent() {
            self.figures.lost_logins += 1;
            return;
        }
        if stored.is_some_and(|token| self.provider.logins.accepts(token, self.now)) {
            if self.strayed && conflict {
                return;
            }
            return self.violated(format!(
                "r{stored:?} is good, and yet it is not ready: {reported:?}"
            ));
        }
        let unused = self.provider.logins.has_ended(self.now);
        if unused && self.severity == 0 {
            return self
                .violated("nothing went wrong, and the login ended before its refresh".into());
        }
        self.figures.lost_logins += 1;
        let reason = self
            .objects
            .status
            .condition(ConditionType::Refreshed)
            .map(|condition| condition.reason.clone())
            .unwrap_or_default();
        // A newer login whose seed was overwritten before anybody saw it ends the one before.
        let ended = unused
            || self.provider.logins.revoked
            || stored.is_some_and(|token| self.logins_since(token));
        let expected: &[&str] = match self.excuse {
            None if !ended => &[],
            // The outcome may be unknown also of a login that was ended. Where another process sent the replay, the one with the
            // successor finds that revoked; and an old seed that was applied makes an unknown outcome forgotten.
            Some(why)
                if !ended
                    && ![OUTLIVED, NOTHING_TELLS].contains(&why)
                    && !self.old_seed_applied =>
            {
                &["RefreshTokenLost"]
            }
            _ => &["RefreshTokenRejected", "RefreshTokenLost"],
        };
        if !expected.contains(&reason.as_str()) {
            let excuse = self.excuse;
            self.violated(format!(
                "the login is dead ({excuse:?}) and the reason is {reason:?}, not one of {expected:?}"
            ));
        }
    }

    /// Whether the present initial refresh token may be used up.
    fn seed_was_sent(&self) -> bool {
        let Some(SourceValue::Text(token)) = self.objects.seed.as_ref().map(|seed| &seed.values)
        else {
            return false;
        };
        let token = number(token.expose_secret()).expect("it is one of ours");
        self.sent.contains_key(&token)
    }

    /// A process never hammers the provider, whatever happens: eight requests in a minute, and three whose outcome is unknown.
    pub(crate) fn may_be_asked(&mut self, who: usize) {
        let now = self.now;
        let operator = &mut self.operators[who];
        operator.sent.retain(|at| now - at <= 60);
        operator.sent.push(now);
        let (sent, paused) = (operator.sent.len(), now < operator.paused_until);
        if sent > 11 {
            self.violated(format!("operator {who} sends {sent} requests in a minute"));
        }
        if paused {
            self.violated(format!("operator {who} sends a request in a pause"));
        }
    }

    /// A refresh token that a living process received is in the state, or still being written.
    pub(crate) fn check_custody(&mut self, who: usize) {
        let Some(received) = self.operators[who].custody else {
            return;
        };
        let stored = self.objects.cluster.number(STATE, "refresh-token");
        let superseded = self.logins_since(received);
        let operator = &self.operators[who];
        let storing = operator
            .session
            .as_ref()
            .is_some_and(|session| session.observed().memory.is_storing());
        if stored.is_some_and(|stored| stored >= received) && !storing {
            self.operators[who].custody = None;
        } else if !storing && !superseded {
            self.violated(format!(
                "operator {who} received r{received}, and neither stores nor has stored it (the state has {stored:?})"
            ));
        }
    }
}

pub(crate) fn reasons(status: &CubeCredentialStatus) -> Vec<String> {
    let conditions = status.conditions.iter();
    conditions
        .map(|condition| {
            format!(
                "{:?}={:?} {}",
                condition.r#type, condition.status, condition.reason
            )
        })
        .collect()
}
