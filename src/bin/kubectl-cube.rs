//! `kubectl cube`: kubectl finds this program by its name.

use std::process::ExitCode;

use cube_operator::{plugin, process};
use tokio::runtime::Builder;

fn main() -> ExitCode {
    if let Err(message) = process::prepare() {
        return fail(&message);
    }
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.to_string()),
    };
    let ended = runtime.block_on(plugin::main());
    // A thread may still wait for a person or a browser.
    runtime.shutdown_background();
    ended
}

fn fail(message: &str) -> ExitCode {
    eprintln!("kubectl cube: {message}");
    ExitCode::FAILURE
}
