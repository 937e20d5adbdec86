//! The effects of a step: reads, writes and requests, with all that can go wrong in them.

use cube_operator::{
    api::{Reason, annotation, label},
    api_error::ApiError,
    oauth::error::TokenError,
    reconcile::{Action, Exchange, Observed, Outcome, Read},
};
use secrecy::ExposeSecret;

use crate::{
    checks::{EXCHANGE, reasons},
    model::{
        cluster::{Fault, no_response, number},
        provider::{Response, issue, refuse},
    },
    operator::{Flight, Publishes},
    world::{World, time},
};

/// The pause that the provider asks for.
const PAUSE: i64 = 10;

impl World {
    pub(crate) fn read(
        &mut self,
        who: usize,
        what: &Read,
        observed: &Observed,
    ) -> Result<Outcome, ApiError> {
        self.pass(who);
        if self.api_is_down() || self.strikes(40) {
            return Err(no_response("read"));
        }
        Ok(self.objects.read(what, observed))
    }

    pub(crate) fn act(
        &mut self,
        who: usize,
        action: Action,
        observed: &Observed,
    ) -> Result<Outcome, ApiError> {
        match &action {
            Action::TakePermit(_) => {}
            Action::Store(state) => {
                self.strayed |= state.claims && self.operators[who].spec.stray;
                self.begin_write(who, &state.secret.name);
            }
            Action::Record(record) => self.begin_write(who, &record.secret.name),
            Action::Publish(target) => {
                self.operators[who].publishes = match target.replaces {
                    Some(_) => Publishes::Replaces,
                    None => Publishes::Creates,
                };
                self.note_the_end_before();
                self.begin_write(who, &target.name);
            }
            Action::Report { .. } => {
                self.pass(who);
                let fails = self.api_is_down() || self.strikes(40);
                self.fail_next(fails.then_some(Fault::Lost));
            }
            Action::RefreshPods(_) => {
                self.pass(who);
                let fails = self.api_is_down() || self.strikes(40);
                self.objects.pods_fail = fails.then(|| no_response("pods"));
            }
            Action::Restart(_) => {
                self.pass(who);
                let fails = self.api_is_down() || self.strikes(40);
                self.objects.workloads.is_unanswered = fails;
            }
            Action::Announce(_) => self.pass(who),
            Action::Delete(_)
            | Action::DeleteRecord(_)
            | Action::Exchange(_)
            | Action::RequestAccountToken(..)
            | Action::Probe(_) => {
                unreachable!("not in this world")
            }
        }
        let now = self.clock(who);
        let process = &mut self.operators[who].process;
        let outcome = self.objects.act(action, process, observed, now)?;
        self.succeeded(who, &outcome);
        Ok(outcome)
    }

    fn succeeded(&mut self, who: usize, outcome: &Outcome) {
        match outcome {
            Outcome::Published(target) => {
                let token = self.objects.cluster.number(&target.name, "access-token");
                self.check_proof(who, token, target.annotations.get(annotation::UNPROVEN));
                self.published(who, token);
                assert!(label::is_set(&target.labels, label::MANAGED));
                self.touch();
            }
            Outcome::Restarted { mark, error, .. } => self.restarted(mark, error.is_some()),
            Outcome::Reported { status, .. } => {
                self.note(|| format!("operator {who} reports {:?}", reasons(status)));
            }
            _ => {}
        }
    }

    /// A write, which may be lost, unanswered, or happen when nobody expects it any more.
    fn begin_write(&mut self, who: usize, name: &str) {
        self.pass(who);
        if self.api_is_down() {
            return self.fail_next(Some(Fault::Lost));
        }
        if !self.strikes(20) {
            return self.fail_next(None);
        }
        let fault = match self.random.u8(0..4) {
            0 => Fault::Lost,
            1 => Fault::Refused,
            2 => Fault::Unanswered,
            _ => Fault::Late(self.now + self.random.i64(1..20)),
        };
        self.note(|| format!("a write of {name} goes wrong ({fault:?})"));
        self.fail_next(Some(fault));
    }

    fn fail_next(&mut self, fault: Option<Fault>) {
        self.objects.cluster.faults.push_back(fault);
    }

    /// Makes a request, whose response arrives later.
    pub(crate) fn send(&mut self, who: usize, exchange: Exchange) {
        let Exchange { request, attempt } = exchange;
        let token = request.grant.refresh_token();
        let token = token.and_then(|token| number(token.expose_secret()));
        let token = token.expect("it is one of ours");
        self.figures.exchanges += 1;
        self.may_go_there(who, token);
        let stray = self.operators[who].spec.stray;
        let (response, seconds) = if stray {
            (refuse(Reason::EndpointNotFound), 1)
        } else {
            self.may_be_asked(who);
            self.sends(who, token);
            self.response()
        };
        self.note(|| format!("operator {who} sends r{token}: {response:?} in {seconds} s"));
        let lost = matches!(response, Response::Lost(_));
        let now = time(self.now);
        let mut exchanged = self.provider.respond(&request, attempt, response, now);
        exchanged.sent_at = self.clock(who);
        if lost
            && exchanged
                .result
                .as_ref()
                .is_err_and(TokenError::outcome_unknown)
        {
            self.lost();
        }
        if exchanged.result.is_ok() {
            // There is a login again.
            self.state_deleted_at = None;
        }
        let successor = exchanged.refresh_token.as_ref();
        let successor = successor.and_then(|token| number(token.expose_secret()));
        if successor == Some(token) && self.random.bool() {
            exchanged.refresh_token = None;
        }
        let received = successor.filter(|received| *received != token);
        self.note(|| format!("operator {who} receives {received:?}"));
        self.operators[who].next_at = self.now + seconds;
        self.operators[who].flight = Some(Flight {
            token: (!stray).then_some(token),
            exchanged,
            received,
        });
    }

    /// A response to a request that consumed the refresh token is lost.
    fn lost(&mut self) {
        self.figures.lost_responses += 1;
        if self.provider.logins.rules.rotates {
            self.excused("the response was lost");
        }
    }

    /// The response of the provider, and the seconds that it takes.
    fn response(&mut self) -> (Response, i64) {
        let kind = if self.now < self.provider_down_until {
            self.random.u8(0..5)
        } else if self.strikes(60) {
            self.random.u8(0..8)
        } else {
            8
        };
        let quick = if self.faulty {
            self.random.i64(0..8)
        } else {
            0
        };
        match kind {
            0 | 1 => (refuse(Reason::Unreachable), 1),
            2 => (refuse(Reason::Unavailable), quick),
            3 => (refuse(Reason::NoResponse), EXCHANGE),
            4 => {
                let (reason, pause) = (Reason::RateLimited, Some(PAUSE));
                (Response::Refuse { reason, pause }, quick)
            }
            5 => (Response::Lost(Reason::NoResponse), EXCHANGE),
            6 => (Response::Lost(Reason::Unavailable), EXCHANGE),
            7 => (Response::NoAccessToken, quick),
            _ => (issue(self.lifetime), quick),
        }
    }

    pub(crate) fn responded(&mut self, who: usize, flight: Flight) -> Outcome {
        let refused = flight.exchanged.result.as_ref().err();
        let refused = refused.map(TokenError::reason);
        if let Some(token) = flight.token {
            self.arrived(token, flight.received, refused);
        }
        self.operators[who].custody = flight.received;
        if refused == Some(Reason::RateLimited) {
            self.operators[who].paused_until = self.now + PAUSE;
        }
        Outcome::Exchanged(Box::new(flight.exchanged))
    }
}
