//! The fields of the grants that need more than a client: an assertion, or the token of a subject.

use clap::Args;
use serde_json::{Value, json};

use super::values::{
    audience, checked, claim, empty_or_claim, key_id, object_name, subject_secret, target,
};
use crate::{
    api::{Grant, SubjectTokenRef},
    plugin::{
        Context,
        error::{PluginError, Result},
    },
};

/// The flags of these grants.
#[derive(Debug, Args)]
pub(super) struct OfGrant {
    #[command(flatten)]
    bearer: Bearer,
    #[command(flatten)]
    exchange: Exchange,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Grant JWTBearer")]
#[expect(clippy::struct_field_names, reason = "they are the names of the flags")]
struct Bearer {
    /// The iss claim with --grant JWTBearer; without it, the client id in the Secret of --from-secret
    #[arg(long, value_name = "ISSUER", value_parser = checked(claim))]
    jwt_issuer: Option<String>,
    /// The sub claim with --grant JWTBearer: the user that the token is for
    #[arg(long, value_name = "SUBJECT", value_parser = checked(claim))]
    jwt_subject: Option<String>,
    /// The aud claim with --grant JWTBearer; without it, the token endpoint
    #[arg(long, value_name = "AUDIENCE", value_parser = checked(target))]
    jwt_audience: Option<String>,
    /// The provider's name of the key (kid) with --grant JWTBearer
    #[arg(long, value_name = "ID", value_parser = checked(key_id))]
    jwt_key_id: Option<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Grant TokenExchange")]
struct Exchange {
    /// The Secret with the subject token of --grant TokenExchange, and :KEY if the key is not token
    #[arg(long, value_name = "SECRET", value_parser = subject_secret, conflicts_with = "subject_service_account")]
    subject_secret: Option<SubjectTokenRef>,
    /// The ServiceAccount whose token is the subject token of --grant TokenExchange
    #[arg(long, value_name = "NAME", value_parser = checked(object_name))]
    subject_service_account: Option<String>,
    /// The audience of that ServiceAccount's token, as the provider expects it
    #[arg(long, value_name = "AUDIENCE", value_parser = checked(audience), requires = "subject_service_account")]
    subject_audience: Option<String>,
    /// The name of a service that the token of --grant TokenExchange is for; may be repeated
    #[arg(long, value_name = "AUDIENCE", value_parser = checked(target))]
    audience: Vec<String>,
    /// The URI of a service that the token of --grant TokenExchange is for; may be repeated
    #[arg(long, value_name = "URI", value_parser = checked(target))]
    resource: Vec<String>,
}

/// A field of the spec.
pub(super) type Field = (&'static str, Value);

/// Reads the fields of the grant, and asks for what the flags lack.
///
/// # Errors
/// Names a flag of another grant.
pub(super) async fn field(
    context: &Context,
    flags: &OfGrant,
    grant: Grant,
) -> Result<Option<Field>> {
    flags.must_be_for(grant)?;
    match grant {
        Grant::ClientCredentials | Grant::AccountCredentials | Grant::RefreshToken => Ok(None),
        Grant::JwtBearer => {
            let claims = flags.bearer.claims(context).await?;
            // Without claims the defaults hold.
            let is_empty = claims.as_object().is_none_or(serde_json::Map::is_empty);
            Ok((!is_empty).then_some(("jwtBearer", claims)))
        }
        Grant::TokenExchange => {
            let exchange = flags.exchange.fields(context).await?;
            Ok(Some(("tokenExchange", exchange)))
        }
    }
}

impl OfGrant {
    fn must_be_for(&self, grant: Grant) -> Result {
        let (bearer, exchange) = (Grant::JwtBearer, Grant::TokenExchange);
        let (signed, exchanged) = (&self.bearer, &self.exchange);
        let flags = [
            ("--jwt-issuer", signed.jwt_issuer.is_some(), bearer),
            ("--jwt-subject", signed.jwt_subject.is_some(), bearer),
            ("--jwt-audience", signed.jwt_audience.is_some(), bearer),
            ("--jwt-key-id", signed.jwt_key_id.is_some(), bearer),
            (
                "--subject-secret",
                exchanged.subject_secret.is_some(),
                exchange,
            ),
            (
                "--subject-service-account",
                exchanged.subject_service_account.is_some(),
                exchange,
            ),
            ("--audience", !exchanged.audience.is_empty(), exchange),
            ("--resource", !exchanged.resource.is_empty(), exchange),
        ];
        let foreign = flags
            .into_iter()
            .find(|(_, is_set, of)| *is_set && *of != grant);
        let Some((flag, _, of)) = foreign else {
            return Ok(());
        };
        let parameter = match flag {
            "--audience" | "--resource" => format!(", or use --parameter {}=...", &flag[2..]),
            _ => String::new(),
        };
        let (of, grant) = (name(of), name(grant));
        Err(PluginError::Usage(format!(
            "{flag} is for grant {of}, and the grant is {grant}: leave it out, or add --grant {of}{parameter}"
        )))
    }
}

impl Bearer {
    async fn claims(&self, context: &Context) -> Result<Value> {
        let issuer = match &self.jwt_issuer {
            None if context.terminal.interactive => {
                let what = "Issuer (empty for the client id in that Secret)";
                let asked = context.terminal.ask(what, "--jwt-issuer", empty_or_claim);
                Some(asked.await?).filter(|issuer| !issuer.is_empty())
            }
            given => given.clone(),
        };
        let claims = [
            ("issuer", issuer.as_ref()),
            ("subject", self.jwt_subject.as_ref()),
            ("audience", self.jwt_audience.as_ref()),
            ("keyID", self.jwt_key_id.as_ref()),
        ];
        let claims = claims.into_iter().filter_map(|(name, value)| {
            let value = json!(value?);
            Some((name.to_owned(), value))
        });
        Ok(Value::Object(claims.collect()))
    }
}

impl Exchange {
    async fn fields(&self, context: &Context) -> Result<Value> {
        let mut exchange = self.subject(context).await?;
        for (name, values) in [("audience", &self.audience), ("resource", &self.resource)] {
            must_be_a_set(name, values)?;
            if !values.is_empty() {
                exchange[name] = json!(values);
            }
        }
        Ok(exchange)
    }

    /// Where the subject token comes from.
    async fn subject(&self, context: &Context) -> Result<Value> {
        let terminal = &context.terminal;
        if let Some(secret) = &self.subject_secret {
            return Ok(json!({"subjectTokenRef": secret}));
        }
        let flag = "--subject-secret or --subject-service-account";
        let account = match &self.subject_service_account {
            Some(account) => account.clone(),
            None if terminal.interactive => {
                let choices = &["in a Secret", "of a ServiceAccount"];
                if terminal
                    .choose("The subject token is", flag, choices)
                    .await?
                    == 0
                {
                    let name = terminal.ask("Secret with the subject token", flag, object_name);
                    return Ok(json!({"subjectTokenRef": {"name": name.await?}}));
                }
                terminal.ask("ServiceAccount", flag, object_name).await?
            }
            None => terminal.ask("Subject token", flag, object_name).await?,
        };
        let audience = if let Some(audience) = &self.subject_audience {
            audience.clone()
        } else {
            let what = "Audience of its token";
            terminal.ask(what, "--subject-audience", audience).await?
        };
        let account = json!({"name": account, "audience": audience});
        Ok(json!({"subjectServiceAccount": account}))
    }
}

/// The name of a grant in a spec.
fn name(grant: Grant) -> String {
    let name = json!(grant);
    name.as_str().unwrap_or_default().to_owned()
}

/// The list in the spec is a set of 16 values at most.
fn must_be_a_set(name: &str, values: &[String]) -> Result {
    const MOST: usize = 16;
    if values.len() > MOST {
        return Err(PluginError::Usage(format!(
            "--{name} is given {} times, and {MOST} are allowed: leave some out",
            values.len()
        )));
    }
    let seen = |(index, value)| values[..index].contains(value);
    let Some(twice) = values.iter().enumerate().find(|entry| seen(*entry)) else {
        return Ok(());
    };
    Err(PluginError::Usage(format!(
        "--{name} {} is given twice: leave one of them out",
        twice.1
    )))
}
