//! Changes of the object after which it is still valid.

use serde_json::{Value, json};

use super::refusals::many;

/// Targets with templates.
fn with_data() -> Vec<Value> {
    let target = |fields: Value| json!({"spec": {"target": fields}});
    vec![
        target(
            json!({"data": {".netrc": "", "a_B-1.c": "{{ access_token }}\n", "b".repeat(253): "c".repeat(8192)}}),
        ),
        target(json!({"data": many(32)})),
        target(
            json!({"type": "kubernetes.io/basic-auth", "data": {"password": "{{ access_token }}"}}),
        ),
        target(
            json!({"type": "kubernetes.io/basic-auth", "data": {"username": "a", "other": "b"}}),
        ),
        target(json!({"type": "kubernetes.io/dockercfg", "data": {".dockercfg": "{}"}})),
        target(
            json!({"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": "{}"}}),
        ),
        target(json!({"type": "kubernetes.io/ssh-auth", "data": {"ssh-privatekey": ""}})),
        target(json!({"type": "kubernetes.io/tls", "data": {"tls.crt": "", "tls.key": ""}})),
    ]
}

/// Clients that have a private key.
fn with_keys() -> Vec<Value> {
    let spec = |fields: Value| json!({"spec": fields});
    vec![
        // The provider may say that the client signs.
        spec(json!({
            "provider": null, "providerRef": {"name": "okta"}, "clientAssertion": {"keyID": "a"},
            "clientSecretRef": {"privateKeyKey": "a"},
        })),
        spec(
            json!({"clientAuthentication": "PrivateKeyJWT", "clientID": "my client/1", "clientSecretRef": {"privateKeyKey": "k.pem", "certificateKey": "tls.crt"},
                "clientAssertion": {"audience": "https://login.example.com/", "keyID": "k 1", "algorithm": "ES384"}}),
        ),
        spec(json!({"clientAuthentication": "PrivateKeyJWT", "clientAssertion": {}})),
        spec(json!({"clientAuthentication": "MutualTLS", "clientID": "a"})),
        spec(
            json!({"clientAuthentication": "MutualTLS", "clientSecretRef": {"privateKeyKey": "key.pem", "certificateKey": "cert.pem"}}),
        ),
        spec(
            json!({"clientAuthentication": "PrivateKeyJWT", "grant": "RefreshToken", "refreshTokenRef": {"name": "login"}}),
        ),
    ]
}

/// Clients that authenticate with a token of a ServiceAccount.
fn without_secret() -> Vec<Value> {
    let spec = |id: Value| {
        json!({"spec": {
            "clientID": id, "clientSecretRef": null, "clientAuthentication": "ServiceAccountToken",
            "clientAssertion": {"audience": "api://AzureADTokenExchange", "serviceAccountName": "billing"},
        }})
    };
    vec![spec(json!(null)), spec(json!("MY-ID"))]
}

/// Clients whose grant is an assertion.
fn with_bearers() -> Vec<Value> {
    let spec = |mut fields: Value| {
        fields["grant"] = json!("JWTBearer");
        json!({"spec": fields})
    };
    vec![
        spec(json!({})),
        spec(json!({"jwtBearer": {}, "clientAuthentication": "None"})),
        spec(json!({
            "jwtBearer": {
                "issuer": "robot@example.iam.gserviceaccount.com", "subject": "ada@example.com",
                "audience": "https://login.salesforce.com", "keyID": "a b", "algorithm": "RS256",
            },
            "clientSecretRef": {"name": "robot", "privateKeyKey": "key.pem"}, "scopes": ["read"],
        })),
        spec(json!({"clientAuthentication": "Body", "clientID": "a"})),
        spec(json!({"clientAuthentication": "Basic"})),
    ]
}

/// Exchanges of a subject token.
fn with_exchanges() -> Vec<Value> {
    let with =
        |exchange: Value| json!({"spec": {"grant": "TokenExchange", "tokenExchange": exchange}});
    let mut public = with(json!({"subjectTokenRef": {"name": "subject"}}));
    public["spec"]["clientAuthentication"] = json!("None");
    let account = json!({"name": "billing", "audience": "https://login.example.com"});
    let account = with(json!({"subjectServiceAccount": account, "audience": ["orders"]}));
    let mut both = account.clone();
    both["spec"]["clientSecretRef"] = json!(null);
    both["spec"]["clientAuthentication"] = json!("ServiceAccountToken");
    both["spec"]["clientAssertion"] =
        json!({"audience": "https://login.example.com", "serviceAccountName": "web"});
    vec![
        public,
        account,
        both,
        with(json!({
            "subjectTokenRef": {"name": "subject", "key": "id.token"},
            "subjectTokenType": "urn:ietf:params:oauth:token-type:id_token",
            "audience": ["//iam.googleapis.com/projects/1", "orders"], "resource": ["https://api.example.com/"],
            "requestedTokenType": "urn:ietf:params:oauth:token-type:jwt",
        })),
    ]
}

