//! The exchange of the code for a refresh token, and the sentences about what the provider refused.

use secrecy::SecretString;

use super::prepare::Prepared;
use crate::{
    api::{ClientAuthentication, Reason},
    oauth::{
        authorization::{CodeRequest, RedirectError},
        error::TokenError,
        response::Parsed,
    },
    plugin::error::{PluginError, Result},
};

/// The refresh token for a code.
pub(super) async fn refresh_token(
    prepared: &Prepared,
    mut request: CodeRequest,
) -> Result<SecretString> {
    let mut parsed = redeem(prepared, &request).await?;
    // A provider that refuses the client's secret should not have used the code. If it has, the first error is the right one.
    if let (Err(error), Some(other)) = (&parsed.outcome, &prepared.sign_in.with_other_secret)
        && error.refuses_client_secret()
    {
        request.authentication = other.clone();
        let with_other = redeem(prepared, &request).await?;
        if with_other.refresh_token.is_some() || with_other.outcome.is_ok() {
            parsed = with_other;
        }
    }
    // A response with a refresh token is a sign-in, whatever is wrong with its access token.
    if let Some(token) = parsed.refresh_token {
        return Ok(token);
    }
    match parsed.outcome {
        Err(error) => Err(refused(prepared, &request, &error.into())),
        Ok(_) => Err(no_refresh_token(prepared)),
    }
}

async fn redeem(prepared: &Prepared, request: &CodeRequest) -> Result<Parsed> {
    let response = prepared.tokens.redeem(request).await;
    let response = response.map_err(|error| refused(prepared, request, &error.into()))?;
    Ok(request.read(&response))
}

fn no_refresh_token(prepared: &Prepared) -> PluginError {
    let asked = prepared
        .scopes
        .iter()
        .any(|scope| scope == "offline_access");
    let remedy = if asked {
        "add ?prompt=consent to spec.authorizationURL, which OpenID Connect asks for with offline_access, or allow refresh tokens for \
         this client at the provider"
    } else {
        "add offline_access to spec.scopes if the provider knows that scope, or allow refresh tokens for this client at the provider \
         (Google: add ?access_type=offline&prompt=consent to spec.authorizationURL)"
    };
    PluginError::new(format!(
        "the sign-in worked, but the response has no refresh token: {remedy}, then run `kubectl cube login {}` again",
        prepared.name()
    ))
}

/// Returns whether the client signs an assertion.
fn signs(prepared: &Prepared) -> bool {
    prepared.settings.authentication == ClientAuthentication::PrivateKeyJwt
}

/// Returns whether the client presents a certificate.
fn presents(prepared: &Prepared) -> bool {
    prepared.settings.authentication == ClientAuthentication::MutualTls
}

fn refused(prepared: &Prepared, request: &CodeRequest, error: &TokenError) -> PluginError {
    let client = &prepared.settings.source.name;
    let remedy = match error.reason() {
        Reason::InvalidClient if signs(prepared) => format!(
            "register the public key of the private key in Secret \"{client}\" at the provider, check the client id and \
             spec.clientAssertion, and the clock of this machine"
        ),
        Reason::InvalidClient | Reason::ClientCertificateRefused if presents(prepared) => format!(
            "register the certificate in Secret \"{client}\", or its CA, at the provider, and check the client id"
        ),
        Reason::InvalidClient => format!(
            "check the client id and the client secret in Secret \"{client}\", and spec.clientAuthentication"
        ),
        Reason::RefreshTokenRejected => format!(
            "the provider did not accept the code: check that {} is registered for this client, and run the command again",
            request.redirect_uri
        ),
        Reason::UnauthorizedClient | Reason::UnsupportedGrantType => {
            "allow this client to use the authorization_code grant at the provider".into()
        }
        Reason::Forbidden => {
            "the provider may not allow the IP address of this machine, or this client".into()
        }
        _ => "run the command again when that is corrected".into(),
    };
    PluginError::new(format!("the sign-in worked, but {error}: {remedy}"))
}

/// Why the redirect brought no code, and what to do.
pub(super) fn explain_redirect(
    error: &RedirectError,
    prepared: &Prepared,
    redirect_uri: &str,
) -> String {
    let remedy = match error {
        RedirectError::Denied => {
            "sign in again and authorize the client, or ask who administers it".to_owned()
        }
        RedirectError::WrongState => {
            "close older tabs of the browser, and run the command again".to_owned()
        }
        RedirectError::WrongIssuer => format!(
            "check that {} is the authorization endpoint of the provider that issues the tokens",
            prepared.authorization.authority()
        ),
        RedirectError::Refused { code, .. } => of_code(code, redirect_uri),
        RedirectError::Repeated(_) | RedirectError::NoCode => {
            "run the command again; if it persists, check the authorization URL".to_owned()
        }
    };
    format!("{error}: {remedy}")
}

fn of_code(code: &str, redirect_uri: &str) -> String {
    match code {
        "invalid_scope" => "check spec.scopes".to_owned(),
        "unauthorized_client" | "unsupported_response_type" => {
            "allow this client to use the authorization code grant at the provider".to_owned()
        }
        "invalid_request" => format!("check that {redirect_uri} is registered for this client"),
        "server_error" | "temporarily_unavailable" => "run the command again later".to_owned(),
        _ => "correct that at the provider, and run the command again".to_owned(),
    }
}
