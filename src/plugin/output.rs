//! Documents for programs.

use std::fmt::Display;

use clap::ValueEnum;
use serde::Serialize;

use super::{
    Context,
    error::{PluginError, Result},
};

/// The formats for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// JSON
    Json,
    /// YAML
    Yaml,
}

impl Format {
    /// Prints a document.
    pub(super) fn print(self, context: &Context, document: &impl Serialize) -> Result {
        let text = match self {
            Self::Json => serde_json::to_string_pretty(document).map_err(|error| failed(&error))?,
            Self::Yaml => serde_saphyr::to_string(document).map_err(|error| failed(&error))?,
        };
        context.terminal.print(text.trim_end());
        Ok(())
    }
}

fn failed(error: &dyn Display) -> PluginError {
    PluginError::new(format!("the document cannot be written: {error}"))
}
