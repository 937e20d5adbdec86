//! The names of `CubeCredential` objects, for a line that a shell completes.

use std::{env, ffi::OsString, thread, time::Duration};

use clap::{CommandFactory, FromArgMatches, Parser};
use clap_complete::{CompletionCandidate, engine::ArgValueCandidates};
use kube::{Api, api::ListParams};

use super::{cluster::Cluster, context::Global, object::Object};
use crate::scrub::visible;

/// A person who waits for a completion presses the key again.
const LIMIT: Duration = Duration::from_secs(2);
/// More names than this are no help.
const MOST_NAMES: u32 = 500;

/// The names of `CubeCredentials`, for the flags that take one.
pub(super) fn names() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        // A completion runs within the runtime of this program, which cannot wait for another one.
        let names = thread::spawn(in_a_runtime_of_its_own).join();
        let names = names.unwrap_or_default().into_iter();
        names.map(CompletionCandidate::new).collect()
    })
}

/// A cluster that cannot be asked has no names: nothing else may stand on the line.
fn in_a_runtime_of_its_own() -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else {
        return Vec::new();
    };
    let listed = async {
        let cluster = Cluster::of(&global(env::args_os())).await.ok()?;
        let api: Api<Object> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
        let parameters = ListParams::default().limit(MOST_NAMES);
        api.list_metadata(&parameters).await.ok()
    };
    let listed = runtime.block_on(async { tokio::time::timeout(LIMIT, listed).await });
    let items = listed.ok().flatten().map(|list| list.items);
    let names = items.into_iter().flatten();
    names
        .filter_map(|object| object.metadata.name)
        .map(|name| visible(&name))
        .collect()
}

/// The flags that choose a cluster, in a line that is not complete.
fn global(arguments: impl Iterator<Item = OsString>) -> Global {
    #[derive(Parser)]
    #[command(ignore_errors = true, disable_help_flag = true)]
    struct Line {
        #[command(flatten)]
        global: Global,
        _others: Vec<OsString>,
    }
    // The line itself stands behind the first `--`.
    let line = arguments.skip_while(|argument| argument != "--");
    let matches = Line::command().try_get_matches_from(line.filter(may_choose_a_cluster));
    let line = matches
        .ok()
        .and_then(|found| Line::from_arg_matches(&found).ok());
    line.map(|line| line.global).unwrap_or_default()
}

/// The parser ends at a flag that it does not know. The value of such a flag is to it one more word.
fn may_choose_a_cluster(word: &OsString) -> bool {
    let word = word.to_string_lossy();
    let flags = ["-n", "--namespace", "--context", "--kubeconfig"];
    !word.starts_with('-') || word == "--" || flags.iter().any(|flag| word.starts_with(flag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Global {
        global(line.split(' ').map(OsString::from))
    }

    #[test]
    fn an_unfinished_line_names_a_cluster_already() {
        let found = of("kubectl-cube __complete -- refresh -n treasury --context=a --wait x ");
        assert_eq!(found.namespace.as_deref(), Some("treasury"));
        assert_eq!(found.context.as_deref(), Some("a"));
        let found = of("kubectl-cube -- kubectl-cube status --kubeconfig /k --namespace b c");
        assert_eq!(found.namespace.as_deref(), Some("b"));
        assert_eq!(found.kubeconfig.unwrap().to_str(), Some("/k"));
        assert_eq!(of("kubectl-cube -- -n").namespace, None);
    }

    #[test]
    fn a_flag_that_names_a_cluster_may_follow_any_other() {
        for flags in [
            "refresh --wait",
            "login --no-browser",
            "status -o json",
            "check",
        ] {
            let found = of(&format!(
                "kubectl-cube __complete -- {flags} --context b -n treasury "
            ));
            assert_eq!(found.namespace.as_deref(), Some("treasury"), "{flags}");
            assert_eq!(found.context.as_deref(), Some("b"), "{flags}");
        }
    }
}
