//! Lists pods page by page. The caller says which of their fields are read.

use std::{fmt::Debug, marker::PhantomData};

use k8s_openapi::api::core::v1;
use kube::{
    Client, Error, Resource,
    api::ListParams,
    core::{ObjectList, Request},
};
use serde::de::DeserializeOwned;

use super::{
    bounded,
    error::{ApiError, call},
};

/// The number of pods on a page: a response of a few hundred kilobytes. Where pods are so large that it would be megabytes, there are
/// fewer.
pub(crate) const PAGE: u32 = 50;

/// Reads the pods of a namespace that have not finished, `page` of them at a time, or fewer where they are large.
///
/// # Errors
/// If the API server refuses or cannot be reached, or a pod is too large. `take` has received the earlier pages by then.
pub async fn pages<P: Clone + Debug + DeserializeOwned>(
    client: &Client,
    namespace: &str,
    page: u32,
    mut take: impl FnMut(&[P]),
) -> Result<(), ApiError> {
    let mut pages = Pages::new(client, namespace, page);
    while pages.next(|pods: Vec<P>| take(&pods)).await?.is_some() {}
    Ok(())
}

/// The pods of a namespace that have not finished, page by page.
///
/// The request has no resourceVersion: "0" would be cheaper for the API server, but returns all pods in one response, whatever
/// the limit.
pub(crate) struct Pages<'a, P> {
    client: &'a Client,
    namespace: &'a str,
    parameters: ListParams,
    page: u32,
    is_over: bool,
    pods: PhantomData<P>,
}

impl<'a, P: Clone + Debug + DeserializeOwned> Pages<'a, P> {
    pub(crate) fn new(client: &'a Client, namespace: &'a str, page: u32) -> Self {
        let parameters =
            ListParams::default().fields("status.phase!=Succeeded,status.phase!=Failed");
        Self {
            client,
            namespace,
            parameters,
            page,
            is_over: false,
            pods: PhantomData,
        }
    }

    /// Takes the next page; `None`: there is none. Only few pages are in memory at the same time, for as long as this
    /// takes.
    ///
    /// # Errors
    /// If the API server refuses or cannot be reached, or a pod is too large.
    pub(crate) async fn next<R>(
        &mut self,
        take: impl FnOnce(Vec<P>) -> R,
    ) -> Result<Option<R>, ApiError> {
        if self.is_over {
            return Ok(None);
        }
        let mut once = Some(take);
        let (next, taken) = loop {
            let take = |page: ObjectList<P>| {
                let taken = once.take().map(|take| take(page.items));
                (page.metadata.continue_, taken)
            };
            if let Some(read) = self.read(take).await? {
                break read;
            }
            if self.page <= 1 {
                return Err(bounded::too_large("list", self.place()));
            }
            self.page /= 2;
        };
        let next = next.filter(|token| !token.is_empty());
        self.is_over = next.is_none();
        self.parameters.continue_token = next;
        Ok(taken)
    }

    async fn read<R>(&self, take: impl FnOnce(ObjectList<P>) -> R) -> Result<Option<R>, ApiError> {
        let list = async {
            let request = Request::new(v1::Pod::url_path(&(), Some(self.namespace)));
            let request = request
                .list(&self.parameters.clone().limit(self.page))
                .map_err(Error::BuildRequest)?;
            bounded::read(self.client, request, take).await
        };
        call("list", self.place(), list).await
    }

    fn place(&self) -> String {
        format!("pods of namespace {}", self.namespace)
    }
}

#[cfg(test)]
mod tests;
