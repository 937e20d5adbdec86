//! Rows as lines, in as many columns as there is room for.

use jiff::Timestamp;

use super::urgency::{Row, Urgency};
use crate::plugin::{
    countdown::countdown,
    screen::{Colour, Screen, cut, pad, width},
};

/// Fewer columns of a message say nothing.
const LEAST_MESSAGE: usize = 20;
/// The blanks between two columns.
const GAP: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Mark,
    Namespace,
    Name,
    Status,
    Expires,
    Next,
    Secret,
    Message,
}

use Column::{Expires, Mark, Message, Name, Namespace, Next, Secret, Status};

/// The columns that a narrow terminal has no room for, the first to leave first.
const DISPENSABLE: [Column; 4] = [Secret, Next, Message, Mark];

impl Column {
    fn heading(self) -> &'static str {
        match self {
            Mark => "",
            Namespace => "NAMESPACE",
            Name => "NAME",
            Status => "STATUS",
            Expires => "EXPIRES",
            Next => "REFRESH",
            Secret => "SECRET",
            Message => "MESSAGE",
        }
    }

    fn cell(self, row: &Row, now: Timestamp) -> String {
        let time = |at: Option<Timestamp>| at.map_or("-".into(), |at| countdown(at, now));
        match self {
            Mark => mark(row).into(),
            Namespace => row.namespace.clone(),
            Name => row.name.clone(),
            Status => row.reason.clone(),
            Expires => time(row.expires_at),
            Next => time(row.refresh_at),
            Secret => row.secret.clone(),
            Message => row.message.clone(),
        }
    }
}

fn mark(row: &Row) -> &'static str {
    match row.urgency {
        Urgency::Good => "✓",
        Urgency::Waiting => "-",
        Urgency::NeedsPerson | Urgency::Failing if row.is_ready => "!",
        Urgency::NeedsPerson | Urgency::Failing => "✗",
    }
}

/// The colour of a row: how its consumers fare.
pub(super) fn colour(row: &Row) -> Colour {
    match row.urgency {
        Urgency::Good => Colour::Green,
        Urgency::Waiting => Colour::Dim,
        Urgency::NeedsPerson | Urgency::Failing if row.is_ready => Colour::Yellow,
        Urgency::NeedsPerson | Urgency::Failing => Colour::Red,
    }
}

/// The table with its heading.
pub(super) fn lines(
    screen: &Screen,
    rows: &[Row],
    with_namespace: bool,
    now: Timestamp,
) -> Vec<String> {
    let layout = Layout::of(rows, with_namespace, screen.width(), now);
    let heading = layout.line(|column| column.heading().to_owned(), |_, cell| cell);
    let body = rows.iter().map(|row| {
        layout.line(
            |column| column.cell(row, now),
            |column, cell| match column {
                Mark | Status => screen.paint(&cell, colour(row)),
                _ => cell,
            },
        )
    });
    std::iter::once(heading).chain(body).collect()
}

/// One row on a line of its own, for a log.
pub(super) fn line(row: &Row, with_namespace: bool, now: Timestamp) -> String {
    let cells = columns(with_namespace).filter(|column| *column != Next);
    let cells = cells.map(|column| column.cell(row, now));
    let cells: Vec<_> = cells.filter(|cell| !cell.is_empty()).collect();
    cells.join("  ")
}

fn columns(with_namespace: bool) -> impl Iterator<Item = Column> {
    [
        Mark, Namespace, Name, Status, Expires, Next, Secret, Message,
    ]
    .into_iter()
    .filter(move |column| with_namespace || *column != Namespace)
}

/// The columns that are shown, and their widths.
struct Layout(Vec<(Column, usize)>);

impl Layout {
    fn of(rows: &[Row], with_namespace: bool, room: Option<usize>, now: Timestamp) -> Self {
        let widest = |column: Column| {
            let cells = rows.iter().map(|row| width(&column.cell(row, now)));
            cells.chain([column.heading().len()]).max().unwrap_or(0)
        };
        let has_messages = rows.iter().any(|row| !row.message.is_empty());
        let shown = columns(with_namespace).filter(|column| has_messages || *column != Message);
        let mut layout = Self(shown.map(|column| (column, widest(column))).collect());
        if let Some(room) = room {
            layout.fit(room);
        }
        layout
    }

