//! The state Secret with a login, as it should be: it replaces exactly the version that was read.

use std::collections::BTreeMap;

use super::{
    secret::{STATE_TYPE, State},
    stored::StoredLogin,
};
use crate::{
    api::{annotation, label},
    reconcile::{
        credential::Credential,
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
    let annotations = [
        (annotation::OWNER_NAME, &credential.name),
        (annotation::OWNER_UID, &credential.uid),
    ];
    DesiredSecret {
        name,
        r#type: STATE_TYPE.into(),
        labels: BTreeMap::from([(label::STATE.into(), label::TRUE.into())]),
        annotations: annotations
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect(),
        data: login.data(),
        // The state is deleted with the `CubeCredential` where the target is.
        owned: settings.owns_target(),
        replaces,
    }
}
