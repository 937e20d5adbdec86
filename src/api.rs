//! The interface of the operator: people write the spec of a `CubeCredential`, and read its status.
//!
//! Only types and their validation rules live here. The schema in `crds/` is generated from them, so a rule that is
//! written here is enforced by the API server at `kubectl apply`; nothing needs an admission webhook.

mod names;
mod reason;

// The derive of KubeSchema makes public types of its own.
#[expect(unreachable_pub)]
mod condition;
#[expect(unreachable_pub)]
mod provider;
#[expect(unreachable_pub)]
mod spec;
#[expect(unreachable_pub)]
mod status;

pub use condition::{Condition, ConditionStatus, ConditionType};
pub use names::{annotation, label};
pub use provider::{
    ClusterCubeProvider, ClusterCubeProviderSpec, ConfigMapBundleRef, CubeProvider,
    CubeProviderSpec, ProviderCondition, ProviderConditionType, ProviderEndpoints, ProviderReason,
    ProviderStatus,
};
pub use reason::{Reason, RetryClass};
pub use spec::{
    CaBundleKind, CaBundleRef, ClientAssertion, ClientAuthentication, ClientSecretRef,
    ConsumersSpec, CubeCredential, CubeCredentialSpec, DeletionPolicy, Grant, JwtBearerSpec,
    ProbeMethod, ProbeSpec, Provider, ProviderKind, ProviderRef, RefreshTokenRef, SigningAlgorithm,
    SubjectServiceAccount, SubjectTokenRef, SystemRoots, TargetSpec, TokenExchangeSpec,
    WorkloadKind, WorkloadRef,
};
pub use status::{Attempted, CubeCredentialStatus, MOST_PREVIOUS_TARGETS, TargetStatus};

/// The API group of every kind, and the prefix of every label and annotation, of this operator.
pub const GROUP: &str = "cube-operator.dev";
/// The field manager of every server-side apply.
pub const FIELD_MANAGER: &str = "cube-operator";