    /// Cuts the message, leaves columns out, and cuts names at last.
    fn fit(&mut self, room: usize) {
        let whole = self.0.clone();
        self.cut(Message, LEAST_MESSAGE, room);
        let mut left_out = Vec::new();
        for column in DISPENSABLE {
            if self.total() > room {
                left_out.push(column);
                // The message has the room that the column leaves.
                let shown = whole
                    .iter()
                    .filter(|(column, _)| !left_out.contains(column));
                self.0 = shown.copied().collect();
                self.cut(Message, LEAST_MESSAGE, room);
            }
        }
        for column in [Namespace, Name, Status, Expires] {
            self.cut(column, 4, room);
        }
        for column in [Namespace, Expires, Status] {
            if self.total() > room {
                self.0.retain(|(shown, _)| *shown != column);
            }
        }
        self.cut(Name, 1, room);
    }

    fn total(&self) -> usize {
        let widths: usize = self.0.iter().map(|(_, width)| width).sum();
        widths + GAP * self.0.len().saturating_sub(1)
    }

    /// Makes a column narrower, to this width at least, if that helps.
    fn cut(&mut self, column: Column, least: usize, room: usize) {
        let excess = self.total().saturating_sub(room);
        if let Some((_, width)) = self.0.iter_mut().find(|(shown, _)| *shown == column) {
            *width = width.saturating_sub(excess).max(least.min(*width));
        }
    }

    fn line(
        &self,
        cell: impl Fn(Column) -> String,
        paint: impl Fn(Column, String) -> String,
    ) -> String {
        let last = self.0.len().saturating_sub(1);
        let cells = self.0.iter().enumerate().map(|(at, (column, width))| {
            let text = cut(&cell(*column), *width);
            // Nothing follows the last one.
            let text = if at == last { text } else { pad(&text, *width) };
            paint(*column, text)
        });
        let line = cells.collect::<Vec<_>>().join(&" ".repeat(GAP));
        line.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = "the provider rejected the client: check client-id and client-secret";

    fn row(name: &str, urgency: Urgency, message: &str) -> Row {
        Row {
            namespace: "treasury".into(),
            name: name.into(),
            urgency,
            is_ready: urgency == Urgency::Good,
            reason: if message.is_empty() {
                "Synced"
            } else {
                "InvalidClient"
            }
            .into(),
            message: message.into(),
            expires_at: Timestamp::from_second(2520).ok(),
            refresh_at: Timestamp::from_second(2220).ok(),
            secret: format!("{name}-token"),
        }
    }

    fn drawn(room: Option<usize>, with_namespace: bool) -> Vec<String> {
        let rows = [
            row("cubewire", Urgency::NeedsPerson, MESSAGE),
            row("planning", Urgency::Good, ""),
        ];
        let now = Timestamp::UNIX_EPOCH;
        let layout = Layout::of(&rows, with_namespace, room, now);
        let heading = layout.line(|column| column.heading().to_owned(), |_, cell| cell);
        let body = rows
            .iter()
            .map(|row| layout.line(|column| column.cell(row, now), |_, cell| cell));
        std::iter::once(heading).chain(body).collect()
    }

    #[test]
    fn a_line_of_a_log_or_a_wide_terminal_has_every_column() {
        let wide = [
            "   NAME      STATUS         EXPIRES  REFRESH  SECRET          MESSAGE".to_owned(),
            format!("✗  cubewire  InvalidClient  42m      37m      cubewire-token  {MESSAGE}"),
            "✓  planning  Synced         42m      37m      planning-token".to_owned(),
        ];
        assert_eq!(drawn(None, false), wide);
        assert_eq!(drawn(Some(200), false), wide);
    }

    #[test]
    fn a_narrow_terminal_has_shorter_messages_then_fewer_columns_then_shorter_names() {
        let first = |room| drawn(Some(room), false)[1].clone();
        assert_eq!(
            first(90),
            "✗  cubewire  InvalidClient  42m      37m      cubewire-token  the provider rejected the c…"
        );
        assert_eq!(
            first(70),
            "✗  cubewire  InvalidClient  42m      37m      the provider rejected t…"
        );
        assert_eq!(
            first(60),
            "✗  cubewire  InvalidClient  42m      the provider rejected …"
        );
        assert_eq!(first(40), "✗  cubewire  InvalidClient  42m");
        assert_eq!(first(20), "cub…  Inva…  42m");
        assert_eq!(first(6), "cub…");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for room in 1..140 {
            for with_namespace in [false, true] {
                for line in drawn(Some(room), with_namespace) {
                    assert!(width(&line) <= room, "{room}: {line:?}");
                }
            }
        }
    }
}
