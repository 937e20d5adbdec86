//! The rows of the table, with the bounds that they have to keep.

use std::{cell::RefCell, collections::BTreeMap, fmt::Write};

use crate::scenarios::count;

/// A row.
struct Row {
    id: &'static str,
    name: &'static str,
    unit: &'static str,
    bound: Option<Bound>,
    /// How many times the value at one size it may have at the next one.
    growth: Option<f64>,
}

/// A bound of each value of a row.
#[derive(Clone, Copy)]
enum Bound {
    AtMost(f64),
    /// The first up to 1,000 credentials, the second beyond.
    BySize(f64, f64),
    /// At most this from 1,000 credentials on. With fewer, the start of the process takes much of the time.
    From1000(f64),
    AtLeast(f64),
}

const fn row(id: &'static str, name: &'static str, unit: &'static str) -> Row {
    Row {
        id,
        name,
        unit,
        bound: None,
        growth: None,
    }
}

impl Row {
    const fn bound(self, bound: Bound) -> Self {
        Self {
            bound: Some(bound),
            ..self
        }
    }

    const fn growth(self, times: f64) -> Self {
        Self {
            growth: Some(times),
            ..self
        }
    }

    /// A time depends on the machine, so the table only shows that its bound is missed. For anything else the bench fails.
    fn is_time(&self) -> bool {
        matches!(self.unit, "s" | "ms")
    }
}

use Bound::{AtLeast, AtMost, BySize, From1000};

const ROWS: &[Row] = &[
    row("binary", "Size of the binary", "MB"),
    row("idle-memory", "Idle: memory", "MB").bound(AtMost(12.0)),
    row("floor-time", "Floor: time for each", "ms"),
    row("floor-cpu", "Floor: its CPU for each", "ms"),
    row(
        "floor-api-cpu",
        "Floor: the API server's CPU for each",
        "ms",
    ),
    row("cold-time", "Cold: until all are Synced", "s"),
    row("cold-floor", "Cold: its time against the floor's", "times").bound(From1000(1.3)),
    row(
        "cold-settled",
        "Cold: until the last event is published",
        "s",
    ),
    row("cold-cpu", "Cold: CPU for each", "ms")
        .bound(From1000(2.0))
        .growth(1.2),
    row("cold-api-cpu", "Cold: the API server's CPU for each", "ms"),
    row("cold-requests", "Cold: API requests for each", "").bound(AtMost(4.0)),
    row("cold-memory", "Cold: memory afterwards", "MB"),
    row("cold-peak", "Cold: most memory", "MB").bound(BySize(25.0, 64.0)),
    row("restart-ready", "Restart: until ready", "s").bound(AtMost(3.0)),
    row(
        "restart-settled",
        "Restart: until nothing is left to do",
        "s",
    ),
    row("restart-cpu", "Restart: CPU in all", "s").bound(AtMost(2.0)),
    row("restart-cpu-each", "Restart: CPU for each", "ms").growth(1.2),
    row("restart-requests", "Restart: API requests for each", "").bound(AtMost(0.0)),
    row("restart-exchanges", "Restart: token requests", "").bound(AtMost(0.0)),
    row(
        "restart-new",
        "Restart: until a new credential is served",
        "s",
    )
    .bound(AtMost(3.0)),
    row("restart-memory", "Restart: memory afterwards", "MB"),
    row("restart-peak", "Restart: most memory", "MB").bound(BySize(25.0, 64.0)),
    row("edit-cpu", "Edit of one: CPU", "ms"),
    row(
        "edit-growth",
        "Edit of one: CPU, compared with a tenth of the credentials",
        "times",
    )
    .bound(From1000(1.2)),
    row("edit-requests", "Edit of one: API requests", ""),
    row("refresh-cpu", "Refresh: CPU for each", "ms")
        .bound(From1000(1.5))
        .growth(1.2),
    row(
        "refresh-api-cpu",
        "Refresh: the API server's CPU for each",
        "ms",
    ),
    row("refresh-requests", "Refresh: API requests for each", "").bound(AtMost(3.0)),
    row("refresh-peak", "Refresh: most memory", "MB").bound(BySize(25.0, 64.0)),
    row("ceiling", "Ceiling of one leader: credentials", ""),
    row(
        "ceiling-at-once",
        "Ceiling of one leader: if all expire within a minute",
        "",
    ),
    row(
        "expiry-left",
        "Mass expiry: least time left at a refresh",
        "s",
    )
    .bound(AtLeast(240.0)),
    row("expiry-next", "Mass expiry: width of the next round", "s"),
    row(
        "neighbours-new",
        "Neighbours: until a new credential is served",
        "s",
    )
    .bound(AtMost(1.0)),
    row(
        "neighbours-p99",
        "Neighbours: lateness of refreshes, p99",
        "s",
    )
    .bound(AtMost(1.0)),
    row(
        "neighbours-most",
        "Neighbours: lateness of refreshes, most",
        "s",
    )
    .bound(AtMost(5.0)),
    row("neighbours-peak", "Neighbours: most memory", "MB").bound(BySize(25.0, 64.0)),
];

