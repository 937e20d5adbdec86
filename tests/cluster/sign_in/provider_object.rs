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

/// A `ClusterCubeProvider` whose CA certificates are in another namespace, which is the operator's.
struct Corp {
    sign_in: SignIn,
    provider: String,
    system: String,
}

impl Corp {
    fn new() -> Self {
        let sign_in = SignIn::new();
        let namespace = sign_in.place.namespace.clone();
        let corp = Self {
            provider: format!("{namespace}-corp"),
            system: format!("{namespace}-system"),
            sign_in,
        };
        corp.kubectl(&["create", "namespace", &corp.system]);
        let place = &corp.sign_in.place;
        let mut client = corp.sign_in.client(&corp.sign_in.host());
        client["metadata"]["annotations"]["cube-operator.dev/token-ca"] = json!(corp.entry());
        place.apply(&client);
        let url = |path| corp.sign_in.provider.url(path);
        place.apply(&json!({
            "apiVersion": "cube-operator.dev/v1alpha1", "kind": "ClusterCubeProvider", "metadata": {"name": corp.provider},
            "spec": {
                "namespaces": ["test-*"], "caBundleRef": {"name": "corp-roots"}, "systemRoots": "Replace",
                "tokenURL": url("/token"), "authorizationURL": url("/authorize"),
            },
        }));
        let mut object = corp.sign_in.credential();
        let spec = object["spec"].as_object_mut().unwrap();
        for field in ["provider", "tokenURL", "authorizationURL", "caBundleRef"] {
            spec.remove(field);
        }
        let reference = json!({"kind": "ClusterCubeProvider", "name": corp.provider});
        spec.insert("providerRef".into(), reference);
        place.apply(&object);
        corp.lets_the_person_see_the_provider();
        corp
    }

    /// The provider as an owner of a Secret names it.
    fn entry(&self) -> String {
        format!("ClusterCubeProvider/{}", self.provider)
    }

    fn kubectl(&self, arguments: &[&str]) {
        self.sign_in.place.plane.kubectl(arguments);
    }

    fn account(&self, name: &str) -> String {
        format!("--serviceaccount={}:{name}", self.sign_in.place.namespace)
    }

    fn lets_the_person_see_the_provider(&self) {
        let name = &self.provider;
        let verb = ["--verb=get", "--resource=clustercubeproviders"];
        self.kubectl(&["create", "clusterrole", name, verb[0], verb[1]]);
        let role = format!("--clusterrole={name}");
        let subject = self.account("editor");
        self.kubectl(&["create", "clusterrolebinding", name, &role, &subject]);
    }

    /// Lets this account do that with the `ConfigMap`s of the operator's namespace.
    fn allow(&self, account: &str, verbs: &str) {
        let (verbs, system) = (format!("--verb={verbs}"), &self.system);
        let of = "--resource=configmaps";
        self.kubectl(&["create", "role", account, &verbs, of, "-n", system]);
        let role = format!("--role={account}");
        let subject = self.account(account);
        self.kubectl(&[
            "create",
            "rolebinding",
            account,
            &role,
            &subject,
            "-n",
            system,
        ]);
    }
}

impl Drop for Corp {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            for kind in ["clusterrole", "clusterrolebinding", "clustercubeprovider"] {
                self.kubectl(&["delete", kind, &self.provider]);
            }
        }
    }
}

#[test]
fn a_sign_in_trusts_the_config_map_of_the_namespace_that_the_person_names_and_nothing_else() {
    let corp = Corp::new();
    let (sign_in, system) = (&corp.sign_in, corp.system.as_str());
    let flag = ["--operator-namespace", system];
    let refused = sign_in.refused(&flag);
    assert!(
        refused.ends_with(&format!(
            "the provider trusts the CA certificates in ConfigMap {system}/corp-roots, and you may not get configmaps in namespace \
             \"{system}\": ask for that right"
        )),
        "{refused}"
    );
    corp.allow("editor", "get");
    let refused = sign_in.refused(&flag);
    assert!(
        refused.contains(&format!(
            "ConfigMap {system}/corp-roots of its caBundleRef does not exist"
        )),
        "{refused}"
    );
    let pem = format!("--from-literal=ca.crt={}", sign_in.authority.pem());
    corp.kubectl(&["create", "configmap", "corp-roots", "-n", system, &pem]);

    let flags = [
        crate::providers::CLUSTER_PROVIDERS,
        "--operator-namespace",
        system,
    ];
    corp.allow("cube-operator", "get,list,watch");
    let _operator = sign_in.place.operator_with(&flags, &[]);
    let (cube, authorize) = sign_in.begin(&flag);
    assert_eq!(follow(&authorize.redirect(&format!("code={CODE}"))).0, 200);
    let (code, _, errors) = cube.end();
    assert_eq!(code, Some(0), "{errors}");
    let seed = sign_in.place.get("secret", "main-login").unwrap();
    assert_eq!(
        seed["metadata"]["annotations"]["cube-operator.dev/token-ca"],
        corp.entry()
    );
}

#[test]
fn a_pod_that_looks_like_the_operators_does_not_decide_which_ca_a_sign_in_trusts() {
    let corp = Corp::new();
    let (sign_in, place) = (&corp.sign_in, &corp.sign_in.place);
    place.apply(&json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "pretender", "labels": {"app.kubernetes.io/name": "cube-operator"}},
        "spec": {"serviceAccountName": "cube-operator", "containers": [{"name": "operator", "image": "none.example/none"}]},
    }));
    place.patch_status("pod", "pretender", &json!({"phase": "Running"}));
    place.trust("corp-roots", &sign_in.authority);
    let all = ["login", "main", "--allow-network", "127.0.0.0/8,::1/128"];
    let (code, _, errors) = sign_in.user.start(&all).end();
    assert_eq!(code, Some(2), "{errors}");
    let namespace = &place.namespace;
    assert!(
        last_line(&errors).contains(&format!(
            "Is that {namespace}?\": if so, add --operator-namespace {namespace}"
        )),
        "{errors}"
    );
    assert_eq!(sign_in.provider.connections(), 0);
}
