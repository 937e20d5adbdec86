//! A stranger in another namespace, who knows a client id and not its secret.

use cube_operator::api::ConditionType::{Ready, Refreshed};
use serde_json::{Value, json};

use crate::{
    operator::{Operator, eventually},
    place::{Place, is},
    scripted::{Authority, LOCAL, Provider, Reply},
};

/// The namespaces of a client and of a stranger, whom one operator serves.
struct Neighbours {
    client: Place,
    stranger: Place,
}

impl Neighbours {
    fn new() -> Self {
        let (client, stranger) = (Place::new(), Place::new());
        let account = format!("--serviceaccount={}:cube-operator", client.namespace);
        let binding = ["create", "rolebinding", "served", "--role=cube-operator"];
        stranger.kubectl(&[&binding[..], &[&account]].concat());
        Self { client, stranger }
    }

    fn operator(&self) -> Operator {
        let namespaces = format!("{},{}", self.client.namespace, self.stranger.namespace);
        let arguments = [
            "--namespaces",
            &namespaces,
            "--allow-network",
            "127.0.0.0/8,::1/128",
            "--token-request-interval",
            "3s",
        ];
        Operator::start(&self.client.kubeconfig, &arguments, &[])
    }

    /// So many `CubeCredentials` of the stranger, with the client's id and a wrong secret.
    fn attack(&self, count: usize, credential: impl Fn(&str) -> Value) {
        let mut wrong = self.client.source();
        wrong["stringData"]["client-secret"] = json!("wrong");
        self.stranger.apply(&wrong);
        let items: Vec<_> = (0..count)
            .map(|number| credential(&format!("stranger-{number}")))
            .collect();
        self.stranger
            .apply(&json!({"apiVersion": "v1", "kind": "List", "items": items}));
    }
}

/// The exchanges of others before the next token that follows so many exchanges.
fn before_the_token(place: &Place, known: usize) -> usize {
    eventually("a token is issued", || {
        let later = place.exchanges().split_off(known);
        later.iter().position(|status| *status == 200)
    })
}

#[test]
fn thirty_wrong_secrets_for_its_client_id_delay_neither_a_first_token_nor_a_refresh() {
    let places = Neighbours::new();
    let client = &places.client;
    let _operator = places.operator();
    places.attack(30, |name| client.credential(name));
    eventually("the strangers are refused, and others wait", || {
        (client.exchanges().len() >= 4).then_some(())
    });
    let known = client.exchanges().len();
    client.ready_main();
    let first = before_the_token(client, known);
    let known = client.exchanges().len();
    client.request("now");
    let refresh = before_the_token(client, known);
    // One may be under way, and a slow machine may let another one pass.
    assert!(first <= 3 && refresh <= 3, "{first} and {refresh}");
}

#[test]
fn a_rate_limit_that_a_wrong_secret_provokes_pauses_the_stranger_alone_also_after_a_restart() {
    let places = Neighbours::new();
    let client = &places.client;
    let authority = Authority::new("private");
    let provider = Provider::start(&authority.certificate(&LOCAL), |request| {
        if request.body.contains("client_secret=wrong") {
            Reply::json(429, "").header("Retry-After", "600")
        } else {
            Reply::json(200, r#"{"access_token":"issued","expires_in":3600}"#)
        }
    });
    let url = provider.url("/token");
    for place in [client, &places.stranger] {
        place.trust("scripted", &authority);
    }
    let at_provider = |name: &str| {
        let mut credential = client.credential_at(name, &url, "scripted");
        credential["spec"]["clientAuthentication"] = json!("Body");
        credential
    };
    let operator = places.operator();
    places.attack(3, at_provider);
    places
        .stranger
        .wait_for("stranger-0", "it has to wait", |status| {
            is(status, Refreshed, "False", "RateLimited")
                || is(status, Refreshed, "Unknown", "RateBudget")
        });
    client.apply(&client.source());
    client.apply(&at_provider("main"));
    let ready = |name: &str| {
        client.wait_for(name, "Ready", |status| is(status, Ready, "True", "Synced"));
    };
    ready("main");
    let wrong = || {
        let requests = provider.requests();
        let wrong = |body: &str| body.contains("client_secret=wrong");
        requests
            .iter()
            .filter(|request| wrong(&request.body))
            .count()
    };
    let asked = wrong();
    drop(operator);
    let _operator = places.operator();
    client.apply(&at_provider("second"));
    ready("second");
    for number in 0..3 {
        places.stranger.wait_for(
            &format!("stranger-{number}"),
            "it still has to wait",
            |status| {
                is(status, Refreshed, "False", "RateLimited")
                    || is(status, Refreshed, "Unknown", "RateBudget")
            },
        );
    }
    assert_eq!(wrong(), asked, "the pause outlives the process");
}
