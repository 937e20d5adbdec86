//! The numbers of the README; `make measure` prints them.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    environment::{ControlPlane, ROOT, TokenServer},
    operator::{Operator, eventually},
    place::{CLIENT_SECRET, Place},
};

const MANY: usize = 1000;

#[test]
#[ignore = "a measurement of the release build: make measure"]
fn measure_size_and_memory() {
    let binary = Path::new(ROOT).join("target/release/cube-operator");
    let size = fs::metadata(&binary)
        .expect("the release build is there: cargo build --release")
        .len();
    println!("release binary: {:.1} MB", megabytes(size));

    let plane: &'static ControlPlane = Box::leak(Box::new(ControlPlane::start()));
    let place = Place::at(plane, TokenServer::shared());
    let operator = place.release_operator(&binary);
    println!(
        "resident memory with 0 CubeCredentials: {:.1} MB",
        resident(&operator)
    );

    // Each has its own client, as requests of one client would wait for each other.
    let names: Vec<_> = (0..MANY).map(|number| format!("many-{number}")).collect();
    for name in &names {
        place.server.create_client(name, CLIENT_SECRET);
    }
    let list = |items: Vec<_>| json!({"apiVersion": "v1", "kind": "List", "items": items});
    place.apply(&list(
        names.iter().map(|name| source(&place, name)).collect(),
    ));
    place.apply(&list(
        names.iter().map(|name| credential(&place, name)).collect(),
    ));
    let exchanges = || -> usize {
        let answers = names.iter().map(|name| place.server.answers_to(name).len());
        answers.sum()
    };
    eventually("all are ready", || {
        let all = place.kubectl(&["get", "cubecredentials", "--no-headers"]);
        (all.lines().filter(|line| line.contains("True")).count() == MANY).then_some(())
    });
    println!(
        "resident memory with {MANY} CubeCredentials: {:.1} MB",
        resident(&operator)
    );
    println!("exchanges for {MANY} CubeCredentials: {}", exchanges());

    drop(operator);
    let operator = place.release_operator(&binary);
    #[expect(clippy::cast_precision_loss, reason = "a thousand")]
    let many = MANY as f64;
    eventually("all are reconciled", || {
        (operator.reconciles() >= many).then_some(())
    });
    println!(
        "resident memory after a restart with {MANY} CubeCredentials: {:.1} MB",
        resident(&operator)
    );
    println!("exchanges after the restart: {}", exchanges() - MANY);
}

fn source(place: &Place, client: &str) -> Value {
    let mut source = place.source();
    source["metadata"]["name"] = json!(client);
    source["stringData"]["client-id"] = json!(client);
    source
}

fn credential(place: &Place, client: &str) -> Value {
    let mut credential = place.credential(client);
    credential["spec"]["clientSecretRef"]["name"] = json!(client);
    credential
}

fn resident(operator: &Operator) -> f64 {
    megabytes(operator.resident_kib() * 1024)
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
