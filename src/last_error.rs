//! An error that repeats is logged once, until it changes or ends.

/// The error that was logged last, if it has not ended since.
#[derive(Debug, Default)]
pub(crate) struct LastError(Option<String>);

impl LastError {
    /// Returns whether this error has to be logged: it is not the one that was logged last.
    pub(crate) fn is_new(&mut self, error: &str) -> bool {
        let is_new = self.0.as_deref() != Some(error);
        if is_new {
            self.0 = Some(error.to_owned());
        }
        is_new
    }

    /// The error has ended: if it comes back, it is logged again.
    pub(crate) fn end(&mut self) {
        self.0 = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_new_once_until_it_changes_or_ends() {
        let mut last = LastError::default();
        assert!(last.is_new("refused"));
        assert!(!last.is_new("refused"));
        assert!(last.is_new("timeout"));
        assert!(last.is_new("refused"));
        last.end();
        assert!(last.is_new("refused"));
    }
}
