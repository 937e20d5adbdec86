//! The other states of the namespace: a refresh token that one of them knows is never sent by this object.
//!
//! A state tells by its labels which tokens it may know, from before a token is sent. So two objects with one initial refresh token
//! each claim it in their own state, and look at the states of the others after that: at least one of them sees the other, and who
//! sees another one sends nothing.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::stored::StoredLogin;

/// A state of another object that may know the token.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct OtherState {
    pub secret: String,
    /// The name of the object that wrote it.
    pub owner: String,
    /// Its data, as far as it is text.
    pub data: BTreeMap<String, SecretString>,
}

/// The use of the refresh token that this object would send by another state of the namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum TokenUse {
    /// They were not read in this reconcile, or not since the claim.
    Unread,
    OnlyHere,
    /// This state knows it.
    Elsewhere {
        secret: String,
        owner: String,
    },
}

impl OtherState {
    /// The use of the tokens with these hashes by this state; `None`: it knows none of them. A state that cannot be read may know
    /// them.
    #[must_use]
    pub fn use_of(self, token_hashes: &[String]) -> Option<TokenUse> {
        let owns_any = |stored: StoredLogin| token_hashes.iter().any(|hash| stored.owns(hash));
        let knows = StoredLogin::read(&self.data).is_none_or(owns_any);
        let Self { secret, owner, .. } = self;
        knows.then_some(TokenUse::Elsewhere { secret, owner })
    }
}
