//! Runs a command in the operator's pod through the API server, and passes on its lines and its exit code.

use k8s_openapi::{
    api::{authorization::v1::ResourceAttributes, core::v1::Pod},
    apimachinery::pkg::apis::meta::v1::Status,
};
use kube::{Api, api::AttachParams};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

use crate::{
    kubernetes::{access, error::call},
    plugin::{
        Context,
        cluster::Cluster,
        error::{PluginError, Result},
        operator_pod::{CONTAINER, OperatorPod},
        rights::Right,
    },
    scrub::visible,
};

/// The right to run a command in this pod, if it is missing. The API server closes the connection without a word otherwise.
pub(super) async fn missing_right(cluster: &Cluster, pod: &OperatorPod) -> Result<Option<Right>> {
    // A websocket is a GET; newer API servers want the right to create as well.
    for verb in ["create", "get"] {
        let attributes = ResourceAttributes {
            verb: Some(verb.into()),
            resource: Some("pods".into()),
            subresource: Some("exec".into()),
            namespace: Some(pod.namespace.clone()),
            name: Some(pod.name.clone()),
            ..ResourceAttributes::default()
        };
        if !access::may(&cluster.client, attributes).await? {
            return Ok(Some(Right::new(verb, "pods/exec", Some(&pod.namespace))));
        }
    }
    Ok(None)
}

/// Runs the command until it ends.
pub(super) async fn run(
    context: &Context,
    cluster: &Cluster,
    pod: &OperatorPod,
    command: &[String],
) -> Result {
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), &pod.namespace);
    let parameters = AttachParams::default()
        .container(CONTAINER)
        .stdout(true)
        .stderr(true)
        .stdin(false);
    let place = format!("pod {}/{}", pod.namespace, pod.name);
    let started = api.exec(&pod.name, command, &parameters);
    let mut process = call("run a command in", place.clone(), started).await?;
    let status = process.take_status();
    let (stdout, stderr) = (process.stdout(), process.stderr());
    let results = lines(stdout, |line| context.terminal.print(line));
    let errors = lines(stderr, |line| context.terminal.note(line));
    tokio::join!(results, errors);
    let ended = match status {
        Some(status) => status.await,
        None => None,
    };
    match ended.as_ref().map(exit_code) {
        Some(Ok(0)) => Ok(()),
        Some(Ok(code)) => Err(PluginError::Exit(code)),
        Some(Err(message)) => Err(PluginError::new(format!(
            "the command in {place} failed: {message}"
        ))),
        None => Err(PluginError::new(format!(
            "the connection to {place} was lost"
        ))),
    }
}

/// Passes on each line, without characters that a terminal would obey.
async fn lines(output: Option<impl AsyncRead + Unpin>, mut tell: impl FnMut(&str)) {
    let Some(output) = output else { return };
    let mut reader = BufReader::new(output);
    let mut line = Vec::new();
    // An error ends the connection, and the status reports it.
    while matches!(reader.read_until(b'\n', &mut line).await, Ok(1..)) {
        let text = String::from_utf8_lossy(&line);
        tell(&visible(text.trim_end_matches(['\r', '\n'])));
        line.clear();
    }
}

/// The exit code of the command.
fn exit_code(status: &Status) -> std::result::Result<u8, String> {
    if status.status.as_deref() == Some("Success") {
        return Ok(0);
    }
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let code = causes
        .flatten()
        .find(|cause| cause.reason.as_deref() == Some("ExitCode"))
        .and_then(|cause| cause.message.as_ref()?.parse().ok());
    code.ok_or_else(|| visible(status.message.as_deref().unwrap_or("no reason is given")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn code(status: &Value) -> std::result::Result<u8, String> {
        exit_code(&serde_json::from_value(status.clone()).unwrap())
    }

    #[test]
    fn the_exit_code_of_the_command_is_in_the_causes_of_the_status() {
        assert_eq!(code(&json!({"status": "Success"})), Ok(0));
        let causes = json!([{"reason": "ExitCode", "message": "3"}]);
        let failed = json!({"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": causes}});
        assert_eq!(code(&failed), Ok(3));
        let absent = json!({"status": "Failure", "message": "no such\u{1b} file"});
        assert_eq!(code(&absent), Err("no such file".into()));
    }
}
