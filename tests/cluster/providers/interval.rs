//! The time between two token requests of a client that a provider object sets.

use super::*;

/// The longest interval, so that no test waits for its end.
const HOUR: [&str; 2] = ["--token-request-interval", "1h"];

impl Place {
    /// Applies credentials of one client at this provider, and waits until the first of them has its token.
    fn pair(&self, kind: &str, provider: &str) -> [String; 2] {
        let names = ["first", "second"].map(|name| format!("{provider}-{name}"));
        for name in &names {
            self.apply(&self.named(name, kind, provider));
            if *name == names[0] {
                self.becomes(name, Ready, "True", "Synced");
            }
        }
        names
    }
}

#[test]
fn a_longer_interval_of_a_namespace_holds_and_a_shorter_one_says_that_it_has_no_effect() {
    let (place, issuer) = (Place::new(), Issuer::start());
    let mut spec = issuer.spec("/token");
    spec["tokenRequestInterval"] = json!("1h");
    place.define("CubeProvider", "slow", &spec);
    place.apply(&place.source());
    let operator = place.operator();
    let [first, second] = place.pair("CubeProvider", "slow");
    let message = place.becomes(&second, Refreshed, "Unknown", "RateBudget");
    assert!(
        message.ends_with(
            ": CubeCredentials with this client id share tokenRequestInterval 1h of CubeProvider \"slow\": no action needed"
        ),
        "{message}"
    );

    // A shorter one is followed by what waits, and what has its token requests none.
    place.patch(
        "cubeprovider",
        "slow",
        &json!({"spec": {"tokenRequestInterval": "2s"}}),
    );
    place.becomes(&second, Ready, "True", "Synced");
    assert_eq!(issuer.paths().len(), 2);
    drop(operator);

    // Shorter than the operator's, it has no effect.
    let _operator = place.operator_with(&HOUR, &[]);
    let third = format!("{first}-again");
    let fourth = format!("{second}-again");
    for name in [&third, &fourth] {
        place.apply(&place.named(name, "CubeProvider", "slow"));
    }
    let waits = |name: &str| is(&place.status(name), Refreshed, "Unknown", "RateBudget");
    eventually("one waits", || {
        (waits(&third) || waits(&fourth)).then_some(())
    });
    eventually("its provider says why", || {
        let object = place.get("cubeprovider", "slow")?;
        let message = object["status"]["conditions"][0]["message"]
            .as_str()?
            .to_owned();
        message
            .ends_with("; tokenRequestInterval 2s has no effect, because the operator's is 1h: only a ClusterCubeProvider's may be shorter")
            .then_some(())
    });
}

#[test]
fn an_administrators_interval_is_not_the_operators() {
    let (place, issuer) = (Place::new(), Issuer::start());
    let name = place.namespace.clone();
    let mut spec = issuer.spec("/token");
    spec["namespaces"] = json!([place.namespace]);
    spec["tokenRequestInterval"] = json!("1s");
    place.define("ClusterCubeProvider", &name, &spec);
    place.apply(&place.source());
    let _operator = place.operator_with(&[&HOUR[..], &[CLUSTER_PROVIDERS]].concat(), &[]);
    let [_, second] = place.pair("ClusterCubeProvider", &name);
    place.becomes(&second, Ready, "True", "Synced");

    // A longer interval begins after the requests that were sent, and requests none.
    place.patch(
        "clustercubeprovider",
        &name,
        &json!({"spec": {"tokenRequestInterval": "1h"}}),
    );
    let third = "third";
    place.apply(&place.named(third, "ClusterCubeProvider", &name));
    place.becomes(third, Ready, "True", "Synced");
    place.apply(&place.named("fourth", "ClusterCubeProvider", &name));
    place.becomes("fourth", Refreshed, "Unknown", "RateBudget");
    assert_eq!(issuer.paths().len(), 3);
}
