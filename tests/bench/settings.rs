//! What is measured: sizes, scenarios and the binary.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::{environment::ROOT, limit};

const SIZES: &str = "100,1000,10000";
const SCENARIOS: &str = "floor,cold,restart,edit,refresh,neighbours";

/// What is measured.
pub(crate) struct Settings {
    pub(crate) sizes: Vec<usize>,
    scenarios: Vec<String>,
    pub(crate) binary: PathBuf,
    /// Runs the binary with a limit of its memory.
    limited: Option<PathBuf>,
    /// True if the bounds do not matter: a few credentials on a build with debug assertions say nothing about them.
    pub(crate) is_trial: bool,
}

impl Settings {
    pub(crate) fn from_environment() -> Self {
        let list = |name: &str, default: &str| -> Vec<String> {
            let text = env::var(name).unwrap_or_default();
            let text = if text.is_empty() { default } else { &text };
            text.split(',').map(|part| part.trim().to_owned()).collect()
        };
        let release = Path::new(ROOT).join("target/release/cube-operator");
        let other = env::var_os("BENCH_BINARY").filter(|path| !path.is_empty());
        let binary = other.map_or(release, PathBuf::from);
        assert!(
            binary.exists(),
            "{} is missing: make bench builds it, or set BENCH_BINARY",
            binary.display()
        );
        let limit = env::var("MEMORY_LIMIT")
            .ok()
            .filter(|limit| !limit.is_empty());
        let limited =
            limit.map(|limit| limit::limited(&binary, limit.parse().expect("it is in MiB")));
        let scenarios = list("SCENARIOS", SCENARIOS);
        let unknown = |name: &&String| !SCENARIOS.split(',').any(|known| known == *name);
        assert_eq!(
            scenarios.iter().find(unknown),
            None,
            "SCENARIOS has {SCENARIOS}"
        );
        Self {
            sizes: list("SIZES", SIZES)
                .iter()
                .map(|size| size.parse().expect("SIZES has numbers"))
                .collect(),
            scenarios,
            binary,
            limited,
            is_trial: env::var_os("TRIAL").is_some_and(|value| !value.is_empty()),
        }
    }

    /// What is started.
    pub(crate) fn program(&self) -> &Path {
        self.limited.as_ref().unwrap_or(&self.binary)
    }

    pub(crate) fn have_limit(&self) -> bool {
        self.limited.is_some()
    }

    /// Whether the whole table is measured.
    pub(crate) fn are_complete(&self) -> bool {
        let sizes: Vec<_> = self.sizes.iter().map(ToString::to_string).collect();
        sizes.join(",") == SIZES && self.scenarios.join(",") == SCENARIOS
    }

    pub(crate) fn includes(&self, scenario: &str) -> bool {
        self.scenarios.iter().any(|name| name == scenario)
    }
}
