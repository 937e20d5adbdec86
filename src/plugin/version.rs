//! Prints the versions of this program, the operator and the definition, and whether they fit.

mod schema;

use clap::Args;
use kube::{CustomResourceExt, Resource};
use serde::Serialize;
use serde_json::Value;

use super::{
    Context,
    cluster::Cluster,
    error::{PluginError, Result},
    objects::{NOT_SERVED, is_not_served},
    operator_pod::{self, OperatorPod},
    output::Format,
};
use crate::{
    api::CubeCredential,
    kubernetes::error::{ApiError, call},
    scrub::visible,
};
use schema::{Differences, differences};

/// The flags of `version`.
#[derive(Debug, Args)]
pub(super) struct Version {
    /// Print the version of this program only, without a request
    #[arg(long, conflicts_with = "operator_namespace")]
    client: bool,
    /// Find the operator's pod in this namespace; by default, in every namespace that you may look into
    #[arg(long, value_name = "NAMESPACE")]
    operator_namespace: Option<String>,
    /// Print a document for programs
    #[arg(short, long, value_name = "FORMAT", value_enum)]
    output: Option<Format>,
}

const OWN: &str = env!("CARGO_PKG_VERSION");

/// The versions, as far as they can be seen.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Versions {
    plugin: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<Operator>,
    #[serde(skip_serializing_if = "Option::is_none")]
    definition: Option<Definition>,
    /// True if they fit as far as is known; absent if nothing was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    fit: Option<bool>,
    /// The differences, and the parts that could not be seen.
    notes: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Operator {
    version: String,
    namespace: String,
    pod: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    version: String,
    #[serde(flatten)]
    differences: Differences,
}

/// Prints the versions.
pub(super) async fn run(context: &Context, flags: Version) -> Result {
    let mut versions = Versions {
        plugin: OWN,
        operator: None,
        definition: None,
        fit: None,
        notes: Vec::new(),
    };
    if !flags.client {
        let cluster = Cluster::connect(context).await?;
        versions
            .look(&cluster, flags.operator_namespace.as_deref())
            .await;
    }
    match flags.output {
        Some(format) => format.print(context, &versions)?,
        None => versions.print(context),
    }
    // A script must notice.
    match versions.fit {
        Some(false) => Err(PluginError::Exit(1)),
        _ => Ok(()),
    }
}

impl Versions {
    async fn look(&mut self, cluster: &Cluster, namespace: Option<&str>) {
        let mut fit = true;
        match operator_pod::find(cluster, namespace).await {
            Ok(pods) => fit &= self.take_operator(&pods),
            Err(unfound) => self.notes.push(unfound.sentence()),
        }
        match published(cluster).await {
            Ok(Some(schema)) => fit &= self.take_definition(&schema),
            Ok(None) => {
                self.notes.push(NOT_SERVED.into());
                fit = false;
            }
            Err(error) => self.notes.push(error.to_string()),
        }
        self.fit = Some(fit);
    }

    fn take_operator(&mut self, pods: &[OperatorPod]) -> bool {
        let Some(pod) = pods.first() else { return true };
        let place = format!("{}/{}", pod.namespace, pod.name);
        let Some(version) = pod.version.as_deref().map(visible) else {
            self.notes.push(format!(
                "pod {place} has no label app.kubernetes.io/version: its version is not known"
            ));
            return true;
        };
        let fits = is_compatible(OWN, &version);
        if !fits {
            self.notes.push(format!(
                "the operator is {version}, and kubectl cube {OWN}: use a kubectl cube of the operator's version"
            ));
        }
        self.operator = Some(Operator {
            version,
            namespace: pod.namespace.clone(),
            pod: pod.name.clone(),
        });
        fits
    }

    fn take_definition(&mut self, schema: &Value) -> bool {
        let differences = differences(&own_schema(), schema);
        let fits = differences.missing.is_empty();
        if !fits {
            let missing = differences.missing.join(", ");
            self.notes.push(format!(
                "the CustomResourceDefinition is older: it lacks {missing}; apply the one of the operator's version"
            ));
        }
        if !differences.unknown.is_empty() {
            let unknown = differences.unknown.join(", ");
            self.notes.push(format!(
                "the CustomResourceDefinition is newer: this kubectl cube does not know {unknown}"
            ));
        }
        self.definition = Some(Definition {
            version: CubeCredential::version(&()).into_owned(),
            differences,
        });
        fits
    }

    fn print(&self, context: &Context) {
        let print = |line: &str| context.terminal.print(line);
        print(&format!("kubectl cube  {OWN}"));
        let Some(fit) = self.fit else { return };
        match &self.operator {
            Some(operator) => print(&format!(
                "operator      {} (pod {}/{})",
                operator.version, operator.namespace, operator.pod
            )),
            None => print("operator      not known"),
        }
        match &self.definition {
            Some(definition) => print(&format!("CRD           {}", definition.version)),
            None => print("CRD           not known"),
        }
        for note in &self.notes {
            print(&format!("! {}", visible(note)));
        }
        let is_all_known = self.operator.is_some() && self.definition.is_some();
        match (fit, is_all_known) {
            (false, _) => print("✗ they do not fit"),
            (true, true) => print("✓ they fit"),
            (true, false) => print("- they fit as far as could be seen"),
        }
    }
}

/// Returns whether two versions have the same interface: below 1.0, that is the same minor version.
fn is_compatible(own: &str, other: &str) -> bool {
    let part = |version: &str| {
        let mut numbers = version.trim_start_matches('v').split('.');
        let (major, minor) = (numbers.next()?.to_owned(), numbers.next()?.to_owned());
        Some(if major == "0" {
            (major, minor)
        } else {
            (major, String::new())
        })
    };
    part(own).is_some() && part(own) == part(other)
}

fn own_schema() -> Value {
    let definition = serde_json::to_value(CubeCredential::crd()).unwrap_or_default();
    definition
        .pointer("/spec/versions/0/schema/openAPIV3Schema")
        .cloned()
        .unwrap_or_default()
}

/// The schema as the API server publishes it to everybody who is signed in: few may read the definition itself.
async fn published(cluster: &Cluster) -> std::result::Result<Option<Value>, ApiError> {
    let (group, version) = (CubeCredential::group(&()), CubeCredential::version(&()));
    let path = format!("/openapi/v3/apis/{group}/{version}");
    let request = async {
        let request = axum::http::Request::get(path).body(Vec::new());
        let request = request.map_err(kube::Error::HttpError)?;
        cluster.client.request::<Value>(request).await
    };
    match call("get", "the OpenAPI schema of CubeCredentials", request).await {
        Ok(document) => Ok(schema::of_kind(&document, &CubeCredential::kind(&()))),
        Err(error) if is_not_served(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_fit_if_their_interface_is_the_same() {
        for (own, other, fits) in [
            ("0.1.0", "0.1.7", true),
            ("0.1.0", "v0.1.0", true),
            ("0.1.0", "0.2.0", false),
            ("1.2.0", "1.9.0", true),
            ("1.2.0", "2.0.0", false),
            ("0.1.0", "latest", false),
        ] {
            assert_eq!(is_compatible(own, other), fits, "{own} {other}");
        }
    }
}
