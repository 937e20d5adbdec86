//! The table, the tree and the document.

use cube_operator::api::ConditionType::{Ready, Refreshed};
use serde_json::{Value, json};

use crate::{
    operator::eventually,
    place::{CLIENT_SECRET, Place, is},
};

use super::person::{Person, without_client};

/// A pod that mounts the token, and has it in a variable too.
fn consumer() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "reader"},
        "spec": {
            "automountServiceAccountToken": false,
            "volumes": [{"name": "token", "secret": {"secretName": "main-token"}}],
            "containers": [
                {"name": "mounts", "image": "example.com/app", "volumeMounts": [{"name": "token", "mountPath": "/token"}]},
                {"name": "keeps", "image": "example.com/app", "env": [
                    {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "main-token", "key": "access-token"}}},
                ]},
            ],
        },
    })
}

#[test]
fn status_shows_what_needs_a_person_first_and_the_path_of_a_token_without_reading_a_secret() {
    let place = Place::new();
    let person = Person::with_edit(&place);
    let _operator = place.operator();
    place.apply(&without_client(&place, "broken"));
    let status = place.ready_main();
    place.apply(&consumer());
    place.wait_for("broken", "it is refused", |status| {
        is(status, Refreshed, "False", "ClientSecretNotFound")
    });

    let (code, table, errors) = person.cube(&["status"]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    let lines: Vec<_> = table.lines().collect();
    assert!(lines[0].starts_with("   NAME    STATUS"), "{table}");
    assert!(
        lines[1].starts_with("✗  broken  ClientSecretNotFound"),
        "{table}"
    );
    assert!(lines[2].starts_with("✓  main    Synced"), "{table}");
    assert!(!table.contains('\u{1b}'), "{table}");

    place.wait_for_events("main", &["TokenIssued"]);
    let (code, tree, errors) = person.cube(&["status", "main"]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    let expires_at = status.expires_at.unwrap();
    let title = format!("CubeCredential {}/main: Synced", place.namespace);
    assert_eq!(tree.lines().next(), Some(&*title));
    for part in [
        "✓ Ready: token in Secret \"main-token\" is valid until".to_owned(),
        "✓ client: Secret \"client\" has the label, and \"client-id\" and \"client-secret\"".into(),
        "✓ CA bundle: ConfigMap \"authority\" exists".into(),
        "✓ token endpoint: https://localhost".into(),
        format!("✓ target: Secret \"main-token\" has a token until {expires_at}"),
        "; it has \"access-token\", \"expires-at\" and \"token-type\"".into(),
        "! pod \"reader\" never sees a refresh: environment variable \"TOKEN\"".into(),
        "✓ pod \"reader\" sees each refresh".into(),
        "Normal TokenIssued".into(),
    ] {
        assert!(tree.contains(&part), "{part}\n{tree}");
    }

    let (_, document, _) = person.cube(&["status", "main", "-o", "json"]);
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["kind"], "CredentialStatus");
    assert_eq!(document["urgency"], "Good");
    assert_eq!(document["expiresAt"], expires_at.to_string());
    let parts = document["path"].as_array().unwrap().iter();
    let parts: Vec<_> = parts.map(|part| part["part"].as_str().unwrap()).collect();
    assert_eq!(
        parts,
        [
            "Status",
            "Status",
            "ClientSecret",
            "CaBundle",
            "TokenEndpoint",
            "Target",
            "Consumer",
            "Consumer"
        ]
    );
    let (_, list, _) = person.cube(&["status", "-o", "yaml"]);
    let expected = format!(
        "- namespace: {}\n  name: broken\n  urgency: NeedsPerson",
        place.namespace
    );
    assert!(list.contains(&expected), "{list}");

    let token = place.token("main-token");
    for shown in [&table, &tree, &document.to_string(), &list] {
        assert!(!shown.contains(CLIENT_SECRET) && !shown.contains(&token));
    }
    for (secret, looks) in [("client", 2), ("main-token", 2)] {
        let kinds = eventually("the audit log has the requests", || {
            let kinds =
                place
                    .plane
                    .kinds_of_secret_given_to(&person.user, &place.namespace, secret);
            (kinds.len() == looks).then_some(kinds)
        });
        assert_eq!(kinds, vec!["PartialObjectMetadata"; looks], "{secret}");
    }
    assert!(is(&place.status("main"), Ready, "True", "Synced"));
}
