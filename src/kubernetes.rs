//! A client of the API server: the connection, errors that name verb and object, and the calls that know nothing of this
//! operator: the Lease, pods, events and access reviews.
//!
//! It knows no token and no decision, so that leader election needs nothing else.

use kube::api::{PatchParams, ValidationDirective};

use crate::api::FIELD_MANAGER;

pub(crate) mod access;
pub(crate) mod audiences;
pub(crate) mod bounded;
pub(crate) mod client;
pub(crate) mod error;
pub(crate) mod events;
pub(crate) mod kind;
pub(crate) mod lease;
pub(crate) mod list;
pub mod pods;
#[cfg(test)]
pub(crate) mod stub;

/// No object ever has this resourceVersion, because an empty store has it already. A server-side apply with it creates the object
/// if there is none and fails with 409 if there is one, so that a foreign object is never overwritten. `tests/cluster` pins this.
pub(crate) const MUST_NOT_EXIST: &str = "1";

/// The parameters of every server-side apply of the operator. The API server would parse the body a second time, to warn of repeated
/// fields, which it never has. An unknown field is refused all the same.
pub(crate) fn applied() -> PatchParams {
    PatchParams {
        field_validation: Some(ValidationDirective::Ignore),
        ..PatchParams::apply(FIELD_MANAGER).force()
    }
}
