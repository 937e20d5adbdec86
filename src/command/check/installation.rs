//! Is everything there that the operator needs: the definition, and its rights?

use k8s_openapi::{
    api::authorization::v1::ResourceAttributes,
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{Api, Client, CustomResourceExt, Resource};

use crate::{
    api::{ClusterCubeProvider, CubeCredential, CubeProvider, GROUP},
    cli::{Check, Consumers, Providers, Warning},
    kubernetes::{
        access,
        error::{ApiError, call, cause},
        lease::LeaseName,
    },
    reconcile::{DefinitionError, Finding, InstallationFact, Mark, Right},
};

/// The verbs of the operator on each resource; the chart's roles grant exactly these.
const PERMISSIONS: [Permission; 7] = [
    (GROUP, "cubecredentials", None, &["get", "list", "watch"]),
    (GROUP, "cubeproviders", None, &["get", "list", "watch"]),
    (GROUP, "cubecredentials", Some("status"), &["patch"]),
    (GROUP, "cubeproviders", Some("status"), &["patch"]),
    (
        "",
        "secrets",
        None,
        &["get", "list", "watch", "create", "patch", "delete"],
    ),
    ("", "configmaps", None, &["get", "list", "watch"]),
    ("events.k8s.io", "events", None, &["create"]),
];

/// The verbs that tokens of ServiceAccounts need.
const OF_SERVICE_ACCOUNTS: [Permission; 2] = [
    ("", "serviceaccounts", None, &["get", "list", "watch"]),
    ("", "serviceaccounts", Some("token"), &["create"]),
];

/// Group, resource, subresource and verbs.
type Permission = (
    &'static str,
    &'static str,
    Option<&'static str>,
    &'static [&'static str],
);

/// The verbs on pods and workloads that the flags of the operator need.
fn of_consumers(warning: Warning, consumers: Consumers) -> Vec<Permission> {
    let mut needed: Vec<Permission> = Vec::new();
    if consumers.refresh_pods {
        needed.push(("", "pods", None, &["list", "patch"]));
    } else if warning.warn_consumers {
        needed.push(("", "pods", None, &["list"]));
    }
    if consumers.restart_workloads {
        for resource in ["deployments", "statefulsets", "daemonsets"] {
            needed.push(("apps", resource, None, &["get", "patch"]));
        }
    }
    needed
}

const LEASE_VERBS: [&str; 3] = ["get", "create", "patch"];

/// Returns whether this API server knows `CubeCredentials` at all: what `run` needs to start.
///
/// # Errors
/// If it does not, or does not tell.
pub(crate) async fn definition_is_served(client: &Client) -> Result<(), DefinitionError> {
    is_served::<CubeCredential>(client).await
}

async fn is_served<K: Resource<DynamicType = ()>>(client: &Client) -> Result<(), DefinitionError> {
    let kind = K::kind(&());
    let version = K::api_version(&());
    let error = match client.list_api_group_resources(&version).await {
        Ok(list) if list.resources.iter().any(|resource| resource.kind == kind) => return Ok(()),
        Ok(_) => None,
        // By its code: for a group that it does not know, the API server responds with 404 and no reason.
        Err(kube::Error::Api(status)) if status.code == 404 => None,
        Err(error) => Some(error),
    };
    Err(match error {
        None => DefinitionError::NotServed {
            kind: kind.into_owned(),
            version: version.into_owned(),
        },
        Some(error @ kube::Error::Api(_)) => DefinitionError::KindsUnknown(ApiError {
            verb: "ask for",
            object: format!("the kinds of {version}"),
            cause: cause(&error),
        }),
        Some(error) => DefinitionError::Unreachable(cause(&error)),
    })
}

/// Returns whether the definition of `CubeCredentials` is the one of this version, as far as it may be read.
pub(super) async fn definition(client: &Client) -> Finding {
    definition_of::<CubeCredential>(client).await
}

async fn definition_of<K: CustomResourceExt + Resource<DynamicType = ()>>(
    client: &Client,
) -> Finding {
    if let Err(absent) = is_served::<K>(client).await {
        return Finding::bad(InstallationFact::NotServed(absent));
    }
    let definition = K::crd_name().to_owned();
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    let object = format!("CustomResourceDefinition {definition}");
    match call("get", object, api.get(&definition)).await {
        Ok(found) if same_schema(&found, &K::crd()) => {
            Finding::good(InstallationFact::Current { definition })
        }
        Ok(_) => Finding::bad(InstallationFact::Outdated { definition }),
        Err(error) if error.is_refusal() => {
            Finding::good(InstallationFact::NotReadable { definition })
        }
        Err(error) => Finding::bad(InstallationFact::NotRead(error)),
    }
}

/// The kinds of provider objects that are not served, or not as this version defines them. Only those who use them need them.
pub(super) async fn faulty_kinds(client: &Client, providers: &Providers) -> Vec<Finding> {
    let mut findings = vec![definition_of::<CubeProvider>(client).await];
    if providers.cluster_providers {
        findings.push(definition_of::<ClusterCubeProvider>(client).await);
    }
    findings.retain(|finding| finding.mark == Mark::Bad);
    findings
}

