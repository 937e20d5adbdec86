//! The private key of a client, as a Secret holds it: PEM (PKCS#8, SEC1 or PKCS#1), or a JWK.
//!
//! Reading it is pure, so that an unusable key is rejected before anything is sent. Its bytes are wiped when it is dropped, and no
//! output shows them.

#[cfg(test)]
pub(crate) mod corpus;
mod der;
mod flaw;
mod jwk;
mod key;
mod kind;
mod pem;

pub use flaw::KeyFlaw;
pub use key::PrivateKey;
pub use kind::KeyKind;

impl PrivateKey {
    /// Reads the text of a Secret.
    ///
    /// # Errors
    /// The flaw, which shows nothing of the key.
    pub fn read(text: &str) -> Result<Self, KeyFlaw> {
        if text.len() > flaw::LARGEST {
            return Err(KeyFlaw::TooLarge);
        }
        match text.trim() {
            "" => Err(KeyFlaw::Empty),
            json if json.starts_with('{') => jwk::read(json),
            pem => pem::read(pem),
        }
    }
}

/// Returns whether a text is a private key, or holds one: it must not be sent as another value.
pub(crate) fn is_in(text: &str) -> bool {
    text.contains("PRIVATE KEY-----") || jwk::is_private(text)
}

#[cfg(test)]
mod tests;
