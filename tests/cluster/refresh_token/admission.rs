//! The API server refuses a spec whose grant and refresh token reference do not fit.

use serde_json::{Value, json};

use crate::{environment::TokenServer, login::Login};

#[test]
fn the_fields_of_a_stored_refresh_token_are_checked_at_admission() {
    let place = Login::at(TokenServer::shared());
    let refused = |change: fn(&mut Value), message: &str| {
        let mut object = place.main();
        change(&mut object["spec"]);
        let error = place.apply_error(&object);
        assert!(error.contains(message), "{error}");
    };
    let together = "refreshTokenRef is required with grant RefreshToken, and only with it: name the Secret with the first refresh \
                    token, or set grant to RefreshToken";
    refused(|spec| drop(spec["refreshTokenRef"].take()), together);
    refused(|spec| spec["grant"] = json!("ClientCredentials"), together);
    refused(
        |spec| {
            let fields = spec.as_object_mut().unwrap();
            fields.remove("grant");
            fields.remove("refreshTokenRef");
            fields.insert("clientAuthentication".into(), json!("None"));
        },
        "clientAuthentication None is for public clients, which have grant RefreshToken, JWTBearer or TokenExchange: use Body or Basic",
    );
    refused(
        |spec| spec["target"] = json!({"name": "seed"}),
        "the target may not be the Secret that refreshTokenRef names: set spec.target.name to another name",
    );
    refused(
        |spec| spec["refreshTokenRef"]["name"] = json!("main-token"),
        "the target may not be the Secret that refreshTokenRef names: set spec.target.name to another name",
    );
    refused(
        |spec| spec["target"] = json!({"name": "main-cube-state"}),
        "the names <metadata.name>-cube-state and <metadata.name>-cube-record are reserved for the operator: set spec.target.name to another name",
    );
    let own = "the Secrets <metadata.name>-cube-state and <metadata.name>-cube-record are the operator's own: name another Secret in clientSecretRef and \
               refreshTokenRef";
    for field in ["clientSecretRef", "refreshTokenRef"] {
        let mut object = place.main();
        object["spec"][field]["name"] = json!("main-cube-state");
        let error = place.apply_error(&object);
        assert!(error.contains(own), "{error}");
    }
    place.apply(&place.main());
}
