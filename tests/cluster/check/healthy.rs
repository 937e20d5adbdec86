//! Every step of a credential that works.

use std::net::ToSocketAddrs;

use cube_operator::api::CubeCredentialStatus;
use serde_json::json;

use crate::{
    commands::run,
    consumers::in_volume,
    environment::TokenServer,
    login::{Login, STATE},
    place::{Place, is},
};

use super::{FROM_HERE, LOOPBACK, authority_of, untimed};

/// The addresses of `localhost`, as they are shown.
fn localhost() -> String {
    let mut addresses: Vec<_> = ("localhost", 0)
        .to_socket_addrs()
        .unwrap()
        .map(|address| address.ip().to_string())
        .collect();
    addresses.dedup();
    addresses.join(", ")
}

/// The findings about conditions, target and token endpoint of a healthy `main`, as far as they are the same for both grants.
fn healthy(place: &Place, status: &CubeCredentialStatus, between: &str) -> String {
    let (url, host) = (
        &place.server.token_url,
        authority_of(&place.server.token_url),
    );
    let port = host.rsplit(':').next().unwrap();
    let time = |time: Option<jiff::Timestamp>| time.unwrap().to_string();
    let (issued, expires, next) = (
        time(status.issued_at),
        time(status.expires_at),
        time(status.refresh_at),
    );
    let grant = if between.contains(STATE) {
        "RefreshToken"
    } else {
        "ClientCredentials"
    };
    format!(
        "{FROM_HERE}\n\
         \n\
         CubeCredential {}/main\n\
         ✓ the spec requests a token from {url}, grant {grant}\n\
         ✓ Ready: token in Secret \"main-token\" is valid until {expires}\n\
         ✓ Refreshed: token issued at {issued}; next request at {next}\n\
         ✓ Secret \"client\" has the label, and well-formed \"client-id\" and \"client-secret\"\n\
         {between}\
         ✓ ConfigMap \"authority\" has certificates in \"ca.crt\": 1\n\
         ! Secret \"client\" may be sent to any host: its owner can limit it with annotation cube-operator.dev/token-hosts\n\
         ✓ localhost has the address {}\n\
         ✓ 127.0.0.1:{port} accepts connections\n\
         ✓ TLS 1.3, with a trusted certificate: issued by \"CN=cube-operator test CA\" for \"localhost\", \
         \"token-server.test\", \"127.0.0.1\", valid …\n\
         ✓ token endpoint responded 400 unsupported_grant_type to a request without client and secret, as token endpoints do\n\
         ✓ token in Secret \"main-token\" is valid until {expires}\n",
        place.namespace,
        localhost()
    )
}

#[test]
fn a_healthy_credential_is_explained_step_by_step_and_its_endpoint_is_asked_once() {
    let server: &'static TokenServer = Box::leak(Box::new(TokenServer::start(3600)));
    let place = Place::at(crate::environment::ControlPlane::shared(), server);
    let _operator = place.operator();
    let status = place.ready_main();
    place.apply_pod("reader", &in_volume());
    let (code, output, errors) = place.check("main", &[]);
    let reader = "✓ pod \"reader\" sees each refresh of Secret \"main-token\", in volume \"/token\" of container \"app\"\n";
    assert_eq!(untimed(&output), healthy(&place, &status, "") + reader);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert_eq!(
        (server.questions(), place.exchanges()),
        (vec![400], vec![200])
    );

    // Without a name it checks all of them, with one more request to the endpoint that they share.
    place.apply(&place.credential("second"));
    place.wait_for("second", "Ready", |status| {
        is(
            status,
            cube_operator::api::ConditionType::Ready,
            "True",
            "Synced",
        )
    });
    let (code, output, errors) = run(
        &place.kubeconfig,
        &[
            "check",
            "--connect",
            "--namespace",
            &place.namespace,
            LOOPBACK,
        ],
        &[],
    );
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{output}");
    let of = |name: &str| {
        output
            .matches(&format!("CubeCredential {}/{name}\n", place.namespace))
            .count()
    };
    assert_eq!((of("main"), of("second")), (1, 1), "{output}");
    assert!(
        output.contains("- no pod uses Secret \"second-token\"\n"),
        "{output}"
    );
    assert!(
        output.starts_with("✓ the API server responds\n"),
        "{output}"
    );
    assert_eq!(server.questions(), [400, 400]);
    assert_eq!(place.exchanges(), [200, 200]);
}

#[test]
fn a_login_is_explained_and_its_refresh_token_is_not_consumed() {
    let login = Login::with(&["--lifetime", "3600"]);
    let operator = login.operator();
    let seed = login.begin();
    let status = login.status("main");
    let between = format!(
        "✓ Secret \"seed\" has the label, and a well-formed \"refresh-token\"\n\
         ✓ Secret \"{STATE}\" holds the refresh token of the provider's response 1\n"
    );
    let expected = healthy(&login, &status, &between) + "- no pod uses Secret \"main-token\"\n";
    let before = login.state();
    let (code, output, errors) = login.check("main", &[]);
    assert_eq!(untimed(&output), expected);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert_eq!(login.state(), before);
    assert_eq!(login.server.questions(), [400]);
    login.assert_unbroken(&seed, 1);
    login.refresh("after the check");
    login.assert_unbroken(&seed, 2);

    // The provider revokes the refresh token.
    login.server.revoke(&login.state().refresh_token);
    login.request("revoked");
    let refused = login.wait_until_refused("RefreshTokenRejected");
    let (told, refreshes) = (told(&refused), login.refreshes().len());
    let faults = login.marked(&['✗'], "main", &[]);
    assert_eq!(faults, [format!("✗ {told}")]);
    drop(operator);

    // The state after a crash, after an edit, and of a foreign owner.
    let mut record = before.record.clone();
    record["inDoubt"] = json!(true);
    let record = json!({"stringData": {"record": record.to_string()}});
    login.patch("secret", STATE, &record);
    let about_state = |marks| {
        let lines = login.marked(marks, "main", &[]).into_iter();
        lines
            .filter(|line| line.contains(STATE))
            .collect::<Vec<_>>()
    };
    let doubt = format!(
        "! the refresh token in Secret \"{STATE}\" was sent, and its response was lost: the operator sends it again to find \
         out whether it was consumed"
    );
    assert_eq!(about_state(&['!']), [doubt]);
    login.patch(
        "secret",
        STATE,
        &json!({"stringData": {"record": "edited"}}),
    );
    let edited = format!(
        "✗ Secret \"{STATE}\" with the refresh token was edited and cannot be read: restore it from a backup, or sign in again and then \
         delete it"
    );
    assert_eq!(about_state(&['✗']), [edited]);
    let owner = json!({"metadata": {"annotations": {"cube-operator.dev/owner-name": "somebody"}}});
    login.patch("secret", STATE, &owner);
    let foreign = format!(
        "✗ the refresh token cannot be stored, because Secret \"{STATE}\" belongs to another owner: recreate this CubeCredential under \
         another name, or delete that Secret if nobody uses it"
    );
    assert_eq!(about_state(&['✗']), [foreign]);
    assert_eq!(login.refreshes().len(), refreshes, "nothing was sent");
}

/// The message about a rejected refresh token while a valid access token is published.
fn told(status: &CubeCredentialStatus) -> String {
    let refreshed = status
        .condition(cube_operator::api::ConditionType::Refreshed)
        .unwrap();
    refreshed.message.clone()
}
