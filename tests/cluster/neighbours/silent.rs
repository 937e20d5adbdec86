//! Token endpoints, and APIs of probes, that accept connections and never respond.

use std::time::Instant;

use cube_operator::api::ConditionType::{Ready, Refreshed};
use serde_json::{Value, json};

use crate::{
    environment::{ControlPlane, TokenServer},
    operator::{Operator, eventually},
    place::{Place, install, is},
    scripted::{Authority, LOCAL, Provider, Reply},
};

const MANY: usize = 200;
/// The slots for exchanges that one namespace can get.
const LARGEST_PART: f64 = 52.0;

/// Credentials with a client each, as the requests of one client would wait for each other. Every other one has a token endpoint
/// that responds, and an API that does not.
fn many_at(place: &Place, url: &str, responds: &str) -> Value {
    let items = (0..MANY).flat_map(|number| {
        let name = format!("silent-{number}");
        let mut source = place.source();
        source["metadata"]["name"] = json!(name);
        source["stringData"]["client-id"] = json!(name);
        let mut credential = place.credential_at(&name, url, "scripted");
        credential["spec"]["clientSecretRef"]["name"] = json!(name);
        if number % 2 == 1 {
            credential["spec"]["tokenURL"] = json!(responds);
            credential["spec"]["probe"] = json!({"url": url});
        }
        [source, credential]
    });
    json!({"apiVersion": "v1", "kind": "List", "items": items.collect::<Vec<_>>()})
}

/// How many token requests and probes of the neighbour are in progress, or fewer.
fn in_progress(silent: &Provider, operator: &Operator) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "some hundreds")]
    let begun = silent.connections() as f64;
    let failed = |reason| {
        let metric = format!("cube_operator_exchanges_total{{reason=\"{reason}\"}}");
        operator.metric(&metric).unwrap_or(0.0)
    };
    let probes = operator.metric("cube_operator_probes_total{result=\"unreachable\"}");
    begun - failed("NoResponse") - failed("Unreachable") - probes.unwrap_or(0.0)
}

#[test]
fn a_neighbour_whose_endpoints_never_respond_delays_no_other_namespace() {
    let plane: &'static ControlPlane = Box::leak(Box::new(ControlPlane::start()));
    plane.kubectl(&["create", "namespace", "operator"]);
    let kubeconfig = install(plane, "operator", "crds.install=false,aggregateRoles=false");
    let server: &'static TokenServer = Box::leak(Box::new(TokenServer::start(15)));
    let (neighbour, innocent) = (Place::at(plane, server), Place::at(plane, server));
    let authority = Authority::new("private");
    let silent = Provider::start(&authority.certificate(&LOCAL), |_| Reply::silence());
    neighbour.trust("scripted", &authority);
    let responds = Provider::start(&authority.certificate(&LOCAL), |_| Reply::token("t"));
    let (silence, token) = (silent.url("/token"), responds.url("/token"));
    neighbour.apply(&many_at(&neighbour, &silence, &token));
    // Its token lives for 15 s, so it is refreshed all the time.
    innocent.apply(&innocent.source());
    innocent.apply(&innocent.credential("refreshed"));

    let networks = ["--allow-network", "127.0.0.0/8,::1/128"];
    let operator = Operator::start(&kubeconfig, &networks, &[]);
    let ready =
        |name: &str| innocent.wait_for(name, "Ready", |status| is(status, Ready, "True", "Synced"));
    let since = |name: &str| ready(name).condition(Ready).unwrap().last_transition_time;
    let first = since("refreshed");
    eventually("the neighbour has all that it can get", || {
        (in_progress(&silent, &operator) >= LARGEST_PART).then_some(())
    });

    let start = Instant::now();
    innocent.apply(&innocent.credential("new"));
    ready("new");
    eprintln!("a new credential has its token after {:?}", start.elapsed());
    assert!(in_progress(&silent, &operator) <= LARGEST_PART);
    let before = innocent.exchanges().len();
    eventually("both are refreshed, and refreshed again", || {
        (innocent.exchanges().len() >= before + 3).then_some(())
    });
    assert_eq!(since("refreshed"), first, "it was ready all the time");
    assert!(in_progress(&silent, &operator) <= LARGEST_PART);

    eventually("the credentials that wait say so", || {
        let all = neighbour.kubectl(&["get", "cubecredentials", "-o", "json"]);
        all.contains("waiting for other token requests of this namespace to finish")
            .then_some(())
    });
    let waits = (0..MANY).map(|number| neighbour.status(&format!("silent-{number}")));
    let waits = waits.filter(|status| is(status, Refreshed, "Unknown", "RateBudget"));
    assert!(
        waits
            .take(1)
            .all(|status| is(&status, Ready, "False", "RateBudget"))
    );
}
