//! The checks of a sign-in that need no object that is yet to be written: `create` makes them before it writes.

use super::{
    flags::Request,
    prepare::{authorization_endpoint, effective, no_parameter_is_set_by_login},
    random::random,
    redirect::Redirect,
    trust::{self, Hosts},
};
use crate::{
    api::CubeCredentialSpec,
    plugin::{Context, error::Result},
    reconcile::Settings,
};

/// A sign-in for a `CubeCredential` that is not written yet.
pub(in crate::plugin) struct Planned<'a> {
    pub(in crate::plugin) namespace: &'a str,
    pub(in crate::plugin) spec: &'a CubeCredentialSpec,
    pub(in crate::plugin) settings: &'a Settings,
    /// The hosts that the owner of the client allows, if there is a list.
    pub(in crate::plugin) client_hosts: Option<&'a str>,
}

impl Planned<'_> {
    /// Checks what a sign-in would refuse. Returns whether the address of the browser will have to be pasted.
    pub(in crate::plugin) async fn check(
        &self,
        context: &Context,
        request: &Request<'_>,
    ) -> Result<bool> {
        // The port is free again until the sign-in opens it.
        let (_, listener) = Redirect::open(request.browser, &random()?).await?;
        no_parameter_is_set_by_login(self.settings)?;
        let spec = effective(self.settings, self.spec);
        let (authorization, origin) = authorization_endpoint(&spec, None, request)?;
        // A person is asked when the sign-in begins.
        if !context.terminal.interactive {
            let hosts = Hosts {
                settings: self.settings,
                provider: self.spec.provider,
                authorization: &authorization,
                origin,
                listed: self.client_hosts,
            };
            trust::confirm(context, request, self.namespace, &hosts).await?;
        }
        Ok(listener.is_none())
    }
}
