//! The client id and the client secret: from flags, a file, stdin or the person.

use std::{
    fs,
    io::{Read, stdin},
    path::Path,
};

use secrecy::{ExposeSecret, SecretString};

use super::{flags::Create, values::object_name};
use crate::{
    api::{ClientAuthentication, Grant},
    oauth::authentication::ClientValue,
    plugin::{
        Context,
        error::{PluginError, Result},
    },
    reconcile::flaw,
};

/// The most bytes of a file with a client secret: a Secret can have no more.
const LARGEST: u64 = 1 << 20;

/// The values of a client's Secret; `None`: they were not asked for, because nothing is written.
pub(super) struct Client {
    pub(super) id: Option<String>,
    /// The client secret. A public client has none.
    pub(super) secret: Option<SecretString>,
}

/// The Secret that exists with the client: only there is a private key.
pub(super) async fn existing_secret(
    context: &Context,
    flags: &Create,
    grant: Grant,
) -> Result<Option<String>> {
    if grant != Grant::JwtBearer || flags.from_secret.is_some() {
        return Ok(flags.from_secret.clone());
    }
    let given = [
        ("--client-id", flags.client_id.is_some()),
        ("--client-secret-file", flags.client_secret_file.is_some()),
    ];
    if let Some((flag, _)) = given.into_iter().find(|(_, is_given)| *is_given) {
        return Err(PluginError::Usage(format!(
            "{flag} cannot be used with grant JWTBearer, whose client is in a Secret with a private key: leave it out, and name that \
             Secret with --from-secret"
        )));
    }
    let flag = "--from-secret (docs/client-authentication.md says how the Secret is created)";
    let name = context
        .terminal
        .ask("Secret with the private key", flag, object_name);
    Ok(Some(name.await?))
}

/// Reads the client, and asks for what the flags lack.
pub(super) async fn read(
    context: &Context,
    flags: &Create,
    method: ClientAuthentication,
) -> Result<Client> {
    if method.values().contains(&ClientValue::PrivateKey) {
        return Err(PluginError::Usage(
            "this client authentication needs a Secret with a private key: create it, and name it with --from-secret \
             (docs/client-authentication.md)"
                .into(),
        ));
    }
    let has_secret = method.values().contains(&ClientValue::Secret);
    if !has_secret && flags.client_secret_file.is_some() {
        return Err(PluginError::Usage(format!(
            "client authentication {method:?} has no client secret: leave --client-secret-file out"
        )));
    }
    let ask = flags.dry_run.is_none();
    let id = match &flags.client_id {
        Some(id) => Some(id.clone()),
        None if ask => Some(ask_id(context).await?),
        None => None,
    };
    if let Some(id) = &id {
        must_be_sendable("the client id", id)?;
    }
    let secret = match &flags.client_secret_file {
        Some(path) => Some(from_file(context, path)?),
        None if ask && has_secret => Some(ask_secret(context).await?),
        None => None,
    };
    if let Some(secret) = &secret {
        must_be_sendable("the client secret", secret.expose_secret())?;
    }
    Ok(Client { id, secret })
}

async fn ask_id(context: &Context) -> Result<String> {
    let check = |id: &str| checked("the client id", id);
    context
        .terminal
        .ask("Client ID", "--client-id", check)
        .await
}

async fn ask_secret(context: &Context) -> Result<SecretString> {
    let check = |secret: &str| checked("the client secret", secret);
    let flag = "--client-secret-file, or --client-authentication None for a public client";
    context
        .terminal
        .ask_secret("Client secret (not shown)", flag, check)
        .await
}

/// The checks that the operator makes before it sends a value. They name the flaw and never the value.
fn checked(what: &str, value: &str) -> std::result::Result<(), String> {
    match flaw(value) {
        Some(flaw) => Err(format!("{what} {flaw}")),
        None => Ok(()),
    }
}

fn must_be_sendable(what: &str, value: &str) -> Result {
    checked(what, value).map_err(|sentence| PluginError::new(format!("{sentence}: correct it")))
}

/// The client secret in a file. A newline at its end is the editor's: it is removed, and that is said.
fn from_file(context: &Context, path: &Path) -> Result<SecretString> {
    let is_stdin = path == Path::new("-");
    let shown = if is_stdin {
        "stdin".into()
    } else {
        path.display().to_string()
    };
    let unreadable = |why: String| {
        PluginError::new(format!(
            "the client secret cannot be read from {shown}: {why}"
        ))
    };
    let mut bytes = Vec::new();
    let read = if is_stdin {
        stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes)
    } else {
        fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() as u64 > LARGEST {
        return Err(unreadable("it has more than 1 MiB".into()));
    }
    let text = String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8 text".into()))?;
    let text = SecretString::from(text);
    let value = without_newline(text.expose_secret());
    if value.len() < text.expose_secret().len() {
        context.terminal.note(&format!(
            "The newline at the end of {shown} is not a part of the client secret: it was removed."
        ));
    }
    Ok(value.into())
}

/// The text without one newline at its end, also without one of Windows.
fn without_newline(text: &str) -> &str {
    match text.strip_suffix('\n') {
        Some(line) => line.strip_suffix('\r').unwrap_or(line),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_newline_at_the_end_is_removed_and_nothing_else() {
        for (text, value) in [
            ("s3cret", "s3cret"),
            ("s3cret\n", "s3cret"),
            ("s3cret\r\n", "s3cret"),
            ("s3cret\n\n", "s3cret\n"),
            ("s3cret ", "s3cret "),
            ("\n", ""),
            ("", ""),
        ] {
            assert_eq!(without_newline(text), value, "{text:?}");
        }
    }

    #[test]
    fn a_flaw_is_named_and_the_value_is_not() {
        let error = |value| checked("the client secret", value).unwrap_err();
        assert_eq!(error(""), "the client secret is empty");
        assert_eq!(
            error("s3cret "),
            "the client secret ends with a space (U+0020)"
        );
        assert_eq!(
            error("s3\tcret"),
            "the client secret contains a control character"
        );
        assert_eq!(checked("the client secret", "s3 cret/ä"), Ok(()));
    }
}
