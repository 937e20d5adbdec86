//! `cube-operator crd`: the definition of each kind, generated from the types.

use std::io::Write;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

use crate::api::{ClusterCubeProvider, CubeCredential, CubeProvider};

/// The name of the file of each CustomResourceDefinition, and its text.
#[must_use]
pub fn files() -> [(&'static str, String); 3] {
    [
        ("cubecredentials", yaml(&CubeCredential::crd())),
        ("cubeproviders", yaml(&CubeProvider::crd())),
        ("clustercubeproviders", yaml(&ClusterCubeProvider::crd())),
    ]
}

fn yaml(definition: &CustomResourceDefinition) -> String {
    let yaml =
        serde_saphyr::to_string(definition).expect("a definition of plain values can be written");
    format!(
        "# Generated from src/api by `cube-operator crd`; do not edit.\n{}\n",
        yaml.trim_end()
    )
}

/// Prints the definitions.
///
/// # Errors
/// If standard output is closed.
pub fn print() -> super::Result {
    std::io::stdout()
        .write_all(files().map(|(_, yaml)| yaml).join("---\n").as_bytes())
        .map_err(|error| format!("failed to write to standard output: {error}"))
}
