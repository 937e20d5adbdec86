//! A sign-in for a `CubeCredential` that names a provider object.

use serde_json::json;

use super::*;

#[test]
fn a_sign_in_goes_where_the_provider_object_says_and_the_operator_refreshes_it_there() {
    let sign_in = SignIn::new();
    let mut client = sign_in.client(&sign_in.host());
    client["metadata"]["annotations"]["cube-operator.dev/token-ca"] = json!("CubeProvider/okta");
    sign_in.place.apply(&client);
    sign_in.place.apply(&json!({
        "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeProvider", "metadata": {"name": "okta"},
        "spec": {
            "tokenURL": sign_in.provider.url("/token"), "authorizationURL": sign_in.provider.url("/authorize"),
            "caBundle": sign_in.authority.pem(), "scopes": ["read", "write"],
        },
    }));
    let mut object = sign_in.credential();
    let spec = object["spec"].as_object_mut().unwrap();
    for field in [
        "provider",
        "tokenURL",
        "authorizationURL",
        "caBundleRef",
        "scopes",
    ] {
        spec.remove(field);
    }
    spec.insert("providerRef".into(), json!({"name": "okta"}));
    sign_in.place.apply(&object);
    let _operator = sign_in.operator();
    let (cube, authorize) = sign_in.begin(&[]);
    assert_eq!(authorize.parameter("scope"), "read write");
    assert!(
        authorize
            .0
            .as_str()
            .starts_with(&sign_in.provider.url("/authorize"))
    );
    assert_eq!(follow(&authorize.redirect(&format!("code={CODE}"))).0, 200);
    let (code, output, errors) = cube.end();
    assert_eq!(code, Some(0), "{errors}");
    assert!(
        output.starts_with("Signed in; the first refresh worked; "),
        "{output}"
    );
    let seed = sign_in.place.get("secret", "main-login").unwrap();
    let annotations = &seed["metadata"]["annotations"];
    assert_eq!(
        annotations["cube-operator.dev/token-ca"],
        "CubeProvider/okta"
    );
    assert_eq!(annotations["cube-operator.dev/token-hosts"], sign_in.host());

    // Without it, nothing begins.
    sign_in.place.kubectl(&["delete", "cubeprovider", "okta"]);
    let refused = sign_in.refused(&[]);
    assert!(
        refused.contains("CubeProvider \"okta\" not found: create it, or correct spec.providerRef"),
        "{refused}"
    );
}

#[test]
fn a_sign_in_goes_where_the_metadata_of_the_issuer_says() {
    let sign_in = SignIn::new();
    let mut client = sign_in.client(&sign_in.host());
    client["metadata"]["annotations"]["cube-operator.dev/token-ca"] = json!("CubeProvider/okta");
    sign_in.place.apply(&client);
    let issuer = sign_in.provider.url("");
    sign_in.place.apply(&json!({
        "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeProvider", "metadata": {"name": "okta"},
        "spec": {"issuer": issuer, "caBundle": sign_in.authority.pem()},
    }));
    // The operator has read it.
    sign_in.place.patch_status(
        "cubeprovider",
        "okta",
        &json!({"endpoints": {
            "issuer": issuer, "tokenURL": sign_in.provider.url("/token"),
            "authorizationURL": sign_in.provider.url("/authorize"), "readAt": jiff::Timestamp::now().to_string(),
        }}),
    );
    let mut object = sign_in.credential();
    let spec = object["spec"].as_object_mut().unwrap();
    for field in ["provider", "tokenURL", "authorizationURL", "caBundleRef"] {
        spec.remove(field);
    }
    spec.insert("providerRef".into(), json!({"name": "okta"}));
    sign_in.place.apply(&object);
    let _operator = sign_in.operator();
    let (cube, authorize) = sign_in.begin(&[]);
    let url = authorize.0.as_str();
    assert!(
        url.starts_with(&sign_in.provider.url("/authorize")),
        "{url}"
    );
    assert_eq!(follow(&authorize.redirect(&format!("code={CODE}"))).0, 200);
    let (code, _, errors) = cube.end();
    assert_eq!(code, Some(0), "{errors}");
}