/// Changes after which the object is still valid.
pub(super) fn valid() -> Vec<Value> {
    let spec = |fields: Value| json!({"spec": fields});
    let mut changes = vec![
        json!({"metadata": {"name": "a".repeat(242)}}),
        spec(json!({"description": "ä".repeat(256)})),
        spec(json!({"provider": "Custom", "tokenURL": "https://example.com/token"})),
        spec(json!({"clientAuthentication": "Basic"})),
        spec(json!({"clientAuthentication": "BasicEmptySecret"})),
        spec(
            json!({"clientAuthentication": "BasicEmptySecret", "grant": "RefreshToken", "refreshTokenRef": {"name": "login"}}),
        ),
        spec(
            json!({"clientSecretRef": {"name": "a.b-c.0", "clientIDKey": "id.txt", "clientSecretKey": "_secret-1"}}),
        ),
        spec(
            json!({"clientSecretRef": {"name": "a", "clientSecretKey": format!("{},next", "a".repeat(253))}}),
        ),
        // The default name of the target is taken by the source, but the target has another one.
        spec(json!({"clientSecretRef": {"name": "main-token"}, "target": {"name": "other"}})),
        spec(
            json!({"scopes": ["read", "write", "https://example.com/.default", "a!#$%&'()*+,-./:;<=>?@[]^_`{|}~"]}),
        ),
        spec(json!({"scopes": []})),
        spec(
            json!({"parameters": {"audience": "https://api.example.com", "resource": "a b", "codes": "1", "A.b_c-9": "1", "account_id": "1", "my_scope": "1"}}),
        ),
        spec(json!({"caBundleRef": {"name": "bundle"}})),
        spec(json!({"caBundleRef": {"kind": "Secret", "name": "bundle", "key": "root.pem"}})),
        spec(json!({"caBundleRef": {"name": "bundle", "systemRoots": "Replace"}})),
        spec(json!({"target": {"type": "notkubernetes.io/token"}})),
        spec(
            json!({"target": {"name": "a.b", "type": "example.com/token", "deletionPolicy": "Retain"}}),
        ),
        spec(json!({"target": {"type": "cube-operator.dev/token"}})),
        spec(
            json!({"target": {"labels": {"app": "billing", "example.com/team": "", "a": "b".repeat(63)}}}),
        ),
        spec(
            json!({"target": {"annotations": {"reloader.example.com/match": "true", "note": "any text: ä\n"}}}),
        ),
        spec(json!({"suspend": true})),
        spec(json!({"probe": {"url": "https://api.example.com/me"}})),
        spec(
            json!({"probe": {"url": "https://api.example.com/me?a=b", "method": "HEAD", "expectStatus": [100, 204, 599],
                "headers": {"X-Tenant": "a b~!", "accept": "application/json", "a!#$%&'*+-.^_`|~": "1"}}}),
        ),
        spec(json!({"grant": "AccountCredentials", "parameters": {"account_id": "a1"}})),
        spec(json!({"maximumLifetime": "30s"})),
        spec(json!({"maximumLifetime": "87600h"})),
        spec(
            json!({"grant": "RefreshToken", "refreshTokenRef": {"name": "seed"}, "refreshScopes": ["read", "write"]}),
        ),
    ];
    changes.extend(with_data());
    changes.extend(with_keys());
    changes.extend(without_secret());
    changes.extend([with_bearers(), with_exchanges()].concat());
    for url in [
        "https://example.com",
        "https://example.com/",
        "https://example.com/o/token/",
        "https://example.com:8443/token",
        "https://example.com/token?tenant=a%20b&x=y",
        "https://example.com?tenant=a",
        "https://example.com/scope/client_id?scopes=a&x=?code=b&y=password",
        "https://192.0.2.1/token",
        "https://[2001:db8::1]/token",
        "https://[2001:db8::1]:8443/token",
        "https://example.com/users/@me",
        "https://localhost:8443/token",
        "https://EXAMPLE.com/",
        "https://xn--bcher-kva.example/",
        "https://nowhere.invalid/",
    ] {
        changes.push(spec(json!({"tokenURL": url})));
    }
    for url in [
        "https://example.com",
        "https://example.com:8443/o/authorize/?tenant=a%20b&prompt=consent&access_type=offline&states=x",
        "https://[2001:db8::1]/authorize",
    ] {
        changes.push(spec(
            json!({"grant": "RefreshToken", "refreshTokenRef": {"name": "seed"}, "authorizationURL": url}),
        ));
    }
    for (field, texts) in [
        (
            "refreshBefore",
            ["5s", "60s", "90m", "1h30m", "24h", "1.5h", "0h5m", "5m0s"],
        ),
        (
            "assumedLifetime",
            [
                "1m", "1h", "90m", "1h30m", "10h", "87600h", "1h0m0s", "3600s",
            ],
        ),
    ] {
        for text in texts {
            changes.push(spec(json!({field: text})));
        }
    }
    changes
}
