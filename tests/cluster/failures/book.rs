//! `docs/troubleshooting.md`: written from the runs of the table, or compared with them.

use std::{collections::BTreeMap, env, fmt::Write, fs};

use cube_operator::api::{Reason, RetryClass};

use super::{
    chapters::{Chapter, INTRODUCTION, PARTS},
    excerpt::excerpt,
    row::Row,
    stage::Stage,
};
use crate::environment::ROOT;

/// What kubectl showed of the rows that are on the page.
#[derive(Default)]
pub(super) struct Book(BTreeMap<&'static str, String>);

impl Book {
    /// Notes what kubectl shows of a row, if it is on the page. `false`: not as it should be at this moment.
    pub(super) fn take(&mut self, stage: &Stage, row: &Row) -> bool {
        let is_on_the_page = chapters()
            .flat_map(|chapter| chapter.rows)
            .any(|(name, _)| *name == row.name);
        if !is_on_the_page {
            return true;
        }
        let events = stage.events().remove(&row.object()).unwrap_or_default();
        if events != row.events {
            return false;
        }
        let excerpt = excerpt(stage, row);
        let is_there = excerpt.is_some();
        self.0.extend(excerpt.map(|text| (row.name, text)));
        is_there
    }

    /// That the page in the repository is the one of this run. With `WRITE_TROUBLESHOOTING` it becomes that.
    pub(super) fn check(&self) {
        let path = format!("{ROOT}/docs/troubleshooting.md");
        let page = self.page();
        if env::var_os("WRITE_TROUBLESHOOTING").is_some() {
            fs::write(&path, &page).unwrap();
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        let differs = found
            .lines()
            .zip(page.lines())
            .find(|(found, page)| found != page);
        assert!(
            found == page,
            "docs/troubleshooting.md is out of date: run make troubleshooting. The first line that differs, and what it is now: \
             {differs:#?}"
        );
    }

    fn page(&self) -> String {
        let mut page = INTRODUCTION.to_owned();
        page += "\n| reason | it means | who can mend it | first thing to do | tried again |\n|---|---|---|---|---|\n";
        for chapter in chapters() {
            page += &line(chapter);
        }
        for (heading, chapters) in PARTS {
            write!(page, "\n## {heading}\n").unwrap();
            for chapter in chapters {
                page += &self.chapter(chapter);
            }
        }
        page
    }

    fn chapter(&self, chapter: &Chapter) -> String {
        let Chapter {
            reason,
            who,
            act,
            rows,
            ..
        } = chapter;
        let (meaning, who) = (sentence(chapter.meaning), sentence(who));
        let mut text = format!(
            "\n### {reason}\n\n{meaning}.\n\n- **Who can mend it:** {who}.\n- **Do this:** {act}\n- **If nobody does:** {}\n",
            next(*reason)
        );
        for (row, caption) in *rows {
            let excerpt = self.0.get(row).expect("the table has this row");
            let caption = if caption.is_empty() {
                String::new()
            } else {
                format!("\n{caption}\n")
            };
            write!(text, "{caption}\n```\n{excerpt}```\n").unwrap();
        }
        text
    }
}

fn chapters() -> impl Iterator<Item = &'static Chapter> {
    PARTS.iter().flat_map(|(_, chapters)| *chapters)
}

/// Its line in the index.
fn line(chapter: &Chapter) -> String {
    let Chapter {
        reason,
        meaning,
        who,
        first,
        ..
    } = chapter;
    let (anchor, again) = (reason.to_string().to_lowercase(), summary(*reason));
    format!("| [`{reason}`](#{anchor}) | {meaning} | {who} | {first} | {again} |\n")
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

const NO_FAILURE: [Reason; 5] = [
    Reason::Suspended,
    Reason::Pending,
    Reason::RateBudget,
    Reason::TokenIssued,
    Reason::Synced,
];

/// Whether time helps, for the index.
fn summary(reason: Reason) -> &'static str {
    match (reason, reason.retry_class()) {
        (reason, _) if NO_FAILURE.contains(&reason) => "",
        (Reason::RefreshTokenRejected, _) => "once, after 5 min",
        (Reason::TargetConflict | Reason::TargetDuplicate | Reason::StateConflict, _) => {
            "looked at every minute"
        }
        (_, Some(RetryClass::Fast)) => "after seconds",
        (_, Some(RetryClass::Slow)) => "after 5 min, later every hour",
        (_, Some(RetryClass::RateLimited)) => "when the pause is over",
        (_, Some(RetryClass::Terminal) | None) => "only after a change",
    }
}

/// What happens by itself.
fn next(reason: Reason) -> &'static str {
    match (reason, reason.retry_class()) {
        (Reason::TokenIssued | Reason::Synced, _) => "The token is replaced before it expires.",
        (Reason::Suspended, _) => "It stays so. The published token expires in its time.",
        (Reason::Pending | Reason::RateBudget, _) => {
            "It goes on by itself, at the time in the message."
        }
        (Reason::RefreshTokenRejected, _) => {
            "The refresh token is sent once more after 5 minutes, as a provider may err, and then never again. A published token may \
             work until it expires."
        }
        (Reason::RefreshTokenLost, _) => {
            "Nothing more is sent. The published token is not `Ready`, because a provider mostly ends it together with the lost refresh."
        }
        (Reason::TargetConflict | Reason::TargetDuplicate | Reason::StateConflict, _) => {
            "It is looked at every minute, and at once when the `CubeCredential` changes. Nothing is sent to the provider."
        }
        (Reason::TargetNotWritable | Reason::StateNotWritable, _) => {
            "The Secret is written again after 10, 20, 40, 80, 160, then every 300 seconds (±20 %), and at once when the spec changes. \
             An answer that is in memory alone is written every 5 s, for ever."
        }
        (Reason::Unreachable, _) => {
            "It is tried again after 10, 20, 40, 80, 160, then every 300 seconds (±20 %)."
        }
        (_, Some(RetryClass::Fast)) => {
            "It is tried again after 10, 20, 40, 80, 160, then every 300 seconds (±20 %); with a stored refresh token, which may be \
             spent, after 2, 8, 20, 60, 120, then every 300 seconds."
        }
        (_, Some(RetryClass::Slow)) => {
            "It is tried again after 5, 15, 30, then every 60 minutes (±20 %), and at once when the client's Secret, the spec, the CA \
             bundle or the annotation changes."
        }
        (_, Some(RetryClass::RateLimited)) => {
            "It is tried again when the pause is over: the provider's `Retry-After` (at least 10 s, at most an hour), else 1, 2, 4, 8, \
             then 15 minutes, and up to 10 s more."
        }
        (_, Some(RetryClass::Terminal) | None) => {
            "Nothing is sent, and nothing is tried, until what the message names has changed. Then it is tried at once."
        }
    }
}

#[test]
fn every_reason_has_a_chapter() {
    let told = chapters().map(|chapter| chapter.reason.to_string());
    let all = Reason::ALL.iter().map(ToString::to_string);
    assert_eq!(
        told.collect::<std::collections::BTreeSet<_>>(),
        all.collect()
    );
    assert_eq!(chapters().count(), Reason::ALL.len());
}
