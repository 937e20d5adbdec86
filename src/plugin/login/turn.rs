//! One sign-in at a time for a `CubeCredential`: an annotation on it says which, and until when.
//!
//! Two sign-ins at a time lose nothing that is stored, but the refresh token of one of them would be replaced by the other's without
//! a word. The annotation ends by itself, because a sign-in can be killed.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use serde_json::json;
use tokio::time::sleep;

use super::{flags::Browser, prepare::Prepared, random::random};
use crate::{
    api::{CubeCredential, annotation},
    clock::now,
    plugin::{
        Context,
        cluster::Cluster,
        error::{PluginError, Result},
        interrupt::Writes,
    },
};

/// The time for the exchange and its storage after the person's part.
const REST: SignedDuration = SignedDuration::from_secs(60);

/// The turn of this process. It ends when this is dropped, also after Ctrl-C.
pub(super) struct Turn {
    cluster: Cluster,
    name: String,
    id: String,
    writes: Writes,
    ended: bool,
}

impl Turn {
    /// Takes the turn.
    pub(super) async fn take(
        context: &Context,
        cluster: &Cluster,
        name: &str,
        flags: &Browser,
    ) -> Result<Self> {
        let id = random()?.expose_secret()[..8].to_owned();
        let turn = Self {
            cluster: cluster.clone(),
            name: name.to_owned(),
            id,
            writes: context.writes.clone(),
            ended: false,
        };
        let taken = cluster.annotate_credential(name, |credential| {
            if let Some(until) = taken_until(credential, now())
                && !flags.replace
            {
                return Err(PluginError::new(format!(
                    "another sign-in for CubeCredential \"{name}\" is in progress until {until}: finish or interrupt it, or replace \
                     it with --replace"
                )));
            }
            let until = now() + flags.login_timeout + REST;
            Ok(Some(json!({annotation::LOGIN: format!("{} {until}", turn.id)})))
        });
        taken.await?;
        Ok(turn)
    }

    /// The `CubeCredential` as it is now, if it has the spec that was prepared, and no other sign-in has replaced this one.
    pub(super) async fn still_ours(&self, prepared: &Prepared) -> Result<CubeCredential> {
        let credential = self.cluster.credential(&self.name).await?;
        prepared.must_be_of(&credential)?;
        if value(&credential).is_some_and(|value| value.starts_with(&self.id)) {
            return Ok(credential);
        }
        Err(PluginError::new(format!(
            "another sign-in for CubeCredential \"{}\" has replaced this one, which requested no token",
            self.name
        )))
    }

    /// Ends the turn.
    pub(super) async fn end(mut self) {
        self.ended = true;
        release(&self.cluster, &self.name, &self.id).await;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let (cluster, name, id) = (self.cluster.clone(), self.name.clone(), self.id.clone());
        self.writes.later(async move {
            release(&cluster, &name, &id).await;
        });
    }
}

/// Removes the annotation if it is still this sign-in's. It ends by itself if that fails.
async fn release(cluster: &Cluster, name: &str, id: &str) {
    for pause in [200, 1_000, 3_000] {
        if try_release(cluster, name, id).await.is_ok() {
            return;
        }
        sleep(Duration::from_millis(pause)).await;
    }
}

async fn try_release(cluster: &Cluster, name: &str, id: &str) -> Result {
    let released = cluster.annotate_credential(name, |credential| {
        let ours = value(credential).is_some_and(|value| value.starts_with(id));
        Ok(ours.then(|| json!({annotation::LOGIN: null})))
    });
    released.await
}

fn value(credential: &CubeCredential) -> Option<&String> {
    credential
        .metadata
        .annotations
        .as_ref()?
        .get(annotation::LOGIN)
}

/// The end of a turn that is taken.
fn taken_until(credential: &CubeCredential, now: Timestamp) -> Option<Timestamp> {
    let (_, until) = value(credential)?.split_once(' ')?;
    until
        .parse()
        .ok()
        // A clock that is far ahead does not lock others out.
        .filter(|until| (now..=now + SignedDuration::from_hours(2)).contains(until))
}
