//! Faults that are found before anything is sent.

mod tokens;

use cube_operator::api::Reason::{
    CABundleInvalid, ClientCertificateExpired, ClientKeyInvalid, ClientSecretKeyMissing,
    ClientSecretMalformed, ClientSecretNotFound, ClientSecretNotLabelled, HostNotAllowed,
    InvalidSpec, ProviderNotAllowed, ProviderNotFound, ProviderNotReady, RefreshTokenMalformed,
    RefreshTokenNotFound, RefreshTokenNotLabelled, ServiceAccountNotFound,
    ServiceAccountNotLabelled, ServiceAccountTokenFailed, SubjectTokenMalformed,
    SubjectTokenNotFound, SubjectTokenNotLabelled, TemplateInvalid,
};
use serde_json::json;

use super::super::row::{Change, Repair, Row};

/// The message about a Secret without the label.
fn unlabelled(placeholder: &str) -> String {
    unlabelled_object(&format!("Secret {placeholder}"))
}

fn unlabelled_object(object: &str) -> String {
    format!(
        "{object} is not labelled for use: its owner must set annotation {TOKEN_HOSTS}={{host}}, then label {LABEL}"
    )
}

/// The label of consent, as messages show it.
const LABEL: &str = "cube-operator.dev/credential=true";
const TOKEN_HOSTS: &str = "cube-operator.dev/token-hosts";
const TOKEN_CA: &str = "cube-operator.dev/token-ca";
const PRIVATE_KEY: &[u8] = include_bytes!("../../../fuzz/corpus/private_key/p256-pkcs8");
const AS_SHOWN: &str = "write the value as the provider shows it";
const WITHOUT: &str = "write the value without that character";
const PRINTF: &str = "rewrite the value with `printf %s`";

