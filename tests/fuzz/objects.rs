//! What people, earlier versions and backups put into a cluster: the spec and the status of a `CubeCredential`, the source, the
//! seed, the state and the target. One line each (`state.record: …`; `\n` is a newline), an empty line, and the response
//! of the token endpoint. Whatever it is, the operator comes to rest, and sends and writes nothing that it should not.

mod acts;
#[path = "../model/model.rs"]
#[expect(dead_code, reason = "the simulation and the unit tests use the rest")]
mod model;

use std::collections::BTreeMap;

use cube_operator::{
    api::{annotation, label},
    reconcile::{
        Budget, CaBundle, ClientValues, Content, Memory, Outcome, STATE_TYPE, Session, Settings,
        SettingsError, Slot, SourceCertificate, SourceKey, SourceValue, Turn, fingerprint,
    },
};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use super::input::Input;
use model::{
    cluster::Stored,
    objects::{Objects, Provided},
    process::Process,
};

const NAME: &str = "planning";
const TARGET: &str = "planning-token";
const UID: &str = "0b5c7a80";
const SPEC: &str = r#"{"provider":"CubeSoftware","grant":"RefreshToken","clientSecretRef":{"name":"client"},"refreshTokenRef":{"name":"login"}}"#;
/// The most reads, writes and exchanges together that one reconcile may take, whatever it finds.
const MOST_STEPS: usize = 25;
/// What wakes up more often than this, whatever it finds, is a loop.
const SHORTEST_REST: SignedDuration = SignedDuration::from_secs(1);

pub(crate) fn holds(bytes: &[u8]) {
    let mut world = World::of(Input::read(bytes));
    let mut process = world.process();
    let memory = Memory::recall(&world.objects.status, world.now);
    if let Some(until) = memory.paused_until(world.now) {
        let pause = until.duration_since(world.now);
        assert!(pause.as_secs() <= 3610, "no provider asks for {pause:?}");
    }
    for _ in 0..3 {
        let wake_at = world.reconcile(&mut process);
        // After a restart nothing is new to the next process.
        let done = (world.sent, world.written);
        let mut next = world.process();
        next.targets.clone_from(&process.targets);
        world.reconcile(&mut next);
        assert_eq!(
            (world.sent, world.written),
            done,
            "a restart repeats something"
        );
        let Some(wake_at) = wake_at else {
            return;
        };
        let rest = wake_at.duration_since(world.now);
        assert!(rest >= SHORTEST_REST, "a rest of {rest:?} is a loop");
        world.now = wake_at;
    }
}

struct World {
    input: Input,
    now: Timestamp,
    settings: Result<Settings, SettingsError>,
    objects: Objects,
    /// The refresh token that the state was last claimed for.
    claimed: Option<SecretString>,
    /// The token that replaces it, and is in no Secret yet.
    received: Option<SecretString>,
    /// The secrets of the last request, and of its response.
    in_play: Vec<String>,
    sent: usize,
    written: usize,
}

impl World {
    fn of(input: Input) -> Self {
        let json =
            |name, otherwise| serde_json::from_str(input.get(name).unwrap_or(otherwise)).ok();
        let spec = json("spec", SPEC).and_then(|spec| serde_json::from_value(spec).ok());
        let settings = spec
            .ok_or_else(|| SettingsError::Unreadable("no spec".into()))
            .and_then(|spec| Settings::read("treasury", NAME, &spec));
        let status = json("status", "{}").and_then(|status| serde_json::from_value(status).ok());
        let mut objects = Objects::new(NAME, UID);
        objects.request = input.get("request").map(Into::into);
        objects.status = status.unwrap_or_default();
        objects.ca_bundle = CaBundle::of(unescaped(input.get("ca").unwrap_or_default()).as_bytes());
        let mut client =
            ClientValues::with_secret(value(&input, "client-id"), value(&input, "client-secret"));
        client.next_secret = value(&input, "client-secret-next");
        let bytes = |name| input.get(name).map(unescaped);
        client.key = SourceKey::of(bytes("private-key").as_deref().map(str::as_bytes));
        client.certificate =
            SourceCertificate::of(bytes("certificate").as_deref().map(str::as_bytes));
        objects.source = Some(provided(client, input.get("client-hosts")));
        if input.get("seed").is_some() {
            objects.seed = Some(provided(value(&input, "seed"), input.get("seed-hosts")));
        }
        let mut world = Self {
            now: "2026-11-25T10:00:00Z".parse().expect("a time"),
            settings,
            objects,
            claimed: None,
            received: None,
            in_play: vec![],
            sent: 0,
            written: 0,
            input,
        };
        world.create_state();
        world.create_target();
        world
    }

