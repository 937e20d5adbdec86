//! The address that a browser on another machine ended on.

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{
    callback::{Answer, Reply},
    flags::Browser,
    redirect::Redirect,
};
use crate::plugin::{
    Context,
    error::{PluginError, Result},
};

/// Asks for the address.
pub(super) async fn ask(context: &Context, redirect: &Redirect, flags: &Browser) -> Result<Answer> {
    context.terminal.note(&format!(
        "After the sign-in the browser goes to {}..., where it may show an error: copy the whole address from its address bar.",
        redirect.uri
    ));
    let limit = flags.login_timeout.unsigned_abs();
    let asked = tokio::time::timeout(limit, ask_until_it_fits(context, redirect)).await;
    let query = asked.map_err(|_| redirect.timed_out(flags.login_timeout))??;
    Ok(Answer {
        query,
        reply: Reply::none(),
    })
}

/// A wrong address is no reason to sign in again.
async fn ask_until_it_fits(context: &Context, redirect: &Redirect) -> Result<SecretString> {
    loop {
        let address = context
            .terminal
            .read_secret("Address (it is not shown)")
            .await?;
        match query_of(&address, redirect) {
            Err(error) if context.terminal.interactive => context.terminal.fail(&error),
            decided => return decided,
        }
    }
}

fn query_of(address: &SecretString, redirect: &Redirect) -> Result<SecretString> {
    let other = || {
        PluginError::new(format!(
            "this is not an address that begins with {} and a question mark: paste the address that the browser ends on \
             after the sign-in",
            redirect.uri
        ))
    };
    let url = Url::parse(address.expose_secret().trim()).map_err(|_| other())?;
    let expected = Url::parse(&redirect.uri).map_err(|_| other())?;
    match url.query() {
        Some(query) if is_same_place(&url, &expected) => Ok(query.into()),
        _ => Err(other()),
    }
}

/// A private scheme (RFC 8252, section 7.1) has no origin that could be compared.
fn is_same_place(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host() == other.host()
        && one.port_or_known_default() == other.port_or_known_default()
        && one.path() == other.path()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pasted_address_must_be_the_redirects() {
        let redirect = Redirect {
            uri: "http://127.0.0.1:5000/callback".into(),
        };
        let query = |text: &str| {
            let query = query_of(&text.into(), &redirect);
            query.map(|query| query.expose_secret().to_owned()).ok()
        };
        assert_eq!(
            query(" http://127.0.0.1:5000/callback?code=a&state=b\n"),
            Some("code=a&state=b".into())
        );
        for other in [
            "http://127.0.0.1:5001/callback?code=a",
            "http://127.0.0.1:5000/other?code=a",
            "http://127.0.0.1:5000/callback",
            "https://portal.example.com/o/authorize/?client_id=a",
            "code=a&state=b",
            "",
        ] {
            assert_eq!(query(other), None, "{other}");
        }
    }

    #[test]
    fn the_redirect_may_have_a_private_scheme() {
        let redirect = Redirect {
            uri: "com.acme.app:/oauth".into(),
        };
        let query = |text: &str| query_of(&text.into(), &redirect).ok();
        let found = query("com.acme.app:/oauth?code=a&state=b").unwrap();
        assert_eq!(found.expose_secret(), "code=a&state=b");
        for other in ["com.acme.other:/oauth?code=a", "com.acme.app:/other?code=a"] {
            assert!(query(other).is_none(), "{other}");
        }
    }
}
