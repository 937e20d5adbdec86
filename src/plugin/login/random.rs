//! Values that nobody can guess.

use secrecy::SecretString;

use crate::{
    oauth::authorization,
    plugin::error::{PluginError, Result},
};

/// A value that ties requests to this sign-in.
pub(super) fn random() -> Result<SecretString> {
    let mut random = authorization::Random::default();
    rustls::crypto::aws_lc_rs::default_provider()
        .secure_random
        .fill(&mut random)
        .map_err(|_| PluginError::new("the operating system gives no random numbers"))?;
    Ok(authorization::unguessable(&random))
}
