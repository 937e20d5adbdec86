//! A client secret that the provider does not accept, from the first failure until it is repaired, with the real token server.

use cube_operator::api::{
    ConditionType::{Ready, Refreshed},
    CubeCredentialStatus,
};
use serde_json::json;

use crate::{
    operator::eventually,
    place::{CLIENT_SECRET, Place, is, told},
};

const NEW: &str = "check client-id and client-secret in Secret \"client\", or spec.clientAuthentication (now Body)";
const HAS_WORKED: &str = "if there is a newer secret, write it to client-secret of Secret \"client\"; else ask the provider";

/// The message about a client secret that the provider does not accept.
fn refused(status: &CubeCredentialStatus, remedy: &str) -> String {
    format!(
        "Refreshed=False InvalidClient: token endpoint responded 401 invalid_client: {remedy}; retrying at {}",
        status.refresh_at.unwrap()
    )
}

/// Requests one exchange.
pub(super) fn request_refresh(place: &Place, name: &str, value: &str) {
    let annotations = json!({"cube-operator.dev/refresh-requested-at": value});
    place.patch(
        "cubecredential",
        name,
        &json!({"metadata": {"annotations": annotations}}),
    );
}

fn put_secret(place: &Place, value: &str) {
    place.patch(
        "secret",
        "client",
        &json!({"stringData": {"client-secret": value}}),
    );
}

fn synced(status: &CubeCredentialStatus) -> String {
    let expires_at = status.expires_at.unwrap();
    format!("Ready=True Synced: token in Secret \"main-token\" is valid until {expires_at}")
}

pub(super) fn failed(place: &Place, name: &str, reason: &str) -> CubeCredentialStatus {
    place.wait_for(name, reason, |status| {
        is(status, Refreshed, "False", reason)
    })
}

pub(super) fn recovered(place: &Place, name: &str) -> CubeCredentialStatus {
    place.wait_for(name, "Ready and Refreshed are True", |status| {
        is(status, Ready, "True", "Synced") && is(status, Refreshed, "True", "TokenIssued")
    })
}

#[test]
fn a_wrong_client_secret_is_told_once_in_full_and_works_at_once_when_repaired() {
    let place = Place::new();
    let operator = place.operator();
    place.apply(&place.source());
    put_secret(&place, "wrong");
    place.apply(&place.credential("main"));

    let status = failed(&place, "main", "InvalidClient");
    let cause = "the provider rejected the client id or client secret";
    assert_eq!(
        told(&status)[..2],
        [
            format!("Ready=False InvalidClient: Secret \"main-token\" has no valid token: {cause}"),
            refused(&status, NEW)
        ]
    );
    assert_eq!(status.failures, Some(1));
    assert_eq!(place.exchanges(), [401]);
    assert!(place.get("secret", "main-token").is_none());
    let warning = format!("Warning InvalidClient: {cause}; there is no valid token");
    eventually("the event is there", || {
        (place.events("main") == [warning.as_str()]).then_some(())
    });
    let lines: Vec<_> = operator
        .lines()
        .into_iter()
        .filter(|line| line["level"] != "INFO")
        .collect();
    let line = json!({
        "timestamp": lines[0]["timestamp"], "level": "WARN",
        "namespace": place.namespace, "name": "main", "reason": "InvalidClient",
        "message": "failed to get a token: token endpoint responded 401 invalid_client",
    });
    assert_eq!(lines, [line]);
    let exchanges = |reason: &str| {
        operator.metric(&format!(
            "cube_operator_exchanges_total{{reason={reason:?}}}"
        ))
    };
    assert_eq!(exchanges("InvalidClient"), Some(1.0));
    assert_eq!(exchanges("TokenIssued"), None);

    put_secret(&place, CLIENT_SECRET);
    let status = recovered(&place, "main");
    assert_eq!(told(&status)[0], synced(&status));
    assert_eq!((status.failures, status.attempted), (None, None));
    assert_eq!(place.exchanges(), [401, 200]);
    assert_eq!(exchanges("TokenIssued"), Some(1.0));
    let issued = "Normal TokenIssued: the first token is in Secret \"main-token\"";
    let events = [warning.as_str(), issued];
    eventually("both events are there", || {
        (place.events("main") == events).then_some(())
    });
}

#[test]
fn a_rotated_secret_that_is_wrong_leaves_the_published_token_and_putting_it_back_costs_nothing() {
    let place = Place::new();
    let _operator = place.operator();
    place.ready_main();
    let token = place.token("main-token");

    put_secret(&place, "wrong");
    let status = failed(&place, "main", "InvalidClient");
    // A changed secret is tried immediately, as the token was not issued for it.
    assert!(is(&status, Ready, "False", "InvalidClient"));
    assert_eq!(place.token("main-token"), token);
    assert_eq!(place.exchanges(), [200, 401]);

    put_secret(&place, CLIENT_SECRET);
    let status = recovered(&place, "main");
    assert_eq!((status.failures, status.attempted), (None, None));
    assert_eq!(place.token("main-token"), token);
    assert_eq!(place.exchanges(), [200, 401], "the token fits again");
}

#[test]
fn a_failing_refresh_is_a_warning_while_the_token_lives_and_is_counted_until_one_works() {
    let place = Place::new();
    let operator = place.operator();
    let good = place.ready_main();
    place
        .server
        .set_secret(&place.namespace, "changed at the provider");

    for (failures, asked) in [(1, "first"), (2, "second")] {
        request_refresh(&place, "main", asked);
        let status = place.wait_for("main", asked, |status| status.failures == Some(failures));
        let synced = format!(
            "{}, but refresh is failing (InvalidClient): consumers lose access then unless this is fixed",
            synced(&good)
        );
        assert_eq!(told(&status), [synced, refused(&status, HAS_WORKED)]);
        assert_eq!(status.token_fingerprint, good.token_fingerprint);
        assert_eq!(status.expires_at, good.expires_at);
    }
    assert_eq!(place.exchanges(), [200, 401, 401]);
    // Only a success serves a request; until then the same request makes no further attempt.
    place.after_reconcile(&operator, || {
        place.patch(
            "cubecredential",
            "main",
            &json!({"metadata": {"labels": {"touched": "yes"}}}),
        );
    });
    assert_eq!(place.exchanges(), [200, 401, 401]);

    // The count starts again with other inputs.
    put_secret(&place, "wrong in another way");
    let status = place.wait_for("main", "counted from one", |status| {
        status.failures == Some(1)
    });
    assert!(is(&status, Ready, "False", "InvalidClient"));
    assert_eq!(place.exchanges(), [200, 401, 401, 401]);

    put_secret(&place, "changed at the provider");
    let status = recovered(&place, "main");
    assert_eq!(status.failures, None);
    assert_ne!(status.token_fingerprint, good.token_fingerprint);
    assert_eq!(place.exchanges(), [200, 401, 401, 401, 200]);
    let kinds = || -> Vec<String> {
        let events = place.events("main");
        let kind = |event: &String| event.split(':').next().unwrap().to_owned();
        events.iter().map(kind).collect()
    };
    let once = [
        "Normal TokenIssued",
        "Warning InvalidClient",
        "Normal Recovered",
        "Normal RefreshRequested",
    ];
    eventually("each change is told once", || {
        (kinds() == once).then_some(())
    });
}
