//! What people, earlier versions and backups put into a cluster: the spec and the status of a `CubeCredential`, the source, the
//! seed, the state and the target. One line each (`state.record: …`; `\n` is a line break), an empty line, and what the token
//! endpoint answers. Whatever it is, the operator comes to rest, and sends and writes nothing that it should not.

mod acts;

use std::collections::BTreeMap;

use cube_operator::{
    api::CubeCredentialStatus,
    reconcile::{
        Budget, CaBundle, ClientValues, Content, Credential, Memory, Observed, Outcome, Read,
        Session, Settings, SettingsError, Source, SourceSecret, SourceValue, State, StateReading,
        Target, TargetReading, TargetSecret, Turn, fingerprint,
    },
};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use super::input::Input;

const NAME: &str = "planning";
const UID: &str = "0b5c7a80";
const SPEC: &str = r#"{"provider":"CubeSoftware","grant":"RefreshToken","clientSecretRef":{"name":"client"},"refreshTokenRef":{"name":"login"}}"#;
/// More than any reconcile takes.
const MANY_STEPS: usize = 40;

pub(crate) fn holds(bytes: &[u8]) {
    let mut world = World::of(Input::read(bytes));
    let mut memory = Memory::recall(&world.status, world.now);
    if let Some((_, until)) = memory.pause() {
        let pause = until.duration_since(world.now);
        assert!(pause.as_secs() <= 3610, "no provider asks for {pause:?}");
    }
    for _ in 0..3 {
        let wake_at = world.reconcile(&mut memory);
        // A restart: nothing is news to the next process.
        let done = (world.sent, world.written);
        world.reconcile(&mut Memory::recall(&world.status.clone(), world.now));
        assert_eq!(
            (world.sent, world.written),
            done,
            "a restart repeats something"
        );
        let Some(wake_at) = wake_at else {
            return;
        };
        assert!(wake_at > world.now, "no rest, but a loop");
        world.now = wake_at;
    }
}

type Data = BTreeMap<String, SecretString>;

struct World {
    input: Input,
    now: Timestamp,
    settings: Result<Settings, SettingsError>,
    status: CubeCredentialStatus,
    state: Option<Data>,
    target: Option<(TargetSecret, Data)>,
    /// The refresh token that the state was last claimed for.
    claimed: Option<SecretString>,
    /// What replaces it, and is in no Secret yet.
    received: Option<SecretString>,
    /// The secrets of the last request, and of its answer.
    in_play: Vec<String>,
    sent: usize,
    written: usize,
}

impl World {
    fn of(input: Input) -> Self {
        let json =
            |name, otherwise| serde_json::from_str(input.get(name).unwrap_or(otherwise)).ok();
        let spec = json("spec", SPEC).and_then(|spec| serde_json::from_value(spec).ok());
        let status = json("status", "{}").and_then(|status| serde_json::from_value(status).ok());
        let data = |prefix| {
            let data: Data = input
                .under(prefix)
                .map(|(key, value)| (key.into(), unescaped(value).into()))
                .collect();
            (!data.is_empty()).then_some(data)
        };
        let annotations: BTreeMap<_, _> = input
            .under("target.")
            .map(|(name, value)| (format!("cube-operator.dev/{name}"), unescaped(value)))
            .collect();
        let target = (!annotations.is_empty()).then(|| {
            let data = data("target-data.").unwrap_or_default();
            let content = match data.get("access-token") {
                // Whoever may write a Secret may also compute the hash of its content.
                Some(token) if input.get("content") == Some("confirmed") => {
                    Content::Confirmed(fingerprint(token))
                }
                _ => Content::Unread,
            };
            (secret(annotations, content), data)
        });
        Self {
            now: "2026-11-25T10:00:00Z".parse().expect("a time"),
            settings: spec
                .ok_or_else(|| SettingsError::Unreadable("no spec".into()))
                .and_then(|spec| Settings::read("treasury", NAME, &spec)),
            status: status.unwrap_or_default(),
            state: data("state."),
            target,
            claimed: None,
            received: None,
            in_play: vec![],
            sent: 0,
            written: 0,
            input,
        }
    }

