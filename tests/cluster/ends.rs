//! Providers that state the end of a token in ways of their own, end logins, refuse early refreshes or repeat tokens.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use cube_operator::api::{
    ConditionType::{Ready, Refreshed},
    CubeCredentialStatus,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    operator::{Operator, eventually},
    place::{Place, is},
    scripted::{Authority, LOCAL, Provider, Reply, Request},
};

/// The longest wait for a refresh.
const PATIENCE: Duration = Duration::from_secs(120);

/// A place with an operator, and a scripted provider that it trusts.
struct Stage {
    place: Place,
    provider: Provider,
    _operator: Operator,
}

impl Stage {
    fn new(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let place = Place::new();
        let authority = Authority::new("scripted");
        let provider = Provider::start(&authority.certificate(&LOCAL), script);
        place.apply(&place.source());
        place.apply(&json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "seed", "labels": {"cube-operator.dev/credential": "true"}},
            "stringData": {"refresh-token": "initial", "another": "another-one"},
        }));
        place.trust("scripted", &authority);
        let operator = place.operator();
        Self {
            place,
            provider,
            _operator: operator,
        }
    }

    /// Applies a `CubeCredential` with these fields of its spec, and waits for its first token.
    fn begin(&self, name: &str, fields: &Value) -> CubeCredentialStatus {
        let url = self.provider.url(&format!("/{name}"));
        let mut object = self.place.credential_at(name, &url, "scripted");
        let spec = object["spec"].as_object_mut().unwrap();
        spec.extend(fields.as_object().unwrap().clone());
        self.place.apply(&object);
        self.place.wait_for(name, "Ready", |status| {
            is(status, Ready, "True", "Synced") && is(status, Refreshed, "True", "TokenIssued")
        })
    }

    /// The second request fails, and yet another token comes before the first one expires.
    fn replaces_its_token_in_time(&self) {
        let first = self.begin("main", &json!({}));
        self.requested(3);
        let second = self.place.wait_for("main", "the second token", |status| {
            status.issued_at > first.issued_at
        });
        assert!(second.issued_at < first.expires_at, "{second:?}");
    }

    fn has_event(&self, name: &str, event: &str) {
        eventually(event, || {
            let events = self.place.events(name);
            events.iter().any(|found| found == event).then_some(())
        });
    }

    /// Waits until so many requests have come. A token of a minute is refreshed after forty seconds at the earliest.
    fn requested(&self, count: usize) {
        let start = Instant::now();
        while self.provider.requests().len() < count {
            assert!(start.elapsed() < PATIENCE, "there is no request {count}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

fn login() -> Value {
    json!({"grant": "RefreshToken", "refreshTokenRef": {"name": "seed"}})
}

fn token(fields: &Value) -> Reply {
    let mut body = json!({"access_token": "issued", "token_type": "Bearer"});
    let map = body.as_object_mut().unwrap();
    map.extend(fields.as_object().unwrap().clone());
    Reply::json(200, body.to_string())
}

fn jwt(claims: &Value) -> String {
    let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    format!(
        "{}.{}.c2lnbmF0dXJl",
        part(&json!({"alg": "RS256"})),
        part(claims)
    )
}

#[test]
fn an_end_that_is_stated_as_a_time_or_in_a_jwt_is_taken_and_told() {
    let end = Timestamp::now().round(jiff::Unit::Second).unwrap() + SignedDuration::from_secs(2000);
    let stage = Stage::new(move |request| match request.target.as_str() {
        "/time" => token(&json!({"expires_at": end.to_string()})),
        "/epoch" => token(&json!({"expires_on": end.as_second().to_string()})),
        "/jwt" => token(&json!({"access_token": jwt(&json!({"exp": end.as_second()}))})),
        "/odd-jwt" => token(&json!({"access_token": jwt(&json!({"exp": "soon"}))})),
        "/no-jwt" => token(&json!({"access_token": "a.%%%.c"})),
        _ => token(&json!({"expires_at": end.as_millisecond()})),
    });
    let assumed = "spec.assumedLifetime (1h)";
    for (name, taken) in [
        ("time", "its expires_at"),
        ("epoch", "its expires_on"),
        ("jwt", "the exp claim of the access token"),
        ("odd-jwt", assumed),
        ("no-jwt", assumed),
        ("milliseconds", assumed),
    ] {
        let status = stage.begin(name, &json!({}));
        if taken == assumed {
            let lifetime = status.expires_at.unwrap() - status.issued_at.unwrap();
            assert_eq!(lifetime.get_seconds(), 3600, "{name}");
        } else {
            assert_eq!(status.expires_at, Some(end), "{name}");
        }
        stage.has_event(
            name,
            &format!("Warning ExpiryUnknown: the response has no usable expires_in: using {taken}"),
        );
    }
}

#[test]
fn a_lifetime_in_milliseconds_is_doubted_and_limited_by_the_spec() {
    let stage = Stage::new(|request| match request.target.as_str() {
        "/both" => token(&json!({"expires_in": 3_600_000, "expires_in_sec": 3600})),
        _ => token(&json!({"expires_in": 3_600_000})),
    });
    let lifetime = |status: &CubeCredentialStatus| {
        let lived = status.expires_at.unwrap() - status.issued_at.unwrap();
        lived.get_seconds()
    };
    assert_eq!(lifetime(&stage.begin("both", &json!({}))), 3600);
    assert_eq!(lifetime(&stage.begin("one", &json!({}))), 3_600_000);
    stage.has_event(
        "one",
        "Warning LongLivedToken: the response states a lifetime of 1000h: if tokens expire earlier, set spec.maximumLifetime",
    );
    stage.place.patch(
        "cubecredential",
        "one",
        &json!({"spec": {"maximumLifetime": "1h"}}),
    );
    let limited = stage
        .place
        .wait_for("one", "the published token is limited", |status| {
            lifetime(status) == 3600
        });
    assert_eq!(limited.observed_generation, Some(2));
    assert_eq!(stage.provider.requests().len(), 2, "without an exchange");
    let end = stage.place.value("one-token", "expires-at");
    assert_eq!(end, limited.expires_at.unwrap().to_string());
}

#[test]
fn a_login_that_ends_before_its_access_token_is_refreshed_before_that() {
    let stage = Stage::new(|_| token(&json!({"expires_in": 3600, "refresh_expires_in": 36})));
    let status = stage.begin("session", &login());
    let issued_at = status.issued_at.unwrap();
    let end = issued_at + SignedDuration::from_secs(36);
    assert_eq!(status.login_expires_at, Some(end));
    assert!(status.refresh_at.unwrap() < end, "{status:?}");
    let target = stage.place.get("secret", "session-token").unwrap();
    let stated = &target["metadata"]["annotations"]["cube-operator.dev/login-expires-at"];
    assert_eq!(stated, &json!(end.to_string()));
    stage.requested(2);
    let refreshed = stage
        .place
        .wait_for("session", "the second token", |status| {
            status.issued_at.unwrap() > issued_at
        });
    assert!(refreshed.issued_at.unwrap() < end, "{refreshed:?}");
    assert!(!refreshed.login_fixed, "the refresh has extended it");
}

#[test]
fn one_404_of_a_router_takes_no_token_away() {
    let count = Mutex::new(0);
    let stage = Stage::new(move |_| {
        let mut count = count.lock().unwrap();
        *count += 1;
        if *count == 2 {
            return Reply::json(404, "404 page not found").header("Content-Type", "text/plain");
        }
        token(&json!({"expires_in": 60}))
    });
    stage.replaces_its_token_in_time();
}

#[test]
fn a_provider_that_replaces_no_token_early_is_asked_again_before_its_end() {
    let end: Mutex<Option<Timestamp>> = Mutex::default();
    let stage = Stage::new(move |_| {
        let mut end = end.lock().unwrap();
        let now = Timestamp::now();
        if end.is_some_and(|end| (end - now).get_seconds() > 12) {
            return Reply::json(400, r#"{"error":"access_denied"}"#);
        }
        *end = Some(now + SignedDuration::from_secs(60));
        token(&json!({"expires_in": 60}))
    });
    stage.replaces_its_token_in_time();
}

#[test]
fn a_token_that_comes_again_is_written_once_and_told_once() {
    let last: Arc<Mutex<Option<(u32, Timestamp)>>> = Arc::default();
    let stage = Stage::new(move |_| {
        let mut last = last.lock().unwrap();
        let now = Timestamp::now();
        let (number, end) = match *last {
            Some((number, end)) if end > now => (number, end),
            other => (
                other.map_or(1, |(number, _)| number + 1),
                now + SignedDuration::from_secs(45),
            ),
        };
        *last = Some((number, end));
        let left = (end - now).get_seconds();
        token(&json!({"access_token": format!("number-{number}"), "expires_in": left}))
    });
    let first = stage.begin("main", &json!({}));
    let version = |status: &CubeCredentialStatus| status.target.clone().unwrap().resource_version;
    stage.requested(2);
    let again = stage.place.wait_for("main", "the second answer", |status| {
        status.last_attempt_at > first.last_attempt_at
    });
    assert_eq!(version(&again), version(&first), "nothing has changed");
    assert_eq!(again.expires_at, first.expires_at);
    assert!(again.refresh_at > first.expires_at, "{again:?}");
    let end = first.expires_at.unwrap();
    stage.has_event(
        "main",
        &format!(
            "Warning TokenRepeated: the provider issued the same token again; it expires at {end}, and the next request is made \
             later: no action needed"
        ),
    );
    stage.requested(3);
    stage.place.wait_for("main", "another token", |status| {
        status.expires_at > first.expires_at
    });
    assert_eq!(stage.place.token("main-token"), "number-2");
    assert_eq!(stage.provider.requests().len(), 3, "no burst");
    assert_eq!(stage.place.event_count("main", "TokenRepeated"), 1);
}

#[test]
fn a_refresh_sends_the_scopes_that_the_spec_lists_for_it() {
    let stage = Stage::new(|_| token(&json!({"expires_in": 3600})));
    stage.begin("plain", &login());
    let mut fields = login();
    fields["refreshTokenRef"]["key"] = json!("another");
    fields["refreshScopes"] = json!(["write", "read"]);
    stage.begin("scoped", &fields);
    let bodies: Vec<_> = stage
        .provider
        .requests()
        .into_iter()
        .map(|request| request.body)
        .collect();
    assert!(!bodies[0].contains("scope"), "{}", bodies[0]);
    assert!(bodies[1].ends_with("&scope=read+write"), "{}", bodies[1]);
    // A change of them is proven at once.
    stage.place.patch(
        "cubecredential",
        "scoped",
        &json!({"spec": {"refreshScopes": ["read"]}}),
    );
    eventually("another refresh", || {
        (stage.provider.requests().len() == 3).then_some(())
    });
    assert!(stage.provider.requests()[2].body.ends_with("&scope=read"));
}

#[test]
fn the_grant_of_an_account_is_sent_by_its_own_name() {
    let stage = Stage::new(|_| token(&json!({"expires_in": 3600})));
    let fields = json!({
        "grant": "AccountCredentials", "clientAuthentication": "Basic", "parameters": {"account_id": "a1"},
    });
    stage.begin("zoom", &fields);
    let body = &stage.provider.requests()[0].body;
    assert!(
        body.starts_with("grant_type=account_credentials&"),
        "{body}"
    );
    assert!(
        body.contains("account_id=a1") && !body.contains("client_secret"),
        "{body}"
    );
    // Another grant is another token.
    stage.place.patch(
        "cubecredential",
        "zoom",
        &json!({"spec": {"grant": "ClientCredentials"}}),
    );
    eventually("another exchange", || {
        (stage.provider.requests().len() == 2).then_some(())
    });
    let body = &stage.provider.requests()[1].body;
    assert!(body.starts_with("grant_type=client_credentials&"), "{body}");
}
