//! Lists pods page by page. The caller says which of their fields are read.

use std::fmt::Debug;

use k8s_openapi::api::core::v1;
use kube::{
    Client, Error, Resource,
    api::ListParams,
    core::{ObjectList, Request},
};
use serde::de::DeserializeOwned;

use super::error::{ApiError, call};

/// The number of pods on a page: a response of a few hundred kilobytes, and of a few megabytes where annotations are large.
pub(crate) const PAGE: u32 = 50;

/// Reads the pods of a namespace that have not finished, `page` of them at a time.
///
/// The request has no resourceVersion: "0" would be cheaper for the API server, but returns all pods in one response, whatever
/// the limit.
///
/// # Errors
/// If the API server refuses or cannot be reached. `take` has received the earlier pages by then.
pub async fn pages<P: Clone + Debug + DeserializeOwned>(
    client: &Client,
    namespace: &str,
    page: u32,
    mut take: impl FnMut(&[P]),
) -> Result<(), ApiError> {
    let request = Request::new(v1::Pod::url_path(&(), Some(namespace)));
    let mut parameters = ListParams::default()
        .limit(page)
        .fields("status.phase!=Succeeded,status.phase!=Failed");
    loop {
        let list = async {
            let request = request.list(&parameters).map_err(Error::BuildRequest)?;
            client.request::<ObjectList<P>>(request).await
        };
        let page = call("list", format!("pods of namespace {namespace}"), list).await?;
        take(&page.items);
        match page.metadata.continue_ {
            Some(token) if !token.is_empty() => parameters.continue_token = Some(token),
            _ => return Ok(()),
        }
    }
}
