//! Several processes that divide the namespaces among them: who serves which, who takes over, and what a change of their number does.

use cube_operator::{api::ConditionType::Ready, leader::Shard};
use serde_json::{Value, json};

use crate::{
    commands::run,
    environment::{ControlPlane, TokenServer},
    operator::{Operator, eventually},
    place::{CLIENT_SECRET, Place, install, is},
};

const LEASE: &str = "operator/cube-operator";
/// Each shard of two, and of three, has some of them.
const NAMESPACES: [&str; 5] = ["treasury", "books", "payroll", "sales", "ledger"];

/// A cluster in which the operator may watch all namespaces, and what is in each of them.
struct Cluster {
    plane: &'static ControlPlane,
    server: &'static TokenServer,
    kubeconfig: String,
    places: Vec<Place>,
}

/// A process that serves a part of the namespaces, or all of them.
struct Process {
    operator: Operator,
    shard: Shard,
}

impl Cluster {
    fn new() -> Self {
        let plane: &'static ControlPlane = Box::leak(Box::new(ControlPlane::start()));
        let server: &'static TokenServer = Box::leak(Box::new(TokenServer::start(3600)));
        plane.kubectl(&["create", "namespace", "operator"]);
        let values = "crds.install=false,aggregateRoles=false,shards=3";
        let kubeconfig = install(plane, "operator", values);
        let place = |namespace: &&str| {
            plane.kubectl(&["create", "namespace", namespace]);
            server.create_client(namespace, CLIENT_SECRET);
            let place = Place {
                plane,
                server,
                namespace: (*namespace).to_owned(),
                kubeconfig: kubeconfig.clone(),
            };
            place.apply(&json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": "authority"}, "data": {"ca.crt": server.ca_pem},
            }));
            place
        };
        Self {
            plane,
            server,
            places: NAMESPACES.iter().map(place).collect(),
            kubeconfig,
        }
    }

    /// A process in a pod by this name; it is ready, but may stand by.
    fn start(&self, pod: &str, shard: &str) -> Process {
        let identity = format!("{pod}-uid");
        let mut flags = vec!["--lease", LEASE, "--identity", &identity];
        flags.extend(["--allow-network", "127.0.0.0/8,::1/128"]);
        let shard: Shard = shard.parse().unwrap();
        let text = shard.to_string();
        if shard != Shard::ALL {
            flags.extend(["--shard", &text]);
        }
        let operator = Operator::start(&self.kubeconfig, &flags, &[("POD_NAME", pod)]);
        Process { operator, shard }
    }

    /// Asks for an exchange in each namespace.
    fn request(&self, value: &str) {
        for place in &self.places {
            place.request(value);
        }
    }

    /// Waits until each namespace has had so many exchanges, and has had no further one by then.
    fn exchanged(&self, times: usize) {
        for place in &self.places {
            eventually(&format!("{times} exchanges in {}", place.namespace), || {
                (place.exchanges().len() >= times).then_some(())
            });
            place.wait_for("main", "it has the token", |status| {
                is(status, Ready, "True", "Synced")
            });
        }
        for place in &self.places {
            assert_eq!(place.exchanges(), vec![200; times], "{}", place.namespace);
        }
    }

    /// The holder of a Lease, and how often it has changed.
    fn held(&self, lease: &str) -> (String, i64) {
        let json = self
            .plane
            .kubectl(&["get", "lease", lease, "-n", "operator", "-o", "json"]);
        let spec = &serde_json::from_str::<Value>(&json).unwrap()["spec"];
        let holder = spec["holderIdentity"].as_str().unwrap_or("nobody");
        (
            holder.to_owned(),
            spec["leaseTransitions"].as_i64().unwrap(),
        )
    }
}

impl Process {
    fn leads(&self) -> bool {
        let metric = if self.shard == Shard::ALL {
            "cube_operator_leader".to_owned()
        } else {
            format!("cube_operator_leader{{shard=\"{}\"}}", self.shard)
        };
        self.operator.metric(&metric) == Some(1.0)
    }

    fn wait_until_it_leads(&self) {
        eventually(&format!("{} is served", self.shard), || {
            self.leads().then_some(())
        });
    }

    /// It serves the namespaces of its shard, and knows nothing of any other.
    fn knows_its_own(&self) {
        let metrics = self.operator.get("/metrics").1;
        for namespace in NAMESPACES {
            let known = metrics.contains(&format!("namespace=\"{namespace}\""));
            assert_eq!(known, self.shard.has(namespace), "{namespace}: {metrics}");
        }
    }

    fn terminate(mut self) {
        self.operator.terminate();
        assert_eq!(self.operator.wait().code(), Some(0));
    }
}