pub(super) fn rows() -> Vec<Row> {
    [
        clients(),
        private_keys(),
        tokens::accounts(),
        seeds(),
        tokens::subjects(),
        hosts(),
        owners(),
        bundles(),
        templates(),
        providers(),
        specs(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[rustfmt::skip]
fn clients() -> Vec<Row> {
    let missing = |name, key, fault| Row::preflight(name, ClientSecretKeyMissing,
        &format!("Secret {{client}} has no key {key:?}: add it, or name the right key in spec.clientSecretRef"), fault);
    let malformed = |name, key, what: &str, remedy: &str, fault: Change| Row::preflight(name, ClientSecretMalformed,
        &format!("key {key:?} of Secret {{client}} {what}: {remedy}"), fault);
    vec![
        Row::preflight("absent", ClientSecretNotFound,
            &format!("Secret {{client}} not found: create it with keys client-id and client-secret, label {LABEL} and \
                      annotation {TOKEN_HOSTS}={{host}}"),
            |objects, _| objects.client = None),
        Row::preflight("unlabelled", ClientSecretNotLabelled,
            &unlabelled("{client}"),
            |objects, _| {
                objects.label_client("yes");
                objects.forget_on_client(TOKEN_HOSTS);
            }).repaired_by(Repair::Marks("row-unlabelled-client")),
        missing("no-id",            "client-id", |objects, _| objects.put_client("client-id", None)),
        missing("no-secret",        "client-secret", |objects, _| objects.put_client("client-secret", None)),
        malformed("empty",          "client-secret", "is empty", AS_SHOWN, |objects, _| objects.put_client("client-secret", Some(b""))),
        malformed("empty-id",       "client-id", "is empty", AS_SHOWN, |objects, _| objects.put_client("client-id", Some(b""))),
        malformed("line-break",     "client-secret", "has a trailing newline", PRINTF,
            |objects, _| objects.put_client("client-secret", Some(b"from-echo\n"))),
        malformed("id-line-break",  "client-id", "has a trailing newline", PRINTF,
            |objects, _| objects.put_client("client-id", Some(b"from-echo\n"))),
        malformed("blank",          "client-secret", "ends with a space (U+0020)", WITHOUT,
            |objects, _| objects.put_client("client-secret", Some(b"copied "))),
        malformed("no-break-space", "client-secret", "begins with a no-break space (U+00A0)", WITHOUT,
            |objects, _| objects.put_client("client-secret", Some("\u{a0}copied".as_bytes()))),
        malformed("id-mark",        "client-id", "begins with a byte order mark (U+FEFF)", WITHOUT,
            |objects, _| objects.put_client("client-id", Some("\u{feff}copied".as_bytes()))),
        malformed("zero-width",     "client-secret", "ends with an invisible character (U+200B)", WITHOUT,
            |objects, _| objects.put_client("client-secret", Some("copied\u{200b}".as_bytes()))),
        Row::preflight("empty-basic", ClientSecretMalformed,
            "key \"client-secret\" of Secret {client} is empty: write it, or set spec.clientAuthentication to BasicEmptySecret if \
             there is none",
            |objects, _| {
                objects.credential["spec"]["clientAuthentication"] = json!("Basic");
                objects.put_client("client-secret", Some(b""));
            })
            .repaired_by(Repair::Change(|objects, _| objects.put_client("client-secret", Some(b"another-secret")))),
        malformed("key-as-secret",  "client-secret", "is a private key, which must not be sent",
            "replace it: a private key is for spec.clientAuthentication PrivateKeyJWT, under its own key",
            |objects, _| objects.put_client("client-secret", Some(PRIVATE_KEY))),
        malformed("control",        "client-secret", "contains a control character", AS_SHOWN,
            |objects, _| objects.put_client("client-secret", Some(b"a\tb"))),
        malformed("nul",            "client-id", "contains a control character", AS_SHOWN,
            |objects, _| objects.put_client("client-id", Some(b"a\0b"))),
        malformed("secret-not-utf-8", "client-secret", "is not UTF-8 text", AS_SHOWN,
            |objects, _| objects.put_client("client-secret", Some(b"\xff\xfe"))),
    ]
}

#[rustfmt::skip]
fn private_keys() -> Vec<Row> {
    let invalid = |name, message: &str, fault: Change| Row::preflight(name, ClientKeyInvalid,
        &format!("key \"private-key\" of Secret {{client}} {message}"), fault);
    vec![
        invalid("key", "is neither a PEM private key nor a JWK: write the private key that is registered at the provider, as PEM or JWK",
            |objects, _| objects.sign_with(b"planted-secret")),
        invalid("key-passphrase", "is a private key with a passphrase: write it without the passphrase: `openssl pkey -in KEY.pem`",
            |objects, _| objects.sign_with(include_bytes!("../../../fuzz/corpus/private_key/encrypted-pkcs8"))),
        invalid("key-curve", "is an elliptic curve key on another curve than P-256 and P-384: create one of RSA 2048, P-256, P-384 or \
                              Ed25519, and register it at the provider",
            |objects, _| objects.sign_with(include_bytes!("../../../fuzz/corpus/private_key/p521"))),
        invalid("key-algorithm", "holds a key (P-256) that cannot sign with RS256: correct spec.clientAssertion.algorithm, or remove it",
            |objects, _| {
                objects.sign_with(PRIVATE_KEY);
                objects.credential["spec"]["clientAssertion"] = json!({"algorithm": "RS256"});
            }),
        Row::preflight("expired-client", ClientCertificateExpired,
            "key \"tls.crt\" of Secret {client} has a certificate that expired at 2020-01-01T00:00:00Z: renew it, and write the new \
             certificate and its key",
            |objects, setup| {
                let expired = setup.authority.certificate_with(&["client"], |params| {
                    params.not_after = rcgen::date_time_ymd(2020, 1, 1);
                });
                objects.present(&expired);
            }),
        Row::preflight("no-key", ClientSecretKeyMissing,
            "Secret {client} has no key \"private-key\": add it, or name the right key in spec.clientSecretRef",
            |objects, _| objects.credential["spec"]["clientAuthentication"] = json!("PrivateKeyJWT")),
    ]
}

#[rustfmt::skip]
fn seeds() -> Vec<Row> {
    let malformed = |name, what: &str, remedy: &str, fault: Change| Row::preflight_r(name, RefreshTokenMalformed,
        &format!("key \"refresh-token\" of Secret {{login}} {what}: {remedy}"), fault);
    vec![
        Row::preflight_r("r-absent", RefreshTokenNotFound,
            "Secret {login} not found: sign in with `kubectl cube login {name} -n {namespace}`",
            |objects, _| objects.login = None),
        Row::preflight_r("r-no-key", RefreshTokenNotFound,
            "Secret {login} has no key \"refresh-token\": add it, or name the right key in spec.refreshTokenRef",
            |objects, _| objects.put_login(None)),
        Row::preflight_r("r-unlabelled", RefreshTokenNotLabelled,
            &unlabelled("{login}"),
            |objects, _| {
                objects.unlabel_login();
                objects.forget_on_login(TOKEN_HOSTS);
            }).repaired_by(Repair::Marks("row-r-unlabelled-login")),
        malformed("r-seed-empty",   "is empty", AS_SHOWN, |objects, _| objects.put_login(Some(b""))),
        malformed("r-line-break",   "has a trailing newline", PRINTF, |objects, _| objects.put_login(Some(b"from-echo\n"))),
        malformed("r-mark",         "begins with a byte order mark (U+FEFF)", WITHOUT,
            |objects, _| objects.put_login(Some("\u{feff}copied".as_bytes()))),
        malformed("r-blank",        "ends with a space (U+0020)", WITHOUT, |objects, _| objects.put_login(Some(b"copied "))),
        malformed("r-not-ascii",    "contains a character that is not ASCII", AS_SHOWN,
            |objects, _| objects.put_login(Some("t\u{f6}ken".as_bytes()))),
    ]
}

#[rustfmt::skip]
fn providers() -> Vec<Row> {
    vec![
        Row::preflight("no-provider", ProviderNotFound,
            "CubeProvider \"okta\" not found: create it, or correct spec.providerRef",
            |objects, _| objects.provided_by("CubeProvider", "okta")),
        Row::preflight("bad-provider", ProviderNotReady,
            "CubeProvider \"row-broken\" cannot be used: the CA bundle holds no usable certificate: block 1 (line 1) is not a certificate \
             that can be used: ask its author to correct it",
            |objects, _| {
                let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
                objects.provided_by("CubeProvider", "row-broken");
                objects.define("CubeProvider", "row-broken", &json!({"tokenURL": "https://localhost/", "caBundle": pem}));
            }),
        Row::preflight("no-ca-map", ProviderNotReady,
            "ClusterCubeProvider \"row-no-ca-map\" cannot be used: ConfigMap {namespace}/row-no-ca-map of its caBundleRef does not exist: \
             its condition Ready says what to do",
            |objects, _| {
                objects.provided_by("ClusterCubeProvider", "row-no-ca-map");
                let spec = json!({
                    "tokenURL": "https://localhost/", "namespaces": ["*"], "caBundleRef": {"name": "row-no-ca-map"},
                });
                objects.define("ClusterCubeProvider", "row-no-ca-map", &spec);
            }),
        Row::preflight("closed-provider", ProviderNotAllowed,
            "ClusterCubeProvider \"row-closed\" does not allow namespace \"{namespace}\": ask its owner to add this namespace to its \
             spec.namespaces",
            |objects, _| {
                objects.provided_by("ClusterCubeProvider", "row-closed");
                let spec = json!({"tokenURL": "https://localhost/", "namespaces": ["payments", "team-*"]});
                objects.define("ClusterCubeProvider", "row-closed", &spec);
            }),
    ]
}

#[rustfmt::skip]
fn hosts() -> Vec<Row> {
    let refused = |name: &'static str, fault: Change| Row::preflight(name, HostNotAllowed,
        "Secret {client} must not be sent to {host}: correct spec.tokenURL, or ask its owner to add that host to annotation \
         cube-operator.dev/token-hosts", fault);
    let entry = |secret: &str| format!(
        "annotation cube-operator.dev/token-hosts of Secret {secret} has an invalid entry: its owner must write host or host:port, \
         separated by commas");
    vec![
        refused("hosts",     |objects, _| objects.allow_client_hosts("api.example.com, localhost:1")),
        refused("no-hosts",  |objects, _| objects.allow_client_hosts("")),
        Row::preflight("entry", HostNotAllowed, &entry("{client}"), |objects, _| objects.allow_client_hosts("*.example.com")),
        Row::preflight_r("r-entry", HostNotAllowed, &entry("{login}"), |objects, _| objects.allow_login_hosts("*.example.com")),
        Row::preflight_r("r-hosts", HostNotAllowed,
            "Secret {login} must not be sent to {host}: correct spec.tokenURL, or ask its owner to add that host to annotation \
             cube-operator.dev/token-hosts",
            |objects, _| objects.allow_login_hosts("api.example.com")),
        Row::preflight("installer", HostNotAllowed,
            "the operator must not send credentials to elsewhere.invalid: correct spec.tokenURL, or ask the installer to add the host \
             to --allowed-token-hosts",
            |objects, _| objects.at("https://elsewhere.invalid/")),
    ]
}

/// What the owners of the Secrets have to say besides.
#[rustfmt::skip]
fn owners() -> Vec<Row> {
    let unnamed = |placeholder: &str, secret: &str| format!(
        "Secret {placeholder} names no hosts, which is required: its owner can run `kubectl annotate secret {secret} -n \
         {{namespace}} {TOKEN_HOSTS}={{host}}`");
    let other_ca = |placeholder: &str, secret: &str| format!(
        "Secret {placeholder} does not allow the CAs of ConfigMap \"roots\": its owner can run `kubectl annotate secret \
         {secret} -n {{namespace}} {TOKEN_CA}=ConfigMap/roots`");
    vec![
        Row::preflight("unnamed-hosts", HostNotAllowed, &unnamed("{client}", "row-unnamed-hosts-client"),
            |objects, _| objects.forget_on_client(TOKEN_HOSTS)).repaired_by(Repair::Command),
        Row::preflight_r("r-unnamed-hosts", HostNotAllowed, &unnamed("{login}", "row-r-unnamed-hosts-login"),
            |objects, _| objects.forget_on_login(TOKEN_HOSTS)).repaired_by(Repair::Command),
        Row::preflight("other-ca", HostNotAllowed, &other_ca("{client}", "row-other-ca-client"),
            |objects, _| objects.forget_on_client(TOKEN_CA)).repaired_by(Repair::Command),
        Row::preflight_r("r-other-ca", HostNotAllowed, &other_ca("{login}", "row-r-other-ca-login"),
            |objects, _| objects.forget_on_login(TOKEN_CA)).repaired_by(Repair::Command),
    ]
}

#[rustfmt::skip]
fn bundles() -> Vec<Row> {
    let invalid = |name, why: &str, fault: Change, repair: Change| Row::preflight(name, CABundleInvalid,
        &format!("CA bundle {why}"), fault).repaired_by(Repair::Change(repair));
    vec![
        invalid("no-bundle", "ConfigMap \"row-no-bundle-roots\" not found: create it, or correct spec.caBundleRef",
            |objects, _| objects.credential["spec"]["caBundleRef"] = json!({"name": "row-no-bundle-roots"}),
            |objects, setup| objects.trusting("row-no-bundle-roots", "ca.crt", &setup.authority.pem())),
        invalid("no-text", "ConfigMap \"row-no-text-roots\" has no key \"ca.crt\": add it, or name the right key",
            |objects, setup| objects.trusting("row-no-text-roots", "other.crt", &setup.authority.pem()),
            |objects, setup| objects.trusting("row-no-text-roots", "ca.crt", &setup.authority.pem())),
        invalid("no-pem", "ConfigMap \"row-no-pem-roots\" has no valid PEM certificate in key \"ca.crt\": write one or more \
                           -----BEGIN CERTIFICATE----- blocks",
            |objects, _| objects.trusting("row-no-pem-roots", "ca.crt", "not PEM"),
            |objects, setup| objects.trusting("row-no-pem-roots", "ca.crt", &setup.authority.pem())),
        invalid("large-bundle", "ConfigMap \"row-large-bundle-roots\" has more than 768 KiB in key \"ca.crt\": write only the CA \
                                  certificates of the token endpoint; public CAs are trusted anyway",
            |objects, setup| objects.trusting("row-large-bundle-roots", "ca.crt", &setup.authority.pem().repeat(1500)),
            |objects, setup| objects.trusting("row-large-bundle-roots", "ca.crt", &setup.authority.pem())),
        Row::preflight("unlabelled-bundle", CABundleInvalid,
            &format!("CA bundle Secret \"row-unlabelled-bundle-roots\" is missing label {LABEL}: \
                      `kubectl label secret row-unlabelled-bundle-roots -n {{namespace}} {LABEL}`"),
            |objects, setup| {
                objects.credential["spec"]["caBundleRef"] = json!({"kind": "Secret", "name": "row-unlabelled-bundle-roots"});
                objects.others.push(json!({
                    "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "row-unlabelled-bundle-roots"},
                    "stringData": {"ca.crt": setup.authority.pem()},
                }));
            }).repaired_by(Repair::Command),
    ]
}

#[rustfmt::skip]
fn templates() -> Vec<Row> {
    let invalid = |name, why: &str, fault: Change| Row::preflight(name, TemplateInvalid,
        &format!("{why}: correct spec.target.data"), fault);
    vec![
        invalid("template", "template \"header\", line 1: \"token\" is undefined; use access_token, client_id, expires_at, \
                             expires_at_unix, issued_at, name, namespace, scopes, token_type or response.FIELD",
            |objects, _| objects.credential["spec"]["target"]["data"] = json!({"header": "Bearer {{ token }}"})),
        invalid("template-loop", "template \"all\", line 2: for cannot be used in a template",
            |objects, _| objects.credential["spec"]["target"]["data"] = json!({"all": "\n{% for a in scopes %}{% endfor %}"})),
    ]
}

/// Only an API server with an older definition of the kind accepts these.
#[rustfmt::skip]
fn specs() -> Vec<Row> {
    let invalid = |name, why: &str, fault: Change| Row::preflight(name, InvalidSpec,
        why, fault)
        .with_ready(InvalidSpec.meaning());
    vec![
        invalid("spec", "spec.refreshBefore is \"soon\": write a duration such as 5m or 1h30m",
            |objects, _| objects.credential["spec"]["refreshBefore"] = json!("soon")),
        invalid("parameter", "spec.parameters has \"Scope\", which the operator sets itself: use the fields of the spec",
            |objects, _| objects.credential["spec"]["parameters"] = json!({"Scope": "all"})),
        invalid("parameter-name", "spec.parameters has the name \"a b\": write 1 to 128 letters, digits, '-', '_' and '.'",
            |objects, _| objects.credential["spec"]["parameters"] = json!({"a b": "c"})),
        invalid("query", "the query of spec.tokenURL has the parameter \"client_id\", which the operator sets itself: use the fields of \
                          the spec",
            |objects, setup| objects.at(&setup.url("/query?client%5Fid=another"))),
        invalid("type", "spec.target.type is \"bootstrap.kubernetes.io/token\": write Opaque or a type of your own such as \
                         example.com/token",
            |objects, _| objects.credential["spec"]["target"]["type"] = json!("bootstrap.kubernetes.io/token")),
        invalid("type-without-its-key", "spec.target.type kubernetes.io/tls needs spec.target.data with key tls.crt",
            |objects, _| objects.credential["spec"]["target"]["type"] = json!("kubernetes.io/tls")),
    ]
}
