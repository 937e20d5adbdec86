//! The output of kubectl for a row, without the parts that differ from run to run or say nothing to a reader.

use cube_operator::api::Grant;
use jiff::{SignedDuration, Timestamp};

use super::super::{
    observed::heads,
    row::{Retry, Row},
    setup::Setup,
};

/// On the page everything happens at this time.
const START: &str = "2026-11-21T12:00:00Z";

/// The lines of a status that are shown.
const SHOWN: [&str; 7] = [
    "Conditions:",
    "Message:",
    "Reason:",
    "Status:",
    "Type:",
    "Expires At:",
    "Refresh At:",
];

/// `kubectl get` and `kubectl describe`, from the status on; `None` if the conditions are not those of the row at this moment.
pub(super) fn excerpt(setup: &Setup, row: &Row) -> Option<String> {
    let object = row.object();
    let get = setup.place.kubectl(&["get", "cubecredential", &object]);
    let describe = setup
        .place
        .kubectl(&["describe", "cubecredential", &object]);
    let (_, rest) = describe.split_once("\nStatus:\n")?;
    let (status, events) = rest.split_once("\nEvents:")?;
    if !is_as_told(row, status) {
        return None;
    }
    let editor = Editor::new(setup, row, status);
    let events = match events.trim() {
        "<none>" => "Events:  <none>\n".into(),
        _ => format!("Events:\n{}", editor.table(events, "  ", 2)),
    };
    let name = editor.name;
    Some(format!(
        "$ kubectl get cubecredential {name} -n treasury\n{}$ kubectl describe cubecredential {name} -n treasury\n...\n\
         Status:\n{}{events}",
        editor.table(&get, "", 3),
        editor.lines(status),
    ))
}

/// Whether the conditions are those of the row.
fn is_as_told(row: &Row, status: &str) -> bool {
    let values = |key: &'static str| {
        let lines = status.lines().map(str::trim);
        lines
            .filter_map(move |line| line.strip_prefix(key))
            .map(str::trim)
    };
    let facts = values("Type:")
        .zip(values("Status:"))
        .zip(values("Reason:"));
    let facts = facts.map(|((r#type, status), reason)| format!("{type}={status} {reason}"));
    facts.eq(heads(&row.conditions))
}

/// Replaces names and times of this run by those of the page.
struct Editor {
    name: &'static str,
    names: Vec<(String, &'static str)>,
    /// Times of this run, each with its time on the page.
    times: Vec<(String, Timestamp)>,
    start: Timestamp,
}

impl Editor {
    fn new(setup: &Setup, row: &Row, status: &str) -> Self {
        let (name, host) = match row.grant {
            Grant::ClientCredentials
            | Grant::AccountCredentials
            | Grant::JwtBearer
            | Grant::TokenExchange => ("cubewire", "api.cubewire.com"),
            Grant::RefreshToken => ("planning", "api.cubesoftware.com"),
        };
        let start: Timestamp = START.parse().unwrap();
        let after = |seconds| start + SignedDuration::from_secs(seconds);
        let (lifetime, next_try) = match row.retry {
            Retry::Refresh(lifetime) => (lifetime, (lifetime - (lifetime / 3).min(300)).max(12)),
            retry => (3600, retry.usual()),
        };
        let line = |key: &str| {
            status
                .lines()
                .find_map(|line| line.trim().strip_prefix(key))
                .map(str::trim)
        };
        let times = [
            ("Expires At:", after(lifetime)),
            ("Refresh At:", after(next_try)),
        ];
        let times = times
            .into_iter()
            .filter_map(|(key, time)| Some((line(key)?.to_owned(), time)));
        let retry = status.split_once("retrying at ");
        let retry = retry.map(|(_, rest)| (rest[..START.len()].to_owned(), after(next_try)));
        let mut names = vec![
            (row.object(), name),
            (setup.place.namespace.clone(), "treasury"),
        ];
        names.push((setup.uid(row), "0b5c7a80-6f1e-4d0a-9c39-2f6d1f0c7e11"));
        names.extend(setup.authorities().map(|authority| (authority, host)));
        Self {
            name,
            names,
            times: times.chain(retry).collect(),
            start,
        }
    }

    fn edit(&self, text: &str) -> String {
        let names = self.names.iter();
        let text = names.fold(text.to_owned(), |text, (name, shown)| {
            text.replace(name, shown)
        });
        let mut edited = String::new();
        let mut rest = text.as_str();
        while let Some(next) = rest.chars().next() {
            let (shown, length) = if starts_like(rest, START) {
                let known = self.times.iter().find(|(time, _)| rest.starts_with(time));
                let time = known.map_or(self.start, |(_, time)| *time);
                (time.to_string(), START.len())
            } else {
                (next.to_string(), next.len_utf8())
            };
            edited += &shown;
            rest = &rest[length..];
        }
        edited
    }

    /// Values are not aligned: their columns would follow from lines that are left out.
    fn lines(&self, status: &str) -> String {
        let shown = |line: &&str| SHOWN.iter().any(|key| line.trim_start().starts_with(key));
        let lines = status.lines().filter(shown).map(|line| {
            let (key, value) = line.split_once(':').unwrap();
            format!("{key}: {}", self.edit(value.trim()))
                .trim_end()
                .to_owned()
                + "\n"
        });
        lines.collect()
    }

    /// A table whose columns are as wide as their longest value. Each age is `1s`, as ages differ from run to run.
    fn table(&self, text: &str, indent: &str, gap: usize) -> String {
        let mut lines = text
            .lines()
            .filter(|line| !line.trim().is_empty() && !line.contains("----"));
        let header = lines.next().unwrap();
        let is_start = |at: &usize| {
            !header[*at..].starts_with(' ') && (*at == 0 || header[..*at].ends_with(' '))
        };
        let starts: Vec<_> = (0..header.len()).filter(is_start).collect();
        let ends = starts[1..].iter().copied().chain([usize::MAX]);
        let columns: Vec<_> = starts.iter().copied().zip(ends).collect();
        let cells = |line: &str| -> Vec<String> {
            let cell = |(start, end): &(usize, usize)| {
                line.get(*start..(*end).min(line.len())).unwrap_or_default()
            };
            columns
                .iter()
                .map(|column| self.edit(cell(column).trim()))
                .collect()
        };
        let mut rows = vec![cells(header)];
        let age = rows[0]
            .iter()
            .position(|name| name.eq_ignore_ascii_case("age"))
            .unwrap();
        rows.extend(lines.map(|line| {
            let mut cells = cells(line);
            cells[age] = "1s".into();
            cells
        }));
        let width =
            |column: usize| rows.iter().map(|cells| cells[column].len()).max().unwrap() + gap;
        let widths: Vec<_> = (0..columns.len()).map(width).collect();
        let line = |cells: &Vec<String>| {
            let cells = cells
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:width$}"));
            format!("{indent}{}", cells.collect::<String>())
                .trim_end()
                .to_owned()
                + "\n"
        };
        rows.iter().map(line).collect()
    }
}

/// Whether a text has digits where the pattern has some, and is the same elsewhere.
fn starts_like(text: &str, pattern: &str) -> bool {
    let like = |(found, wanted): (u8, u8)| {
        if wanted.is_ascii_digit() {
            found.is_ascii_digit()
        } else {
            found == wanted
        }
    };
    text.len() >= pattern.len() && text.bytes().zip(pattern.bytes()).all(like)
}
