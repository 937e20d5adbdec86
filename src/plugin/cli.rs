//! The command line of `kubectl cube`.

use clap::{Parser, Subcommand};

pub(super) use super::context::Global;
use super::{check, completion, create, login, refresh, status, suspend, version};

/// From a client id and a browser to a live OAuth token in a Secret.
#[derive(Debug, Parser)]
#[command(name = "kubectl cube", bin_name = "kubectl cube", version)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create a CubeCredential and its client Secret, and sign in where the grant needs a person
    Create(Box<create::Create>),
    /// Sign in with a browser, and store the refresh token for the operator
    Login(login::Login),
    /// Show the tokens, those that need a person first
    Status(status::Status),
    /// Refresh tokens now
    Refresh(refresh::Refresh),
    /// Stop refreshing, and keep what is published
    Suspend(suspend::Suspend),
    /// Refresh again after `suspend`
    Resume(suspend::Suspend),
    /// Check the installation and each CubeCredential, from its spec to the pods that use its token
    Check(check::Check),
    /// Print the versions of this program, the operator and the CRD, and whether they fit
    Version(version::Version),
    /// Print the completion script of a shell, or the program that kubectl completes `kubectl cube` with
    Completion(completion::Completion),
    /// Print what could follow these words, for kubectl
    #[command(name = "__complete", hide = true)]
    Complete(completion::Words),
}
