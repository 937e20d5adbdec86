//! The questions to a person. Each waits in a thread of its own, so that a signal ends the command meanwhile.

use std::io::stdin;

use inquire::{
    Confirm, InquireError, Password, PasswordDisplayMode, Select, Text, error::CustomUserError,
    validator::Validation,
};
use secrecy::SecretString;
use tokio::task::spawn_blocking;

use super::{
    error::{PluginError, Result},
    terminal::{Terminal, prompt_error},
};

/// A rule for what a person types: the sentence says what to write instead.
pub(super) type Check = fn(&str) -> std::result::Result<(), String>;

impl Terminal {
    /// Asks for a text, which `flag` gives where nobody can be asked.
    pub(super) async fn ask(&self, what: &str, flag: &str, check: Check) -> Result<String> {
        self.must_be_interactive(what, flag)?;
        let what = format!("{what}:");
        asked(move || {
            let text = Text::new(&what).with_validator(move |text: &str| validated(check, text));
            text.prompt()
        })
        .await
    }

    /// Asks for a secret without echo.
    pub(super) async fn ask_secret(
        &self,
        what: &str,
        flag: &str,
        check: Check,
    ) -> Result<SecretString> {
        self.must_be_interactive(what, flag)?;
        let what = format!("{what}:");
        asked(move || {
            let secret = hidden(&what).with_validator(move |text: &str| validated(check, text));
            secret.prompt().map(SecretString::from)
        })
        .await
    }

    /// Reads a line that is not shown, from the terminal or from stdin.
    pub(super) async fn read_secret(&self, what: &str) -> Result<SecretString> {
        let (interactive, what) = (self.interactive, format!("{what}:"));
        let read = asked(move || {
            if interactive {
                return hidden(&what).prompt().map(|secret| Ok(secret.into()));
            }
            let mut line = String::new();
            Ok(stdin().read_line(&mut line).map(|_| line.trim().into()))
        });
        read.await?
            .map_err(|error| PluginError::new(format!("stdin cannot be read: {error}")))
    }

    /// Asks for one of these, and returns its position.
    pub(super) async fn choose(
        &self,
        what: &str,
        flag: &str,
        choices: &'static [&'static str],
    ) -> Result<usize> {
        self.must_be_interactive(what, flag)?;
        let what = format!("{what}:");
        asked(move || {
            let choice = Select::new(&what, choices.to_vec()).raw_prompt()?;
            Ok(choice.index)
        })
        .await
    }

    /// Asks for confirmation; where nobody can be asked, the command was the decision.
    pub(super) async fn confirm(&self, what: &str) -> Result<bool> {
        if !self.interactive {
            return Ok(true);
        }
        let what = what.to_owned();
        asked(move || Confirm::new(&what).with_default(true).prompt()).await
    }

    /// Asks whether something dangerous is meant. Only a Yes counts, so the flag is needed where nobody can be asked.
    pub(super) async fn is_meant(&self, what: &str, flag: &str) -> Result<bool> {
        if !self.interactive {
            return Err(PluginError::Usage(format!(
                "there is no terminal to ask \"{what}\": if so, add {flag}"
            )));
        }
        let what = what.to_owned();
        asked(move || Confirm::new(&what).with_default(false).prompt()).await
    }

    fn must_be_interactive(&self, what: &str, flag: &str) -> Result {
        if self.interactive {
            return Ok(());
        }
        Err(PluginError::Usage(format!(
            "{what} is missing, and there is no terminal to ask for it: add {flag}"
        )))
    }
}

fn hidden(what: &str) -> Password<'_> {
    Password::new(what)
        .without_confirmation()
        .with_display_mode(PasswordDisplayMode::Hidden)
}

async fn asked<T: Send + 'static>(
    ask: impl FnOnce() -> std::result::Result<T, InquireError> + Send + 'static,
) -> Result<T> {
    let asked = spawn_blocking(ask).await;
    let asked = asked
        .map_err(|error| PluginError::new(format!("the terminal cannot be asked: {error}")))?;
    asked.map_err(|error| prompt_error(&error))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a validator")]
fn validated(check: Check, text: &str) -> std::result::Result<Validation, CustomUserError> {
    Ok(match check(text) {
        Ok(()) => Validation::Valid,
        Err(sentence) => Validation::Invalid(sentence.into()),
    })
}