    fn create_state(&mut self) {
        let state = Stored {
            r#type: STATE_TYPE.into(),
            labels: [(label::STATE.into(), label::TRUE.into())].into(),
            annotations: [
                (annotation::OWNER_NAME.into(), NAME.into()),
                (annotation::OWNER_UID.into(), UID.into()),
            ]
            .into(),
            owners: vec![UID.into()],
            data: self.texts_under("state."),
            ..Stored::default()
        };
        if !state.data.is_empty() {
            let name = Settings::state_name(NAME);
            self.objects.cluster.create(&name, state);
        }
    }

    fn create_target(&mut self) {
        let annotations = self.texts_under("target.").into_iter();
        let settings = self.settings.as_ref();
        let target = Stored {
            r#type: settings.map_or(String::new(), |settings| settings.target.r#type.clone()),
            labels: [(label::MANAGED.into(), label::TRUE.into())].into(),
            annotations: annotations
                .map(|(name, value)| (format!("cube-operator.dev/{name}"), value))
                .collect(),
            owner_lives: true,
            data: self.texts_under("target-data."),
            ..Stored::default()
        };
        if !target.annotations.is_empty() {
            self.objects.cluster.create(TARGET, target);
        }
    }

    fn texts_under(&self, prefix: &str) -> BTreeMap<String, String> {
        let lines = self.input.under(prefix);
        lines
            .map(|(key, value)| (key.into(), unescaped(value)))
            .collect()
    }

    fn process(&self) -> Process {
        let budget = Budget::new(SignedDuration::ZERO, Timestamp::MIN);
        let mut process = Process::new("pod", budget);
        process.watch(&self.objects);
        // A person who may write a Secret may also compute the hash of its content.
        let token = self.input.get("target-data.access-token").map(unescaped);
        if let (Some("confirmed"), Some(token), Some(known)) = (
            self.input.get("content"),
            token,
            process.targets.get_mut(TARGET),
        ) {
            known.content = Content::Confirmed(fingerprint(&token.into()));
        }
        process
    }

    /// Decides and acts until nothing is left to do, and returns when to look again.
    fn reconcile(&mut self, process: &mut Process) -> Option<Timestamp> {
        let sent = self.sent;
        process.watch(&self.objects);
        let observed = process.observe(&self.objects, self.settings.clone(), self.now);
        let mut session = Session::begin(observed);
        for _ in 0..MOST_STEPS {
            let outcome = match session.next(|| true, self.now) {
                Turn::Done { wake_at } => {
                    // The second one has the other client secret.
                    let most = if self.input.get("client-secret-next").is_some() {
                        2
                    } else {
                        1
                    };
                    assert!(self.sent <= sent + most, "one request, then rest");
                    assert!(self.received.is_none(), "what was received is stored");
                    process.end(session, true, self.now);
                    return wake_at;
                }
                Turn::Wait(_) => panic!("everything can be written here"),
                Turn::Held | Turn::Stuck => break,
                Turn::TakeSlot { .. } => Outcome::Slot(Slot::Taken),
                Turn::Read(what) => self.objects.read(&what, session.observed()),
                Turn::Act(action) => self.act(*action, process, session.observed()),
            };
            process.absorb(&mut session, outcome, self.now);
        }
        panic!("it never comes to rest");
    }
}

fn provided<T>(values: T, token_hosts: Option<&str>) -> Provided<T> {
    Provided {
        version: 1,
        labelled: true,
        token_hosts: token_hosts.map(Into::into),
        token_ca: None,
        values,
    }
}

fn value(input: &Input, name: &str) -> SourceValue {
    input.get(name).map_or(SourceValue::Absent, |text| {
        SourceValue::Text(unescaped(text).into())
    })
}

fn unescaped(value: &str) -> String {
    value.replace("\\n", "\n")
}
