//! Looks for another state that knows a refresh token. Anybody who may write Secrets of the namespace can make as many as they like
//! that may know it, of any size: only one of them is in memory at a time, and only few are read.

use std::collections::BTreeMap;

use futures::{Stream, TryStreamExt, stream};
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Error, Resource,
    api::ListParams,
    core::{ObjectList, PartialObjectMeta, Request},
};

use crate::{
    api::{annotation, label},
    cluster::{context::Context, convert},
    kubernetes::{
        bounded,
        error::{ApiError, call},
    },
    reconcile::{OtherState, TokenUse},
};

/// The most states that are read. A label has 16 bits of a hash, so that hardly two logins of a namespace have the same.
const MOST: usize = 16;
/// The states on a page: in one response they cannot be larger than what is read.
const PAGE: u32 = 2;

/// The page of a list, without its contents.
#[derive(Debug)]
struct Page {
    states: Vec<OtherState>,
    next: Option<String>,
}

impl Context {
    /// The use of the tokens with these hashes by the states with one of these labels, other than this one. They are listed live: a
    /// watch may lag behind the claim of another.
    pub(super) async fn other_states(
        &self,
        namespace: &str,
        state: &str,
        labels: &[String],
        token_hashes: &[String],
    ) -> Result<TokenUse, ApiError> {
        let mut count = 0;
        for label in labels {
            // Boxed: the future of every reconcile would be larger otherwise, and hardly any gets here.
            let mut states = Box::pin(self.states_with(namespace, label));
            while let Some(other) = states.try_next().await? {
                if other.secret == state {
                    continue;
                }
                count += 1;
                let found = if count <= MOST {
                    self.read_other(namespace, other).await?
                } else {
                    // Without its data, it may know every token.
                    Some(other)
                };
                if let Some(elsewhere) = found.and_then(|other| other.use_of(token_hashes)) {
                    return Ok(elsewhere);
                }
            }
        }
        Ok(TokenUse::OnlyHere)
    }

    /// The states with this label, without their contents. A page is listed when those before it have been looked at.
    fn states_with(
        &self,
        namespace: &str,
        label: &str,
    ) -> impl Stream<Item = Result<OtherState, ApiError>> {
        let selector = format!("{}={},{label}={}", label::STATE, label::TRUE, label::TRUE);
        let first = ListParams::default().labels(&selector).limit(PAGE);
        let pages = stream::try_unfold(Some(first), async move |parameters| {
            let Some(parameters) = parameters else {
                return Ok(None);
            };
            let page = self.page_of_states(namespace, &parameters).await?;
            let next = page.next.map(|token| parameters.continue_token(&token));
            Ok(Some((stream::iter(page.states.into_iter().map(Ok)), next)))
        });
        pages.try_flatten()
    }

    /// Reads the data of such a state; `None`: it is gone.
    async fn read_other(
        &self,
        namespace: &str,
        other: OtherState,
    ) -> Result<Option<OtherState>, ApiError> {
        let found = self.secret(namespace, &other.secret).await?;
        Ok(found.map(|found| OtherState {
            data: convert::texts(found.data),
            ..other
        }))
    }

    async fn page_of_states(
        &self,
        namespace: &str,
        parameters: &ListParams,
    ) -> Result<Page, ApiError> {
        let place = || format!("Secrets in namespace {namespace}");
        let list = async {
            let request = Request::new(Secret::url_path(&(), Some(namespace)))
                .list_metadata(parameters)
                .map_err(Error::BuildRequest)?;
            bounded::read(&self.parts.client, request, page).await
        };
        let page = call("list", place(), list).await?;
        page.ok_or_else(|| bounded::too_large("list", place()))
    }
}

fn page(list: ObjectList<PartialObjectMeta<Secret>>) -> Page {
    let next = list.metadata.continue_.filter(|token| !token.is_empty());
    let states = list.items.into_iter().map(|found| {
        let owner = found.metadata.annotations.unwrap_or_default();
        OtherState {
            secret: found.metadata.name.unwrap_or_default(),
            owner: owner
                .get(annotation::OWNER_NAME)
                .cloned()
                .unwrap_or_default(),
            data: BTreeMap::new(),
        }
    });
    Page {
        states: states.collect(),
        next,
    }
}

#[cfg(test)]
mod tests;
