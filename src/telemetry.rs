//! Logs: structured, one line a failure, on standard error.

use std::io::IsTerminal;

use tracing::{Level, Metadata, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer, filter::filter_fn, layer::SubscriberExt, util::SubscriberInitExt,
};

use crate::cli::LogFormat;

/// Starts logging. `RUST_LOG` chooses the level; the default is `info`.
pub fn init(format: LogFormat) {
    let levels = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .from_env_lossy();
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
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

/// What libraries may log, whatever `RUST_LOG` says: below `info` they print headers and bodies, and kube prints the whole body
/// of an answer that it cannot read, at `warn`. Either may be a secret. A certificate that is not trusted is told by our own line
/// about the exchange; its verifier's, at `error`, quotes the names that a stranger wrote into it.
fn may_be_logged(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    let of = |krate: &str| target == krate || target.starts_with(&format!("{krate}::"));
    let quotes_others = of("kube_client") || of("rustls_platform_verifier");
    of("cube_operator") || (!quotes_others && *metadata.level() <= Level::INFO)
}
