//! A harmless request to a token endpoint, with a grant that does not exist. The client sends it.
//!
//! The request names no client and carries neither a secret nor a token, so it can issue and consume nothing, and does not count
//! as a failed login of any client. A token endpoint refuses it with an error of RFC 6749, section 5.2. Any other server responds
//! in another way.

use thiserror::Error;

use crate::{
    api::Reason,
    oauth::{
        grant::Grant,
        response::{self, RequestContext, Response, ResponseError},
    },
    scrub::Scrubber,
};

/// The form. RFC 6749, appendix A.10, allows this name of a grant, and it shows a reader of the provider's log where the request
/// comes from.
pub(super) const FORM: &str = "grant_type=cube-operator-check";

/// The judgement of a response to the probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// A token endpoint responds like this.
    Expected(ResponseError),
    /// A token endpoint may respond like this: not all of them expect such a request.
    Unclear(Unclear),
    /// The server would respond to a real request in the same way.
    Refused(ResponseError),
}

/// A response that proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unclear {
    /// It may refuse the probe only.
    #[error(transparent)]
    Refused(ResponseError),
    /// A token was issued without a client.
    #[error("token endpoint responded {status} with a token that nobody asked for")]
    Issued {
        /// The HTTP status.
        status: u16,
    },
}

/// Judges a response.
#[must_use]
pub fn judge(response: &Response) -> Judgement {
    let context = RequestContext {
        grant: &Grant::ClientCredentials,
        scopes: &[],
    };
    let Err(error) = response::read(response, context, Scrubber::default()).outcome else {
        let status = response.status;
        return Judgement::Unclear(Unclear::Issued { status });
    };
    // The provider's words could repeat a secret of an earlier exchange. No secret is known here that could be removed.
    let error = error.without_words();
    match error.reason() {
        Reason::InvalidClient
        | Reason::InvalidGrant
        | Reason::UnauthorizedClient
        | Reason::UnsupportedGrantType
        | Reason::InvalidScope
        | Reason::InvalidTarget => Judgement::Expected(error),
        Reason::InvalidRequest if error.names_an_error() => Judgement::Expected(error),
        Reason::InvalidRequest | Reason::RateLimited => Judgement::Unclear(Unclear::Refused(error)),
        Reason::Unavailable if [500, 501].contains(&error.status()) => {
            Judgement::Unclear(Unclear::Refused(error))
        }
        _ => Judgement::Refused(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::response::Body;

    /// A judgement with its error in words.
    #[derive(Debug, PartialEq)]
    enum Judged {
        Expected(String),
        Unclear(String),
        Refused(Reason, String),
    }

    fn judged(status: u16, body: &str) -> Judged {
        let judgement = judge(&Response {
            status,
            content_type: Some("application/json".into()),
            location: Some("https://elsewhere.example/login".into()),
            body: Body::Complete(body.into()),
            ..Response::default()
        });
        match judgement {
            Judgement::Expected(error) => Judged::Expected(error.to_string()),
            Judgement::Unclear(unclear) => Judged::Unclear(unclear.to_string()),
            Judgement::Refused(error) => Judged::Refused(error.reason(), error.to_string()),
        }
    }

    fn sentence(rest: &str) -> String {
        format!("token endpoint responded {rest}")
    }

    #[test]
    fn an_oauth_error_is_expected_of_a_token_endpoint() {
        for (status, code) in [
            (400, "unsupported_grant_type"),
            (400, "invalid_request"),
            (400, "invalid_client"),
            (401, "invalid_client"),
            (400, "invalid_grant"),
            (403, "unauthorized_client"),
            // Some respond with 200.
            (200, "invalid_request"),
        ] {
            assert_eq!(
                judged(status, &format!(r#"{{"error":"{code}"}}"#)),
                Judged::Expected(sentence(&format!("{status} {code}")))
            );
        }
        assert_eq!(judged(401, ""), Judged::Expected(sentence("401")));
    }

    #[test]
    fn a_providers_own_sentence_is_not_repeated() {
        let planted =
            r#"{"error":"invalid_client","error_description":"is it planted (\"one\")?"}"#;
        let expected = sentence("401 invalid_client");
        assert_eq!(judged(401, planted), Judged::Expected(expected));
        assert_eq!(
            judged(403, planted.replace("invalid_client", "no").as_str()),
            Judged::Refused(Reason::Forbidden, sentence("403"))
        );
    }

    #[test]
    fn a_response_that_may_be_about_the_probe_itself_proves_nothing() {
        for (status, body) in [
            (400, "<html>"),
            (415, ""),
            (422, r#"{"detail":"client_id is required"}"#),
            (429, ""),
            (500, "<html>"),
            (501, ""),
        ] {
            assert_eq!(
                judged(status, body),
                Judged::Unclear(sentence(&status.to_string())),
                "{status} {body}"
            );
        }
        let token = r#"{"access_token":"planted","token_type":"Bearer"}"#;
        assert_eq!(
            judged(200, token),
            Judged::Unclear(sentence("200 with a token that nobody asked for"))
        );
    }

    #[test]
    fn another_server_or_a_firewall_is_refused_as_in_a_real_exchange() {
        for (status, body, reason, what) in [
            (404, "<html>", Reason::EndpointNotFound, "404"),
            (405, "", Reason::EndpointNotFound, "405"),
            (
                302,
                "",
                Reason::Redirected,
                "302 with a redirect to \"https://elsewhere.example/login\", which is not followed",
            ),
            (
                200,
                "<html>",
                Reason::UnexpectedResponse,
                "200 with a body that is neither JSON nor form-encoded",
            ),
            (
                403,
                "<html>",
                Reason::Forbidden,
                "403 with an HTML page, not JSON",
            ),
            (503, "", Reason::Unavailable, "503"),
        ] {
            assert_eq!(
                judged(status, body),
                Judged::Refused(reason, sentence(what)),
                "{status} {body}"
            );
        }
    }
}
