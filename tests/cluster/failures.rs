//! An exchange that fails: what people read, when it is tried again, and what cuts the delay short.

use std::{
    collections::BTreeMap,
    net::TcpListener,
    sync::atomic::{AtomicBool, Ordering},
};

use cube_operator::api::{
    ConditionType::{Ready, Refreshed},
    CubeCredential, CubeCredentialStatus,
};
use serde_json::{Value, json};

use crate::{
    environment::{ControlPlane, TokenServer},
    operator::{Operator, eventually},
    place::{CLIENT_SECRET, Place, is, next_try, told},
    scripted::{Authority, LOCAL, Provider, Reply},
};

/// What all conditions say of a failure that a person has to repair, with no live token left.
fn stalled(reason: &str, message: &str) -> Vec<String> {
    ["Ready=False", "Refreshed=False", "Stalled=True"]
        .map(|condition| format!("{condition} {reason}: {message}"))
        .into()
}

/// The same of one that may heal by itself.
fn reconciling(reason: &str, message: &str) -> Vec<String> {
    ["Ready=False", "Refreshed=False", "Reconciling=True"]
        .map(|condition| format!("{condition} {reason}: {message}"))
        .into()
}

/// Asks for one exchange.
fn request_refresh(place: &Place, name: &str, value: &str) {
    let annotations = json!({"cube-operator.dev/refresh-requested-at": value});
    place.patch(
        "cubecredential",
        name,
        &json!({"metadata": {"annotations": annotations}}),
    );
}

fn put_secret(place: &Place, value: &str) {
    place.patch(
        "secret",
        "client",
        &json!({"stringData": {"client-secret": value}}),
    );
}

fn synced(status: &CubeCredentialStatus) -> String {
    let expires_at = status.expires_at.unwrap();
    format!("Ready=True Synced: Secret \"main-token\" holds a token that expires at {expires_at}")
}

fn failed(place: &Place, name: &str, reason: &str) -> CubeCredentialStatus {
    place.wait_for(name, reason, |status| {
        is(status, Refreshed, "False", reason)
    })
}

fn recovered(place: &Place, name: &str) -> CubeCredentialStatus {
    place.wait_for(name, "Ready and Refreshed are True", |status| {
        is(status, Ready, "True", "Synced") && is(status, Refreshed, "True", "TokenIssued")
    })
}

#[test]
fn a_wrong_client_secret_is_told_once_in_full_and_works_at_once_when_repaired() {
    let place = Place::new();
    let operator = place.operator();
    place.apply(&place.source());
    put_secret(&place, "wrong");
    place.apply(&place.credential("main"));

    let status = failed(&place, "main", "InvalidClient");
    let message = format!(
        "the token endpoint answered 401 invalid_client: check client-id and client-secret in Secret \"client\"; next try at {}, \
         or at once when that Secret changes",
        next_try(&status)
    );
    assert_eq!(told(&status), stalled("InvalidClient", &message));
    assert_eq!(status.failures, Some(1));
    assert_eq!(place.exchanges(), [401]);
    assert!(place.get("secret", "main-token").is_none());
    let warning = format!("Warning InvalidClient: {message}");
    eventually("the event is there", || {
        (place.events("main") == [warning.as_str()]).then_some(())
    });
    let lines: Vec<_> = operator
        .lines()
        .into_iter()
        .filter(|line| line["level"] != "INFO")
        .collect();
    let line = json!({
        "timestamp": lines[0]["timestamp"], "level": "WARN", "target": "cube_operator::controller::reconciler",
        "namespace": place.namespace, "name": "main", "reason": "InvalidClient",
        "message": "no token: the token endpoint answered 401 invalid_client",
    });
    assert_eq!(lines, [line]);
    let exchanges = |reason: &str| {
        operator.metric(&format!(
            "cube_operator_exchanges_total{{reason={reason:?}}}"
        ))
    };
    assert_eq!(exchanges("InvalidClient"), Some(1.0));
    assert_eq!(exchanges("TokenIssued"), None);

    put_secret(&place, CLIENT_SECRET);
    let status = recovered(&place, "main");
    assert_eq!(told(&status)[0], synced(&status));
    assert_eq!((status.failures, status.attempted), (None, None));
    assert_eq!(place.exchanges(), [401, 200]);
    assert_eq!(exchanges("TokenIssued"), Some(1.0));
    let recovered = "Normal Recovered: Secret \"main-token\" holds a live token again";
    let events = [warning.as_str(), recovered];
    eventually("both events are there", || {
        (place.events("main") == events).then_some(())
    });
}

