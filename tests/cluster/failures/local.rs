//! What is refused before anything is sent.

use cube_operator::api::Reason::{
    CABundleInvalid, ClientSecretKeyMissing, ClientSecretMalformed, ClientSecretNotFound,
    ClientSecretNotLabelled, HostNotAllowed, InvalidSpec, RefreshTokenMalformed,
    RefreshTokenNotFound, RefreshTokenNotLabelled,
};
use serde_json::json;

use super::row::{Change, Cure, Row};

/// The label of consent, as messages show it.
const LABEL: &str = r#"cube-operator.dev/credential: "true""#;
const COMMAND: &str = "kubectl label --overwrite secret";
const AS_SHOWN: &str = "write the value as the provider shows it";
const PRINTF: &str = "write it with printf or echo -n";

pub(super) fn rows() -> Vec<Row> {
    [clients(), seeds(), hosts(), bundles(), specs()]
        .into_iter()
        .flatten()
        .collect()
}

#[rustfmt::skip]
fn clients() -> Vec<Row> {
    let missing = |name, key, spoil| Row::local(name, ClientSecretKeyMissing,
        &format!("Secret {{client}} has no key {key:?}: add it, or name the right key in spec.clientSecretRef; it is used as soon as \
                  it is there"), spoil);
    let malformed = |name, key, what: &str, remedy: &str, spoil: Change| Row::local(name, ClientSecretMalformed,
        &format!("key {key:?} of Secret {{client}} {what}: {remedy}; it is used as soon as that Secret changes"), spoil);
    vec![
        Row::local("absent", ClientSecretNotFound,
            &format!("Secret {{client}} does not exist: create it with the keys \"client-id\" and \"client-secret\" and the label \
                      {LABEL}; it is used as soon as it is there"),
            |objects, _| objects.client = None),
        Row::local("unlabelled", ClientSecretNotLabelled,
            &format!("Secret {{client}} lacks the label {LABEL}, by which its owner permits its use: run {COMMAND} \
                      row-unlabelled-client -n {{namespace}} cube-operator.dev/credential=true; it is used as soon as it has it"),
            |objects, _| objects.label_client("yes")).cured_by(Cure::Command),
        missing("no-id",            "client-id", |objects, _| objects.put_client("client-id", None)),
        missing("no-secret",        "client-secret", |objects, _| objects.put_client("client-secret", None)),
        malformed("empty",          "client-secret", "is empty", AS_SHOWN, |objects, _| objects.put_client("client-secret", Some(b""))),
        malformed("empty-id",       "client-id", "is empty", AS_SHOWN, |objects, _| objects.put_client("client-id", Some(b""))),
        malformed("line-break",     "client-secret", "ends with a line break", PRINTF,
            |objects, _| objects.put_client("client-secret", Some(b"from-echo\n"))),
        malformed("id-line-break",  "client-id", "ends with a line break", PRINTF,
            |objects, _| objects.put_client("client-id", Some(b"from-echo\n"))),
        malformed("control",        "client-secret", "contains a control character", AS_SHOWN,
            |objects, _| objects.put_client("client-secret", Some(b"a\tb"))),
        malformed("nul",            "client-id", "contains a control character", AS_SHOWN,
            |objects, _| objects.put_client("client-id", Some(b"a\0b"))),
        malformed("secret-not-utf-8", "client-secret", "is not UTF-8 text", AS_SHOWN,
            |objects, _| objects.put_client("client-secret", Some(b"\xff\xfe"))),
    ]
}

#[rustfmt::skip]
fn seeds() -> Vec<Row> {
    let malformed = |name, what: &str, remedy: &str, spoil: Change| Row::local_r(name, RefreshTokenMalformed,
        &format!("key \"refresh-token\" of Secret {{login}} {what}: {remedy}; it is used as soon as that Secret changes"), spoil);
    vec![
        Row::local_r("r-absent", RefreshTokenNotFound,
            &format!("Secret {{login}} does not exist: create it with the key \"refresh-token\", the refresh token of a sign-in, and \
                      the label {LABEL}; it is used as soon as it is there"),
            |objects, _| objects.login = None),
        Row::local_r("r-no-key", RefreshTokenNotFound,
            "Secret {login} has no key \"refresh-token\": add it, or name the right key in spec.refreshTokenRef; it is used as soon \
             as it is there",
            |objects, _| objects.put_login(None)),
        Row::local_r("r-unlabelled", RefreshTokenNotLabelled,
            &format!("Secret {{login}} lacks the label {LABEL}, by which its owner permits its use: run {COMMAND} \
                      row-r-unlabelled-login -n {{namespace}} cube-operator.dev/credential=true; it is used as soon as it has it"),
            |objects, _| objects.unlabel_login()).cured_by(Cure::Command),
        malformed("r-seed-empty",   "is empty", AS_SHOWN, |objects, _| objects.put_login(Some(b""))),
        malformed("r-line-break",   "ends with a line break", PRINTF, |objects, _| objects.put_login(Some(b"from-echo\n"))),
        malformed("r-not-ascii",    "has a character that no token has", AS_SHOWN,
            |objects, _| objects.put_login(Some("t\u{f6}ken".as_bytes()))),
    ]
}

