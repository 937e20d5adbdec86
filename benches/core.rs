//! The pure core: one decision, one outcome taken in, a whole refresh, and the meaning of a response.

#[path = "../tests/model/model.rs"]
#[expect(dead_code, reason = "the unit tests use the rest")]
mod model;

use cube_operator::{
    oauth::{
        grant::Grant,
        response::{self, Body, RequestContext, Response},
    },
    reconcile::{
        Action, Budget, Observed, Outcome, Session, Settings, Slot, SourceValue, Turn, absorb,
        decide,
    },
    scrub::Scrubber,
};
use divan::{Bencher, black_box};
use jiff::{SignedDuration, Timestamp};
use model::{logins::Rules, objects::Objects, process::Process, provider::Provider};
use serde_json::json;

fn main() {
    divan::main();
}

/// A credential with the objects around it.
struct World {
    objects: Objects,
    process: Process,
    provider: Provider,
    settings: Settings,
    now: Timestamp,
}

impl World {
    /// It has a token of an hour, just issued.
    fn ready() -> Self {
        let spec = json!({"provider": "Cubewire", "clientSecretRef": {"name": "client"}});
        let spec = serde_json::from_value(spec).expect("it is a spec");
        let mut world = Self {
            objects: Objects::new("cubewire", "0b5c7a80-uid"),
            process: Process::new("pod", Budget::new(SignedDuration::ZERO, Timestamp::MIN)),
            provider: Provider::new(Rules::STRICT),
            settings: Settings::read("treasury", "cubewire", &spec).expect("it is valid"),
            now: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(500_000),
        };
        let [id, secret] = ["client", "s3cret"].map(|text| SourceValue::Text(text.into()));
        world.objects.put_client(id, secret);
        world.reconcile();
        world.reconcile();
        world
    }

    fn observe(&mut self) -> Observed {
        self.process.watch(&self.objects);
        let settings = Ok(self.settings.clone());
        self.process.observe(&self.objects, settings, self.now)
    }

    fn reconcile(&mut self) {
        let mut session = Session::begin(self.observe());
        loop {
            let outcome = match session.next(|| true, self.now) {
                Turn::Done { .. } => break,
                Turn::Read(read) => self.objects.read(&read, session.observed()),
                Turn::TakeSlot { .. } => Outcome::Slot(Slot::Taken),
                Turn::Act(action) => self.act(*action, session.observed()),
                turn => unreachable!("{turn:?}"),
            };
            self.process.absorb(&mut session, outcome, self.now);
        }
        self.process.end(session, true, self.now);
    }

    fn act(&mut self, action: Action, observed: &Observed) -> Outcome {
        match action {
            Action::Exchange(exchange) => {
                let exchanged = self.provider.exchange(exchange, &mut self.now);
                Outcome::Exchanged(Box::new(exchanged))
            }
            action => self
                .objects
                .act(action, &mut self.process, observed, self.now)
                .expect("nothing fails"),
        }
    }
}

/// Nothing has to be done: the most frequent decision.
#[divan::bench]
fn decide_that_nothing_is_due(bencher: Bencher) {
    let mut world = World::ready();
    let observed = world.observe();
    bencher.bench_local(|| decide(black_box(&observed), world.now));
}

#[divan::bench]
fn decide_that_a_refresh_is_due(bencher: Bencher) {
    let mut world = World::ready();
    let observed = world.observe();
    let due = world.now + SignedDuration::from_secs(3_400);
    bencher.bench_local(|| decide(black_box(&observed), due));
}

#[divan::bench]
fn absorb_a_source(bencher: Bencher) {
    let mut world = World::ready();
    let observed = world.observe();
    let due = world.now + SignedDuration::from_secs(3_400);
    let mut session = Session::begin(observed.clone());
    let read = loop {
        match session.next(|| true, due) {
            Turn::Read(read) => break read,
            Turn::TakeSlot { .. } => {
                session.absorb(Outcome::Slot(Slot::Taken), due);
            }
            turn => unreachable!("{turn:?}"),
        }
    };
    bencher
        .with_inputs(|| (observed.clone(), world.objects.read(&read, &observed)))
        .bench_local_values(|(mut observed, outcome)| {
            absorb(&mut observed, outcome, due);
            observed
        });
}

/// All decisions and outcomes of a refresh, and the objects of the model.
#[divan::bench]
fn refresh(bencher: Bencher) {
    bencher
        .with_inputs(|| {
            let mut world = World::ready();
            world.now += SignedDuration::from_secs(3_400);
            world
        })
        .bench_local_refs(World::reconcile);
}

#[divan::bench(args = [40, 1_000, 8_000])]
fn parse_a_response(bencher: Bencher, token: usize) {
    let body = json!({
        "access_token": "x".repeat(token), "token_type": "Bearer", "expires_in": 3600, "scope": "read write",
    });
    let response = Response {
        status: 200,
        content_type: Some("application/json".into()),
        body: Body::Complete(body.to_string().into_bytes()),
        ..Response::default()
    };
    let context = RequestContext {
        grant: &Grant::ClientCredentials,
        scopes: &[],
    };
    bencher.bench_local(|| response::read(black_box(&response), context, Scrubber::default()));
}