#[test]
fn a_rotated_secret_that_is_wrong_leaves_the_published_token_and_putting_it_back_costs_nothing() {
    let place = Place::new();
    let _operator = place.operator();
    place.ready_main();
    let token = place.token("main-token");

    put_secret(&place, "wrong");
    let status = failed(&place, "main", "InvalidClient");
    // Proven when it is put in place: the token was not issued for these inputs.
    assert!(is(&status, Ready, "False", "InvalidClient"));
    assert_eq!(place.token("main-token"), token);
    assert_eq!(place.exchanges(), [200, 401]);

    put_secret(&place, CLIENT_SECRET);
    let status = recovered(&place, "main");
    assert_eq!((status.failures, status.attempted), (None, None));
    assert_eq!(place.token("main-token"), token);
    assert_eq!(place.exchanges(), [200, 401], "the token fits again");
}

#[test]
fn a_failing_refresh_is_a_warning_while_the_token_lives_and_is_counted_until_one_works() {
    let place = Place::new();
    let operator = place.operator();
    let good = place.ready_main();
    place
        .server
        .set_secret(&place.namespace, "changed at the provider");

    for (failures, asked) in [(1, "first"), (2, "second")] {
        request_refresh(&place, "main", asked);
        let status = place.wait_for("main", asked, |status| status.failures == Some(failures));
        let message = format!(
            "the token endpoint answered 401 invalid_client: check client-id and client-secret in Secret \"client\"; next try at \
             {}, or at once when that Secret changes",
            next_try(&status)
        );
        assert_eq!(
            told(&status),
            [
                synced(&good),
                format!("Refreshed=False InvalidClient: {message}")
            ]
        );
        assert_eq!(status.token_fingerprint, good.token_fingerprint);
        assert_eq!(status.expires_at, good.expires_at);
    }
    assert_eq!(place.exchanges(), [200, 401, 401]);
    // Only a success serves a request; until then the same one is not tried again.
    place.after_reconcile(&operator, || {
        place.patch(
            "cubecredential",
            "main",
            &json!({"metadata": {"labels": {"touched": "yes"}}}),
        );
    });
    assert_eq!(place.exchanges(), [200, 401, 401]);

    // Other inputs start the count again.
    put_secret(&place, "wrong in another way");
    let status = place.wait_for("main", "counted from one", |status| {
        status.failures == Some(1)
    });
    assert!(is(&status, Ready, "False", "InvalidClient"));
    assert_eq!(place.exchanges(), [200, 401, 401, 401]);

    put_secret(&place, "changed at the provider");
    let status = recovered(&place, "main");
    assert_eq!(status.failures, None);
    assert_ne!(status.token_fingerprint, good.token_fingerprint);
    assert_eq!(place.exchanges(), [200, 401, 401, 401, 200]);
    let kinds = || -> Vec<String> {
        let events = place.events("main");
        let kind = |event: &String| event.split(':').next().unwrap().to_owned();
        events.iter().map(kind).collect()
    };
    let once = [
        "Normal TokenIssued",
        "Warning InvalidClient",
        "Normal Recovered",
        "Normal RefreshRequested",
    ];
    eventually("each change is told once", || {
        (kinds() == once).then_some(())
    });
}

#[test]
fn a_provider_that_forbids_is_told_in_full_and_works_when_asked_again() {
    let place = Place::at(
        ControlPlane::shared(),
        Box::leak(Box::new(TokenServer::start(3600))),
    );
    let _operator = place.operator();
    place.server.forbid(true);
    place.apply(&place.source());
    place.apply(&place.credential("main"));
    let status = failed(&place, "main", "Forbidden");
    let message = format!(
        "the token endpoint answered 403: ask the provider to allow the egress IP addresses of this cluster and to permit this \
         client to request tokens; next try at {}, or at once when the spec or the Secret changes",
        next_try(&status)
    );
    assert_eq!(told(&status), stalled("Forbidden", &message));
    assert_eq!(place.exchanges(), [403]);

    // The cluster cannot see that the provider has changed its mind.
    place.server.forbid(false);
    request_refresh(&place, "main", "now");
    recovered(&place, "main");
    assert_eq!(place.exchanges(), [403, 200]);
}

