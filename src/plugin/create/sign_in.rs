//! The sign-in of a grant that needs a person: what it would refuse is known before anything is written, and a sign-in that ends
//! early does not hide that the objects exist.

use std::path::Path;

use super::{
    draft::Draft,
    flags::Create,
    write::{Plan, nothing_created},
};
use crate::plugin::{
    Context,
    cluster::Cluster,
    error::{PluginError, Result},
    login::{self, Planned, Request, Stored},
};

/// Checks whatever the sign-in would refuse, as far as it needs nothing that is yet to be written.
pub(super) async fn check(
    context: &Context,
    cluster: &Cluster,
    (draft, flags): (&Draft, &Create),
    plan: &Plan,
) -> Result {
    if !draft.needs_sign_in() {
        return Ok(());
    }
    let planned = Planned {
        namespace: &cluster.namespace,
        spec: plan.spec(),
        settings: &draft.settings,
        client_hosts: plan.client_hosts(),
    };
    let is_pasted = planned.check(context, &request(draft, flags)).await;
    let is_pasted = is_pasted.map_err(nothing_created)?;
    let from_stdin = flags.client_secret_file.as_deref() == Some(Path::new("-"));
    if is_pasted && from_stdin && !context.terminal.interactive {
        return Err(nothing_created(PluginError::Usage(
            "--client-secret-file - reads stdin to its end, and the address that the browser ends on is read from there too: name a \
             file with the client secret"
                .into(),
        )));
    }
    Ok(())
}

/// Signs in. However it ends, it is said that the objects exist.
pub(super) async fn sign_in(
    context: &Context,
    cluster: &Cluster,
    draft: &Draft,
    flags: &Create,
) -> Result<Stored> {
    let request = request(draft, flags);
    let mut signed_in = Box::pin(login::login(context, cluster, &request));
    // It is dropped before the sign-in, which begins its last write when it is dropped.
    let mut reminder = Reminder {
        context,
        sentence: Some(format!(
            "CubeCredential \"{name}\" is created, so to sign in later run `kubectl cube login {name} -n {}`",
            cluster.namespace,
            name = draft.name
        )),
    };
    let ended = signed_in.as_mut().await;
    match ended {
        Err(error @ (PluginError::Failed(_) | PluginError::Usage(_))) => {
            let sentence = reminder.sentence.take().unwrap_or_default();
            Err(error.with(&sentence))
        }
        // It is said when the reminder is dropped.
        Err(error) => Err(error),
        Ok(stored) => {
            reminder.sentence = None;
            Ok(stored)
        }
    }
}

fn request<'a>(draft: &'a Draft, flags: &'a Create) -> Request<'a> {
    Request {
        name: &draft.name,
        issuer: flags.issuer.as_deref(),
        authorization_url: draft.authorization_url.as_deref(),
        overwrite: flags.overwrite,
        browser: &flags.browser,
    }
}

/// Says after Ctrl-C how to sign in later.
struct Reminder<'a> {
    context: &'a Context,
    sentence: Option<String>,
}

impl Drop for Reminder<'_> {
    fn drop(&mut self) {
        // A refresh token that is about to be stored needs no other sign-in.
        if self.context.writes.are_under_way() {
            return;
        }
        if let Some(sentence) = &self.sentence {
            self.context.terminal.note(&format!("{sentence}."));
        }
    }
}
