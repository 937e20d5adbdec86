//! The terminal: results on stdout; prompts, progress and errors on stderr.

use std::{
    io::{IsTerminal, Write, stderr, stdin, stdout},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use inquire::InquireError;
#[cfg(unix)]
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

use super::error::PluginError;
use crate::scrub::visible;

/// The terminal, as far as there is one.
pub(super) struct Terminal {
    /// True if there is a person to ask.
    pub(super) interactive: bool,
    /// True if results may have colours.
    pub(super) coloured: bool,
    /// The mode of the terminal at the start.
    #[cfg(unix)]
    mode: Option<Termios>,
}

/// A line on the terminal that says what the command waits for, until it is dropped.
pub(super) struct Progress(Option<ProgressBar>);

impl Terminal {
    /// Looks at what this process is connected to.
    pub(super) fn detect() -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            #[cfg(unix)]
            mode: tcgetattr(stdin()).ok(),
            interactive: stdin().is_terminal() && stderr().is_terminal() && !dumb,
            coloured: stdout().is_terminal() && !dumb && !no_colour,
        }
    }

    /// Gives the terminal back as it was: a question that was cut short by a signal, or by the end of its time, has left it without
    /// echo.
    pub(super) fn restore(&self) {
        #[cfg(unix)]
        if let (Some(mode), Ok(now)) = (&self.mode, tcgetattr(stdin()))
            && now.local_modes != mode.local_modes
        {
            let _ = tcsetattr(stdin(), OptionalActions::Now, mode);
            // Bracketed paste off, and the cursor shown.
            let _ = write!(stderr(), "\x1b[?2004l\x1b[?25h\r\n");
        }
    }

    /// Prints a line of the result.
    #[expect(clippy::unused_self, reason = "a part of the terminal")]
    pub(super) fn print(&self, line: &str) {
        // A closed pipe is the reader's decision.
        let _ = writeln!(stdout(), "{line}");
    }

    /// Shows a line that is both a result and for the person: where the person looks, if stdout is a file.
    pub(super) fn show(&self, line: &str) {
        if stdout().is_terminal() || !stderr().is_terminal() {
            self.print(line);
        } else {
            self.note(line);
        }
    }

    /// Says something beside the result, such as the next step. Others may have written parts of it: no control character but the end
    /// of a line reaches the terminal.
    #[expect(clippy::unused_self, reason = "a part of the terminal")]
    pub(super) fn note(&self, text: &str) {
        for line in text.split('\n') {
            let _ = writeln!(stderr(), "{}", visible(line));
        }
    }

    /// Says how a command failed.
    pub(super) fn fail(&self, error: &PluginError) {
        if matches!(error, PluginError::Exit(_)) {
            return;
        }
        self.note(&format!("kubectl cube: {}", visible(&error.to_string())));
    }

    /// Says what the command waits for: one line that moves on a terminal, and a line of a log elsewhere.
    pub(super) fn progress(&self, what: &str) -> Progress {
        if !self.interactive {
            self.note(what);
            return Progress(None);
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
            bar.set_style(style);
        }
        bar.set_message(visible(what));
        bar.enable_steady_tick(Duration::from_millis(120));
        Progress(Some(bar))
    }
}

impl Progress {
    /// Changes the line.
    pub(super) fn say(&self, what: &str) {
        if let Some(bar) = &self.0 {
            bar.set_message(visible(what));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

pub(super) fn prompt_error(error: &InquireError) -> PluginError {
    match error {
        InquireError::OperationInterrupted | InquireError::OperationCanceled => {
            PluginError::Interrupted
        }
        other => PluginError::new(format!("the terminal cannot be asked: {other}")),
    }
}
