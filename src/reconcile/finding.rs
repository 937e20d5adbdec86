//! What `cube-operator check` says of one thing.

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How it is.
    pub mark: Mark,
    /// In a sentence. Of a fault it ends with the remedy.
    pub text: String,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// As it should be.
    Good,
    /// It works, but deserves attention.
    Notice,
    /// A fault.
    Bad,
    /// Not looked at, or not there and not needed.
    Unseen,
}

impl Finding {
    /// As it should be.
    pub fn good(text: impl Into<String>) -> Self {
        Self::new(Mark::Good, text)
    }

    /// It works, but deserves attention.
    pub fn notice(text: impl Into<String>) -> Self {
        Self::new(Mark::Notice, text)
    }

    /// A fault, with its remedy.
    pub fn bad(text: impl Into<String>) -> Self {
        Self::new(Mark::Bad, text)
    }

    /// Not looked at.
    pub fn unseen(text: impl Into<String>) -> Self {
        Self::new(Mark::Unseen, text)
    }

    fn new(mark: Mark, text: impl Into<String>) -> Self {
        Self {
            mark,
            text: text.into(),
        }
    }
}
