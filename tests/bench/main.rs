//! `make bench`: the cost of 100, 1,000 and 10,000 credentials, measured on the release build under the chart's ServiceAccount, on a
//! real API server and a fast token server of its own. It prints one table; a complete run writes it to `docs/performance.md`.
//!
//! ```text
//!   for each size, on a control plane of its own:
//!     idle ─▶ floor ─▶ load ─▶ cold ─▶ floor ─▶ restart ─▶ restart with a new object ─▶ edits ─▶ an hour later: all refreshed
//!   then once:
//!     neighbours: providers that hang and refuse, and healthy credentials of other namespaces beside them
//! ```
//!
//! `SIZES=100,1000` chooses the sizes, `BENCH_BINARY=/path` another build, `SCENARIOS=cold,restart` some of the rows, and
//! `MEMORY_LIMIT=64` a hard limit in MiB. `make bench-check` only tries whether it can be measured.

#![expect(
    clippy::unwrap_used,
    reason = "a measurement fails where its world does"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "the program is measured by the real clock"
)]
#![expect(clippy::print_stdout, reason = "that is its purpose")]

#[allow(dead_code, unused_imports, reason = "the bench uses a part of it")]
#[path = "../cluster/environment.rs"]
mod environment;
#[path = "../cluster/place/install.rs"]
mod install;
#[allow(dead_code, reason = "the bench uses a part of it")]
#[path = "../cluster/operator.rs"]
mod operator;
#[path = "../provider/scripted.rs"]
mod scripted;

mod figures;
mod limit;
mod objects;
mod page;
mod process;
mod provider;
mod requests;
mod scenarios;
mod settings;
mod site;

use figures::Figures;
use settings::Settings;

#[test]
#[ignore = "a measurement of up to 15 minutes: make bench"]
fn the_cost_of_credentials_is_constant_and_within_its_bounds() {
    let settings = Settings::from_environment();
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let figures = Figures::default();
    runtime.block_on(scenarios::run(&settings, &figures));
    let table = figures.table();
    println!("\n{table}");
    if settings.are_complete() {
        page::write(&table);
    }
    if settings.have_limit() {
        // Nothing was killed, which is all that is asked here.
        println!("most memory under the limit: {:.1} MiB", limit::end());
        return;
    }
    if settings.is_trial {
        return;
    }
    let failures = figures.failures();
    assert!(
        failures.is_empty(),
        "these bounds are missed: {failures:#?}"
    );
}
