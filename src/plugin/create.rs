//! `kubectl cube create`: from a client id and a client secret to a live token.
//!
//! ```text
//!  flags ─▶ draft (asks for what is missing) ─▶ objects ─▶ checks: rights, what exists, dry run ─▶ Secret, CubeCredential
//!                                                 └─▶ --dry-run: printed                            └─▶ sign-in ─▶ Ready ─▶ mount
//! ```
//!
//! Nothing is written before everything that can be refused was tried.

mod by_reference;
mod client;
mod consent;
mod discover;
mod draft;
mod endpoints;
mod flags;
mod free;
mod grant;
mod mount;
mod objects;
mod rights;
mod sign_in;
mod values;
mod write;

use super::{
    Context,
    cluster::Cluster,
    error::{PluginError, Result},
    wait::Wait,
};
use crate::api::{ConditionStatus, ConditionType, CubeCredentialStatus};
use draft::Draft;
pub(super) use flags::Create;
use write::Written;

/// Creates a `CubeCredential` and its client Secret, and waits for the token.
pub(super) async fn run(context: &Context, flags: Create) -> Result {
    let draft = match &flags.provider_ref {
        Some(reference) => Box::pin(by_reference::by_reference(context, &flags, reference)).await?,
        None => Box::pin(draft::draft(context, &flags)).await?,
    };
    if flags.dry_run.is_some() {
        return print(context, &flags, &draft);
    }
    let cluster = Cluster::connect(context).await?;
    let plan = Box::pin(write::plan(&cluster, &draft, flags.overwrite)).await?;
    Box::pin(sign_in::check(context, &cluster, (&draft, &flags), &plan)).await?;
    context
        .terminal
        .note(&objects::summary(&draft, &cluster.namespace));
    if let Some(changes) = plan.changes() {
        context.terminal.note(&changes);
    }
    let confirmed = flags.yes || context.terminal.confirm("Create them?").await?;
    if !confirmed {
        return Err(PluginError::new("nothing was created"));
    }
    let written = plan.carry_out(context).await?;
    context
        .terminal
        .note(&written.sentence(&draft, &cluster.namespace));
    Box::pin(go_on(context, &cluster, &draft, &flags, &written)).await
}

fn print(context: &Context, flags: &Create, draft: &Draft) -> Result {
    let namespace = context.global.namespace.as_deref();
    let shown = objects::shown(draft, namespace);
    let printed = objects::print(&shown, flags.output)?;
    context.terminal.print(printed.trim_end());
    if draft.needs_sign_in() {
        context.terminal.note(&format!(
            "Replace the placeholders. After `kubectl apply --server-side`, sign in with `kubectl cube login {}`.",
            draft.name
        ));
    }
    Ok(())
}

/// Signs in where the grant needs a person, and waits for the token.
async fn go_on(
    context: &Context,
    cluster: &Cluster,
    draft: &Draft,
    flags: &Create,
    written: &Written,
) -> Result {
    if draft.needs_sign_in() {
        let stored = sign_in::sign_in(context, cluster, draft, flags).await?;
        if !flags.no_wait {
            stored.wait(context, cluster, flags.timeout).await?;
        }
    } else if !flags.no_wait {
        let status = wait(context, cluster, draft, flags, written).await?;
        context.terminal.print(&valid(draft, &status));
    }
    context.terminal.print(&mount::volume(draft.target()));
    Ok(())
}

async fn wait(
    context: &Context,
    cluster: &Cluster,
    draft: &Draft,
    flags: &Create,
    written: &Written,
) -> Result<CubeCredentialStatus> {
    let wait = Wait {
        name: &draft.name,
        generation: written.generation,
        before: &written.before,
        demands_action: false,
        limit: flags.timeout,
    };
    let request = written.request.as_deref();
    wait.until(context, cluster, "Waiting for the first token", |status| {
        let ready = status.condition(ConditionType::Ready);
        let is_ready = ready.is_some_and(|ready| ready.status == ConditionStatus::True);
        let is_served = request.is_none() || status.refresh_request.as_deref() == request;
        (is_ready && is_served).then(|| status.clone())
    })
    .await
}

fn valid(draft: &Draft, status: &CubeCredentialStatus) -> String {
    let until = status.expires_at.map(|at| format!(" until {at}"));
    format!(
        "Secret \"{}\" has a token that is valid{}; the operator replaces it before that.",
        draft.target(),
        until.unwrap_or_default()
    )
}
