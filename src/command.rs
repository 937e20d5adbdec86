//! The commands. An error is one clear line.

pub mod check;
pub mod crd;
// The operator runs on Unix; `kubectl cube` on Windows too.
#[cfg(unix)]
pub mod run;

/// The result of a command. An error is one line that says what is wrong and what to do.
pub type Result = std::result::Result<(), String>;
