//! The commands. An error is one clear line.

pub mod check;
pub mod crd;
pub mod run;

/// What a command ends with: nothing, or one line that says what is wrong and what to do.
pub type Result = std::result::Result<(), String>;
