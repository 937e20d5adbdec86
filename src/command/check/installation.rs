//! Is everything there that the operator needs: the definition, and its rights?

use k8s_openapi::{
    api::authorization::v1::{
        ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
    },
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{Api, Client, CustomResourceExt, Resource, api::PostParams};

use crate::{
    api::{CubeCredential, GROUP},
    kubernetes::{
        error::{call, explain_kube},
        lease::LeaseName,
    },
    reconcile::Finding,
};

const INSTALL: &str = "install the chart, or apply the output of `cube-operator crd`";

/// What the operator does with each resource; the chart's roles grant exactly this.
const PERMISSIONS: [(&str, &str, Option<&str>, &[&str]); 6] = [
    (GROUP, "cubecredentials", None, &["get", "list", "watch"]),
    (GROUP, "cubecredentials", Some("status"), &["patch"]),
    (
        "",
        "secrets",
        None,
        &["get", "list", "watch", "create", "patch", "delete"],
    ),
    ("", "configmaps", None, &["get", "list", "watch"]),
    ("events.k8s.io", "events", None, &["create", "patch"]),
    // Only for warnings about consumers.
    ("", "pods", None, &["list"]),
];

const LEASE_VERBS: [&str; 3] = ["get", "create", "patch"];

/// Whether this API server knows `CubeCredentials` at all: what `run` needs to start.
///
/// # Errors
/// Says how to install the definition.
pub async fn definition_is_served(client: &Client) -> crate::command::Result {
    let kind = CubeCredential::kind(&());
    let version = CubeCredential::api_version(&());
    let list = client.list_api_group_resources(&version).await;
    match list {
        Ok(list) if list.resources.iter().any(|resource| resource.kind == kind) => Ok(()),
        // By its code: for a group that it does not know, the API server answers 404 without a reason.
        Err(kube::Error::Api(status)) if status.code != 404 => Err(format!(
            "cannot ask for the kinds of {version}: {}",
            explain_kube(&kube::Error::Api(status))
        )),
        Err(error) if !matches!(error, kube::Error::Api(_)) => Err(explain_kube(&error)),
        _ => Err(format!(
            "this cluster has no {kind} of {version}: {INSTALL}"
        )),
    }
}

/// Whether the definition is the one of this version, as far as it may be read.
pub(super) async fn definition(client: &Client) -> Finding {
    if let Err(absent) = definition_is_served(client).await {
        return Finding::bad(absent);
    }
    let name = CubeCredential::crd_name();
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    let object = format!("CustomResourceDefinition {name}");
    match call("get", object, api.get(name)).await {
        Ok(found) if same_schema(&found) => Finding::good(format!(
            "CustomResourceDefinition {name} is the one of this version"
        )),
        Ok(_) => Finding::bad(format!(
            "CustomResourceDefinition {name} is not the one of version {}: {INSTALL} of this version",
            env!("CARGO_PKG_VERSION")
        )),
        // An installation for some namespaces only has no right to read cluster-wide objects.
        Err(error) if error.is_refusal() => Finding::good(format!(
            "CubeCredential is served; whether {name} is the one of this version may not be read"
        )),
        Err(error) => Finding::bad(error.to_string()),
    }
}

/// Compares as JSON without nulls: the API server stores defaults of its own beside the schema, but not in it.
fn same_schema(found: &CustomResourceDefinition) -> bool {
    let schema = |definition: &CustomResourceDefinition| {
        let version = definition
            .spec
            .versions
            .iter()
            .find(|version| version.name == CubeCredential::version(&()))?;
        serde_json::to_value(version.schema.as_ref()?).ok()
    };
    schema(found) == schema(&CubeCredential::crd())
}

/// Whether the account that asks has each right of the operator in a namespace, or in all.
///
/// # Errors
/// If the API server cannot be asked.
pub(super) async fn permissions(
    client: &Client,
    namespace: Option<&str>,
    warn_consumers: bool,
) -> Result<Vec<Finding>, String> {
    let place = namespace.map_or("in all namespaces".to_owned(), |namespace| {
        format!("in namespace {namespace}")
    });
    let needed = PERMISSIONS
        .iter()
        .filter(|(_, resource, ..)| warn_consumers || *resource != "pods");
    let otherwise =
        ": install the chart's roles, with this namespace in watchNamespaces if that is set";
    let mut findings = Vec::new();
    for (group, resource, subresource, verbs) in needed {
        let attributes = ResourceAttributes {
            group: Some((*group).into()),
            resource: Some((*resource).into()),
            subresource: subresource.map(Into::into),
            namespace: namespace.map(Into::into),
            ..ResourceAttributes::default()
        };
        let object = subresource.map_or((*resource).to_owned(), |sub| format!("{resource}/{sub}"));
        let what = format!("{object} {place}");
        findings.push(may(client, verbs, &attributes, &what, otherwise).await?);
    }
    Ok(findings)
}

/// Whether the account that asks may take part in leader election.
///
/// # Errors
/// If the API server cannot be asked.
pub(super) async fn may_lead(client: &Client, lease: &LeaseName) -> Result<Finding, String> {
    let attributes = ResourceAttributes {
        group: Some("coordination.k8s.io".into()),
        resource: Some("leases".into()),
        name: Some(lease.name.clone()),
        namespace: Some(lease.namespace.clone()),
        ..ResourceAttributes::default()
    };
    let otherwise = ", so a process with this account may not lead: install the chart's roles";
    let what = format!("Lease {lease}");
    may(client, &LEASE_VERBS, &attributes, &what, otherwise).await
}

/// Whether all of it is allowed; `otherwise` is what follows from a verb that is not.
async fn may(
    client: &Client,
    verbs: &[&str],
    attributes: &ResourceAttributes,
    what: &str,
    otherwise: &str,
) -> Result<Finding, String> {
    let mut denied = Vec::new();
    for verb in verbs {
        let attributes = ResourceAttributes {
            verb: Some((*verb).into()),
            ..attributes.clone()
        };
        if !allowed(client, attributes).await? {
            denied.push(*verb);
        }
    }
    Ok(if denied.is_empty() {
        Finding::good(format!("may {} {what}", verbs.join(", ")))
    } else {
        Finding::bad(format!("may not {} {what}{otherwise}", denied.join(", ")))
    })
}

async fn allowed(client: &Client, attributes: ResourceAttributes) -> Result<bool, String> {
    let spec = SelfSubjectAccessReviewSpec {
        resource_attributes: Some(attributes),
        ..Default::default()
    };
    let review = SelfSubjectAccessReview {
        spec,
        ..Default::default()
    };
    let api: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let answer = call(
        "create",
        "a SelfSubjectAccessReview",
        api.create(&PostParams::default(), &review),
    )
    .await;
    answer
        .map(|review| review.status.is_some_and(|status| status.allowed))
        .map_err(|error| error.to_string())
}
