//! Ctrl-C ends a command between two writes, never within one, unless the person insists.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{select, signal::ctrl_c, task::JoinError};
use tokio_util::task::TaskTracker;

use super::{
    error::{PluginError, Result},
    terminal::Terminal,
};

/// The further times that Ctrl-C is pressed until a write is given up.
const INSISTENCE: usize = 2;

/// The writes that have begun: a command ends after them.
#[derive(Clone, Debug, Default)]
pub(super) struct Writes {
    begun: TaskTracker,
    interrupted: Arc<AtomicBool>,
}

impl Writes {
    /// Carries out writes that belong together. If the command is interrupted meanwhile, they are carried out all the same.
    pub(super) async fn all<T: Send + 'static>(
        &self,
        writes: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let ended: std::result::Result<_, JoinError> = self.begun.spawn(writes).await;
        ended.map_err(|error| PluginError::new(format!("a write failed: {error}")))?
    }

    /// Carries out a write that nothing waits for but the end of the command.
    pub(super) fn later(&self, write: impl Future<Output = ()> + Send + 'static) {
        self.begun.spawn(write);
    }

    /// Returns whether a write has begun and not ended.
    pub(super) fn are_under_way(&self) -> bool {
        !self.begun.is_empty()
    }

    /// Returns whether nobody waits for the result of a write any more, so that it has to say it itself.
    pub(super) fn are_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }
}

/// Runs a command until it ends or is interrupted (Ctrl-C, SIGTERM, SIGHUP). Writes that have begun are completed.
pub(super) async fn until_interrupted(
    terminal: &Terminal,
    writes: &Writes,
    command: impl Future<Output = Result>,
) -> Result {
    let ended = select! {
        ended = command => ended,
        _ = ctrl_c() => Err(PluginError::Interrupted),
        () = terminated() => Err(PluginError::Terminated),
    };
    writes.interrupted.store(true, Ordering::SeqCst);
    writes.begun.close();
    select! {
        () = writes.begun.wait() => return ended,
        () = tokio::time::sleep(std::time::Duration::from_secs(1)) => {}
    }
    terminal.note(
        "Finishing a write that has begun. Ctrl-C twice more gives it up, and what it would store.",
    );
    select! {
        () = writes.begun.wait() => ended,
        () = insistence() => Err(PluginError::new(
            "given up: what was about to be stored is lost, so run the command again",
        )),
    }
}

async fn insistence() {
    for _ in 0..INSISTENCE {
        if ctrl_c().await.is_err() {
            return std::future::pending().await;
        }
    }
}

/// SIGTERM, or SIGHUP of a terminal that was closed.
#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut hang_up)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::hangup()),
    ) else {
        return std::future::pending().await;
    };
    select! {
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
    }
}

/// Ctrl-Break, a console that was closed, or the end of the system.
#[cfg(windows)]
async fn terminated() {
    use tokio::signal::windows::{ctrl_break, ctrl_close, ctrl_shutdown};
    let (Ok(mut broken), Ok(mut closed), Ok(mut shut_down)) =
        (ctrl_break(), ctrl_close(), ctrl_shutdown())
    else {
        return std::future::pending().await;
    };
    select! {
        _ = broken.recv() => {}
        _ = closed.recv() => {}
        _ = shut_down.recv() => {}
    }
}

#[cfg(not(any(unix, windows)))]
async fn terminated() {
    std::future::pending().await
}
