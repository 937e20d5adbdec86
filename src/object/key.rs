//! The key of a namespaced object.

use std::{fmt, sync::Arc};

/// Stands in no namespace and no name, and before all characters of them: keys are in the order of their namespaces, then of their
/// names.
const BETWEEN: char = '\0';

/// The namespace and name of an object. Many tables have it, so it is one text, which its copies share.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey(Arc<str>);

impl ObjectKey {
    /// The key of the object with this namespace and name.
    #[must_use]
    pub fn new(namespace: &str, name: &str) -> Self {
        Self(format!("{namespace}{BETWEEN}{name}").into())
    }

    pub(crate) fn namespace(&self) -> &str {
        self.parts().0
    }

    pub(crate) fn name(&self) -> &str {
        self.parts().1
    }

    pub(crate) fn parts(&self) -> (&str, &str) {
        self.0.split_once(BETWEEN).unwrap_or_default()
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (namespace, name) = self.parts();
        write!(f, "{namespace}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_two_parts_and_are_in_the_order_of_their_namespaces_then_of_their_names() {
        let mut keys = [
            ("a-b", "a"),
            ("a", "b"),
            ("a", "a.b"),
            ("a", "a"),
            ("", "z"),
        ];
        keys.sort_unstable();
        let mut sorted = keys.map(|(namespace, name)| ObjectKey::new(namespace, name));
        sorted.sort_unstable();
        assert_eq!(sorted.each_ref().map(ObjectKey::parts), keys);
    }
}