#[test]
fn a_restart_forgets_no_failure() {
    let place = Place::new();
    let operator = place.operator();
    place.apply(&place.source());
    put_secret(&place, "wrong");
    place.apply(&place.credential("main"));
    failed(&place, "main", "InvalidClient");
    request_refresh(&place, "main", "again");
    place.wait_for("main", "two failures", |status| status.failures == Some(2));
    let before = place.get("cubecredential", "main").unwrap();
    drop(operator);

    let operator = place.operator();
    eventually("it was looked at", || {
        (operator.reconciles() > 0.0).then_some(())
    });
    // Nor does anything that means nothing.
    place.after_reconcile(&operator, || {
        place.patch(
            "cubecredential",
            "main",
            &json!({"metadata": {"labels": {"touched": "yes"}}}),
        );
    });
    assert_eq!(place.exchanges(), [401, 401]);
    assert_eq!(
        place.get("cubecredential", "main").unwrap()["status"],
        before["status"]
    );

    put_secret(&place, CLIENT_SECRET);
    recovered(&place, "main");
    assert_eq!(place.exchanges(), [401, 401, 200]);
}

/// A scripted provider that forbids until it is told otherwise, and the `CubeCredential` `main` for it.
fn forbidding(place: &Place, authority: &Authority) -> (Provider, &'static AtomicBool, Operator) {
    let forbids: &AtomicBool = Box::leak(Box::new(AtomicBool::new(true)));
    let provider = Provider::start(&authority.certificate(&LOCAL), |_| {
        if forbids.load(Ordering::SeqCst) {
            Reply::json(403, "{}")
        } else {
            Reply::token("issued")
        }
    });
    let operator = place.operator();
    place.apply(&place.source());
    place.trust("scripted", authority);
    place.apply(&place.credential_at("main", &provider.url("/token"), "scripted"));
    failed(place, "main", "Forbidden");
    assert_eq!(provider.requests().len(), 1);
    (provider, forbids, operator)
}

/// Something that is changed.
type Change<'a> = Box<dyn Fn() + 'a>;

#[test]
fn a_delay_is_cut_short_by_what_may_help_and_by_nothing_else() {
    let place = Place::new();
    let authority = Authority::new("private");
    let (provider, forbids, operator) = forbidding(&place, &authority);
    let further = Authority::new("further").pem();
    let bundle = |text: &str| json!({"data": {"ca.crt": format!("{}{text}", authority.pem())}});
    let labels = json!({"metadata": {"labels": {"meaning": "nothing"}}});
    let description = json!({"spec": {"description": "the spec has changed"}});

    let patch = |kind: &'static str, name: &'static str, fields: Value| -> Change<'_> {
        let place = &place;
        Box::new(move || place.patch(kind, name, &fields))
    };
    let (yes, no) = (true, false);
    let changes: [(&str, bool, Change<'_>); 8] = [
        (
            "a label of the credential",
            no,
            patch("cubecredential", "main", labels.clone()),
        ),
        (
            "a label of the source",
            no,
            patch("secret", "client", labels.clone()),
        ),
        (
            "a label of the CA bundle",
            no,
            patch("configmap", "scripted", labels),
        ),
        (
            "an unused key of the CA bundle",
            no,
            patch("configmap", "scripted", json!({"data": {"note": "unused"}})),
        ),
        (
            "the spec",
            yes,
            patch("cubecredential", "main", description),
        ),
        (
            "the source",
            yes,
            patch(
                "secret",
                "client",
                json!({"stringData": {"client-secret": "another"}}),
            ),
        ),
        (
            "the CA bundle",
            yes,
            patch("configmap", "scripted", bundle(&further)),
        ),
        (
            "a request",
            yes,
            Box::new(|| request_refresh(&place, "main", "now")),
        ),
    ];
    for (what, cuts, change) in changes {
        let before = provider.requests().len();
        place.after_reconcile(&operator, change);
        if cuts {
            eventually(what, || (provider.requests().len() > before).then_some(()));
            // The failure is known, and rests again.
            place.after_reconcile(&operator, || {
                place.patch(
                    "cubecredential",
                    "main",
                    &json!({"metadata": {"labels": {"after": what.replace(' ', "-")}}}),
                );
            });
        }
        assert_eq!(
            provider.requests().len() - before,
            usize::from(cuts),
            "{what}"
        );
    }
    let status = place.status("main");
    assert!(is(&status, Refreshed, "False", "Forbidden"));

    forbids.store(false, Ordering::SeqCst);
    request_refresh(&place, "main", "once more");
    recovered(&place, "main");
}

