//! Standard output as a screen: its size, its colours, and lines that are drawn again.

use std::{
    fmt::Write as _,
    io::{Write as _, stdout},
};

use console::{Style, Term, measure_text_width, truncate_str};

use super::terminal::Terminal;

/// The rows and columns of a terminal.
#[derive(Clone, Copy, Debug)]
struct Size {
    rows: usize,
    columns: usize,
}

/// Standard output.
pub(super) struct Screen {
    /// The size; `None`: it is not a terminal, or its cursor cannot be moved.
    size: Option<Size>,
    coloured: bool,
}

/// The colours that mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    Red,
    Yellow,
    Green,
    Dim,
}

impl Screen {
    /// Looks at standard output. Its size changes with the window, so this is done again for each drawing.
    pub(super) fn detect(terminal: &Terminal) -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let size = if dumb {
            None
        } else {
            Term::stdout().size_checked()
        };
        // A pseudo-terminal that nobody has sized has 0 columns.
        let size = size.filter(|(rows, columns)| *rows > 0 && *columns > 0);
        Self {
            size: size.map(|(rows, columns)| Size {
                rows: rows.into(),
                columns: columns.into(),
            }),
            coloured: terminal.coloured,
        }
    }

    /// The columns; `None`: lines may have any length.
    pub(super) fn width(&self) -> Option<usize> {
        self.size.map(|size| size.columns)
    }

    /// Returns whether lines can be drawn again.
    pub(super) fn redraws(&self) -> bool {
        self.size.is_some()
    }

    /// The text in a colour, where there are colours.
    pub(super) fn paint(&self, text: &str, colour: Colour) -> String {
        if !self.coloured || text.is_empty() {
            return text.to_owned();
        }
        let style = Style::new().force_styling(true);
        let style = match colour {
            Colour::Red => style.red(),
            Colour::Yellow => style.yellow(),
            Colour::Green => style.green(),
            Colour::Dim => style.dim(),
        };
        style.apply_to(text).to_string()
    }

    /// Draws lines over the previous ones, the first time on an empty screen. Those that it has no room for are counted.
    pub(super) fn redraw(&self, lines: &[String], is_first: bool) {
        // The last row stays empty, so that the screen does not scroll.
        let rows = self.size.map_or(usize::MAX, |size| size.rows - 1);
        let mut drawing = String::from(if is_first { "\x1b[2J\x1b[H" } else { "\x1b[H" });
        let (shown, left) = if lines.len() > rows {
            (&lines[..rows.saturating_sub(1)], lines.len() + 1 - rows)
        } else {
            (lines, 0)
        };
        for line in shown {
            let _ = write!(drawing, "{line}\x1b[K\r\n");
        }
        if left > 0 {
            let _ = write!(drawing, "and {left} more lines\x1b[K\r\n");
        }
        drawing.push_str("\x1b[J");
        let mut out = stdout().lock();
        // A closed terminal ends this process by itself.
        let _ = out.write_all(drawing.as_bytes()).and_then(|()| out.flush());
    }
}

/// The text in at most so many columns.
pub(super) fn cut(text: &str, width: usize) -> String {
    truncate_str(text, width, "…").into_owned()
}

/// The text and blanks, so many columns together.
pub(super) fn pad(text: &str, width: usize) -> String {
    let blanks = width.saturating_sub(measure_text_width(text));
    format!("{text}{}", " ".repeat(blanks))
}

/// The columns of a text.
pub(super) fn width(text: &str) -> usize {
    measure_text_width(text)
}

/// The text on lines of at most so many columns, split between words.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last().map_or(0, |line| width(line));
        let is_first = line == 0;
        if !is_first && line + 1 + width(word) > columns {
            lines.push(word.to_owned());
        } else if let Some(line) = lines.last_mut() {
            if !is_first {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wrapped_and_wide_characters_count_twice() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("one", 2), ["one"]);
        assert_eq!(wrap("期限 切れ", 5), ["期限", "切れ"]);
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(pad("期", 4), "期  ");
    }
}
