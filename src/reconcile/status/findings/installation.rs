//! The sentences about the installation, and those with which `check` ends.

use std::fmt::{self, Display, Formatter};

use crate::reconcile::finding::{CheckError, DefinitionError, InstallationFact, Right, ScopeFact};

const INSTALL: &str = "install the chart, or apply the output of `cube-operator crd`";

impl Display for InstallationFact {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApiServerResponds => f.write_str("the API server responds"),
            Self::NotServed(error) => error.fmt(f),
            Self::Current { definition } => {
                write!(f, "CustomResourceDefinition {definition} is up to date")
            }
            Self::Outdated { definition } => write!(
                f,
                "CustomResourceDefinition {definition} is not up to date: {INSTALL} of version {}",
                env!("CARGO_PKG_VERSION")
            ),
            Self::NotReadable { definition } => write!(
                f,
                "CubeCredential is served; this account may not read whether {definition} is up to date"
            ),
            Self::NotRead(error) => error.fmt(f),
            Self::Allowed { verbs, right } => write!(f, "may {} {right}", verbs.join(", ")),
            Self::Denied { verbs, right } => {
                write!(f, "may not {} {right}{}", verbs.join(", "), without(right))
            }
        }
    }
}

impl Display for Right {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource {
                resource,
                subresource,
                namespace,
            } => {
                f.write_str(resource)?;
                if let Some(subresource) = subresource {
                    write!(f, "/{subresource}")?;
                }
                match namespace {
                    Some(namespace) => write!(f, " in namespace {namespace}"),
                    None => f.write_str(" in all namespaces"),
                }
            }
            Self::Bundles { namespace } => write!(
                f,
                "configmaps in the operator's namespace {namespace}, for caBundleRef of ClusterCubeProviders"
            ),
            Self::Lease { namespace, name } => write!(f, "Lease {namespace}/{name}"),
        }
    }
}

/// The consequence of a missing right, and the remedy.
fn without(right: &Right) -> &'static str {
    match right {
        Right::Resource { .. } => {
            ": install the chart's roles, with this namespace in watchNamespaces if that is set"
        }
        Right::Bundles { .. } => ": install the chart's roles, with clusterProviders",
        Right::Lease { .. } => {
            ", so a process with this account may not lead: install the chart's roles"
        }
    }
}

impl Display for ScopeFact {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCredential => f.write_str("no CubeCredential found"),
            Self::Unwatched { namespace, watched } => write!(
                f,
                "the operator watches other namespaces only ({}): add {namespace} to watchNamespaces",
                watched.join(", ")
            ),
            Self::FromPod => f.write_str(
                "the network is checked from this pod, with the flags of its environment",
            ),
            Self::FromMachine => f.write_str(
                "the network is checked from this machine, with the flags given here; the operator may have another route and other \
                 flags: run this in its pod with kubectl exec to check from there",
            ),
            Self::NotConnected => f.write_str(
                "the network is not checked: this machine would connect to hosts that the authors of CubeCredentials chose; allow it \
                 with --connect, or run this in the operator's pod with kubectl exec",
            ),
        }
    }
}

impl Display for DefinitionError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotServed { kind, version } => {
                write!(f, "this cluster has no {kind} of {version}: {INSTALL}")
            }
            Self::KindsUnknown(error) => error.fmt(f),
            Self::Unreachable(cause) => cause.fmt(f),
        }
    }
}

impl Display for CheckError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Definition(error) => error.fmt(f),
            Self::Api(error) => error.fmt(f),
            Self::ProxyVariable(error) => error.fmt(f),
            Self::UnknownCredential {
                name,
                namespace,
                others,
            } => {
                write!(
                    f,
                    "CubeCredential {name:?} not found in namespace {namespace}: "
                )?;
                match others.as_slice() {
                    [] => f.write_str("it has none, so name another namespace with --namespace"),
                    others => write!(f, "it has {}", others.join(", ")),
                }
            }
            Self::Faults(faults) => write!(f, "{faults} of the checks above failed"),
        }
    }
}
