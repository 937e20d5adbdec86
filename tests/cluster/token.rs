//! The main job: a `CubeCredential` becomes a live token in a Secret, and stays live.

use cube_operator::api::ConditionType::{Ready, Refreshed};

use crate::place::{Place, is};

#[test]
fn a_credential_becomes_a_live_token_in_a_secret() {
    let place = Place::new();
    let _operator = place.operator();
    let status = place.ready_main();
    assert!(is(&status, Refreshed, "True", "TokenIssued"));
    assert_eq!(place.exchanges(), [200]);
    assert!(!place.token("main-token").is_empty());
}
