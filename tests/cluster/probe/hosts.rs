//! Where a token may be tried.

use cube_operator::api::ConditionType::Refreshed;
use serde_json::json;

use super::Service;
use crate::{
    check::LOOPBACK,
    operator::eventually,
    place::{Place, is},
};

#[test]
fn a_host_that_the_owner_or_the_installer_does_not_allow_is_refused_before_a_token_is_requested() {
    let place = Place::new();
    let service = Service::start(&place);
    let host = format!("localhost:{}", service.provider.address.port());
    let mut source = place.source();
    source["metadata"]["annotations"] = json!({
        "cube-operator.dev/token-hosts": host, "cube-operator.dev/token-ca": "ConfigMap/scripted",
    });
    place.apply(&source);
    place.apply(&service.credential(&place, "main"));
    let operator = place.operator();
    let refused = || {
        let status = place.wait_for("main", "HostNotAllowed", |status| {
            is(status, Refreshed, "False", "HostNotAllowed")
        });
        status.condition(Refreshed).unwrap().message.clone()
    };
    let api = format!("localhost:{}", service.api.address.port());
    assert_eq!(
        refused(),
        format!(
            "the token must not be sent to {api}, the host of spec.probe.url: correct it, or ask the owner of Secret \"client\" to \
             add that host to annotation cube-operator.dev/token-hosts"
        )
    );
    assert_eq!(
        (service.provider.connections(), service.api.connections()),
        (0, 0)
    );
    let (_, shown, _) = place.check_as(&place.kubeconfig, "main", &[LOOPBACK], &[]);
    assert!(
        shown.contains(&format!("the token must not be sent to {api}")),
        "{shown}"
    );

    let both = json!({"metadata": {"annotations": {"cube-operator.dev/token-hosts": format!("{host}, {api}")}}});
    place.patch("secret", "client", &both);
    place.is_synced("main");
    assert_eq!(
        (service.provider.connections(), service.api.connections()),
        (1, 1)
    );
    let (_, shown, _) = place.check_as(&place.kubeconfig, "main", &[LOOPBACK], &[]);
    for line in [
        format!(
            "a new token is tried with GET https://{api}/me before it is published; expected status: any of 200 to 299"
        ),
        format!("nothing was sent to {api}: a probe needs a new token"),
    ] {
        assert!(shown.contains(&line), "{shown}");
    }
    assert_eq!(
        service.api.requests().len(),
        1,
        "check has no token to send"
    );
    drop(operator);

    // The installer's own list.
    let requests = service.provider.requests().len();
    let _operator = place.operator_with(&["--allowed-token-hosts", &host], &[]);
    place.request("one");
    eventually("the refusal", || {
        refused()
            .ends_with("or ask the installer to add that host to --allowed-token-hosts")
            .then_some(())
    });
    assert_eq!(service.provider.requests().len(), requests);
    assert_eq!(service.api.requests().len(), 1);
}
