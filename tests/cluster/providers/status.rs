//! The status of provider objects, which alone says if one can be used, and what to do if not.

use super::*;

impl Place {
    /// Waits until the condition Ready of a provider object has this reason and so many credentials name it.
    pub(super) fn provider_becomes(
        &self,
        name: &str,
        reason: &str,
        credentials: Option<i64>,
    ) -> Value {
        eventually(&format!("provider {name} becomes {reason}"), || {
            let object = self.get("cubeprovider", name)?;
            let status = &object["status"];
            let is_it = status["conditions"][0]["reason"] == reason
                && status["credentials"].as_i64() == credentials
                && status["observedGeneration"] == object["metadata"]["generation"];
            is_it.then(|| status.clone())
        })
    }
}

/// The number of status writes of provider objects that the API server has accepted or refused.
fn writes(operator: &Operator) -> Option<f64> {
    operator.metric("cube_operator_api_requests_total{operation=\"patch cubeproviders/status\"}")
}

#[test]
fn a_provider_says_if_it_can_be_used_and_how_many_credentials_name_it() {
    let (place, issuer) = (Place::new(), Issuer::start());
    let mut spec = issuer.spec("/token?tenant=hidden");
    place.define("CubeProvider", "okta", &spec);
    let operator = place.operator();
    let status = place.provider_becomes("okta", "Usable", Some(0));
    let ready = &status["conditions"][0];
    assert_eq!(ready["status"], "True");
    assert_eq!(
        ready["message"],
        format!("tokens come from {}", issuer.server.url("/token"))
    );
    let since = ready["lastTransitionTime"].clone();
    let columns = place.kubectl(&["get", "cubeprovider", "okta"]);
    assert!(columns.contains("READY"), "{columns}");

    // The count follows credentials, and costs few writes.
    place.apply(&place.source());
    for number in 0..20 {
        place.apply(&place.named(&format!("main-{number}"), "CubeProvider", "okta"));
    }
    let status = place.provider_becomes("okta", "Usable", Some(20));
    assert_eq!(status["conditions"][0]["lastTransitionTime"], since);
    let before = writes(&operator);
    assert!(before.is_some_and(|writes| writes < 15.0), "{before:?}");

    // One that admission cannot judge, and its correction.
    spec["caBundle"] = json!("-----BEGIN CERTIFICATE-----\nnone");
    place.define("CubeProvider", "okta", &spec);
    let status = place.provider_becomes("okta", "Unusable", Some(20));
    let ready = &status["conditions"][0];
    assert_eq!(ready["status"], "False");
    let message = ready["message"].as_str().unwrap();
    assert!(
        message.starts_with("this object cannot be used: ") && message.ends_with(": correct it"),
        "{message}"
    );
    place.define("CubeProvider", "okta", &issuer.spec("/token"));
    place.provider_becomes("okta", "Usable", Some(20));
    for number in 0..19 {
        place.kubectl(&["delete", "cubecredential", &format!("main-{number}")]);
    }
    place.provider_becomes("okta", "Usable", Some(1));

    // A status that was removed is written again, and an object with the right one is not written.
    place.patch_status("cubeprovider", "okta", &json!(null));
    place.provider_becomes("okta", "Usable", Some(1));
    let version = |place: &Place| {
        place.get("cubeprovider", "okta").unwrap()["metadata"]["resourceVersion"].clone()
    };
    let before = version(&place);
    drop(operator);
    let _operator = place.operator();
    // It is visited after the first one.
    place.define("CubeProvider", "second", &issuer.spec("/token"));
    place.provider_becomes("second", "Usable", Some(0));
    assert_eq!(version(&place), before, "a restart writes nothing");
}

#[test]
fn the_status_of_a_cluster_provider_has_no_count_and_a_metric_has() {
    let (place, issuer) = (Place::new(), Issuer::start());
    let name = format!("{}-counted", place.namespace);
    let mut spec = issuer.spec("/token");
    spec["namespaces"] = json!([place.namespace]);
    place.define("ClusterCubeProvider", &name, &spec);
    place.apply(&place.source());
    place.apply(&place.named("main", "ClusterCubeProvider", &name));
    let operator = place.operator_with(&[CLUSTER_PROVIDERS], &[]);
    place.becomes("main", Ready, "True", "Synced");
    let metric = format!("cube_operator_cluster_provider_credentials{{name=\"{name}\"}}");
    eventually("the metric counts", || {
        (operator.metric(&metric) == Some(1.0)).then_some(())
    });
    eventually("the object is ready", || {
        let object = place.get("clustercubeprovider", &name)?;
        let status = &object["status"];
        assert!(status["credentials"].is_null());
        (status["conditions"][0]["reason"] == "Usable").then_some(())
    });
    place.kubectl(&["delete", "clustercubeprovider", &name]);
    eventually("the metric is gone", || {
        operator.metric(&metric).is_none().then_some(())
    });
}

/// A rule of the API server that the operator relies on: it writes a status in the version that it has judged, so that it replaces nothing
/// that it has not seen.
#[test]
fn the_api_server_refuses_a_status_for_another_version_than_the_newest() {
    let (place, issuer) = (Place::new(), Issuer::start());
    place.define("CubeProvider", "okta", &issuer.spec("/token"));
    let seen = place.get("cubeprovider", "okta").unwrap()["metadata"]["resourceVersion"].clone();
    let status = |version: &Value, credentials: i64| {
        json!({
            "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeProvider",
            "metadata": {"name": "okta", "resourceVersion": version}, "status": {"credentials": credentials},
        })
    };
    let (first, second) = (status(&seen, 1), status(&seen, 2));
    let (first, second) = (
        crate::place::manifest(&first),
        crate::place::manifest(&second),
    );
    let apply = |file| {
        let manager = "--field-manager=cube-operator";
        [
            "apply",
            "--server-side",
            "--force-conflicts",
            "--subresource=status",
            manager,
            "-f",
            file,
        ]
    };
    place.kubectl(&apply(&first));
    let error = place.kubectl_error(&apply(&second));
    assert!(error.contains("the object has been modified"), "{error}");
    assert_eq!(
        place.get("cubeprovider", "okta").unwrap()["status"]["credentials"],
        1
    );
}

/// An operator whose roles are older than the statuses.
#[test]
fn without_the_right_to_write_the_status_of_providers_everything_else_works() {
    let (place, issuer) = (Place::new(), Issuer::start());
    let mut rules = place.get("role", "cube-operator").unwrap()["rules"].clone();
    rules
        .as_array_mut()
        .unwrap()
        .retain(|rule| rule["resources"] != json!(["cubeproviders/status"]));
    place.patch("role", "cube-operator", &json!({"rules": rules}));
    place.define("CubeProvider", "okta", &issuer.spec("/token"));
    place.apply(&place.source());
    place.apply(&place.named("main", "CubeProvider", "okta"));
    let operator = place.operator();
    place.becomes("main", Ready, "True", "Synced");
    operator.wait_for_log("failed to write the status of a provider object, retrying");
    let found = place.get("cubeprovider", "okta").unwrap();
    assert_eq!(found["status"], json!({"observedGeneration": -1}));
}
