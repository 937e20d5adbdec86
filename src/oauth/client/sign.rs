//! Signs the assertion of a request, just before it is sent: only here are a clock and randomness at hand.

use jiff::Timestamp;
use jsonwebtoken::encode;
use secrecy::SecretString;

use super::error::NetworkError;
use crate::oauth::{
    assertion::Signer, authentication::Authentication, grant::Grant, request::TokenRequest,
};

/// Signs everything in a request that is signed for each one: the assertions of its client and of its grant.
///
/// # Errors
/// If it cannot be signed. Nothing was sent then.
pub fn sign(request: &mut TokenRequest, now: Timestamp) -> Result<(), NetworkError> {
    request.authentication = signed(request.authentication.clone(), now)?;
    if let Grant::JwtBearer(bearer) = &mut request.grant {
        let unique = unique().ok_or(NetworkError::NotSigned)?;
        let claims = bearer.claims(&request.scopes, now, unique);
        let jwt = encode(&bearer.header(), &claims, bearer.key.key());
        bearer.assertion = jwt.map_err(|_| NetworkError::NotSigned)?.into();
    }
    Ok(())
}

/// The client as a request has it: one that signs gets an assertion for this request, and the others stay as they are.
///
/// # Errors
/// If it cannot be signed. Nothing was sent then.
pub fn signed(client: Authentication, now: Timestamp) -> Result<Authentication, NetworkError> {
    let Authentication::PrivateKeyJwt(signer) = client else {
        return Ok(client);
    };
    let assertion = assertion(&signer, now).ok_or(NetworkError::NotSigned)?;
    Ok(Authentication::Assertion { signer, assertion })
}

fn assertion(signer: &Signer, now: Timestamp) -> Option<SecretString> {
    let claims = signer.claims(now, unique()?);
    let jwt = encode(&signer.header(), &claims, signer.key.key());
    Some(jwt.ok()?.into())
}

fn unique() -> Option<[u8; 16]> {
    let mut unique = [0; 16];
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    provider.secure_random.fill(&mut unique).ok()?;
    Some(unique)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use secrecy::ExposeSecret;
    use serde_json::{Value, json};

    use super::*;
    use crate::oauth::private_key::PrivateKey;

    /// The key of RFC 8037, appendix A.1.
    const KEY: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    fn signer() -> Signer {
        let key = PrivateKey::read(KEY).unwrap();
        Signer {
            id: "cube".into(),
            algorithm: key.algorithm(None).unwrap(),
            key: Arc::new(key),
            key_id: Some("k1".into()),
            certificate: None,
            audience: "https://login.example/token".into(),
        }
    }

    fn part(assertion: &str, index: usize) -> Value {
        let part = assertion.split('.').nth(index).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn an_assertion_names_client_audience_and_key_and_lives_for_a_minute() {
        let now = "2026-11-29T10:00:00Z".parse::<Timestamp>().unwrap();
        let made = assertion(&signer(), now).unwrap();
        let made = made.expose_secret();
        assert_eq!(
            part(made, 0),
            json!({"typ": "JWT", "alg": "EdDSA", "kid": "k1"})
        );
        let mut claims = part(made, 1);
        let unique = claims["jti"].take();
        let now = now.as_second();
        assert_eq!(
            claims,
            json!({
                "iss": "cube", "sub": "cube", "aud": "https://login.example/token", "jti": null,
                "iat": now, "nbf": now - 5, "exp": now + 60,
            })
        );
        let unique = URL_SAFE_NO_PAD.decode(unique.as_str().unwrap()).unwrap();
        assert_eq!(unique.len(), 16, "128 bits");
    }

    #[test]
    fn no_two_assertions_have_the_same_jti() {
        let made = || {
            let made = assertion(&signer(), Timestamp::UNIX_EPOCH).unwrap();
            part(made.expose_secret(), 1)["jti"].clone()
        };
        assert_ne!(made(), made());
    }

    #[test]
    fn only_a_client_that_signs_gets_an_assertion() {
        let secret = Authentication::None { id: "cube".into() };
        let same = signed(secret, Timestamp::UNIX_EPOCH).unwrap();
        assert!(matches!(same, Authentication::None { .. }));
        let client = Authentication::PrivateKeyJwt(signer());
        let signed = signed(client, Timestamp::UNIX_EPOCH).unwrap();
        assert!(matches!(signed, Authentication::Assertion { .. }));
    }
}
