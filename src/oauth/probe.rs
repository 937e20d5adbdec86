//! A harmless question to a token endpoint: what does it say to a grant that nobody has? Pure; the client sends it.
//!
//! It names no client and carries no secret and no token. So it can issue and spend nothing, and is nobody's failed login. A
//! token endpoint refuses it with an error of RFC 6749, section 5.2; whatever else listens there answers in another way.

use super::{
    response::{self, RequestContext, Response, TokenError},
    scrub::Scrubber,
};
use crate::api::{Grant, Reason};

/// The form. The grant's name is one that RFC 6749, appendix A.10, permits, and tells whoever reads a log who asked.
pub const FORM: &str = "grant_type=cube-operator-check";

/// What an answer to it tells.
#[derive(Debug, PartialEq, Eq)]
pub enum Judgement {
    /// A token endpoint answers so.
    Expected(String),
    /// Perhaps it does: not all of them expect such a question.
    Unclear(String),
    /// It would answer a real request so, too.
    Refused(TokenError),
}

/// Judges an answer.
#[must_use]
pub fn judge(answer: &Response) -> Judgement {
    let asked = RequestContext {
        grant: Grant::ClientCredentials,
        scopes: &[],
    };
    let answered = format!("the token endpoint answered {}", answer.status);
    let Err(refusal) = response::read(answer, asked, Scrubber::default()).outcome else {
        return Judgement::Unclear(format!("{answered} with a token that nobody asked for"));
    };
    let refusal = TokenError {
        what: without_description(&refusal.what),
        ..refusal
    };
    let names_an_error = refusal.what != answered;
    match refusal.reason {
        Reason::InvalidClient
        | Reason::InvalidGrant
        | Reason::UnauthorizedClient
        | Reason::UnsupportedGrantType
        | Reason::InvalidScope
        | Reason::InvalidTarget => Judgement::Expected(refusal.what),
        Reason::InvalidRequest if names_an_error => Judgement::Expected(refusal.what),
        Reason::InvalidRequest | Reason::RateLimited => Judgement::Unclear(refusal.what),
        Reason::Unavailable if [500, 501].contains(&answer.status) => {
            Judgement::Unclear(refusal.what)
        }
        _ => Judgement::Refused(refusal),
    }
}

/// Without the provider's own sentence, in which it could repeat a secret of an earlier exchange: none is known here to be removed.
fn without_description(what: &str) -> String {
    let end = what.find(response::PROVIDER_SAYS).unwrap_or(what.len());
    what[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::response::Body;

    fn judged(status: u16, body: &str) -> Judgement {
        judge(&Response {
            status,
            content_type: Some("application/json".into()),
            location: Some("https://elsewhere.example/login".into()),
            body: Body::Complete(body.into()),
            ..Response::default()
        })
    }

    fn answered(rest: &str) -> String {
        format!("the token endpoint answered {rest}")
    }

    #[test]
    fn an_oauth_error_is_what_a_token_endpoint_answers() {
        for (status, code) in [
            (400, "unsupported_grant_type"),
            (400, "invalid_request"),
            (400, "invalid_client"),
            (401, "invalid_client"),
            (400, "invalid_grant"),
            (403, "unauthorized_client"),
            // Some answer 200.
            (200, "invalid_request"),
        ] {
            assert_eq!(
                judged(status, &format!(r#"{{"error":"{code}"}}"#)),
                Judgement::Expected(answered(&format!("{status} {code}")))
            );
        }
        assert_eq!(judged(401, ""), Judgement::Expected(answered("401")));
    }

    #[test]
    fn a_providers_own_sentence_is_not_repeated() {
        let planted =
            r#"{"error":"invalid_client","error_description":"is it planted (\"one\")?"}"#;
        let expected = answered("401 invalid_client");
        assert_eq!(judged(401, planted), Judgement::Expected(expected));
        let Judgement::Refused(refusal) =
            judged(403, planted.replace("invalid_client", "no").as_str())
        else {
            panic!("it does not let us in")
        };
        assert_eq!(refusal.what, answered("403"));
    }

    #[test]
    fn an_answer_that_may_be_about_the_question_itself_proves_nothing() {
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
                Judgement::Unclear(answered(&status.to_string())),
                "{status} {body}"
            );
        }
        let token = r#"{"access_token":"planted","token_type":"Bearer"}"#;
        assert_eq!(
            judged(200, token),
            Judgement::Unclear(answered("200 with a token that nobody asked for"))
        );
    }

    #[test]
    fn what_is_no_token_endpoint_or_does_not_let_us_in_is_refused_as_a_real_exchange_is() {
        for (status, body, reason, what) in [
            (404, "<html>", Reason::EndpointNotFound, "404"),
            (405, "", Reason::EndpointNotFound, "405"),
            (
                302,
                "",
                Reason::Redirected,
                "302 with a redirect to \"https://elsewhere.example/login\", which is never followed",
            ),
            (
                200,
                "<html>",
                Reason::UnexpectedResponse,
                "200 with neither a JSON object nor a form",
            ),
            (
                403,
                "<html>",
                Reason::Forbidden,
                "403 with a page, not JSON, so it may come from a proxy or firewall on the way",
            ),
            (503, "", Reason::Unavailable, "503"),
        ] {
            let Judgement::Refused(refusal) = judged(status, body) else {
                panic!("{status} {body}")
            };
            assert_eq!((refusal.reason, refusal.what), (reason, answered(what)));
        }
    }
}