#[rustfmt::skip]
fn hosts() -> Vec<Row> {
    let refused = |name: &'static str, spoil: Change| Row::local(name, HostNotAllowed,
        "Secret {client} may not be sent to {host}: its owner has to add that host to its annotation cube-operator.dev/token-hosts, or \
         spec.tokenURL has to name another one; nothing is sent before that", spoil);
    let entry = |secret: &str| format!(
        "annotation cube-operator.dev/token-hosts of Secret {secret} has the entry \"*.example.com\": write hosts as host or \
         host:port, separated by commas; nothing is sent before that");
    vec![
        refused("hosts",     |objects, _| objects.permit_client("api.example.com, localhost:1")),
        refused("no-hosts",  |objects, _| objects.permit_client("")),
        Row::local("entry", HostNotAllowed, &entry("{client}"), |objects, _| objects.permit_client("*.example.com")),
        Row::local_r("r-entry", HostNotAllowed, &entry("{login}"), |objects, _| objects.permit_login("*.example.com")),
        Row::local_r("r-hosts", HostNotAllowed,
            "Secret {login} may not be sent to {host}: its owner has to add that host to its annotation \
             cube-operator.dev/token-hosts, or spec.tokenURL has to name another one; nothing is sent before that",
            |objects, _| objects.permit_login("api.example.com")),
        Row::local("installer", HostNotAllowed,
            "the operator may not send to elsewhere.invalid: its installer has to add that host to --allowed-token-hosts, or \
             spec.tokenURL has to name another one; nothing is sent before that",
            |objects, _| objects.at("https://elsewhere.invalid/")),
    ]
}

#[rustfmt::skip]
fn bundles() -> Vec<Row> {
    let invalid = |name, why: &str, spoil: Change, cure: Change| Row::local(name, CABundleInvalid,
        &format!("spec.caBundleRef: {why}; it is used as soon as that is done"), spoil).cured_by(Cure::Change(cure));
    vec![
        invalid("no-bundle", "ConfigMap \"row-no-bundle-roots\" does not exist: create it, or name another one",
            |objects, _| objects.credential["spec"]["caBundleRef"] = json!({"name": "row-no-bundle-roots"}),
            |objects, stage| objects.trusting("row-no-bundle-roots", "ca.crt", &stage.authority.pem())),
        invalid("no-text", "ConfigMap \"row-no-text-roots\" has no text in key \"ca.crt\": add it, or name the right key",
            |objects, stage| objects.trusting("row-no-text-roots", "other.crt", &stage.authority.pem()),
            |objects, stage| objects.trusting("row-no-text-roots", "ca.crt", &stage.authority.pem())),
        invalid("no-pem", "ConfigMap \"row-no-pem-roots\" has no valid PEM certificate in key \"ca.crt\": write one or more \
                           -----BEGIN CERTIFICATE----- blocks",
            |objects, _| objects.trusting("row-no-pem-roots", "ca.crt", "not PEM"),
            |objects, stage| objects.trusting("row-no-pem-roots", "ca.crt", &stage.authority.pem())),
        Row::local("unlabelled-bundle", CABundleInvalid,
            &format!("spec.caBundleRef: Secret \"row-unlabelled-bundle-roots\" lacks the label {LABEL}, by which its owner permits its \
                      use: run {COMMAND} row-unlabelled-bundle-roots -n {{namespace}} cube-operator.dev/credential=true; it is used as soon as that is \
                      done"),
            |objects, stage| {
                objects.credential["spec"]["caBundleRef"] = json!({"kind": "Secret", "name": "row-unlabelled-bundle-roots"});
                objects.others.push(json!({
                    "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "row-unlabelled-bundle-roots"},
                    "stringData": {"ca.crt": stage.authority.pem()},
                }));
            }).cured_by(Cure::Command),
    ]
}

/// The API server refuses these, but one with an older definition of the kind.
fn specs() -> Vec<Row> {
    vec![Row::local(
        "spec",
        InvalidSpec,
        "spec.refreshBefore is \"soon\": write a duration such as 5m or 1h30m; it is looked at again as soon as the spec changes",
        |objects, _| objects.credential["spec"]["refreshBefore"] = json!("soon"),
    )]
}
