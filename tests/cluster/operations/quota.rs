//! A quota on the `CubeCredentials` of a namespace.

use crate::{
    operator::eventually,
    place::{Place, manifest},
};

use super::Recipe;

/// The number on the page.
const QUOTA: usize = 20;

#[test]
fn a_namespace_may_have_as_many_credentials_as_its_quota_says_and_no_more() {
    let place = Place::new();
    let Recipe(commands) = Recipe::of("operations.md", "Multi-tenant clusters").for_main(&place);
    let quota = commands.iter().find(|block| block.starts_with("kubectl"));
    place.shell(quota.unwrap(), "");
    eventually("the quota is in force", || {
        let quota = place.get("resourcequota", "cubecredentials")?;
        let used = &quota["status"]["used"]["count/cubecredentials.cube-operator.dev"];
        (used == "0").then_some(())
    });
    for number in 0..QUOTA {
        place.apply(&place.credential(&format!("main-{number}")));
    }
    let one_more = manifest(&place.credential("one-more"));
    let refusal = place.kubectl_error(&["create", "-f", &one_more]);
    assert!(
        refusal.contains("exceeded quota: cubecredentials"),
        "{refusal}"
    );
}
