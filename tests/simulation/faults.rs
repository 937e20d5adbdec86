//! What goes wrong between two steps, and what people do.

use cube_operator::{
    api::{CubeCredentialStatus, annotation},
    reconcile::SourceValue,
};

use crate::{
    checks::NOTHING_TELLS,
    model::provider::refresh_token,
    operator::Operator,
    world::{HONEST, PROVIDER, STATE, STRAY, Spec, TARGET, World},
};

impl World {
    /// Something goes wrong, or somebody does something.
    pub(crate) fn something_happens(&mut self, quiet: bool) {
        if !self.faulty {
            return;
        }
        for who in 0..self.operators.len() {
            self.stop(who);
        }
        for who in 0..self.operators.len() {
            if !self.operators[who].alive && (quiet || self.random.u8(0..4) == 0) {
                self.start(who);
            } else if self.operators[who].alive && self.strikes(6) {
                self.crash(who);
            }
        }
        if self.provider.accepts.is_some() && self.strikes(2) {
            let accepts = if self.random.bool() { "secret" } else { "next" };
            self.note(|| format!("the provider takes the client secret {accepts:?}"));
            self.provider.accepts = Some(accepts.into());
        }
        if self.strikes(4) {
            match self.random.u8(0..15) {
                event @ 0..5 => self.cluster_changes(event),
                event @ 5..10 => self.somebody_acts(event),
                13 => self.state_is_deleted(),
                14 => self.api_refuses(),
                event => self.consent_changes(event),
            }
        }
    }

    /// A process that was asked to stop has finished what it had begun.
    fn stop(&mut self, who: usize) {
        let operator = &self.operators[who];
        if !operator.alive || !operator.stopping || !operator.is_idle() {
            return;
        }
        self.note(|| format!("operator {who} has stopped"));
        if self.end(who) {
            self.violated(format!(
                "operator {who} has stopped with a refresh token in hand"
            ));
        }
    }

    fn cluster_changes(&mut self, event: u8) {
        match event {
            0 => {
                self.api_down_until = self.now + self.random.i64(1..90);
                self.note(|| "the API server goes down".into());
                return;
            }
            1 => {
                self.provider_down_until = self.now + self.random.i64(1..400);
                self.note(|| "the provider goes down".into());
                return;
            }
            2 => {
                self.note(|| "the target is deleted".into());
                if self.state_deleted_at.is_some() {
                    self.excused(NOTHING_TELLS);
                }
                self.objects.cluster.next_version();
                self.objects.cluster.secrets.remove(TARGET);
            }
            3 => {
                self.note(|| "the status is wiped".into());
                self.objects.status = CubeCredentialStatus::default();
            }
            _ => {
                self.requests += 1;
                self.objects.request = Some(self.requests.to_string());
                self.note(|| "a refresh is asked for".into());
            }
        }
        self.touch();
    }

    fn somebody_acts(&mut self, event: u8) {
        match event {
            5 => {
                // GitOps applies what it always applied.
                let old = self.old_seeds[self.random.usize(..self.old_seeds.len())];
                self.old_seed_applied = true;
                self.put_seed(old);
            }
            6 => {
                let who = self.random.usize(..self.operators.len());
                // The two clocks stay within what the claim allows for.
                self.operators[who].skew = self.random.i64(-2..=2);
            }
            7 => {
                let who = self.random.usize(..self.operators.len());
                self.note(|| format!("operator {who} is asked to stop"));
                self.operators[who].stopping = true;
            }
            8 if self.random.u8(0..4) == 0 => {
                self.note(|| "the login is revoked".into());
                self.provider.logins.revoke();
            }
            9 if self.random.bool() => {
                self.note(|| "a person signs in again".into());
                self.sign_in();
            }
            _ => {}
        }
    }

    /// The author changes the spec, the owner of the Secret the consent, or the object is created again.
    fn consent_changes(&mut self, event: u8) {
        self.proof.rules_changed = true;
        match event {
            10 => {
                let spec = Spec {
                    stray: self.random.bool(),
                    absent: self.random.bool(),
                    rendered: self.random.bool(),
                };
                self.note(|| format!("the author writes {spec:?}"));
                self.spec = spec;
                self.objects.generation += 1;
            }
            11 => {
                let hosts = [None, Some(PROVIDER), Some(STRAY)];
                let hosts = hosts[self.random.usize(..3)].map(str::to_owned);
                let labelled = self.random.bool();
                self.note(|| format!("the owner writes {labelled}, {hosts:?}"));
                self.consent(labelled, hosts);
            }
            _ => self.create_again(),
        }
        self.touch();
    }

    fn consent(&mut self, labelled: bool, hosts: Option<String>) {
        let version = self.objects.cluster.next_version();
        let seed = self.objects.seed.as_mut().expect("there is always one");
        (seed.version, seed.labelled, seed.token_hosts) = (version, labelled, hosts);
        self.note_consent();
    }

    /// The state of a login that works is deleted, or not restored. Only the target tells that its seed was used up.
    fn state_is_deleted(&mut self) {
        let target = self.objects.cluster.secrets.get(TARGET);
        let tells = target.is_some_and(|target| {
            let mark = target.annotations.get(annotation::SPENT_SEED);
            mark.is_some_and(|mark| !mark.is_empty())
        });
        let published = self.objects.cluster.number(TARGET, "access-token");
        let rests = self.operators.iter().all(Operator::is_idle) && self.is_free();
        if !tells || !rests || published != self.objects.cluster.number(STATE, "access-token") {
            return;
        }
        self.note(|| "the state is deleted".into());
        self.state_deleted_at = Some(self.now);
        self.objects.cluster.next_version();
        self.objects.cluster.secrets.remove(STATE);
        self.touch();
    }

    /// The object is deleted with its history, and its Secrets stay.
    fn create_again(&mut self) {
        if self.operators.iter().any(|operator| !operator.is_idle()) {
            return;
        }
        self.note(|| "the object is created again".into());
        let objects = &mut self.objects;
        objects.uid = format!("uid-{}", objects.cluster.next_version());
        objects.generation = 1;
        objects.request = None;
        objects.status = CubeCredentialStatus::default();
        for secret in objects.cluster.secrets.values_mut() {
            secret.owner_lives = false;
        }
        // With the object, a rejection is forgotten that no process has stored yet.
        if !self.rejection_is_stored() {
            for sent in self.sent.values_mut() {
                sent.rejected_at = None;
            }
        }
        for operator in &mut self.operators {
            operator.process.memory = None;
            operator.process.targets.clear();
        }
    }

    /// The author and the owner want the same again.
    pub(crate) fn make_peace(&mut self) {
        let honest = Spec {
            rendered: self.spec.rendered,
            ..HONEST
        };
        if self.spec != honest {
            self.spec = honest;
            self.objects.generation += 1;
        }
        self.consent(true, None);
    }

    pub(crate) fn sign_in(&mut self) {
        let token = self.provider.logins.sign_in();
        self.excuse = None;
        self.strayed = false;
        self.old_seed_applied = false;
        self.logins.push(token);
        self.old_seeds.push(token);
        self.put_seed(token);
    }

    fn put_seed(&mut self, token: u64) {
        self.note(|| format!("the seed is r{token}"));
        self.objects
            .put_seed(SourceValue::Text(refresh_token(token)));
        let hosts = self.random.bool().then(|| PROVIDER.to_owned());
        self.objects.seed.as_mut().expect("it was put").token_hosts = hosts;
        self.note_consent();
        self.touch();
    }
}
