//! The consent of a Secret's owner besides the label: the hosts that it may be sent to, and the private CAs that count there.

use super::{CaOrigin, Holder, Rejection, SourceSecret, rejection::ca_bundle_kind};
use crate::reconcile::settings::Settings;

/// Checks that a Secret names hosts, where the operator requires that.
pub(in crate::reconcile) fn names_hosts<T>(
    holder: Holder,
    found: &SourceSecret<T>,
) -> Result<(), Rejection> {
    if found.token_hosts.is_some() {
        return Ok(());
    }
    Err(Rejection::HostsNotNamed { holder })
}

/// Checks that the owner of a Secret allows the CA certificates of the spec. It matters where a list of hosts applies: the
/// author of the spec, who chooses the CA, otherwise decides which server may pose as a host on the list. The
/// argument is the annotation, also of a Secret that is gone by now.
pub(in crate::reconcile) fn allows_ca(
    holder: Holder,
    allowed: Option<&str>,
    secret_is_gone: bool,
    settings: &Settings,
) -> Result<(), Rejection> {
    let Some(ca) = CaOrigin::of(settings) else {
        return Ok(());
    };
    let allowed = allowed.unwrap_or_default().split(',');
    let name = ca.entry();
    if allowed.map(str::trim).any(|entry| entry == name) {
        return Ok(());
    }
    Err(Rejection::CaNotPermitted {
        holder,
        secret_is_gone,
        ca,
    })
}

impl CaOrigin {
    /// The object that the CA certificates come from, if the settings have some.
    pub(in crate::reconcile) fn of(settings: &Settings) -> Option<Self> {
        if settings.provider_ca_field().is_some() {
            let reference = settings.provider.as_ref()?.reference();
            return Some(Self {
                kind: reference.kind.name(),
                name: reference.name.clone(),
            });
        }
        let reference = settings.ca_bundle.as_ref()?;
        Some(Self {
            kind: ca_bundle_kind(reference),
            name: reference.name.clone(),
        })
    }

    /// This object as an entry of the annotation `token-ca`.
    pub(in crate::reconcile) fn entry(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }
}

/// The CA certificates of these settings as the annotation `token-ca` names them, if there are some.
#[cfg(feature = "plugin")]
pub(crate) fn ca_entry(settings: &Settings) -> Option<String> {
    CaOrigin::of(settings).map(|ca| ca.entry())
}
