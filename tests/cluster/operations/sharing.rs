//! One client, or one token, for two namespaces.

use cube_operator::api::ConditionType::Ready;

use crate::{
    operator::eventually,
    place::{Place, is},
};

use super::Recipe;

#[test]
fn a_client_serves_a_second_namespace_and_the_target_is_marked_for_a_program_that_copies_it() {
    let place = Place::new();
    let elsewhere = Place::new();
    let _operator = place.operator();
    let _other = elsewhere.operator();
    place.ready_main();
    let recipe = Recipe::of("operations.md", "One token for two namespaces");
    let recipe = recipe.for_main(&place);
    let Recipe(commands) = recipe.with(&[("-n reporting", &format!("-n {}", elsewhere.namespace))]);
    let [copy, mark] = commands.as_slice() else {
        panic!("{commands:?}");
    };

    place.shell(copy, "");
    elsewhere.wait_for("main", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    assert_eq!(place.exchanges(), [200, 200], "each has a token of its own");
    assert_ne!(place.token("main-token"), elsewhere.token("main-token"));
    assert_eq!(elsewhere.call_api("main-token"), 200);

    place.shell(mark, "");
    eventually("the target has the annotations", || {
        let target = place.get("secret", "main-token")?;
        let annotations = &target["metadata"]["annotations"];
        let allowed = &annotations["reflector.v1.k8s.emberstack.com/reflection-allowed"];
        let namespaces =
            &annotations["reflector.v1.k8s.emberstack.com/reflection-allowed-namespaces"];
        (allowed == "true" && namespaces == "reporting").then_some(())
    });
    assert_eq!(
        place.exchanges().len(),
        2,
        "an annotation costs no exchange"
    );
}
