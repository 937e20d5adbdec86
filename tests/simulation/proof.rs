//! An API that tries access tokens, and the rule that none is published that it refuses while another one lives.

use std::collections::BTreeSet;

use cube_operator::{
    api::annotation,
    oauth::error::{NetworkError, Unreachable},
    reconcile::{Outcome, Probing},
};
use secrecy::ExposeSecret;

use crate::{
    model::cluster::number,
    world::{TARGET, World},
};

/// The clocks of two processes differ by so many seconds at most.
const SKEW: i64 = 5;

/// A kubelet takes so long to show a token to a pod.
const PROPAGATION: i64 = 90;

/// Failed probes in a row.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Failures {
    count: u32,
    refused: bool,
}

/// What is known of the access tokens.
#[derive(Default)]
pub(crate) struct Proof {
    /// The spec has a probe.
    pub(crate) probes: bool,
    accepted: BTreeSet<u64>,
    published: BTreeSet<u64>,
    /// The end of the token that is about to be replaced, if that is proven.
    end_before: Option<i64>,
    /// The author or the owner has changed where a token may be tried: without a probe, nothing can be proven.
    pub(crate) rules_changed: bool,
}

impl Proof {
    pub(crate) fn new(probes: bool) -> Self {
        Self {
            probes,
            ..Self::default()
        }
    }
}

impl World {
    pub(crate) fn api_refuses(&mut self) {
        self.refuses_until = self.now + self.random.i64(1..600);
        self.note(|| "the API accepts no token".into());
    }

    pub(crate) fn probe(&mut self, who: usize, probing: Probing) -> Outcome {
        self.pass(who);
        let token = number(probing.request.token.expose_secret()).expect("it is one of ours");
        let result = if self.now < self.refuses_until {
            Ok([401, 403, 429, 503][self.random.usize(0..4)])
        } else if self.strikes(60) {
            Err(NetworkError::Unreachable {
                endpoint: "api".into(),
                cause: Unreachable::ConnectionRefused,
            })
        } else {
            Ok(200)
        };
        self.note(|| format!("operator {who} tries a{token}: {result:?}"));
        if result == Ok(200) {
            self.proof.accepted.insert(token);
            self.operators[who].failures = Failures::default();
        } else if !self.proof.published.contains(&token) {
            let failures = &mut self.operators[who].failures;
            failures.count += 1;
            failures.refused |= matches!(result, Ok(401 | 403));
        }
        probing.outcome(result)
    }

    pub(crate) fn note_the_end_before(&mut self) {
        let target = self.objects.cluster.secrets.get(TARGET);
        let proven =
            target.filter(|target| !is_marked(target.annotations.get(annotation::UNPROVEN)));
        let end = proven.and_then(|target| target.annotations.get(annotation::EXPIRES_AT));
        let end = end.and_then(|end| end.parse::<jiff::Timestamp>().ok());
        self.proof.end_before = end.map(jiff::Timestamp::as_second);
    }

    /// A token that was never published is accepted, or three probes in a row have failed, and either none of them was a refusal or
    /// no other token lives. Where the provider replaces refresh tokens, it has revoked the one before.
    pub(crate) fn check_proof(&mut self, who: usize, token: Option<u64>, mark: Option<&String>) {
        let failures = std::mem::take(&mut self.operators[who].failures);
        let Some(token) = token.filter(|_| self.proof.probes && !self.proof.rules_changed) else {
            return;
        };
        if !self.proof.published.insert(token) || self.proof.accepted.contains(&token) {
            return;
        }
        if !is_marked(mark) {
            self.violated(format!("a{token} is published as if it were proven"));
        }
        if failures.count < 3 {
            return self.violated(format!(
                "a{token} is published after {failures:?} failed probes"
            ));
        }
        let rotates = self.provider.logins.rules.rotates;
        let end = self.proof.end_before;
        let lives = end.is_some_and(|end| end - PROPAGATION > self.now + SKEW);
        if failures.refused && !rotates && lives {
            self.violated(format!(
                "a{token} is published unproven while another one lives"
            ));
        }
    }
}

fn is_marked(mark: Option<&String>) -> bool {
    mark.is_some_and(|mark| mark == "true")
}
