//! The world of a history: one credential, one or two operators, an API server, a provider, and all that can go wrong.

use std::collections::{BTreeMap, BTreeSet};

use cube_operator::reconcile::{Settings, SourceValue};
use fastrand::Rng;
use jiff::Timestamp;

use crate::{
    checks::Sent,
    model::{
        logins::Rules,
        objects::Objects,
        provider::{Early, Provider},
    },
    operator::Operator,
    proof::Proof,
};

pub(crate) const NAME: &str = "books";
pub(crate) const UID: &str = "uid-of-books";
pub(crate) const TARGET: &str = "books-token";
pub(crate) const STATE: &str = "books-cube-state";
/// The hosts of the provider and of the author.
pub(crate) const PROVIDER: &str = "api.cubesoftware.com";
pub(crate) const STRAY: &str = "author.example";

/// When the world begins, in Unix seconds.
pub(crate) const BEGIN: i64 = 1_800_000_000;

/// What is counted over histories.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) exchanges: u64,
    pub(crate) crashes: u64,
    pub(crate) lost_responses: u64,
    pub(crate) lost_logins: u64,
    pub(crate) retries: u64,
}

/// What the author of the spec decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spec {
    /// The token endpoint is the author's own.
    pub(crate) stray: bool,
    /// It names a Secret that does not exist.
    pub(crate) absent: bool,
    /// A template hides the token.
    pub(crate) rendered: bool,
}

pub(crate) const HONEST: Spec = Spec {
    stray: false,
    absent: false,
    rendered: false,
};

pub(crate) struct World {
    pub(crate) random: Rng,
    pub(crate) now: i64,
    pub(crate) faulty: bool,
    /// How often things go wrong, in thousandths.
    pub(crate) severity: u32,
    /// The spec, which its author may change.
    pub(crate) spec: Spec,
    pub(crate) objects: Objects,
    pub(crate) operators: Vec<Operator>,
    pub(crate) provider: Provider,
    /// Seconds that an access token lives.
    pub(crate) lifetime: i64,
    pub(crate) old_seeds: Vec<u64>,
    pub(crate) requests: u64,
    pub(crate) api_down_until: i64,
    pub(crate) provider_down_until: i64,
    /// The API accepts no token before this time.
    pub(crate) refuses_until: i64,
    pub(crate) proof: Proof,
    pub(crate) newest_published: u64,
    /// Steps since the time moved.
    pub(crate) steps: u32,
    pub(crate) sent: BTreeMap<u64, Sent>,
    /// Why the login may be lost.
    pub(crate) excuse: Option<&'static str>,
    /// An old seed was applied since the last sign-in: an unknown outcome of the new one is then forgotten.
    pub(crate) old_seed_applied: bool,
    pub(crate) logins: Vec<u64>,
    /// The initial refresh tokens that a labelled Secret allowed for the author's endpoint, and for that of the provider.
    pub(crate) allowed: BTreeSet<(u64, bool)>,
    /// A login was begun for the author's endpoint: it needs another sign-in there and here.
    pub(crate) strayed: bool,
    /// When the state was deleted, since the last sign-in.
    pub(crate) state_deleted_at: Option<i64>,
    pub(crate) figures: Figures,
    pub(crate) violation: Option<String>,
    pub(crate) log: Option<Vec<String>>,
}

