//! How writes change the objects.

use cube_operator::{
    api::CubeCredentialStatus,
    api_error::ApiError,
    reconcile::{
        Content, DesiredRecord, DesiredSecret, DesiredState, Event, NotStored, Observed, Outcome,
        RecordSecret, SecretVersion, StateSecret,
    },
};

use super::{
    super::{
        cluster::{Fault, no_response},
        process::Process,
    },
    Objects,
};

impl Objects {
    pub(super) fn store(&mut self, state: DesiredState) -> Outcome {
        let DesiredState {
            secret,
            stored,
            claims,
        } = state;
        let (name, owned) = (secret.name.clone(), secret.owned);
        if let Err(error) = self.cluster.apply(&secret, &self.uid) {
            return Outcome::NotStored(error);
        }
        let written = &self.cluster.secrets[&name];
        let secret = StateSecret {
            uid: written.uid.clone(),
            version: written.version.to_string(),
            owner_uid: Some(self.uid.clone()),
            owned,
            given: false,
            marked: true,
            stored,
        };
        Outcome::Stored { secret, claims }
    }

    pub(super) fn record(&mut self, record: DesiredRecord) -> Result<Outcome, ApiError> {
        let name = record.secret.name.clone();
        match self.cluster.apply(&record.secret, &self.uid) {
            Ok(()) => {}
            Err(NotStored::Refused(why)) => return Ok(Outcome::NotWritable(why)),
            Err(NotStored::Conflict) => return Ok(Outcome::RecordChanged),
            Err(NotStored::Unknown(_) | NotStored::Gone) => return Err(no_response(&name)),
        }
        let written = &self.cluster.secrets[&name];
        let (uid, version) = (written.uid.clone(), written.version.to_string());
        Ok(Outcome::Recorded(RecordSecret::written(
            record, uid, version,
        )))
    }

    pub(super) fn publish(
        &mut self,
        target: &DesiredSecret,
        process: &mut Process,
    ) -> Result<Outcome, ApiError> {
        let (name, fingerprint) = (target.name.clone(), target.fingerprint());
        if let Err(error) = self.cluster.apply(target, &self.uid) {
            process.targets.remove(&name);
            return match error {
                NotStored::Refused(why) => Ok(Outcome::NotWritable(why)),
                NotStored::Conflict if target.replaces.is_none() => Ok(Outcome::TargetExists),
                NotStored::Conflict | NotStored::Unknown(_) | NotStored::Gone => {
                    Err(no_response(&name))
                }
            };
        }
        let mut known = self.cluster.target(&name).expect("it was written");
        known.content = Content::Confirmed(fingerprint);
        process.targets.insert(name, known.clone());
        Ok(Outcome::Published(known))
    }

    pub(super) fn delete_record(&mut self, version: &SecretVersion) -> Outcome {
        match self.cluster.delete(version) {
            Ok(()) => Outcome::RecordDeleted { refused: false },
            Err(_) => Outcome::RecordChanged,
        }
    }

    pub(super) fn delete(
        &mut self,
        version: &SecretVersion,
        process: &mut Process,
        observed: &Observed,
    ) -> Result<Outcome, ApiError> {
        let name = &version.name;
        process.targets.remove(name);
        self.cluster.delete(version)?;
        Ok(match self.read_target(name, observed) {
            None => Outcome::Deleted(name.clone()),
            held if observed
                .previous
                .iter()
                .any(|earlier| earlier.name == *name) =>
            {
                Outcome::Previous {
                    name: name.clone(),
                    reading: held,
                }
            }
            held => Outcome::Target(held),
        })
    }

    pub(super) fn report(
        &mut self,
        status: CubeCredentialStatus,
        events: Vec<Event>,
    ) -> Result<Outcome, ApiError> {
        let fault = self.cluster.fault();
        if matches!(fault, None | Some(Fault::Unanswered)) {
            self.status.clone_from(&status);
        }
        if fault.is_some() {
            return Err(no_response(self.name));
        }
        self.events.extend(events);
        let version = self.cluster.next_version().to_string();
        Ok(Outcome::Reported { status, version })
    }
}
