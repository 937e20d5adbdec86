//! The printed report: one line for each finding, with its mark.

use std::io::Write;

use crate::{
    reconcile::{CheckError, Finding, Mark},
    scrub::visible,
};

/// The faults in the lines that were printed.
#[derive(Default)]
pub(super) struct Report {
    faults: usize,
}

impl Report {
    /// Prints a finding.
    pub(super) fn say(&mut self, finding: &Finding) {
        let mark = match finding.mark {
            Mark::Good => '✓',
            Mark::Notice => '!',
            Mark::Bad => '✗',
            Mark::Unseen => '-',
        };
        if finding.mark == Mark::Bad {
            self.faults += 1;
        }
        line(&format!("{mark} {finding}"));
    }

    /// Prints a heading for the lines that follow.
    #[expect(clippy::unused_self, reason = "a part of the report")]
    pub(super) fn heading(&self, text: &str) {
        line("");
        line(text);
    }

    /// How the command ends.
    ///
    /// # Errors
    /// If a fault was found.
    pub(super) fn end(self) -> Result<(), CheckError> {
        match self.faults {
            0 => Ok(()),
            faults => Err(CheckError::Faults(faults)),
        }
    }
}

/// Others have written parts of a line: characters that change how a terminal shows it must not reach it.
fn line(text: &str) {
    // A closed pipe is the reader's decision.
    let _ = writeln!(std::io::stdout(), "{}", visible(text));
}
