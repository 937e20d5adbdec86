//! The fields of a pod that say which Secrets it uses. No others are read: environment variables may hold secrets of their own.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// A pod, as the API server lists it.
#[derive(Clone, Debug, Deserialize)]
pub struct Pod {
    metadata: Metadata,
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: Annotations,
    #[serde(default)]
    owner_references: Vec<OwnerReference>,
    deletion_timestamp: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Annotations {
    #[serde(rename = "cube-operator.dev/refreshed-at")]
    refreshed_at: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct OwnerReference {
    kind: String,
    name: String,
    #[serde(default)]
    controller: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    #[serde(default)]
    volumes: Vec<Volume>,
    containers: Vec<Container>,
    #[serde(default)]
    init_containers: Vec<Container>,
    #[serde(default)]
    ephemeral_containers: Vec<Container>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Status {
    #[serde(default)]
    phase: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Volume {
    name: String,
    secret: Option<SecretVolume>,
    projected: Option<Projected>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SecretVolume {
    secret_name: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Projected {
    #[serde(default)]
    sources: Vec<ProjectedSource>,
}

#[derive(Clone, Debug, Deserialize)]
struct ProjectedSource {
    secret: Option<Reference>,
}

#[derive(Clone, Debug, Deserialize)]
struct Reference {
    name: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container {
    name: String,
    #[serde(default)]
    env: Vec<Variable>,
    #[serde(default)]
    env_from: Vec<EnvSource>,
    #[serde(default)]
    volume_mounts: Vec<VolumeMount>,
    restart_policy: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Variable {
    name: String,
    value_from: Option<ValueSource>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ValueSource {
    secret_key_ref: Option<Reference>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EnvSource {
    secret_ref: Option<Reference>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct VolumeMount {
    name: String,
    #[serde(rename = "mountPath")]
    path: String,
    #[serde(default)]
    sub_path: String,
    #[serde(default)]
    sub_path_expr: String,
}

/// Where a container finds what a Secret holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// In files, which change.
    Volume(String),
    /// In a file that never changes, because it is mounted by `subPath`.
    SubPath(String),
    /// In an environment variable.
    Variable(String),
    /// In environment variables that are named after its keys.
    Variables,
}

impl Way {
    pub(super) fn is_fresh(&self) -> bool {
        matches!(self, Self::Volume(_))
    }
}

/// The most characters of a path that are kept and shown: a volume may hold thousands of Secrets.
const LONGEST_PATH: usize = 255;

/// How a container of a pod uses a Secret.
#[derive(Debug)]
pub(super) struct Use<'a> {
    pub(super) secret: &'a str,
    /// The name of the container.
    pub(super) container: &'a str,
    pub(super) way: Way,
}

impl<'a> Use<'a> {
    /// The Secret, and whether each refresh of it is seen.
    pub(super) fn kind(&self) -> (&'a str, bool) {
        (self.secret, self.way.is_fresh())
    }
}

/// The object that a person edits to change a pod.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Workload {
    /// `Deployment`, say; `Pod` for one that nobody else makes.
    pub kind: String,
    /// As `kubectl get` shows it.
    pub name: String,
}

impl Pod {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// The wanted Secrets of which one of its containers sees each refresh; none if they do not run.
    pub fn mounted(&self, is_wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = &str> {
        let uses = self.runs_on().then(|| self.uses(is_wanted));
        let fresh = uses
            .into_iter()
            .flatten()
            .filter(|usage| usage.way.is_fresh());
        fresh.map(|usage| usage.secret)
    }

    /// Returns whether it has this mark of a refresh, so that its kubelet knows of it.
    #[must_use]
    pub fn has_mark(&self, mark: &str) -> bool {
        self.metadata.annotations.refreshed_at.as_deref() == Some(mark)
    }

    /// Returns whether its containers run, or are going to.
    pub(super) fn runs_on(&self) -> bool {
        let finished = ["Succeeded", "Failed"].contains(&self.status.phase.as_str());
        !finished && self.metadata.deletion_timestamp.is_none()
    }

    pub(super) fn workload(&self) -> Workload {
        let owners = &self.metadata.owner_references;
        let (kind, name) = match owners.iter().find(|owner| owner.controller) {
            Some(owner) => self.maker_of(owner),
            None => ("Pod", self.name()),
        };
        Workload {
            kind: kind.to_owned(),
            name: name.to_owned(),
        }
    }

    /// A Deployment makes a `ReplicaSet` for each template, a `CronJob` a Job for each minute it is due: their names say so.
    fn maker_of<'a>(
        &self,
        OwnerReference { kind, name, .. }: &'a OwnerReference,
    ) -> (&'a str, &'a str) {
        let (maker, suffix) = name.rsplit_once('-').unwrap_or((name, ""));
        let template = self.metadata.labels.get("pod-template-hash");
        let minute = suffix.len() >= 8 && suffix.bytes().all(|byte| byte.is_ascii_digit());
        match kind.as_str() {
            "ReplicaSet" if template.is_some_and(|hash| hash == suffix) => ("Deployment", maker),
            "Job" if minute => ("CronJob", maker),
            kind => (kind, name),
        }
    }

    /// How its containers use the Secrets that are wanted. An init container runs on if it is always restarted, a sidecar.
    ///
    /// Each reference is looked up once, because a namespace may have thousands of pods and thousands of Secrets.
    pub(super) fn uses(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<Use<'_>> {
        let spec = &self.spec;
        let sidecars = spec
            .init_containers
            .iter()
            .filter(|container| container.restart_policy.as_deref() == Some("Always"));
        let containers = spec
            .containers
            .iter()
            .chain(sidecars)
            .chain(&spec.ephemeral_containers);
        let mut volumes = Volumes::new();
        for volume in &spec.volumes {
            let wanted = volume.secrets().filter(|secret| is_wanted(secret));
            volumes.entry(&volume.name).or_default().extend(wanted);
        }
        let mut mounted = Mounted::new();
        containers
            .flat_map(|container| container.uses(&volumes, &mut mounted, &is_wanted))
            .collect()
    }
}

/// The wanted Secrets in each volume, by the name of the volume.
type Volumes<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// The volumes that containers mount, and whether these see a refresh. One that is mounted in the same way again shows nothing new, but
/// thousands of mounts of thousands of Secrets would fill the memory.
type Mounted<'a> = BTreeSet<(&'a str, bool)>;

impl Volume {
    fn secrets(&self) -> impl Iterator<Item = &str> {
        let whole = self.secret.iter().map(|volume| &volume.secret_name);
        let parts = self.projected.iter().flat_map(|volume| &volume.sources);
        let parts = parts
            .filter_map(|source| source.secret.as_ref())
            .map(|part| &part.name);
        whole.chain(parts).filter_map(|name| name.as_deref())
    }
}

impl Container {
    fn uses<'a>(
        &'a self,
        volumes: &Volumes<'a>,
        mounted: &mut Mounted<'a>,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Vec<Use<'a>> {
        let wanted = |reference: Option<&'a Reference>| {
            let secret = reference?.name.as_deref()?;
            is_wanted(secret).then_some(secret)
        };
        let variables = self.env.iter().filter_map(|variable| {
            let source = variable.value_from.as_ref()?;
            let secret = wanted(source.secret_key_ref.as_ref())?;
            Some((secret, Way::Variable(variable.name.clone())))
        });
        let sources = self.env_from.iter().filter_map(|source| {
            let secret = wanted(source.secret_ref.as_ref())?;
            Some((secret, Way::Variables))
        });
        let mounts = self.volume_mounts.iter();
        let mounts = mounts.filter(|mount| mounted.insert((&mount.name, mount.is_whole())));
        let mounts = mounts.flat_map(|mount| {
            let secrets = volumes.get(mount.name.as_str()).into_iter().flatten();
            secrets.map(|secret| (*secret, mount.way()))
        });
        variables
            .chain(sources)
            .chain(mounts)
            .map(|(secret, way)| Use {
                secret,
                container: &self.name,
                way,
            })
            .collect()
    }
}

impl VolumeMount {
    fn way(&self) -> Way {
        let path = self.path.chars().take(LONGEST_PATH).collect();
        if self.is_whole() {
            Way::Volume(path)
        } else {
            Way::SubPath(path)
        }
    }

    fn is_whole(&self) -> bool {
        self.sub_path.is_empty() && self.sub_path_expr.is_empty()
    }
}
