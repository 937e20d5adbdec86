//! Refreshes tokens now.

mod wait;

use std::collections::BTreeMap;

use clap::Args;
use jiff::SignedDuration;
use serde_json::json;

use super::{
    Context,
    cluster::Cluster,
    error::{PluginError, Result},
    objects::Selection,
};
use crate::{api::annotation, clock::precisely, cluster::convert::request_hash};

/// The flags of `refresh`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Refresh {
    #[command(flatten)]
    selection: Selection,
    /// Wait until each token is refreshed, or a person has to act
    #[arg(short, long)]
    wait: bool,
    /// Wait at most this long
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = duration, requires = "wait")]
    timeout: SignedDuration,
}

const EXAMPLES: &str = "Examples:
  kubectl cube refresh cubewire --wait
  kubectl cube refresh --all -n treasury";

fn duration(text: &str) -> std::result::Result<SignedDuration, &'static str> {
    let parsed = text.parse::<SignedDuration>().ok();
    let positive = parsed.filter(SignedDuration::is_positive);
    positive.ok_or("write a duration such as 30s or 5m")
}

/// Requests an exchange for each name, and waits for them if that is wanted.
pub(super) async fn run(context: &Context, flags: Refresh) -> Result {
    let cluster = Cluster::connect(context).await?;
    let names = flags.selection.names(context, &cluster).await?;
    let mut requested = BTreeMap::new();
    let mut failed = 0;
    for name in &names {
        match request(context, &cluster, name, flags.wait).await {
            Ok(Some(hash)) => {
                requested.insert(name.clone(), hash);
            }
            Ok(None) => {}
            Err(error) => {
                context.terminal.fail(&error);
                failed += 1;
            }
        }
    }
    if !requested.is_empty() {
        failed += wait::all(context, &cluster, requested, flags.timeout).await?;
    }
    // Each failure has been reported already.
    if failed == 0 {
        Ok(())
    } else {
        Err(PluginError::Exit(1))
    }
}

/// Requests one exchange. Returns the hash that its status will have, if the command waits for it.
async fn request(
    context: &Context,
    cluster: &Cluster,
    name: &str,
    waits: bool,
) -> Result<Option<String>> {
    // Any new value is a request. A time tells people more than a random one.
    let value = precisely().to_string();
    let fields = json!({"metadata": {"annotations": {annotation::REFRESH_REQUESTED_AT: value}}});
    let object = cluster.change(name, &fields).await?;
    let suspended = object.is_suspended();
    if suspended && waits {
        return Err(PluginError::new(format!(
            "CubeCredential {name:?} is suspended, so it is refreshed only after `kubectl cube resume {name}`"
        )));
    }
    if !waits {
        let when = if suspended {
            format!(": it is suspended, so that comes after `kubectl cube resume {name}`")
        } else {
            String::new()
        };
        let line = format!("CubeCredential {name:?} refresh requested{when}");
        context.terminal.print(&line);
        return Ok(None);
    }
    Ok(Some(request_hash(&value)))
}
