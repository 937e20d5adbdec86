//! A history from its first sign-in to its end: what happens next, and which process lives.

use crate::{
    checks::EXCHANGE,
    operator::Operator,
    world::{BEGIN, Figures, STATE, World, time},
};

impl World {
    /// Lives through a history and says what was wrong with it.
    pub(crate) fn live(mut self) -> (Figures, Result<(), String>) {
        let span = self.lifetime * 2;
        self.run_until(BEGIN + span);
        self.faulty = false;
        self.api_down_until = 0;
        self.provider_down_until = 0;
        self.refuses_until = 0;
        self.note(|| "the faults stop".into());
        self.make_peace();
        for operator in &mut self.operators {
            // A process that stops is followed by another, once it has finished what it had begun.
            if !operator.alive || operator.stopping && operator.is_idle() {
                *operator = Operator::new(operator.pod, time(self.now));
            }
            operator.stopping = false;
            operator.next_at = self.now;
            // The watches catch up.
            operator.dirty = true;
        }
        // It outlives the present token; and the longest wait is a slow failure's.
        let end = self.now + 4400;
        self.run_until(self.now + self.lifetime);
        while self.now < end && self.violation.is_none() && !self.is_ready() {
            self.run_until(self.now + 300);
        }
        self.check_the_end();
        if self.violation.is_none() && !self.is_ready() {
            self.note(|| "a person signs in again".into());
            self.sign_in();
            self.run_until(self.now + 60);
            if !self.is_ready() {
                self.violated("a new seed does not recover it".into());
            }
        }
        let result = match self.violation {
            None => Ok(()),
            Some(violation) => {
                let mut lines = self.log.unwrap_or_default();
                lines.push(violation);
                Err(lines.join("\n"))
            }
        };
        (self.figures, result)
    }

    fn run_until(&mut self, end: i64) {
        while self.violation.is_none() {
            let next = (0..self.operators.len())
                .filter(|who| self.operators[*who].alive)
                .min_by_key(|who| (self.operators[*who].next_at, self.random.u8(..)));
            let at = next.map_or(i64::MAX, |who| self.operators[who].next_at);
            if at > end && (!self.faulty || self.now >= end) {
                self.now = self.now.max(end);
                return;
            }
            // While things go wrong, they also do in quiet times.
            if self.faulty && at > self.now + 30 {
                self.now = (self.now + 30).min(end);
                self.something_happens(true);
                continue;
            }
            let Some(who) = next else { return };
            if at > self.now {
                self.steps = 0;
            }
            self.steps += 1;
            if self.steps > 300 {
                return self.violated("a reconcile does not come to rest".into());
            }
            self.now = self.now.max(at);
            let uid = self.objects.uid.clone();
            self.objects.cluster.land(&uid, self.now);
            self.something_happens(false);
            if self.operators[who].alive && self.operators[who].next_at <= self.now {
                self.step(who);
            }
        }
    }

    pub(crate) fn start(&mut self, who: usize) {
        let pod = if self.random.bool() {
            self.operators[who].pod
        } else {
            self.random.u64(10..)
        };
        self.note(|| format!("operator {who} starts as pod {pod}"));
        let skew = self.operators[who].skew;
        self.operators[who] = Operator::new(pod, self.clock(who));
        self.operators[who].skew = skew;
        self.operators[who].next_at = self.now;
    }

    pub(crate) fn crash(&mut self, who: usize) {
        self.note(|| format!("operator {who} crashes"));
        self.figures.crashes += 1;
        if self.end(who) {
            self.excused("the process ended between the response and the write");
        }
    }

    /// A process ends. Says whether it was the only one to have a refresh token.
    pub(crate) fn end(&mut self, who: usize) -> bool {
        let pod = self.operators[who].pod;
        let had = self.operators[who].end();
        let restarted = self.now;
        let noted = self.rejection_is_stored();
        for sent in self.sent.values_mut() {
            // The same pod may go on at once.
            if sent.by == pod && sent.open_until.is_some_and(|until| until > restarted) {
                sent.open_until = Some(sent.at + EXCHANGE);
            }
            // A rejection that it had not stored yet is known to nobody.
            if sent.by == pod && !noted {
                sent.rejected_at = None;
            }
        }
        had
    }

    pub(crate) fn rejection_is_stored(&self) -> bool {
        self.record()
            .is_some_and(|record| !record["rejection"].is_null() && record["claim"].is_null())
    }

    /// Whether the state holds a login that works, and nobody claims it.
    pub(crate) fn is_free(&self) -> bool {
        let open = ["rejection", "claim", "replaced"];
        self.record()
            .is_some_and(|record| open.iter().all(|field| record[field].is_null()))
    }

    fn record(&self) -> Option<serde_json::Value> {
        let state = self.objects.cluster.secrets.get(STATE)?;
        Some(serde_json::from_str(&state.data["record"]).expect("JSON"))
    }
}