/// Compares as JSON without nulls: the API server stores defaults of its own beside the schema, but not in it.
fn same_schema(found: &CustomResourceDefinition, ours: &CustomResourceDefinition) -> bool {
    let schema = |definition: &CustomResourceDefinition| {
        let version = definition
            .spec
            .versions
            .iter()
            .find(|version| version.name == CubeCredential::version(&()))?;
        serde_json::to_value(version.schema.as_ref()?).ok()
    };
    schema(found) == schema(ours)
}

/// Returns whether the account that asks has each right of the operator in a namespace, or in all.
///
/// # Errors
/// If the API server cannot be asked.
pub(super) async fn permissions(
    client: &Client,
    namespace: Option<&str>,
    flags: &Check,
) -> Result<Vec<Finding>, ApiError> {
    let mut needed = PERMISSIONS.to_vec();
    if flags.clients.service_account_tokens {
        needed.extend(OF_SERVICE_ACCOUNTS);
    }
    needed.extend(of_consumers(flags.warning, flags.consumers));
    granted(client, namespace, &needed).await
}

/// Returns the rights on pods and workloads that the account of this process lacks.
///
/// # Errors
/// If the API server cannot be asked.
pub(crate) async fn missing_for_consumers(
    client: &Client,
    namespace: Option<&str>,
    warning: Warning,
    consumers: Consumers,
) -> Result<Vec<Finding>, ApiError> {
    let mut findings = granted(client, namespace, &of_consumers(warning, consumers)).await?;
    findings.retain(|finding| finding.mark == Mark::Bad);
    Ok(findings)
}

/// Returns whether the account that asks has the rights in the whole cluster that the flags need.
///
/// # Errors
/// If the API server cannot be asked.
pub(super) async fn cluster_permissions(
    client: &Client,
    providers: &Providers,
) -> Result<Vec<Finding>, ApiError> {
    if !providers.cluster_providers {
        return Ok(Vec::new());
    }
    let resource = "clustercubeproviders";
    let needed: [Permission; 2] = [
        (GROUP, resource, None, &["get", "list", "watch"]),
        (GROUP, resource, Some("status"), &["patch"]),
    ];
    let mut findings = granted(client, None, &needed).await?;
    if let Some(namespace) = &providers.operator_namespace {
        findings.push(may_follow_bundles(client, namespace).await?);
    }
    Ok(findings)
}

/// Returns whether the account that asks may follow the CA bundles of `ClusterCubeProvider`s.
async fn may_follow_bundles(client: &Client, namespace: &str) -> Result<Finding, ApiError> {
    let attributes = ResourceAttributes {
        resource: Some("configmaps".into()),
        namespace: Some(namespace.to_owned()),
        ..ResourceAttributes::default()
    };
    let namespace = namespace.to_owned();
    let right = Right::Bundles { namespace };
    may(client, &["get", "list", "watch"], &attributes, right).await
}

async fn granted(
    client: &Client,
    namespace: Option<&str>,
    needed: &[Permission],
) -> Result<Vec<Finding>, ApiError> {
    let mut findings = Vec::new();
    for (group, resource, subresource, verbs) in needed {
        let attributes = ResourceAttributes {
            group: Some((*group).into()),
            resource: Some((*resource).into()),
            subresource: subresource.map(Into::into),
            namespace: namespace.map(Into::into),
            ..ResourceAttributes::default()
        };
        let right = Right::Resource {
            resource,
            subresource: *subresource,
            namespace: namespace.map(Into::into),
        };
        findings.push(may(client, verbs, &attributes, right).await?);
    }
    Ok(findings)
}

/// Returns whether the account that asks may take part in leader election.
///
/// # Errors
/// If the API server cannot be asked.
pub(super) async fn may_lead(client: &Client, lease: &LeaseName) -> Result<Finding, ApiError> {
    let attributes = ResourceAttributes {
        group: Some("coordination.k8s.io".into()),
        resource: Some("leases".into()),
        name: Some(lease.name.clone()),
        namespace: Some(lease.namespace.clone()),
        ..ResourceAttributes::default()
    };
    let right = Right::Lease {
        namespace: lease.namespace.clone(),
        name: lease.name.clone(),
    };
    may(client, &LEASE_VERBS, &attributes, right).await
}

/// Returns whether all of it is allowed.
async fn may(
    client: &Client,
    verbs: &[&'static str],
    attributes: &ResourceAttributes,
    right: Right,
) -> Result<Finding, ApiError> {
    let mut denied = Vec::new();
    for verb in verbs {
        let attributes = ResourceAttributes {
            verb: Some((*verb).into()),
            ..attributes.clone()
        };
        if !access::may(client, attributes).await? {
            denied.push(*verb);
        }
    }
    Ok(if denied.is_empty() {
        let verbs = verbs.to_vec();
        Finding::good(InstallationFact::Allowed { verbs, right })
    } else {
        let verbs = denied;
        Finding::bad(InstallationFact::Denied { verbs, right })
    })
}
