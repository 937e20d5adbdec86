//! The objects that the flags name.

use super::urgency::{Row, order};
use crate::{
    clock::now,
    plugin::{cluster::Cluster, object::Object},
};

/// The objects that the flags name.
pub(super) struct Scope {
    pub(super) cluster: Cluster,
    /// The name of the only object; `None`: all objects of the namespace, or of the cluster.
    pub(super) name: Option<String>,
    pub(super) all_namespaces: bool,
}

impl Scope {
    /// The namespace; `None`: all.
    pub(super) fn namespace(&self) -> Option<&str> {
        (!self.all_namespaces).then_some(&*self.cluster.namespace)
    }

    /// The sentence about a scope without objects.
    pub(super) fn nothing(&self) -> String {
        match self.namespace() {
            Some(namespace) => format!(
                "no CubeCredential in namespace {namespace:?}: -A shows all namespaces, and `kubectl cube create` makes one"
            ),
            None => "no CubeCredential in any namespace: `kubectl cube create` makes one".into(),
        }
    }
}

/// The rows of objects, the most urgent first.
pub(super) fn rows<'a>(objects: impl Iterator<Item = &'a Object>) -> Vec<Row> {
    let now = now();
    let mut rows: Vec<_> = objects.map(|object| Row::of(object, now)).collect();
    rows.sort_by(order);
    rows
}