    /// Decides and acts until nothing is left to do, and says when to look again.
    fn reconcile(&mut self, memory: &mut Memory) -> Option<Timestamp> {
        let sent = self.sent;
        let mut session = Session::begin(self.observe(memory.begin()));
        let mut budget = Budget::new(SignedDuration::ZERO, self.now);
        for _ in 0..MANY_STEPS {
            let outcome = match session.next(|| true, self.now) {
                Turn::Done { wake_at } => {
                    assert!(self.sent <= sent + 1, "one request, then rest");
                    assert!(self.received.is_none(), "what was received is stored");
                    memory.end(session.end(true, &mut budget, self.now).memory);
                    return wake_at;
                }
                Turn::Wait(_) => panic!("everything can be written here"),
                Turn::Held | Turn::Stuck => break,
                Turn::Read(what) => self.read(&what),
                Turn::Act(action) => self.act(*action, session.observed()),
            };
            session.absorb(outcome, self.now);
        }
        panic!("it never comes to rest");
    }

    fn observe(&self, memory: Memory) -> Observed {
        Observed {
            credential: self.credential(),
            settings: self.settings.clone(),
            older_rival: None,
            target: self
                .target
                .clone()
                .map_or(Target::Unknown, |(secret, _)| Target::Present(secret)),
            previous: None,
            source: Source::Unread(Some("1".into())),
            seed: Source::Unread(self.input.get("seed").map(|_| "1".into())),
            state: State::Unread,
            identity: "pod".into(),
            ca_bundle: CaBundle::Unread,
            permit: None,
            allowed_hosts: None,
            memory,
        }
    }

    fn credential(&self) -> Credential {
        Credential {
            namespace: "treasury".into(),
            name: NAME.into(),
            uid: UID.into(),
            generation: 1,
            deleting: false,
            refresh_request: self.input.get("request").map(Into::into),
            status: self.status.clone(),
        }
    }

    fn read(&self, what: &Read) -> Outcome {
        let value = |name: &str| {
            self.input.get(name).map_or(SourceValue::Absent, |text| {
                SourceValue::Text(unescaped(text).into())
            })
        };
        let hosts = |name: &str| self.input.get(name).map(Into::into);
        match what {
            Read::Target { .. } => Outcome::Target(
                self.target
                    .clone()
                    .map(|(secret, data)| TargetReading { secret, data }),
            ),
            Read::Previous { .. } => Outcome::Previous(None),
            Read::Source { .. } => Outcome::Source(Source::Read(SourceSecret {
                version: "1".into(),
                token_hosts: hosts("client-hosts"),
                values: ClientValues {
                    id: value("client-id"),
                    secret: value("client-secret"),
                },
            })),
            Read::Seed { .. } if self.input.get("seed").is_none() => Outcome::Seed(Source::Absent),
            Read::Seed { .. } => Outcome::Seed(Source::Read(SourceSecret {
                version: "1".into(),
                token_hosts: hosts("seed-hosts"),
                values: value("seed"),
            })),
            Read::State { .. } => Outcome::State(self.state.clone().map(reading)),
            Read::CaBundle(_) => Outcome::CaBundle(CaBundle::Pem(unescaped(
                self.input.get("ca").unwrap_or_default(),
            ))),
        }
    }
}

fn secret(annotations: BTreeMap<String, String>, content: Content) -> TargetSecret {
    TargetSecret {
        name: format!("{NAME}-token"),
        uid: "target".into(),
        version: "1".into(),
        labels: BTreeMap::new(),
        annotations,
        owners: vec![],
        owner_lives: true,
        owner_wants_it: false,
        content,
    }
}

fn reading(data: Data) -> StateReading {
    StateReading {
        uid: "state".into(),
        version: "1".into(),
        owners: vec![UID.into()],
        data: Some(data),
    }
}

fn unescaped(value: &str) -> String {
    value.replace("\\n", "\n")
}
