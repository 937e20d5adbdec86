//! Stops refreshing, and begins again.

use clap::Args;
use serde_json::json;

use super::{
    Context,
    cluster::Cluster,
    countdown::countdown,
    error::Result,
    object::Object,
    objects::{Selection, each},
};
use crate::clock::now;

/// The flags of `suspend` and `resume`.
#[derive(Debug, Args)]
pub(super) struct Suspend {
    #[command(flatten)]
    selection: Selection,
}

/// Stops refreshing.
pub(super) async fn suspend(context: &Context, flags: Suspend) -> Result {
    set(context, &flags, true).await
}

/// Refreshes again.
pub(super) async fn resume(context: &Context, flags: Suspend) -> Result {
    set(context, &flags, false).await
}

async fn set(context: &Context, flags: &Suspend, suspend: bool) -> Result {
    let cluster = Cluster::connect(context).await?;
    let names = flags.selection.names(context, &cluster).await?;
    let cluster = &cluster;
    each(context, &names, |name| async move {
        let fields = json!({"spec": {"suspend": suspend}});
        let object = cluster.change(&name, &fields).await?;
        Ok(done(&object, suspend))
    })
    .await
}

fn done(object: &Object, suspend: bool) -> String {
    if !suspend {
        return "resumed".into();
    }
    let (now, secret) = (now(), object.target());
    match object.status.expires_at.filter(|at| *at > now) {
        Some(at) => format!(
            "suspended: the token in Secret {secret:?} stays until {at} ({}) and is not refreshed",
            countdown(at, now)
        ),
        None => format!("suspended: Secret {secret:?} has no valid token"),
    }
}
