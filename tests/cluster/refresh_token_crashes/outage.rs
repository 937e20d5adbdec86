//! The API server is away for a while.

use std::time::{Duration, Instant};

use crate::{
    environment::{ControlPlane, TokenServer},
    login::Login,
    operator::{Operator, eventually},
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
    eventually(
        "twenty seconds are over, and the answer came in them",
        || {
            alive();
            let came = operator.lines().iter().any(|line| {
                line["message"] == "failed to write the refresh token state, retrying"
                    && line["namespace"] == place.namespace.as_str()
                    && line["name"] == "main"
            });
            (came && start.elapsed() >= Duration::from_secs(20)).then_some(())
        },
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
    let operator = place.operator();
    place.begin();
    plane.stop_api_server();
    // The pauses of the watches are 5 s at most. With kube's own, which grow to half a minute, so many attempts would take
    // almost two minutes, and a change would be seen that late.
    eventually("each watch has been tried again and again", || {
        let tried = [("cubecredentials", 1.0), ("secrets", 2.0)]
            .iter()
            .all(|(resource, watches)| attempts(&operator, resource) >= watches * 10.0);
        tried.then_some(())
    });
    assert_eq!(interruptions(&operator), 1, "{}", operator.log());
    plane.start_api_server();
    place.request("afterwards");
    eventually("the request is served", || place.served("afterwards"));
}

/// How often the watches of a resource have been started.
fn attempts(operator: &Operator, resource: &str) -> f64 {
    let metric = format!("cube_operator_api_requests_total{{operation=\"watch {resource}\"}}");
    operator.metric(&metric).unwrap_or_default()
}

/// How many lines tell of the same refused connection.
fn interruptions(operator: &Operator) -> usize {
    let lines = operator.lines().into_iter();
    lines
        .filter(|line| {
            let error = line["error"].as_str().unwrap_or_default();
            line["message"] == "watch interrupted, retrying" && error.contains("Connection refused")
        })
        .count()
}
