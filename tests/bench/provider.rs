//! A token server that costs little: it knows no client, and does what the namespace in a client's id says.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use jiff::{SignedDuration, Timestamp};

use crate::scripted::{Authority, LOCAL, Provider, Reply, Request};

/// The namespace whose clients get no response.
pub(crate) const HANGS: &str = "hangs";
/// The namespace whose clients are refused.
pub(crate) const REFUSES: &str = "refuses";
/// The namespace whose tokens live for one to two minutes.
pub(crate) const SHORT: &str = "short";

/// A running token server.
pub(crate) struct TokenServer {
    provider: Provider,
    /// The certificate of its authority.
    pub(crate) ca_pem: String,
    ledger: Arc<Ledger>,
}

#[derive(Default)]
struct Ledger {
    /// When each client has sent its requests.
    arrivals: Mutex<HashMap<String, Vec<Timestamp>>>,
    /// How many requests the clients of each namespace have sent: asked for all the time while it is measured.
    counts: Mutex<HashMap<String, usize>>,
    expiry: Mutex<Option<Expiry>>,
}

/// The minute into which the expiries of all tokens fall.
#[derive(Clone, Copy)]
pub(crate) struct Expiry {
    pub(crate) from: Timestamp,
    pub(crate) width: SignedDuration,
}

impl TokenServer {
    pub(crate) fn start() -> Self {
        let authority = Authority::new("bench");
        let ledger = Arc::<Ledger>::default();
        let shared = Arc::clone(&ledger);
        let provider = Provider::start(&authority.certificate(&LOCAL), move |request| {
            shared.respond(request)
        });
        Self {
            provider,
            ca_pem: authority.pem(),
            ledger,
        }
    }

    /// Its token endpoint.
    pub(crate) fn url(&self) -> String {
        self.provider.url("/token")
    }

    /// Its port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.provider.address.port()
    }

    /// Later tokens expire within this time, whenever they are issued. Without it they live for an hour.
    pub(crate) fn set_expiry(&self, expiry: Option<Expiry>) {
        *self.ledger.expiry.lock().unwrap() = expiry;
    }

    /// The minute into which expiries fall.
    pub(crate) fn expiry(&self) -> Option<Expiry> {
        *self.ledger.expiry.lock().unwrap()
    }

    /// The number of requests of the clients of a namespace so far.
    pub(crate) fn requests(&self, namespace: &str) -> usize {
        let counts = self.ledger.counts.lock().unwrap();
        counts.get(namespace).copied().unwrap_or(0)
    }

    /// When a client has sent its requests.
    pub(crate) fn arrivals(&self, namespace: &str, name: &str) -> Vec<Timestamp> {
        let arrivals = self.ledger.arrivals.lock().unwrap();
        let own = arrivals.get(&client_id(namespace, name));
        own.cloned().unwrap_or_default()
    }
}

/// The id of the client of a credential.
pub(crate) fn client_id(namespace: &str, name: &str) -> String {
    format!("{namespace}.{name}")
}

fn namespace_of(client: &str) -> &str {
    client.split('.').next().unwrap()
}

/// The number that a name ends with.
fn number_of(client: &str) -> i64 {
    let number = client.rsplit('-').next();
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

impl Expiry {
    /// The end of a client's tokens. Neighbours by number do not have neighbouring ends.
    pub(crate) fn of(self, client: &str) -> Timestamp {
        let offset = number_of(client) * 7919 % self.width.as_secs().max(1);
        self.from + SignedDuration::from_secs(offset)
    }
}

impl Ledger {
    fn respond(&self, request: &Request) -> Reply {
        let now = Timestamp::now();
        let parameters = url::form_urlencoded::parse(request.body.as_bytes());
        let client = parameters
            .filter(|(name, _)| name == "client_id")
            .map(|(_, value)| value.into_owned())
            .next()
            .unwrap();
        let number = {
            let mut arrivals = self.arrivals.lock().unwrap();
            let times = arrivals.entry(client.clone()).or_default();
            times.push(now);
            times.len()
        };
        *self
            .counts
            .lock()
            .unwrap()
            .entry(namespace_of(&client).to_owned())
            .or_default() += 1;
        match namespace_of(&client) {
            HANGS => Reply::silence(),
            REFUSES => Reply::json(401, r#"{"error":"invalid_client"}"#),
            _ => token(&client, number, self.lifetime(&client, now)),
        }
    }

    fn lifetime(&self, client: &str, now: Timestamp) -> i64 {
        let expiry = *self.expiry.lock().unwrap();
        match expiry {
            _ if namespace_of(client) == SHORT => 60 + number_of(client) % 60,
            Some(expiry) => expiry.of(client).duration_since(now).as_secs(),
            None => 3600,
        }
    }
}

/// As long as a token of a provider that issues JWTs.
fn token(client: &str, number: usize, lifetime: i64) -> Reply {
    let padding = "x".repeat(600);
    Reply::json(
        200,
        format!(
            r#"{{"access_token":"{client}.{number}.{padding}","token_type":"Bearer","expires_in":{lifetime}}}"#
        ),
    )
}
