//! A client's budget by itself: how many requests, and in which order.

mod intervals;
mod limits;
mod order;
mod pauses;
mod strangers;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use super::{Budget, ClientKey, Lesson, Permit, PermitRequest, Wait};
use crate::oauth::{
    authentication::{Authentication, Client},
    endpoint::Endpoint,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn client(url: &str, id: &str, secret: &str) -> ClientKey {
    let client = Authentication::Basic(Client {
        id: id.into(),
        secret: SecretString::from(secret),
    });
    ClientKey::new(&Endpoint::parse(url).unwrap(), &client, None, "home")
}

/// The client `one` with this secret.
fn with_secret(secret: &str) -> ClientKey {
    client("https://example.com/token", "one", secret)
}

fn one() -> ClientKey {
    with_secret("right")
}

fn request(uid: &str) -> PermitRequest {
    PermitRequest {
        client: one(),
        uid: uid.into(),
        namespace: "home".into(),
        expires_at: None,
        priority: false,
        peek: false,
    }
}

fn stranger(number: usize, namespace: &str) -> PermitRequest {
    PermitRequest {
        client: with_secret(&format!("wrong-{namespace}-{number}")),
        namespace: namespace.into(),
        ..request(&format!("{namespace}-{number}"))
    }
}

/// Asks at this second: `None`, or when to ask again.
fn take(budget: &mut Budget, request: &PermitRequest, second: i64) -> Option<i64> {
    match budget.take(request, at(second)) {
        Permit::Now { .. } => None,
        Permit::Later { at: time, .. } => Some(time.duration_since(at(0)).as_secs()),
    }
}

fn ask(budget: &mut Budget, uid: &str, priority: bool, second: i64) -> Option<i64> {
    let request = PermitRequest {
        priority,
        ..request(uid)
    };
    take(budget, &request, second)
}

fn learn(budget: &mut Budget, request: &PermitRequest, lesson: Lesson, second: i64) {
    budget.learn(request.uid, &request.client, lesson, at(second));
}

/// A budget from this second on, whose client has just been seen working.
fn started_at(second: i64) -> Budget {
    let mut budget = Budget::new(SignedDuration::from_secs(12), at(second));
    learn(&mut budget, &request("holder"), Lesson::Works, second);
    budget
}

fn started() -> Budget {
    started_at(0)
}

/// The seconds at which these requests are sent within so many seconds, and those that still wait then. Each asks again at the time
/// that the budget has named.
fn serve(
    budget: &mut Budget,
    mut waiting: Vec<(i64, PermitRequest)>,
    seconds: i64,
    works: impl Fn(&PermitRequest) -> bool,
) -> (Vec<i64>, Vec<(i64, PermitRequest)>) {
    let mut sent = Vec::new();
    for second in 0..seconds {
        let mut later = Vec::new();
        for (due, request) in waiting {
            if due > second {
                later.push((due, request));
            } else if let Some(again) = take(budget, &request, second) {
                assert!(again > second);
                later.push((again, request));
            } else {
                sent.push(second);
                let lesson = if works(&request) {
                    Lesson::Works
                } else {
                    Lesson::Refused
                };
                learn(budget, &request, lesson, second);
            }
        }
        waiting = later;
    }
    (sent, waiting)
}

/// No minute has more requests than an interval of 12 s allows.
fn assert_within_the_limit(sent: &[i64]) {
    for (index, first) in sent.iter().enumerate() {
        let minute = sent[index..]
            .iter()
            .take_while(|at| **at <= first + 60)
            .count();
        assert!(minute <= 8, "{minute} in a minute: {sent:?}");
    }
}
