//! How a command fails.

use std::process::ExitCode;

use thiserror::Error;

use crate::api_error::ApiError;

/// The result of a command.
pub(super) type Result<T = ()> = std::result::Result<T, PluginError>;

/// The end of a command that did not do what it was asked for.
#[derive(Debug, Error)]
pub(super) enum PluginError {
    /// One sentence that says what is wrong and what to do. It never holds a secret.
    #[error("{0}")]
    Failed(String),
    /// The flags cannot be used, or one is missing that nobody can be asked for.
    #[error("{0}")]
    Usage(String),
    /// The command has said everything already, and ends with this code.
    #[error("exit code {0}")]
    Exit(u8),
    /// The person pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// The process received SIGTERM or SIGHUP.
    #[error("interrupted")]
    Terminated,
}

impl PluginError {
    /// An error with this sentence.
    pub(super) fn new(sentence: impl Into<String>) -> Self {
        Self::Failed(sentence.into())
    }

    /// The same error, whose sentence ends with this clause; an interruption has no sentence.
    pub(super) fn with(self, clause: &str) -> Self {
        match self {
            Self::Failed(sentence) => Self::Failed(format!("{sentence}; {clause}")),
            Self::Usage(sentence) => Self::Usage(format!("{sentence}; {clause}")),
            other @ (Self::Exit(_) | Self::Interrupted | Self::Terminated) => other,
        }
    }

    /// The exit code, as shells and kubectl use them.
    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Failed(_) => ExitCode::FAILURE,
            Self::Exit(code) => ExitCode::from(*code),
            Self::Usage(_) => ExitCode::from(2),
            // 128 and the number of the signal.
            Self::Interrupted => ExitCode::from(130),
            Self::Terminated => ExitCode::from(143),
        }
    }
}

impl From<ApiError> for PluginError {
    fn from(error: ApiError) -> Self {
        Self::Failed(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_further_clause_keeps_the_kind_of_an_error() {
        let failed = PluginError::new("it failed").with("it is created");
        assert!(matches!(failed, PluginError::Failed(said) if said == "it failed; it is created"));
        let usage = PluginError::Usage("add a flag".into()).with("it is created");
        assert!(matches!(usage, PluginError::Usage(said) if said == "add a flag; it is created"));
        let interrupted = PluginError::Interrupted.with("it is created");
        assert!(matches!(interrupted, PluginError::Interrupted));
    }
}
