//! The interface: what people write in a `CubeCredential` and what they read back.
//!
//! Only types and their validation rules live here. The schema in `crds/` is generated from them, so a rule that is
//! written here is enforced by the API server at `kubectl apply`; nothing needs an admission webhook.

mod condition;
mod names;
mod reason;
mod spec;
mod status;

pub use condition::{Condition, ConditionStatus, ConditionType};
pub use names::{annotation, label};
pub use reason::{Class, Reason};
pub use spec::{
    CaBundleKind, CaBundleRef, ClientAuthentication, ClientSecretRef, CubeCredential,
    CubeCredentialSpec, DeletionPolicy, Grant, Provider, TargetSpec,
};
pub use status::{Attempted, CubeCredentialStatus, TargetStatus};

/// The API group of every kind, and the prefix of every label and annotation, of this operator.
pub const GROUP: &str = "cube-operator.dev";
/// The field manager of every server-side apply.
pub const FIELD_MANAGER: &str = "cube-operator";
