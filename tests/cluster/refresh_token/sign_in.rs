//! A login ends, and a new sign-in continues it.

use cube_operator::api::ConditionType::Ready;
use jiff::{SignedDuration, Timestamp};

use crate::{
    environment::{TokenServer, fingerprint},
    login::Login,
    operator::eventually,
    place::{is, told},
};

#[test]
fn a_new_sign_in_is_adopted_and_the_old_seed_changes_nothing_any_more() {
    let place = Login::at(TokenServer::shared());
    let operator = place.operator();
    let old = place.begin();
    let token = place.token("main-token");
    let new = place.sign_in();
    place.apply(&place.seed(&new));
    eventually("a token of the new login", || {
        (place.token("main-token") != token).then_some(())
    });
    place.wait_until_good();
    let refreshes = place.refreshes();
    let sent: Vec<_> = refreshes.iter().map(|refresh| &refresh.sent).collect();
    assert_eq!(sent, [&fingerprint(&old), &fingerprint(&new)]);
    eventually("an event", || {
        let events = place.events("main");
        let adopted = events
            .iter()
            .filter(|event| event.contains(" SeedAdopted: "))
            .collect::<Vec<_>>();
        (adopted
            == [
                "Normal SeedAdopted: the login continues with the refresh token of Secret \"seed\"",
            ])
        .then_some(())
    });
    assert_eq!(place.event_count("main", "Recovered"), 0);

    let before = place.state();
    place.after_reconcile(&operator, || place.apply(&place.seed(&old)));
    place.wait_until_good();
    assert_eq!(place.refreshes(), refreshes);
    assert_eq!(place.state().refresh_token, before.refresh_token);
    place.refresh("by hand");
    let last = place.refreshes().pop().unwrap();
    assert_eq!(
        (last.sent, last.status),
        (fingerprint(&before.refresh_token), 200)
    );
    assert_eq!(place.refreshes().len(), 3);
    assert_eq!(place.event_count("main", "SeedAdopted"), 1);
}

#[test]
fn a_revoked_login_is_told_and_not_asked_for_again_but_once_until_somebody_signs_in() {
    let place = Login::at(TokenServer::shared());
    let mut operator = place.operator();
    place.begin();
    place.server.revoke(&place.state().refresh_token);
    place.request("after the revocation");
    let status = place.wait_until_refused("RefreshTokenRejected");
    assert!(is(&status, Ready, "True", "Synced"));
    // The retry comes five minutes after the failure was known, which was between the attempt and now.
    let pause = SignedDuration::from_mins(5);
    let (sent, next) = (status.last_attempt_at.unwrap(), status.refresh_at.unwrap());
    assert!(
        (sent + pause..=Timestamp::now() + pause).contains(&next),
        "{sent} {next}"
    );
    let answers = || {
        place
            .refreshes()
            .iter()
            .map(|refresh| refresh.status)
            .collect::<Vec<_>>()
    };
    assert_eq!(answers(), [200, 400]);

    for _ in 0..2 {
        operator.terminate();
        assert!(operator.wait().success());
        place.wipe_status("main");
        operator = place.operator();
        let again = place.wait_until_refused("RefreshTokenRejected");
        assert_eq!(told(&again), told(&status));
        assert_eq!(again.refresh_at, status.refresh_at);
    }
    place.after_reconcile(&operator, || {
        drop(place.kubectl(&["label", "secret", "seed", "a=b"]));
    });
    let sign_in = place.sign_in();
    place.apply(&place.seed(&format!("{sign_in}\n")));
    place.wait_until_refused("RefreshTokenMalformed");
    assert_eq!(answers(), [200, 400]);

    place.apply(&place.seed(&sign_in));
    eventually("a new sign-in helps", || {
        place.served("after the revocation")
    });
    assert_eq!(answers(), [200, 400, 200]);
    assert_eq!(place.call_api("main-token"), 200);
    place.wait_for_events("main", &["Recovered", "SeedAdopted"]);
}

#[test]
fn a_wrong_seed_is_told_and_does_not_cost_the_good_login() {
    let place = Login::at(TokenServer::shared());
    let _operator = place.operator();
    let good = place.begin();
    place.apply(&place.seed("copied-from-elsewhere"));
    place.wait_until_refused("RefreshTokenRejected");
    place.apply(&place.seed(&good));
    place.wait_until_good();
    let seen = place.refreshes();
    let facts: Vec<_> = seen
        .iter()
        .map(|refresh| (refresh.sent.as_str(), refresh.status))
        .collect();
    assert_eq!(
        facts,
        [
            (fingerprint(&good).as_str(), 200),
            (fingerprint("copied-from-elsewhere").as_str(), 400),
            (seen[0].issued.as_str(), 200),
        ]
    );
    assert_eq!(fingerprint(&place.state().refresh_token), seen[2].issued);
    assert_eq!(place.call_api("main-token"), 200);
}
