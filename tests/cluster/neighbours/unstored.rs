use serde_json::json;

use crate::{
    login::{Login, STATE},
    operator::eventually,
};

#[test]
fn a_response_that_nobody_can_store_or_use_is_given_up() {
    let place = Login::with(&[]);
    let mut operator = place.operator();
    place.begin();
    place.server.hold(true);
    place.request("slow");
    place.wait_for_refreshes(2);
    place.kubectl(&["delete", "secret", STATE]);
    place.apply(&json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": STATE}, "stringData": {"somebody": "else's"},
    }));
    place.server.hold(false);
    place.wait_until_refused("StateNotWritable");

    place.kubectl(&["delete", "cubecredential", "main"]);
    eventually("it is given up", || {
        operator.log().contains("dropped a response").then_some(())
    });
    operator.terminate();
    assert_eq!(operator.wait().code(), Some(0));
}
