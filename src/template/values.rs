//! The values that a template can use.

use std::{collections::BTreeMap, sync::LazyLock};

use jiff::Timestamp;
use minijinja::Value;
use secrecy::{ExposeSecret, SecretString};

use crate::oauth::response::Scalar;

/// The facts about a token and its credential.
#[derive(Clone, Copy)]
pub struct Values<'a> {
    /// The access token.
    pub access_token: &'a SecretString,
    /// The type of the token: `Bearer`.
    pub token_type: &'a str,
    /// When the request for the token was sent.
    pub issued_at: Timestamp,
    /// When the token expires.
    pub expires_at: Timestamp,
    /// The scopes of the token.
    pub scopes: &'a [String],
    /// The client id that the token was issued to.
    pub client_id: &'a str,
    /// The namespace of the `CubeCredential`.
    pub namespace: &'a str,
    /// The name of the `CubeCredential`.
    pub name: &'a str,
    /// The other fields of the response; `None`: there was no response yet, and each field is a placeholder.
    pub response: Option<&'a BTreeMap<String, Scalar>>,
}

pub(super) fn value_of(field: &Scalar) -> Value {
    match field {
        Scalar::Boolean(boolean) => (*boolean).into(),
        Scalar::Text(text) => text.as_str().into(),
        Scalar::Number(number) => {
            let integer = number.as_i64().map(Value::from);
            let integer = integer.or_else(|| number.as_u64().map(Value::from));
            integer.unwrap_or_else(|| number.as_f64().into())
        }
    }
}

/// A variable of a template, besides `response`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Variable {
    AccessToken,
    ClientId,
    ExpiresAt,
    ExpiresAtUnix,
    IssuedAt,
    Name,
    Namespace,
    Scopes,
    TokenType,
}

impl Variable {
    const ALL: [Self; 9] = [
        Self::AccessToken,
        Self::ClientId,
        Self::ExpiresAt,
        Self::ExpiresAtUnix,
        Self::IssuedAt,
        Self::Name,
        Self::Namespace,
        Self::Scopes,
        Self::TokenType,
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::ClientId => "client_id",
            Self::ExpiresAt => "expires_at",
            Self::ExpiresAtUnix => "expires_at_unix",
            Self::IssuedAt => "issued_at",
            Self::Name => "name",
            Self::Namespace => "namespace",
            Self::Scopes => "scopes",
            Self::TokenType => "token_type",
        }
    }

    /// The names of all variables, for messages.
    pub(super) fn list() -> &'static str {
        static LIST: LazyLock<String> = LazyLock::new(|| {
            let names = Variable::ALL.map(Variable::name).join(", ");
            format!("{names} or response.FIELD")
        });
        &LIST
    }

    pub(super) fn value(self, values: &Values<'_>) -> Value {
        match self {
            Self::AccessToken => values.access_token.expose_secret().into(),
            Self::ClientId => values.client_id.into(),
            Self::ExpiresAt => values.expires_at.to_string().into(),
            Self::ExpiresAtUnix => values.expires_at.as_second().into(),
            Self::IssuedAt => values.issued_at.to_string().into(),
            Self::Name => values.name.into(),
            Self::Namespace => values.namespace.into(),
            // As in a response (RFC 6749, section 3.3).
            Self::Scopes => values.scopes.join(" ").into(),
            Self::TokenType => values.token_type.into(),
        }
    }
}
