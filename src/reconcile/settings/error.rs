//! The errors of a spec.

use thiserror::Error;

use crate::{
    oauth::{endpoint::EndpointError, probe::ProbeFlaw},
    template::SecretType,
};

/// A spec that cannot be used. The API server has checked all of it at admission, unless its CRD is older than this program.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum SettingsError {
    #[error("spec.tokenURL is required with provider Custom")]
    TokenUrlMissing,
    #[error("exactly one of spec.provider and spec.providerRef is required")]
    ProviderMismatch,
    #[error("spec.{0} comes from the provider that spec.providerRef names: remove it")]
    FieldOfProvider(&'static str),
    #[error("spec.refreshTokenRef is required with grant RefreshToken, and only with it")]
    RefreshTokenRefMismatch,
    #[error("spec.refreshScopes needs grant RefreshToken")]
    RefreshScopesMismatch,
    #[error("spec.jwtBearer needs grant JWTBearer")]
    JwtBearerMismatch,
    #[error("grant JWTBearer needs spec.clientAuthentication None, Body or Basic")]
    JwtBearerAuthentication,
    #[error("spec.tokenExchange is required with grant TokenExchange, and only with it")]
    TokenExchangeMismatch,
    #[error(
        "exactly one of subjectTokenRef and subjectServiceAccount is required in spec.tokenExchange"
    )]
    SubjectTokenMismatch,
    #[error("spec.tokenExchange.{0} and the parameter {0:?} are both set: remove one of them")]
    ParameterOfExchange(&'static str),
    #[error("spec.clientAuthentication None needs grant RefreshToken, JWTBearer or TokenExchange")]
    PublicClientWithoutLogin,
    #[error(
        "spec.clientSecretRef is required with each spec.clientAuthentication but ServiceAccountToken, which has none"
    )]
    ClientSecretRefMismatch,
    #[error(
        "spec.clientAuthentication ServiceAccountToken needs spec.clientAssertion with audience and serviceAccountName"
    )]
    AssertionIncomplete,
    #[error(
        "spec.clientAssertion needs spec.clientAuthentication PrivateKeyJWT or ServiceAccountToken"
    )]
    AssertionMismatch,
    #[error("spec.clientAssertion.{field} needs spec.clientAuthentication {method}")]
    AssertionField {
        field: &'static str,
        method: &'static str,
    },
    #[error(
        "spec.clientSecretRef.{0} needs spec.clientAuthentication PrivateKeyJWT or MutualTLS, or as privateKeyKey grant JWTBearer"
    )]
    PrivateKeyMismatch(&'static str),
    #[error("spec.clientID and spec.clientSecretRef.clientIDKey name two client ids: remove one")]
    TwoClientIds,
    #[error("spec.{0} must have printable ASCII characters, without a blank at an end")]
    Unprintable(&'static str),
    #[error("spec.tokenURL {0}")]
    Endpoint(#[from] EndpointError),
    #[error(
        "the query of spec.tokenURL has the parameter {0:?}, which the operator sets itself: use the fields of the spec"
    )]
    QueryReserved(String),
    #[error("spec.parameters has the name {0:?}: write 1 to 128 letters, digits, '-', '_' and '.'")]
    ParameterName(String),
    #[error(
        "spec.parameters has {0:?}, which the operator sets itself: use the fields of the spec"
    )]
    ParameterReserved(String),
    #[error(
        "spec.target.type is {0:?}: write Opaque or a type of your own such as example.com/token"
    )]
    TargetType(String),
    #[error("spec.target.type {} needs spec.target.data with key {key}", of.name())]
    TargetData { of: SecretType, key: &'static str },
    #[error("spec.probe.{0}")]
    Probe(#[from] ProbeFlaw),
    #[error("spec.{field} is {text:?}: write a duration such as 5m or 1h30m")]
    Duration { field: &'static str, text: String },
    /// The text is the JSON parser's, which names the field.
    #[error("this version of the operator cannot read the object: {0}")]
    Unreadable(String),
}
