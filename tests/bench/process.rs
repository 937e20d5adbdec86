//! The processor time and the memory of a process, from `/proc`.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

/// The unit of the times in `/proc/PID/stat`, in milliseconds. It is the same on every Linux that Rust knows.
const TICK: f64 = 10.0;
/// A process that took at most one tick in this time has nothing to do.
const QUIET: Duration = Duration::from_millis(600);

/// A running process.
#[derive(Clone, Copy)]
pub(crate) struct Process(pub(crate) u32);

impl Process {
    /// The processor time that it has used since its start, in milliseconds.
    pub(crate) fn cpu(self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0)).unwrap();
        // The name of the program stands in parentheses, and may have blanks.
        let fields: Vec<_> = stat[stat.rfind(')').unwrap() + 2..].split(' ').collect();
        let ticks = |field: usize| fields[field].parse::<f64>().unwrap();
        TICK * (ticks(11) + ticks(12))
    }

    /// Waits until it uses no processor time, and returns the moment at which that began. On a busy machine it may only have to wait
    /// for others.
    pub(crate) fn quiet(self) -> Instant {
        let (mut since, mut used) = (Instant::now(), self.cpu());
        while since.elapsed() < QUIET {
            thread::sleep(Duration::from_millis(20));
            let cpu = self.cpu();
            if cpu > used + TICK {
                (since, used) = (Instant::now(), cpu);
            }
        }
        since
    }

    /// Its resident memory in MB.
    pub(crate) fn resident(self) -> f64 {
        self.memory("VmRSS:")
    }

    /// Its largest resident memory in MB since [`Self::forget_peak`].
    pub(crate) fn peak(self) -> f64 {
        self.memory("VmHWM:")
    }

    /// Begins to look for a peak anew.
    pub(crate) fn forget_peak(self) {
        fs::write(format!("/proc/{}/clear_refs", self.0), "5").unwrap();
    }

    fn memory(self, figure: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).unwrap();
        let line = status.lines().find(|line| line.starts_with(figure));
        let kib: f64 = line
            .unwrap()
            .split_whitespace()
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        kib * 1024.0 / 1e6
    }
}
