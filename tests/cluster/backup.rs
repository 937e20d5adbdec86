//! Backups that are restored, copies and moves, with the real garbage collector. `docs/backup.md` says what these tests show.

mod copies;
mod restores;

use cube_operator::api::ConditionType::{Ready, Refreshed};
use serde_json::{Value, json};

use crate::{
    environment::{ControlPlane, ROOT, TokenServer},
    login::{Login, STATE},
    operator::eventually,
    place::{CLIENT_SECRET, Place, is, told},
};

/// An object as a backup has it: with its owner references, and without what the API server sets.
fn backup(place: &Place, kind: &str, name: &str) -> Value {
    let mut object = place.get(kind, name).expect("it is there");
    let metadata = object["metadata"].as_object_mut().unwrap();
    metadata.retain(|field, _| {
        ["name", "labels", "annotations", "ownerReferences"].contains(&field.as_str())
    });
    object.as_object_mut().unwrap().remove("status");
    object
}

fn under(name: &str, mut object: Value) -> Value {
    object["metadata"]["name"] = json!(name);
    object
}

impl Login {
    /// Another `CubeCredential` that is given the same refresh token.
    fn named(&self, name: &str) -> Value {
        under(name, self.main())
    }

    fn wait_until_in_use(&self, name: &str, message: &str) {
        let status = self.wait_for(name, "RefreshTokenInUse", |status| {
            is(status, Refreshed, "False", "RefreshTokenInUse")
        });
        assert_eq!(
            told(&status)[1],
            format!("Refreshed=False RefreshTokenInUse: {message}")
        );
    }

    fn wait_until_gone(&self, kind: &str, name: &str) {
        eventually(&format!("{kind} {name} is gone"), || {
            self.get(kind, name).is_none().then_some(())
        });
    }

    fn assert_sent(&self, times: usize) {
        assert_eq!(self.refreshes().len(), times, "{:#?}", self.refreshes());
    }

    fn wait_until_ready_is(&self, name: &str) {
        self.wait_for(name, "Ready", |status| is(status, Ready, "True", "Synced"));
    }
}
