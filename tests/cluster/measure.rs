//! The numbers of the README; `make measure` prints them.

use std::{fs, path::Path};

use cube_operator::api::ConditionType::Ready;

use crate::{
    environment::{ControlPlane, ROOT, TokenServer},
    operator::{Operator, eventually},
    place::{Place, is},
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

    place.apply(&place.source());
    let items: Vec<_> = (0..MANY)
        .map(|number| place.credential(&format!("many-{number}")))
        .collect();
    place.apply(&serde_json::json!({"apiVersion": "v1", "kind": "List", "items": items}));
    eventually("all are exchanged", || {
        (place.exchanges().len() >= MANY).then_some(())
    });
    let last = format!("many-{}", MANY - 1);
    place.wait_for(&last, "Ready", |status| is(status, Ready, "True", "Synced"));
    eventually("all are ready", || {
        let all = place.kubectl(&["get", "cubecredentials", "--no-headers"]);
        (all.lines().filter(|line| line.contains("True")).count() == MANY).then_some(())
    });
    println!(
        "resident memory with {MANY} CubeCredentials: {:.1} MB",
        resident(&operator)
    );
    println!(
        "exchanges for {MANY} CubeCredentials: {}",
        place.exchanges().len()
    );

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
    println!(
        "exchanges after the restart: {}",
        place.exchanges().len() - MANY
    );
}

fn resident(operator: &Operator) -> f64 {
    megabytes(operator.resident_kib() * 1024)
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
