//! `kubectl cube check`: the operator's `check`, in the operator's pod, whose network and flags are those that count; or from here.

mod exec;

use clap::{Args, Parser};

use super::{
    Context,
    cluster::Cluster,
    error::{PluginError, Result},
    names::names,
    operator_pod,
};
use crate::{
    cli::{Cli, Command},
    command::check::check_as_person,
    reconcile::CheckError,
};

/// The flags of `check`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Check {
    /// Check this CubeCredential only
    #[arg(add = names())]
    name: Option<String>,
    /// Check from this machine, with the rights and the network of its user
    #[arg(long)]
    local: bool,
    /// With --local: connect to the token endpoints without a question
    #[arg(long, requires = "local")]
    connect: bool,
    /// With --local: check the CubeCredentials of all namespaces
    #[arg(short = 'A', long, requires = "local", conflicts_with_all = ["name", "namespace"])]
    all_namespaces: bool,
    /// Find the operator's pod in this namespace; by default, in every namespace that you may look into
    #[arg(long, value_name = "NAMESPACE", conflicts_with = "local")]
    operator_namespace: Option<String>,
}

const EXAMPLES: &str = "Examples:
  kubectl cube check
  kubectl cube check cubewire -n treasury
  kubectl cube check cubewire --local";

/// Checks the installation and each `CubeCredential`.
pub(super) async fn run(context: &Context, flags: Check) -> Result {
    let cluster = Cluster::connect(context).await?;
    if flags.local {
        return local(&flags, &cluster).await;
    }
    let pods = operator_pod::find(&cluster, flags.operator_namespace.as_deref()).await;
    let pods = pods.map_err(|unfound| or_local(&unfound.sentence(), &flags))?;
    let Some(pod) = pods.first() else {
        return Err(PluginError::new("the operator has no pod"));
    };
    operator_pod::one_namespace(&pods)?;
    if let Some(right) = exec::missing_right(&cluster, pod).await? {
        return Err(or_local(&right.to_string(), &flags));
    }
    context
        .terminal
        .note(&format!("Checking in pod {}/{}.", pod.namespace, pod.name));
    let command = remote_arguments(
        &flags,
        &cluster.namespace,
        context.global.namespace.is_some(),
    );
    exec::run(context, &cluster, pod, &command).await
}

/// The command in the pod. Without a name and a namespace, it checks the installation and everything that the operator watches.
fn remote_arguments(flags: &Check, namespace: &str, is_named: bool) -> Vec<String> {
    let mut arguments = vec!["cube-operator".to_owned(), "check".to_owned()];
    if flags.name.is_some() || is_named {
        arguments.extend(["--namespace".to_owned(), namespace.to_owned()]);
    }
    arguments.extend(flags.name.clone());
    arguments
}

/// The sentence, and the way that is left.
fn or_local(sentence: &str, flags: &Check) -> PluginError {
    let name = flags.name.as_ref().map(|name| format!("{name} "));
    let name = name.unwrap_or_default();
    PluginError::new(format!(
        "{sentence}; or check from this machine: `kubectl cube check {name}--local`"
    ))
}

async fn local(flags: &Check, cluster: &Cluster) -> Result {
    let arguments = local_arguments(flags, &cluster.namespace);
    let parsed =
        Cli::try_parse_from(arguments).map_err(|error| PluginError::Usage(error.to_string()))?;
    let Command::Check(operator_flags) = parsed.command else {
        return Err(PluginError::new("check is not a command of the operator"));
    };
    match check_as_person(&operator_flags, &cluster.client).await {
        Ok(()) => Ok(()),
        Err(CheckError::Faults(faults)) => Err(PluginError::new(format!(
            "{faults} of the checks above failed"
        ))),
        Err(error) => Err(PluginError::new(error.to_string())),
    }
}

fn local_arguments(flags: &Check, namespace: &str) -> Vec<String> {
    let mut arguments = vec!["cube-operator".to_owned(), "check".to_owned()];
    if flags.connect {
        arguments.push("--connect".into());
    }
    if flags.all_namespaces {
        arguments.push("--all-namespaces".into());
    } else {
        arguments.extend(["--namespace".to_owned(), namespace.to_owned()]);
    }
    arguments.extend(flags.name.clone());
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(name: Option<&str>) -> Check {
        Check {
            name: name.map(str::to_owned),
            local: false,
            connect: true,
            all_namespaces: false,
            operator_namespace: None,
        }
    }

    #[test]
    fn the_pod_checks_everything_unless_a_name_or_a_namespace_is_given() {
        let remote =
            |name, is_named| remote_arguments(&flags(name), "treasury", is_named).join(" ");
        assert_eq!(remote(None, false), "cube-operator check");
        assert_eq!(
            remote(None, true),
            "cube-operator check --namespace treasury"
        );
        assert_eq!(
            remote(Some("main"), false),
            "cube-operator check --namespace treasury main"
        );
    }

    #[test]
    fn a_local_check_is_one_of_the_operators_own_commands() {
        for name in [None, Some("main")] {
            let arguments = local_arguments(&flags(name), "treasury");
            let parsed = Cli::try_parse_from(arguments).unwrap();
            assert!(matches!(parsed.command, Command::Check(_)));
        }
    }
}
