//! Lists of objects that may be many.

use std::fmt::Debug;

use kube::{Api, api::ListParams};
use serde::de::DeserializeOwned;

use super::error::{ApiError, call};

/// The objects on a page: about a megabyte. `check` runs within the memory limit of the operator's container, so no response has all
/// objects.
const PAGE: u32 = 500;

/// All objects, read page by page. `what` names them in an error.
///
/// # Errors
/// If the API server refuses a page, cannot be reached, or takes too long for one.
pub(crate) async fn all<K>(api: &Api<K>, what: &str) -> Result<Vec<K>, ApiError>
where
    K: Clone + Debug + DeserializeOwned,
{
    let mut parameters = ListParams::default().limit(PAGE);
    let mut objects = Vec::new();
    loop {
        let page = call("list", what, api.list(&parameters)).await?;
        objects.extend(page.items);
        match page.metadata.continue_ {
            Some(token) if !token.is_empty() => parameters.continue_token = Some(token),
            _ => return Ok(objects),
        }
    }
}

#[cfg(test)]
mod tests;
