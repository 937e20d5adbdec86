//! The API server is away for a while.

use std::time::{Duration, Instant};

use crate::{
    environment::{ControlPlane, TokenServer},
    login::Login,
    operator::eventually,
    place::CLIENT_SECRET,
};

#[test]
fn an_answer_survives_an_api_server_that_is_away_for_twenty_seconds() {
    let plane: &'static ControlPlane = Box::leak(Box::new(ControlPlane::start()));
    let server = Box::leak(Box::new(TokenServer::start_with(&[])));
    let place = Login::on(plane, server, Some(CLIENT_SECRET));
    let operator = place.operator();
    let seed = place.begin();
    server.hold(true);
    place.request("into the dark");
    place.wait_for_refreshes(2);
    plane.stop_api_server();
    server.hold(false);
    let alive = || assert_eq!(operator.get("/livez"), (200, "ok\n".into()));
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(20) {
        alive();
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(
        operator.log().contains("refresh token state not written"),
        "the answer came in the outage"
    );
    plane.start_api_server();
    eventually("it is stored and published", || {
        alive();
        place.served("into the dark")
    });
    place.assert_unbroken(&seed, 2);
}

#[test]
fn changes_are_seen_soon_after_an_outage_of_the_api_server() {
    let plane: &'static ControlPlane = Box::leak(Box::new(ControlPlane::start()));
    let server = Box::leak(Box::new(TokenServer::start_with(&[])));
    let place = Login::on(plane, server, Some(CLIENT_SECRET));
    let _operator = place.operator();
    place.begin();
    plane.stop_api_server();
    std::thread::sleep(Duration::from_secs(20));
    plane.start_api_server();
    let start = Instant::now();
    place.request("afterwards");
    eventually("the request is served", || place.served("afterwards"));
    // The pauses of the watches are 5 s at most; kube's own were up to a minute.
    assert!(start.elapsed() < Duration::from_secs(30));
}
