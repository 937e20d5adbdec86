//! An input as text that people can read and write: lines `name: value`, then, after an empty line, anything.

/// An input, taken apart.
pub(crate) struct Input {
    lines: Vec<(String, String)>,
    /// What follows the empty line.
    pub(crate) rest: Vec<u8>,
}

impl Input {
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let end = bytes.windows(2).position(|pair| pair == b"\n\n");
        let (head, rest) = match end {
            Some(end) => (&bytes[..end], &bytes[end + 2..]),
            None => (bytes, &[][..]),
        };
        let lines = String::from_utf8_lossy(head)
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| {
                let value = value.strip_prefix(' ').unwrap_or(value);
                (name.to_ascii_lowercase(), value.to_owned())
            })
            .collect();
        Self {
            lines,
            rest: rest.to_owned(),
        }
    }

    /// The value on the line with this name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.lines
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }

    /// The lines whose names begin with this, without it.
    pub(crate) fn under(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
        self.lines
            .iter()
            .filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }
}