/// How long after its failure a credential is tried again.
#[derive(Clone, Copy, Debug)]
enum Delay {
    Slow,
    Fast,
    Paused(i64),
}

impl Delay {
    /// In seconds after so many failures; generous, because the attempt itself takes up to 30 s.
    fn fits(self, seconds: i64, failures: i32) -> bool {
        let nth =
            |delays: &[i64]| delays[usize::try_from(failures - 1).unwrap().min(delays.len() - 1)];
        let (least, most) = match self {
            Self::Slow => (nth(&[300, 900]) * 4 / 5, nth(&[300, 900]) * 6 / 5),
            Self::Fast => (
                nth(&[10, 20, 40, 80]) * 4 / 5,
                nth(&[10, 20, 40, 80]) * 6 / 5,
            ),
            Self::Paused(pause) => (pause, pause + 10),
        };
        (least..=most + 32).contains(&seconds)
    }
}

/// A row: the answer, its reason, what happened, the remedy, what else starts a try, and the delay.
type Row = (&'static str, Reply, &'static str, &'static str, Delay);

#[expect(clippy::too_many_lines, reason = "a table")]
fn answers(elsewhere: &str) -> Vec<Row> {
    let error = |status: u16, code: &str| Reply::json(status, json!({"error": code}).to_string());
    let page = |status| {
        let mut reply = Reply::json(status, "<html>Sign in</html>");
        reply = reply.header("Content-Type", "text/html");
        reply
    };
    let described =
        r#"{"error":"invalid_client","error_description":"Client authentication failed"}"#;
    vec![
        (
            "described",
            Reply::json(401, described),
            "InvalidClient",
            "answered 401 invalid_client (\"Client authentication failed\")",
            Delay::Slow,
        ),
        (
            "bare-401",
            Reply::json(401, ""),
            "InvalidClient",
            "answered 401",
            Delay::Slow,
        ),
        (
            "grant",
            error(400, "invalid_grant"),
            "InvalidGrant",
            "answered 400 invalid_grant",
            Delay::Slow,
        ),
        (
            "client",
            error(400, "unauthorized_client"),
            "UnauthorizedClient",
            "answered 400 unauthorized_client",
            Delay::Slow,
        ),
        (
            "grant-type",
            error(400, "unsupported_grant_type"),
            "UnsupportedGrantType",
            "answered 400 unsupported_grant_type",
            Delay::Slow,
        ),
        (
            "scope",
            error(400, "invalid_scope"),
            "InvalidScope",
            "answered 400 invalid_scope",
            Delay::Slow,
        ),
        (
            "target",
            error(400, "invalid_target"),
            "InvalidTarget",
            "answered 400 invalid_target",
            Delay::Slow,
        ),
        (
            "request",
            error(400, "invalid_request"),
            "InvalidRequest",
            "answered 400 invalid_request",
            Delay::Slow,
        ),
        (
            "firewall",
            page(403),
            "Forbidden",
            "answered 403 with a page, not JSON, as a proxy or firewall does",
            Delay::Slow,
        ),
        (
            "redirect",
            Reply::json(307, "").header("Location", elsewhere),
            "Redirected",
            "answered 307 a redirect to https://elsewhere.example/login, which is not followed",
            Delay::Slow,
        ),
        (
            "nowhere",
            page(404),
            "EndpointNotFound",
            "answered 404",
            Delay::Slow,
        ),
        (
            "page",
            page(200),
            "UnexpectedResponse",
            "answered 200 with neither a JSON object nor a form",
            Delay::Slow,
        ),
        (
            "empty",
            Reply::json(200, "{}"),
            "UnexpectedResponse",
            "answered 200 without a usable access_token",
            Delay::Slow,
        ),
        (
            "mac",
            Reply::json(200, r#"{"access_token":"a","token_type":"mac"}"#),
            "UnsupportedTokenType",
            "answered 200 with a token_type other than Bearer",
            Delay::Slow,
        ),
        (
            "bomb",
            Reply::json(200, vec![0; 4 << 20]).gzip(),
            "ResponseTooLarge",
            "answered 200 with more than 256 KiB",
            Delay::Slow,
        ),
        (
            "closed",
            Reply::close(),
            "NoResponse",
            "gave no complete answer that can be read as HTTP",
            Delay::Fast,
        ),
        (
            "cut",
            Reply::token("cut").cut_after(9),
            "NoResponse",
            "gave no complete answer that can be read as HTTP",
            Delay::Fast,
        ),
        (
            "babble",
            Reply::raw("220 ready\r\n"),
            "NoResponse",
            "gave no complete answer that can be read as HTTP",
            Delay::Fast,
        ),
        (
            "silent",
            Reply::silence(),
            "NoResponse",
            "gave no complete answer within the time limit",
            Delay::Fast,
        ),
        (
            "down",
            Reply::json(503, ""),
            "Unavailable",
            "answered 503",
            Delay::Fast,
        ),
        (
            "confused",
            error(500, "invalid_client"),
            "Unavailable",
            "answered 500",
            Delay::Fast,
        ),
        (
            "maintenance",
            Reply::json(503, "").header("Retry-After", "120"),
            "Unavailable",
            "answered 503",
            Delay::Paused(120),
        ),
        (
            "limited",
            Reply::json(429, ""),
            "RateLimited",
            "answered 429",
            Delay::Paused(60),
        ),
        (
            "limited-for",
            Reply::json(429, "").header("Retry-After", "300"),
            "RateLimited",
            "answered 429",
            Delay::Paused(300),
        ),
        (
            "slow-down",
            error(400, "slow_down"),
            "RateLimited",
            "answered 400 slow_down",
            Delay::Paused(60),
        ),
    ]
}

fn remedy(reason: &str) -> &'static str {
    match reason {
        "InvalidClient" => "check client-id and client-secret in Secret \"client\"",
        "InvalidGrant" => {
            "check that the provider permits this client the client_credentials grant"
        }
        "UnauthorizedClient" | "UnsupportedGrantType" => {
            "ask the provider to permit this client the client_credentials grant"
        }
        "InvalidScope" => "check spec.scopes against what the provider permits this client",
        "InvalidTarget" => "check audience and resource in spec.parameters",
        "InvalidRequest" => "check spec.parameters, spec.scopes and spec.clientAuthentication",
        "Forbidden" => {
            "ask the provider to allow the egress IP addresses of this cluster and to permit this client to request tokens"
        }
        "Redirected" => "set spec.tokenURL to the token endpoint itself",
        "EndpointNotFound" => "check the path in spec.tokenURL; a trailing slash matters",
        "UnexpectedResponse" => "check that spec.tokenURL is an OAuth 2 token endpoint",
        "UnsupportedTokenType" => "ask the provider for bearer tokens",
        "ResponseTooLarge" => {
            "check that spec.tokenURL is an OAuth 2 token endpoint, not a web page"
        }
        "TLSUntrusted" => {
            "check the certificate of localhost; if its authority is private, put that into a ConfigMap and name it in spec.caBundleRef"
        }
        "Unreachable" => {
            "check the host in spec.tokenURL, the cluster's DNS, and network policies, firewall and proxy on the way to it"
        }
        "NoResponse" => {
            "check the proxy or firewall on the way to it, and the provider's status page"
        }
        "Unavailable" => "wait, or look at the provider's status page",
        "RateLimited" => "wait; if it comes again, look for other users of this client id",
        other => panic!("no remedy for {other}"),
    }
}

fn sooner(reason: &str) -> &'static str {
    match reason {
        "InvalidClient" => "that Secret changes",
        "TLSUntrusted" => "the CA bundle or the spec changes",
        _ => "the spec or the Secret changes",
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_failure_has_its_reason_its_words_its_delay_and_who_has_to_act() {
    let place = Place::new();
    let authority = Authority::new("private");
    let rows = answers("https://elsewhere.example/login?code=1");
    let replies: BTreeMap<String, Reply> = rows
        .iter()
        .map(|row| (format!("/{}", row.0), row.1.clone()))
        .collect();
    let provider = Provider::start(&authority.certificate(&LOCAL), move |request| {
        replies[&request.target].clone()
    });
    let misnamed = Provider::start(&authority.certificate(&["other.example"]), |_| {
        Reply::token("a")
    });
    let refusing = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();

    let at =
        |provider: &Provider| format!("the token endpoint localhost:{}", provider.address.port());
    let mut expected: Vec<(&str, String, &str, &str, String, Delay)> = rows
        .iter()
        .map(|(name, _, reason, what, delay)| {
            let who = if what.starts_with("gave") {
                at(&provider)
            } else {
                "the token endpoint".into()
            };
            let what = format!("{who} {what}");
            (
                *name,
                provider.url(&format!("/{name}")),
                "scripted",
                *reason,
                what,
                *delay,
            )
        })
        .collect();
    let untrusted = |provider: &Provider, why: &str| {
        format!("the certificate of {} is not trusted: {why}", at(provider))
    };
    let unreachable =
        |host: &str, why: &str| format!("the token endpoint {host} could not be reached: {why}");
    let refused = format!("localhost:{refusing}");
    expected.extend([
        (
            "misnamed",
            misnamed.url("/"),
            "scripted",
            "TLSUntrusted",
            untrusted(&misnamed, "it is for another host name"),
            Delay::Slow,
        ),
        (
            "untrusted",
            provider.url("/"),
            "authority",
            "TLSUntrusted",
            untrusted(
                &provider,
                "it was issued by an authority that is not trusted",
            ),
            Delay::Slow,
        ),
        (
            "refused",
            format!("https://{refused}/"),
            "scripted",
            "Unreachable",
            unreachable(&refused, "the connection was refused"),
            Delay::Fast,
        ),
        (
            "unresolved",
            "https://nowhere.invalid/".into(),
            "scripted",
            "Unreachable",
            unreachable("nowhere.invalid", "its name does not resolve"),
            Delay::Fast,
        ),
    ]);

    let operator = place.operator();
    place.apply(&place.source());
    place.trust("scripted", &authority);
    let objects: Vec<Value> = expected
        .iter()
        .map(|(name, url, bundle, ..)| place.credential_at(name, url, bundle))
        .collect();
    place.apply(&json!({"apiVersion": "v1", "kind": "List", "items": objects}));

    let statuses = eventually("all of them have failed", || {
        let list: Value =
            serde_json::from_str(&place.kubectl(&["get", "cubecredentials", "-o", "json"]))
                .unwrap();
        let object = |item: &Value| serde_json::from_value::<CubeCredential>(item.clone()).unwrap();
        let statuses: BTreeMap<String, CubeCredentialStatus> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(object)
            .map(|object| {
                (
                    object.metadata.name.unwrap(),
                    object.status.unwrap_or_default(),
                )
            })
            .collect();
        let failed = |status: &CubeCredentialStatus| status.failures.is_some();
        statuses.values().all(failed).then_some(statuses)
    });
    for (name, _, _, reason, what, delay) in expected {
        let status = &statuses[name];
        let mut remedy = remedy(reason).to_owned();
        if name == "misnamed" || name == "untrusted" {
            let port = if name == "misnamed" {
                &misnamed
            } else {
                &provider
            }
            .address
            .port();
            remedy = remedy.replace("localhost", &format!("localhost:{port}"));
        }
        let (next, sooner) = (next_try(status), sooner(reason));
        let message = format!("{what}: {remedy}; next try at {next}, or at once when {sooner}");
        let conditions = match delay {
            Delay::Slow => stalled(reason, &message),
            Delay::Fast | Delay::Paused(_) => reconciling(reason, &message),
        };
        assert_eq!(told(status), conditions, "{name}");
        let failures = status.failures.unwrap();
        let distance = status
            .refresh_at
            .unwrap()
            .duration_since(status.last_attempt_at.unwrap())
            .as_secs();
        assert!(
            delay.fits(distance, failures),
            "{name}: {delay:?}, {failures} failures, {distance} s"
        );
        assert!(
            place.get("secret", &format!("{name}-token")).is_none(),
            "{name}: nothing is published"
        );
        if matches!(delay, Delay::Slow | Delay::Paused(_)) {
            let sent = provider
                .requests()
                .iter()
                .filter(|request| request.target == format!("/{name}"))
                .count();
            assert_eq!(sent, usize::from(reason != "TLSUntrusted"), "{name}");
            assert_eq!(failures, 1, "{name}");
        }
    }
    assert!(
        misnamed.requests().is_empty(),
        "nothing is sent to an untrusted server"
    );
    assert_eq!(
        operator.metric("cube_operator_exchanges_total{reason=\"Forbidden\"}"),
        Some(1.0)
    );
    assert_eq!(
        operator.metric("cube_operator_exchanges_total{reason=\"TokenIssued\"}"),
        None
    );
}
