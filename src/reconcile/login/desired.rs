//! The state Secret with a login, as it should be: it replaces exactly the version that was read.

use super::{
    secret::{STATE_TYPE, State},
    stored::StoredLogin,
};
use crate::{
    api::annotation,
    reconcile::{
        credential::{Credential, place_of},
        secret::{DesiredSecret, SecretVersion},
        settings::Settings,
    },
};

/// The state Secret with this login.
pub(in crate::reconcile) fn desired(
    credential: &Credential,
    settings: &Settings,
    state: &State,
    login: &StoredLogin,
) -> DesiredSecret {
    let name = settings.state_name.clone();
    let replaces = state.version().map(|(uid, version)| SecretVersion {
        name: name.clone(),
        uid: uid.to_owned(),
        version: version.to_owned(),
    });
    let place = place_of(&credential.namespace, &name);
    let annotations = [
        (annotation::OWNER_NAME, &credential.name),
        (annotation::OWNER_UID, &credential.uid),
        (annotation::WRITTEN_TO, &place),
    ];
    DesiredSecret {
        name,
        r#type: STATE_TYPE.into(),
        labels: login.labels(),
        annotations: annotations
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect(),
        data: login.data(),
        owned: settings.owns_state(),
        replaces,
    }
}
