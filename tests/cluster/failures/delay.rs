//! What ends the delay after a failure, and what does not.

use std::sync::atomic::{AtomicBool, Ordering};

use cube_operator::api::ConditionType::Refreshed;
use serde_json::{Value, json};

use crate::{
    operator::{Operator, eventually},
    place::{Place, is},
    scripted::{Authority, LOCAL, Provider, Reply},
};

use super::client_secret::{failed, recovered, request_refresh};

/// A scripted provider that responds 403 while the flag is set, and the `CubeCredential` `main` for it.
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

/// Changes an object.
type Change<'a> = Box<dyn Fn() + 'a>;

/// Changes of every kind, each with whether it ends the delay.
fn changes<'a>(place: &'a Place, authority: &Authority) -> [(&'static str, bool, Change<'a>); 8] {
    let further = Authority::new("further").pem();
    let bundle = |text: &str| json!({"data": {"ca.crt": format!("{}{text}", authority.pem())}});
    let labels = json!({"metadata": {"labels": {"meaning": "nothing"}}});
    let description = json!({"spec": {"description": "the spec has changed"}});

    let patch = |kind: &'static str, name: &'static str, fields: Value| -> Change<'a> {
        Box::new(move || place.patch(kind, name, &fields))
    };
    let (yes, no) = (true, false);
    [
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
            Box::new(|| request_refresh(place, "main", "now")),
        ),
    ]
}

#[test]
fn a_delay_is_cut_short_by_what_may_help_and_by_nothing_else() {
    let place = Place::new();
    let authority = Authority::new("private");
    let (provider, forbids, operator) = forbidding(&place, &authority);
    for (what, cuts, change) in changes(&place, &authority) {
        let before = provider.requests().len();
        place.after_reconcile(&operator, change);
        if cuts {
            eventually(what, || (provider.requests().len() > before).then_some(()));
            // Wait until the failure is known and its delay runs again.
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
