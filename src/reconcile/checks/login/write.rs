//! The write of a state Secret, in exactly the version that was read.

use std::collections::BTreeMap;

use crate::{
    api::{annotation, label},
    reconcile::{
        case::Case,
        checks::step::{Step, act},
        login::{STATE_TYPE, StoredLogin},
        plan::{Action, DesiredState},
        target::{DesiredSecret, SecretVersion},
    },
};

/// Stores this login.
pub(super) fn store(case: &Case<'_>, login: StoredLogin) -> Step {
    write(case, login, false)
}

/// Stores this login, with its claim for a request that follows.
pub(super) fn claim(case: &Case<'_>, login: StoredLogin) -> Step {
    write(case, login, true)
}

fn write(case: &Case<'_>, stored: StoredLogin, claims: bool) -> Step {
    let name = case.settings.state_name.clone();
    let credential = &case.observed.credential;
    let replaces = case
        .observed
        .state
        .present()
        .map(|(uid, version)| SecretVersion {
            name: name.clone(),
            uid: uid.to_owned(),
            version: version.to_owned(),
        });
    let annotations = [
        (annotation::OWNER_NAME, &credential.name),
        (annotation::OWNER_UID, &credential.uid),
    ];
    let secret = DesiredSecret {
        name,
        r#type: STATE_TYPE.into(),
        labels: BTreeMap::from([(label::STATE.into(), label::TRUE.into())]),
        annotations: annotations
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect(),
        data: stored.data(),
        owned: case.settings.owns_target(),
        replaces,
    };
    act(Action::Store(Box::new(DesiredState {
        secret,
        stored,
        claims,
    })))
}
