//! Logs: structured, one line a failure, on standard error.

use std::io::IsTerminal;

use tracing::{Level, Metadata, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer, filter::filter_fn, layer::SubscriberExt, util::SubscriberInitExt,
};

use crate::cli::LogFormat;

/// Starts logging. `RUST_LOG` chooses the level; the default is `info`.
pub(crate) fn init(format: LogFormat) {
    let levels = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .from_env_lossy();
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
        .with(
            lines
                .with_filter(levels)
                .with_filter(filter_fn(may_be_logged)),
        )
        .init();
}

/// Whether a line may be logged, whatever `RUST_LOG` says. Below `info`, libraries print headers and bodies, and at `warn` kube
/// prints the whole body of a response that it cannot read: either may hold a secret. At `error`, the certificate verifier quotes
/// names that a stranger wrote into an untrusted certificate; our own line about the exchange reports that failure.
fn may_be_logged(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    let of = |krate: &str| target == krate || target.starts_with(&format!("{krate}::"));
    let quotes_others = of("kube_client") || of("rustls_platform_verifier");
    // Our own lines report the failures of watches, once.
    let repeats = of("kube_runtime::watcher");
    of("cube_operator") || (!quotes_others && !repeats && *metadata.level() <= Level::INFO)
}
