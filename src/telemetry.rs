//! Logs: structured, one line a failure, on standard error.

use std::{env, io::IsTerminal};

use tracing::{Level, Metadata, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer,
    filter::{FilterExt, Targets, filter_fn},
    layer::{Filter, SubscriberExt},
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::cli::LogFormat;

/// Starts logging. `RUST_LOG` chooses the level; the default is `info`.
pub(crate) fn init(format: LogFormat) {
    let levels = levels(&env::var("RUST_LOG").unwrap_or_default());
    // A module's name says nothing to those who read the log.
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false);
    let lines = match format {
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .boxed(),
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter(levels)))
        .init();
}

/// The levels that a text such as `warn,cube_operator=debug` chooses. A part that names no level is left out.
fn levels(text: &str) -> Targets {
    let parts: Vec<Targets> = text
        .split(',')
        .filter_map(|part| level(part.trim()))
        .collect();
    let chosen = parts.iter().rev().find_map(Targets::default_level);
    let levels: Targets = parts.into_iter().flatten().collect();
    levels.with_default(chosen.unwrap_or(LevelFilter::INFO))
}

/// One part of such a text. A word alone must be a level: the library takes any other for a module all of whose lines are wanted.
fn level(part: &str) -> Option<Targets> {
    if part.contains('=') {
        return part.parse().ok();
    }
    // It takes no word for `error`.
    let part = Some(part).filter(|part| !part.is_empty())?;
    let level: LevelFilter = part.parse().ok()?;
    Some(Targets::new().with_default(level))
}

/// The lines of these levels that may be logged. A line below all of these levels costs one comparison: libraries have hundreds of
/// them on the way of a request.
fn filter<S: Subscriber + for<'a> LookupSpan<'a>>(levels: Targets) -> impl Filter<S> {
    // Without a level hint of its own, this filter would hide the hint of `levels`.
    levels.and(filter_fn(may_be_logged).with_max_level_hint(LevelFilter::TRACE))
}

/// Returns whether a line may be logged, whatever `RUST_LOG` says. Below `info`, libraries print headers and bodies, and at
/// `warn` kube prints the whole body of a response that it cannot read: either may hold a secret. At `error`, the certificate
/// verifier quotes names that a stranger wrote into an untrusted certificate; our own line about the exchange reports that
/// failure.
fn may_be_logged(metadata: &Metadata<'_>) -> bool {
    let of = |krate: &str| {
        let rest = metadata.target().strip_prefix(krate);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    let quotes_others = of("kube_client") || of("rustls_platform_verifier");
    // Our own lines report the failures of watches, once.
    let repeats = of("kube_runtime::watcher");
    of("cube_operator") || (!quotes_others && !repeats && *metadata.level() <= Level::INFO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_below_the_chosen_level_is_dropped_before_any_filter_sees_it() {
        for (chosen, least) in [
            ("info", LevelFilter::INFO),
            ("warn,cube_operator=debug", LevelFilter::DEBUG),
            ("off", LevelFilter::OFF),
        ] {
            let layer = tracing_subscriber::fmt::layer().with_filter(filter(levels(chosen)));
            let subscriber = tracing_subscriber::registry().with(layer);
            assert_eq!(subscriber.max_level_hint(), Some(least), "{chosen}");
        }
    }

    #[test]
    fn a_part_that_names_no_level_is_left_out() {
        let of = |text: &str| levels(text).to_string();
        assert_eq!(of(""), "info");
        assert_eq!(of(",kube=noisy,inof,"), "info");
        assert_eq!(of("debug"), "debug");
        let two = levels(" warn , cube_operator=trace,kube=noisy");
        assert!(two.would_enable("cube_operator::leader", &Level::TRACE));
        assert!(!two.would_enable("kube", &Level::INFO));
    }
}