impl World {
    pub(crate) fn new(seed: u64, log: bool) -> Self {
        let mut random = Rng::with_seed(seed);
        let lifetime = [120, 600, 1800][random.usize(0..3)];
        let rules = Rules {
            rotates: random.u8(0..8) > 0,
            grace: [0, 0, 120][random.usize(0..3)],
            reuse_protection: random.bool(),
            // It ends before the access token.
            idle: [None, None, Some(lifetime / 2)][random.usize(0..3)],
        };
        let spec = Spec {
            rendered: random.bool(),
            ..HONEST
        };
        let pods = 0..=u64::from(random.bool());
        let severity = [0, 20, 60, 150][random.usize(0..4)];
        let mut provider = Provider::new(rules);
        if rules.idle.is_none() && random.u8(0..4) == 0 {
            provider.early = Early::Refuses(15);
        }
        let probes = random.bool();
        let early = provider.early;
        let mut objects = Objects::new(NAME, UID);
        objects.seed_name = Some("login");
        objects.put_client(text("client"), text("secret"));
        // While a client secret is replaced, the provider takes one of the two.
        if seed.is_multiple_of(3) {
            let source = objects.source.as_mut().expect("it was just put there");
            source.values.next_secret = text("next");
            provider.accepts = Some("secret".into());
        }
        objects.access.refreshes_pods = true;
        objects.access.restarts_workloads = true;
        objects.workloads.deploy("web");
        let mut world = Self {
            random,
            now: BEGIN,
            faulty: true,
            severity,
            spec,
            objects,
            operators: pods.map(|pod| Operator::new(pod, time(BEGIN))).collect(),
            provider,
            lifetime,
            old_seeds: Vec::new(),
            requests: 0,
            api_down_until: 0,
            provider_down_until: 0,
            refuses_until: 0,
            proof: Proof::new(probes),
            newest_published: 0,
            steps: 0,
            sent: BTreeMap::new(),
            excuse: None,
            old_seed_applied: false,
            logins: Vec::new(),
            allowed: BTreeSet::new(),
            strayed: false,
            state_deleted_at: None,
            figures: Figures::default(),
            violation: None,
            log: log.then(Vec::new),
        };
        world.note(|| format!("{rules:?}, {early:?}, tokens of {lifetime} s, severity {severity}, probes: {probes}"));
        world.sign_in();
        world
    }

    /// The watches show every process that something has changed.
    pub(crate) fn touch(&mut self) {
        for operator in &mut self.operators {
            if operator.is_idle() {
                operator.next_at = operator.next_at.min(self.now);
            } else {
                operator.dirty = true;
            }
        }
    }

    pub(crate) fn clock(&self, who: usize) -> Timestamp {
        time(self.now + self.operators[who].skew)
    }

    /// A call takes up to a second.
    pub(crate) fn pass(&mut self, who: usize) {
        if self.faulty && self.random.u8(0..4) == 0 {
            self.operators[who].next_at = self.now + 1;
        }
    }

    pub(crate) fn api_is_down(&self) -> bool {
        self.now < self.api_down_until
    }

    /// Whether something of this weight goes wrong now.
    pub(crate) fn strikes(&mut self, weight: u32) -> bool {
        self.faulty && self.random.u32(0..40_000) < weight * self.severity
    }

    pub(crate) fn note(&mut self, line: impl FnOnce() -> String) {
        let at = self.now - BEGIN;
        if let Some(log) = &mut self.log {
            log.push(format!("{at:>6} {}", line()));
        }
    }

    pub(crate) fn violated(&mut self, what: String) {
        self.note(|| "VIOLATED".into());
        self.violation.get_or_insert(what);
    }

    pub(crate) fn excused(&mut self, why: &'static str) {
        self.note(|| format!("unavoidable: {why}"));
        self.excuse = Some(why);
    }

    /// Whether somebody signed in after this token was issued: an older login need not be kept.
    pub(crate) fn logins_since(&self, token: u64) -> bool {
        self.logins.iter().any(|login| *login > token)
    }
}

pub(crate) fn time(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn text(text: &str) -> SourceValue {
    SourceValue::Text(text.into())
}

impl Spec {
    pub(crate) fn settings(self, probes: bool, two_secrets: bool) -> Settings {
        let host = if self.stray {
            STRAY
        } else {
            "api.cubesoftware.com"
        };
        let data = if self.rendered {
            serde_json::json!({"access-token": "{{ access_token }}"})
        } else {
            serde_json::json!({})
        };
        let mut spec = serde_json::json!({
            "target": {"data": data},
            "provider": "CubeSoftware", "grant": "RefreshToken", "tokenURL": format!("https://{host}/o/token/"),
            "clientSecretRef": {"name": "client"},
            "refreshTokenRef": {"name": if self.absent { "absent" } else { "login" }},
            "consumers": {"restart": [{"kind": "Deployment", "name": "web"}], "minInterval": "1m"},
        });
        if two_secrets {
            spec["clientSecretRef"]["clientSecretKey"] = "client-secret,next".into();
        }
        if probes {
            spec["probe"] = serde_json::json!({"url": format!("https://{PROVIDER}/me")});
        }
        let spec = serde_json::from_value(spec).expect("a spec");
        Settings::read("treasury", NAME, &spec).expect("a good spec")
    }
}
