//! The sentences about the pods that use a token. An event repeats the one about a consumer.

use std::fmt::{self, Display, Formatter};

use crate::{
    consumers::{Consumer, Way, Workload},
    reconcile::finding::ConsumerFact,
};

impl Display for ConsumerFact {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found(consumer) => consumer.fmt(f),
            Self::Restarted(Consumer {
                secret,
                workload,
                way,
                ..
            }) => write!(
                f,
                "{workload} is restarted after each refresh of Secret {secret:?}, which it has in {way}"
            ),
            Self::NoPod { secret } => write!(f, "no pod uses Secret {secret:?}"),
            Self::NotChecked => f.write_str("pods were not checked: --warn-consumers is false"),
        }
    }
}

/// One line, which says what to do about a stale consumer.
impl Display for Consumer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            secret,
            workload,
            pod,
            more,
            container,
            way,
        } = self;
        write!(f, "pod {pod:?}")?;
        if *more > 0 {
            write!(f, " (and {more} more of {workload})")?;
        }
        if self.is_fresh() {
            return write!(
                f,
                " sees each refresh of Secret {secret:?}, in {way} of container {container:?}"
            );
        }
        write!(
            f,
            " never sees a refresh: {way} of container {container:?} keeps the token that it started with: mount Secret \
             {secret:?} as a volume without subPath, or restart the pod after each refresh (spec.consumers.restart)"
        )
    }
}

impl Consumer {
    /// The note of the event about a stale consumer. `check` prints more about it.
    pub(crate) fn note(&self) -> String {
        let Self {
            secret, pod, way, ..
        } = self;
        let without = match way {
            Way::SubPath(_) => " without subPath",
            Way::Volume(_) | Way::Variable(_) | Way::Variables => "",
        };
        format!(
            "{way} in pod {pod:?} never sees a refresh: mount Secret {secret:?} as a volume{without}, or set \
             spec.consumers.restart"
        )
    }
}

impl Display for Way {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Volume(path) => write!(f, "volume {path:?}"),
            Self::SubPath(path) => write!(f, "subPath mount {path:?}"),
            Self::Variable(name) => write!(f, "environment variable {name:?}"),
            Self::Variables => f.write_str("envFrom"),
        }
    }
}

impl Display for Workload {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.kind, self.name)
    }
}
