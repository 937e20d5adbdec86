//! Asks the API server who sent a bearer token, whether that user may read a path, and what this account may do.

use k8s_openapi::api::{
    authentication::v1::{TokenReview, TokenReviewSpec, UserInfo},
    authorization::v1::{
        NonResourceAttributes, ResourceAttributes, SelfSubjectAccessReview,
        SelfSubjectAccessReviewSpec, SubjectAccessReview, SubjectAccessReviewSpec,
    },
};
use kube::{Api, Client, api::PostParams};
use secrecy::{ExposeSecret, SecretString};

use super::error::{ApiError, call};

/// The user that a bearer token belongs to, if it is valid.
///
/// # Errors
/// If the API server refuses or cannot be reached.
pub(crate) async fn authenticate(
    client: &Client,
    token: &SecretString,
) -> Result<Option<UserInfo>, ApiError> {
    let api: Api<TokenReview> = Api::all(client.clone());
    let review = TokenReview {
        spec: TokenReviewSpec {
            token: Some(token.expose_secret().to_owned()),
            audiences: None,
        },
        ..TokenReview::default()
    };
    let parameters = PostParams::default();
    let review = call("create", "a TokenReview", api.create(&parameters, &review)).await?;
    let status = review.status.unwrap_or_default();
    let authenticated = status.authenticated == Some(true);
    Ok(status.user.filter(|_| authenticated))
}

/// Returns whether a user may `get` a path of this process, by the same rules as a path of the API server.
///
/// # Errors
/// If the API server refuses or cannot be reached.
pub(crate) async fn may_get(client: &Client, user: UserInfo, path: &str) -> Result<bool, ApiError> {
    let api: Api<SubjectAccessReview> = Api::all(client.clone());
    let review = SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: user.username,
            groups: user.groups,
            extra: user.extra,
            uid: user.uid,
            non_resource_attributes: Some(NonResourceAttributes {
                path: Some(path.to_owned()),
                verb: Some("get".into()),
            }),
            resource_attributes: None,
        },
        ..SubjectAccessReview::default()
    };
    let parameters = PostParams::default();
    let review = api.create(&parameters, &review);
    let review = call("create", "a SubjectAccessReview", review).await?;
    Ok(review.status.is_some_and(|status| status.allowed))
}

/// Returns whether the account of this process may do this.
///
/// # Errors
/// If the API server refuses or cannot be reached.
pub(crate) async fn may(client: &Client, what: ResourceAttributes) -> Result<bool, ApiError> {
    let api: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(what),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let parameters = PostParams::default();
    let review = api.create(&parameters, &review);
    let review = call("create", "a SelfSubjectAccessReview", review).await?;
    Ok(review.status.is_some_and(|status| status.allowed))
}