/// A count includes a few requests that are not for a single credential.
const TOLERANCE: f64 = 0.02;

/// The values that were measured. Of several, the mean counts, and of memory the most.
#[derive(Default)]
pub(crate) struct Figures(RefCell<BTreeMap<(&'static str, usize), Vec<f64>>>);

impl Figures {
    /// Notes a value, and prints it, as the table comes only at the end.
    pub(crate) fn record(&self, id: &'static str, size: usize, value: f64) {
        let row = ROWS.iter().find(|row| row.id == id).unwrap();
        println!("{size:>6}  {}: {}", row.name, with_unit(value, row.unit));
        let mut figures = self.0.borrow_mut();
        figures.entry((id, size)).or_default().push(value);
    }

    /// A value that was measured.
    pub(crate) fn get(&self, id: &'static str, size: usize) -> Option<f64> {
        let figures = self.0.borrow();
        let values = figures.get(&(id, size))?;
        if ROWS.iter().any(|row| row.id == id && row.unit == "MB") {
            return values.iter().copied().reduce(f64::max);
        }
        Some(values.iter().sum::<f64>() / count(values.len()))
    }

    fn sizes(&self) -> Vec<usize> {
        let mut sizes: Vec<_> = self.0.borrow().keys().map(|(_, size)| *size).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    /// The value at the largest size against that at the size before it.
    fn growth(&self, row: &Row) -> Option<f64> {
        let sizes = self.sizes();
        let [.., before, last] = sizes[..] else {
            return None;
        };
        Some(self.get(row.id, last)? / self.get(row.id, before)?)
    }

    /// The table in Markdown.
    pub(crate) fn table(&self) -> String {
        let sizes = self.sizes();
        let mut table = String::from("| |");
        for size in &sizes {
            write!(table, " {} |", grouped(*size)).unwrap();
        }
        table += " growth | bound |\n|---|";
        table += &"--:|".repeat(sizes.len() + 1);
        table += "---|\n";
        for row in ROWS {
            if sizes.iter().any(|size| self.get(row.id, *size).is_some()) {
                self.write_row(&mut table, row, &sizes);
            }
        }
        table
    }

    fn write_row(&self, table: &mut String, row: &Row, sizes: &[usize]) {
        write!(table, "| {} |", row.name).unwrap();
        for size in sizes {
            let value = self.get(row.id, *size);
            let text = value.map_or("–".into(), |value| with_unit(value, row.unit));
            write!(table, " {text} |").unwrap();
        }
        let growth = row.growth.and_then(|_| self.growth(row));
        let growth = growth.map_or(String::new(), |growth| format!("{growth:.2}"));
        let mut bounds = row
            .bound
            .iter()
            .map(|bound| bound.text(row.unit))
            .collect::<Vec<_>>();
        bounds.extend(row.growth.map(|most| format!("growth ≤ {most}")));
        if self.misses(row) {
            bounds.push("**missed**".into());
        }
        writeln!(table, " {growth} | {} |", bounds.join(", ")).unwrap();
    }

    fn misses(&self, row: &Row) -> bool {
        let keeps = |size: usize| match (row.bound, self.get(row.id, size)) {
            (Some(bound), Some(value)) => bound.holds(value, size, row.unit),
            _ => true,
        };
        self.grows(row) || !self.sizes().into_iter().all(keeps)
    }

    /// Whether a row misses its growth, which is a ratio of two values.
    fn grows(&self, row: &Row) -> bool {
        let growth = row.growth.zip(self.growth(row));
        growth.is_some_and(|(most, growth)| growth > most)
    }

    /// The names of the rows that miss a bound which does not depend on the machine.
    pub(crate) fn failures(&self) -> Vec<&'static str> {
        let fails = |row: &&Row| self.grows(row) || (self.misses(row) && !row.is_time());
        ROWS.iter().filter(fails).map(|row| row.name).collect()
    }
}

impl Bound {
    fn holds(self, value: f64, size: usize, unit: &str) -> bool {
        // A count has no unit.
        let tolerance = if unit.is_empty() { TOLERANCE } else { 0.0 };
        match self {
            BySize(most, _) if size <= 1_000 => value <= most,
            From1000(_) if size < 1_000 => true,
            AtMost(most) | BySize(_, most) | From1000(most) => value <= most + tolerance,
            AtLeast(least) => value >= least,
        }
    }

    fn text(self, unit: &str) -> String {
        match self {
            AtMost(most) => format!("≤ {most} {unit}").trim_end().to_owned(),
            BySize(few, many) => format!("≤ {few} {unit} up to 1,000, ≤ {many} {unit} beyond"),
            From1000(most) => format!("≤ {most} {unit} from 1,000 on"),
            AtLeast(least) => format!("≥ {least} {unit}"),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "no figure is so large"
)]
fn with_unit(value: f64, unit: &str) -> String {
    // A sum of nothing is -0.
    let value = value + 0.0;
    if value.abs() >= 1_000.0 {
        return format!("{} {unit}", grouped(value.abs() as usize))
            .trim_end()
            .to_owned();
    }
    let digits = match value.abs() {
        value if value >= 100.0 => 0,
        value if value >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$} {unit}").trim_end().to_owned()
}

/// A number with commas between its thousands.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_count_or_growth_fails_and_a_missed_time_is_only_shown() {
        let figures = Figures::default();
        figures.record("cold-requests", 100, 4.01);
        figures.record("cold-requests", 1_000, 6.0);
        figures.record("restart-ready", 1_000, 3.2);
        figures.record("restart-ready", 1_000, 3.0);
        figures.record("refresh-cpu", 100, 2.0);
        figures.record("refresh-cpu", 1_000, 1.4);
        figures.record("cold-cpu", 100, 1.0);
        figures.record("cold-cpu", 1_000, 1.3);
        assert_eq!(
            figures.failures(),
            ["Cold: CPU for each", "Cold: API requests for each"]
        );
        assert_eq!(with_unit(825_000.0, ""), "825,000");
        assert_eq!(with_unit(-0.0, "s"), "0.00 s");
        let table = figures.table();
        for line in [
            "| | 100 | 1,000 | growth | bound |",
            "| Cold: API requests for each | 4.01 | 6.00 |  | ≤ 4, **missed** |",
            "| Restart: until ready | – | 3.10 s |  | ≤ 3 s, **missed** |",
            "| Refresh: CPU for each | 2.00 ms | 1.40 ms | 0.70 | ≤ 1.5 ms from 1,000 on, growth ≤ 1.2 |",
            "| Cold: CPU for each | 1.00 ms | 1.30 ms | 1.30 | ≤ 2 ms from 1,000 on, growth ≤ 1.2, **missed** |",
        ] {
            assert!(table.contains(line), "{table}");
        }
    }
}
