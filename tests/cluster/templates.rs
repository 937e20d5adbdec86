//! The target in the shape of its consumer, and the record of the token that the templates hide.

use cube_operator::api::ConditionType::{Ready, Refreshed};
use serde_json::{Value, json};

use crate::{
    environment::TokenServer,
    login::Login,
    operator::eventually,
    place::{Place, is},
    scripted::{Authority, LOCAL, Provider, Reply},
};

const RECORD: &str = "main-cube-record";
const HEADER: &str = "Authorization: Bearer {{ access_token }}";

impl Place {
    fn keys(&self) -> Vec<String> {
        let target = self.get("secret", "main-token").unwrap();
        let data = target["data"].as_object().unwrap();
        data.keys().cloned().collect()
    }

    /// Changes the templates, and waits until the target has their keys.
    fn template(&self, data: &Value) {
        self.patch(
            "cubecredential",
            "main",
            &json!({"spec": {"target": {"data": data}}}),
        );
        let wanted = data.as_object().unwrap().iter();
        let wanted: Vec<_> = wanted
            .filter(|(_, template)| !template.is_null())
            .map(|(key, _)| key.clone())
            .collect();
        eventually("the target has the keys of the templates", || {
            (self.keys() == wanted).then_some(())
        });
    }

    fn apply_rendered(&self, data: &Value) {
        self.apply(&self.source());
        let mut credential = self.credential("main");
        credential["spec"]["target"] = json!({"data": data});
        self.apply(&credential);
    }

    fn wait_until_rendered(&self) {
        self.wait_for("main", "Ready", |status| {
            is(status, Ready, "True", "Synced") && is(status, Refreshed, "True", "TokenIssued")
        });
    }
}

#[test]
fn the_target_takes_the_shape_of_its_templates_and_another_one_without_another_token() {
    let place = Place::new();
    let operator = place.operator();
    place.apply_rendered(&json!({"header": HEADER}));
    place.wait_until_rendered();
    assert_eq!(place.keys(), ["header"]);
    let header = place.value("main-token", "header");
    let token = header.strip_prefix("Authorization: Bearer ").unwrap();
    assert_eq!(place.value(RECORD, "access-token"), token);

    // The process that renders the other templates knows the token from its record.
    drop(operator);
    let _operator = place.operator();
    place.template(&json!({"header": null, "access-token": "{{ access_token }}", "netrc": "machine x password {{ access_token }}"}));
    assert_eq!(place.call_api("main-token"), 200);
    assert_eq!(place.token("main-token"), token);

    // A repair needs none either.
    place.kubectl(&["delete", "secret", "main-token"]);
    eventually("the target is there again", || {
        place.get("secret", "main-token")
    });
    assert_eq!(place.token("main-token"), token);
    place.patch(
        "secret",
        "main-token",
        &json!({"stringData": {"netrc": "edited"}}),
    );
    eventually("the edit is undone", || {
        (place.value("main-token", "netrc").ends_with(token)).then_some(())
    });

    // Without templates the token is bare, and nothing keeps it elsewhere. Nothing waits for a record that a finalizer holds.
    let finalizers = json!({"metadata": {"finalizers": ["example.com/hold"]}});
    place.patch("secret", RECORD, &finalizers);
    place.patch(
        "cubecredential",
        "main",
        &json!({"spec": {"target": {"data": null}}}),
    );
    eventually(
        "the default keys, and a record that is being deleted",
        || {
            let bare = place.keys() == ["access-token", "expires-at", "token-type"];
            let record = place.get("secret", RECORD)?;
            (bare && !record["metadata"]["deletionTimestamp"].is_null()).then_some(())
        },
    );
    place.wait_until_rendered();
    place.patch("secret", RECORD, &json!({"metadata": {"finalizers": null}}));
    eventually("no record", || {
        place.get("secret", RECORD).is_none().then_some(())
    });
    assert_eq!(place.token("main-token"), token);
    assert_eq!(place.exchanges(), [200]);
}

#[test]
fn a_refresh_token_needs_no_record_and_other_templates_no_refresh() {
    let login = Login::at(TokenServer::shared());
    let _operator = login.operator();
    let seed = login.begin();
    login.template(&json!({"access-token": "{{ access_token }}", "header": HEADER}));
    login.wait_until_good();
    login.assert_unbroken(&seed, 1);
    login.refresh("again");
    login.assert_unbroken(&seed, 2);
    let header = login.value("main-token", "header");
    let stored = login.value("main-cube-state", "access-token");
    assert_eq!(header, format!("Authorization: Bearer {stored}"));
    assert!(login.get("secret", RECORD).is_none());
}

#[test]
fn templates_use_the_fields_of_the_response_and_one_that_it_lacks_costs_one_token_request() {
    let place = Place::new();
    let authority = Authority::new("scripted");
    let provider = Provider::start(&authority.certificate(&LOCAL), |_| {
        let body = json!({"access_token": "t0ken", "token_type": "Bearer", "expires_in": 3600, "company_id": 7});
        Reply::json(200, body.to_string())
    });
    let _operator = place.operator();
    place.trust("scripted", &authority);
    place.apply(&place.source());
    let mut credential = place.credential_at("main", &provider.url("/"), "scripted");
    credential["spec"]["target"] =
        json!({"data": {"url": "first\n{{ response.tenant }} {{ access_token }}"}});
    place.apply(&credential);
    let status = place.wait_for("main", "TemplateInvalid", |status| {
        is(status, Refreshed, "False", "TemplateInvalid")
            && is(status, Ready, "False", "TemplateInvalid")
    });
    let message = &status.condition(Refreshed).unwrap().message;
    for part in ["\"url\"", "line 2", "\"tenant\"", "company_id"] {
        assert!(message.contains(part), "{message}");
    }
    assert!(!message.contains("t0ken"), "{message}");
    assert!(place.get("secret", "main-token").is_none());

    credential["spec"]["target"] =
        json!({"data": {"url": "{{ response.company_id }} {{ access_token }}"}});
    place.apply(&credential);
    place.wait_until_rendered();
    assert_eq!(place.value("main-token", "url"), "7 t0ken");
    assert_eq!(provider.requests().len(), 1);
}

#[test]
fn a_template_that_cannot_be_read_costs_no_token_request() {
    let place = Place::new();
    let _operator = place.operator();
    place.apply_rendered(&json!({"header": "a\n{% for x in y %}"}));
    let status = place.wait_for("main", "TemplateInvalid", |status| {
        is(status, Refreshed, "False", "TemplateInvalid")
    });
    let message = &status.condition(Refreshed).unwrap().message;
    assert!(message.contains("\"header\""), "{message}");
    assert!(message.contains("line 2"), "{message}");
    assert!(place.exchanges().is_empty());
    place.patch(
        "cubecredential",
        "main",
        &json!({"spec": {"target": {"data": {"header": HEADER}}}}),
    );
    place.wait_until_rendered();
    assert_eq!(place.exchanges(), [200]);
}