#[test]
fn each_namespace_is_served_by_one_shard_and_a_standby_takes_its_shard_over() {
    let cluster = Cluster::new();
    let mut three: Vec<_> = (0..3)
        .map(|index| cluster.start(&format!("pod-{index}"), &format!("{index}/3")))
        .collect();
    three.iter().for_each(Process::wait_until_it_leads);
    for place in &cluster.places {
        place.apply(&place.source());
        place.apply(&place.credential("main"));
    }
    cluster.exchanged(1);
    three.iter().for_each(Process::knows_its_own);
    assert_eq!(cluster.held("cube-operator"), ("shards-3".into(), 0));
    let owner = |pod: &str| format!("{pod}_{pod}-uid");
    assert_eq!(cluster.held("cube-operator-shard-1"), (owner("pod-1"), 0));
    let started = three[1].operator.lines();
    assert_eq!(started[0]["shard"], "1/3");

    // After a SIGKILL the lease of the shard has to expire first. The other shards do not notice.
    let next = cluster.start("next", "1/3");
    assert!(!next.leads());
    drop(three.remove(1));
    next.wait_until_it_leads();
    assert!(three.iter().all(Process::leads));
    assert_eq!(cluster.held("cube-operator"), ("shards-3".into(), 0));
    assert_eq!(cluster.held("cube-operator-shard-1"), (owner("next"), 1));
    cluster.request("afterwards");
    cluster.exchanged(2);
    next.knows_its_own();

    let check = |shard: &str| {
        let flags = ["check", "--lease", LEASE, "--shard", shard];
        run(&cluster.kubeconfig, &flags, &[]).1
    };
    let output = check("2/3");
    for lease in ["cube-operator", "cube-operator-shard-2"] {
        let may = format!("✓ may get, create, patch Lease operator/{lease}\n");
        assert!(output.contains(&may), "{output}");
    }
    let output = check("3/4");
    let may_not = "✗ may not get, create, patch Lease operator/cube-operator-shard-3";
    assert!(output.contains(may_not), "{output}");
}

#[test]
fn a_change_of_the_number_of_shards_loses_and_doubles_no_exchange() {
    let cluster = Cluster::new();
    let all = cluster.start("all", "0/1");
    all.wait_until_it_leads();
    for place in &cluster.places {
        place.apply(&place.source());
        place.apply(&place.credential("main"));
    }
    cluster.exchanged(1);

    // One process hands over to three, which do not have to wait for the end of its lease.
    let start = |count: u32| -> Vec<Process> {
        let shards = (0..count).map(|index| format!("{index}/{count}"));
        shards
            .map(|shard| cluster.start(&shard.replace('/', "-of-"), &shard))
            .collect()
    };
    let mut three = start(3);
    cluster.request("of-all");
    cluster.exchanged(2);
    assert!(!three.iter().any(Process::leads));
    all.terminate();
    three.iter().for_each(Process::wait_until_it_leads);
    assert_eq!(cluster.held("cube-operator"), ("shards-3".into(), 1));
    cluster.request("of-three");
    cluster.exchanged(3);

    // Three hand over to two. The last of the three has an exchange in progress in each of its namespaces.
    let two = start(2);
    let last = three.pop().unwrap();
    cluster.server.hold(true);
    cluster.request("of-the-last");
    for place in &cluster.places {
        eventually("an exchange is in progress", || {
            (place.exchanges().len() == 4).then_some(())
        });
    }
    for process in &three {
        process.operator.terminate();
    }
    assert!(last.leads() && !two.iter().any(Process::leads));
    cluster.server.hold(false);
    for mut process in three {
        assert_eq!(process.operator.wait().code(), Some(0));
    }
    assert_eq!(cluster.held("cube-operator"), ("shards-3".into(), 1));
    assert!(last.leads() && !two.iter().any(Process::leads));
    cluster.exchanged(4);
    cluster.request("of-two");
    last.terminate();
    two.iter().for_each(Process::wait_until_it_leads);
    assert_eq!(cluster.held("cube-operator"), ("shards-2".into(), 2));
    cluster.exchanged(5);
    two.iter().for_each(Process::knows_its_own);

    // Two hand over to one again.
    let all = cluster.start("all", "0/1");
    assert!(!all.leads());
    two.into_iter().for_each(Process::terminate);
    all.wait_until_it_leads();
    cluster.request("of-all-again");
    cluster.exchanged(6);
}

#[test]
fn a_shard_has_its_part_of_the_namespaces_that_are_named_and_may_have_none() {
    let cluster = Cluster::new();
    let flags = |shard| {
        let networks = ["--allow-network", "127.0.0.0/8,::1/128"];
        let named = [
            "--namespaces",
            "treasury",
            "--lease",
            LEASE,
            "--shard",
            shard,
        ];
        [networks.as_slice(), &named].concat()
    };
    let shards = ["0/2", "1/2"];
    let mut operators =
        shards.map(|shard| Operator::start(&cluster.kubeconfig, &flags(shard), &[]));
    let place = &cluster.places[0];
    place.ready_main();
    assert_eq!(place.exchanges(), [200]);
    for (shard, operator) in shards.iter().zip(&mut operators) {
        let serves = shard.parse::<Shard>().unwrap().has("treasury");
        let warned = operator
            .log()
            .contains("none of the namespaces to watch is in this shard");
        assert_eq!(warned, !serves, "{shard}");
        let metric = "cube_operator_api_requests_total{operation=\"watch secrets\"}";
        assert_eq!(operator.metric(metric).is_some(), serves, "{shard}");
        assert_eq!(operator.get("/readyz").0, 200);
        operator.terminate();
        assert_eq!(operator.wait().code(), Some(0));
    }
}
