//! A token endpoint: a URL that a client secret may be sent to. [`hosts`](super::hosts) and [`networks`](super::networks) say
//! which hosts and addresses are allowed.

use std::fmt;

use thiserror::Error;
use url::{Host, Url};

/// The error of [`Endpoint::parse`]: the end of a sentence about a URL.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum EndpointError {
    #[error("is not a URL: {0}")]
    NotAUrl(url::ParseError),
    #[error("must start with https:// in lower case")]
    NotHttps,
    #[error("must not contain a blank, a backslash or a control character")]
    BadCharacter,
    #[error("must not contain a user or password")]
    UserInfo,
    #[error("must not contain a fragment (#...)")]
    Fragment,
    #[error("names no host")]
    NoHost,
    #[error("has a character in its host that no host name has")]
    NotAHost,
}

/// A token endpoint whose URL is safe to send a secret to. Its text is kept as written.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

/// The query is left out, because it may hold a secret.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({}{})", self.authority(), self.0.path())
    }
}

impl Endpoint {
    /// Reads a token URL. The API server checks most of this at admission, but an older CRD may not.
    ///
    /// # Errors
    /// Says what to write instead.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        if !text.starts_with("https://") {
            return Err(EndpointError::NotHttps);
        }
        // `Url` drops blanks anywhere, and reads backslashes as slashes.
        if text.contains(|c: char| c.is_ascii_whitespace() || c.is_control() || c == '\\') {
            return Err(EndpointError::BadCharacter);
        }
        let url = Url::parse(text).map_err(EndpointError::NotAUrl)?;
        // `Url` drops an empty user. The text shows it, after the additional slashes that `Url` skips.
        let rest = text["https:".len()..].trim_start_matches('/');
        let authority = rest.split(['/', '?', '#']).next();
        let user = authority.is_some_and(|authority| authority.contains('@'));
        if user || !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(EndpointError::Fragment);
        }
        match url.host() {
            None | Some(Host::Domain("")) => Err(EndpointError::NoHost),
            Some(Host::Domain(name)) if !name.bytes().all(is_of_a_name) => {
                Err(EndpointError::NotAHost)
            }
            _ => Ok(Self(url)),
        }
    }

    /// The URL to send to. Its query may hold a secret: it belongs in a request and nowhere else.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Scheme, authority and path: where requests arrive, and what a refresh token is bound to. The query may hold a secret, and
    /// may change.
    #[must_use]
    pub fn without_query(&self) -> String {
        format!("https://{}{}", self.authority(), self.0.path())
    }

    /// `host` or `host:port`, for messages.
    #[must_use]
    pub fn authority(&self) -> String {
        self.0.authority().to_owned()
    }

    /// The host without brackets.
    #[must_use]
    pub fn host(&self) -> String {
        self.0
            .host_str()
            .unwrap_or_default()
            .trim_matches(['[', ']'])
            .to_owned()
    }

    /// The port; 443 where the URL has none.
    #[must_use]
    pub(crate) fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or(443)
    }
}

/// `Url` accepts more characters than these; the HTTP client does not.
fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_url_is_https_without_user_or_fragment() {
        for (text, error) in [
            ("http://example.com/", EndpointError::NotHttps),
            ("HTTPS://example.com/", EndpointError::NotHttps),
            ("https://user:pass@example.com/", EndpointError::UserInfo),
            ("https://@example.com/", EndpointError::UserInfo),
            ("https:///user@example.com/", EndpointError::UserInfo),
            ("https:////@example.com/", EndpointError::UserInfo),
            ("https://example.com\\@x/", EndpointError::BadCharacter),
            ("https://\t/@example.com/", EndpointError::BadCharacter),
            ("https://exa\nmple.com/", EndpointError::BadCharacter),
            ("https://example.com/ ", EndpointError::BadCharacter),
            ("https://{example}.com/", EndpointError::NotAHost),
            ("https://ex*mple.com/", EndpointError::NotAHost),
            ("https://example.com/#x", EndpointError::Fragment),
            (
                "https://",
                EndpointError::NotAUrl(url::ParseError::EmptyHost),
            ),
            (
                "https://example.com:99999/",
                EndpointError::NotAUrl(url::ParseError::InvalidPort),
            ),
        ] {
            assert_eq!(Endpoint::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn an_at_sign_behind_the_host_is_no_user() {
        for text in [
            "https://example.com/users/@me",
            "https://example.com?to=a@b",
        ] {
            assert_eq!(Endpoint::parse(text).unwrap().authority(), "example.com");
        }
    }

    #[test]
    fn the_query_and_a_trailing_slash_are_kept_as_written() {
        let endpoint = Endpoint::parse("https://example.com/o/token/?tenant=A%20b").unwrap();
        assert_eq!(
            endpoint.url().as_str(),
            "https://example.com/o/token/?tenant=A%20b"
        );
        assert_eq!(endpoint.without_query(), "https://example.com/o/token/");
    }
}
