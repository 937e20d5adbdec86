//! A shard: the part of all namespaces that one of several processes serves.

use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};

use super::candidate::Identity;

/// The most shards. Each one receives every event of the cluster.
const MOST: u32 = 64;

/// Shard `index` of `count`, written `INDEX/COUNT`. A namespace is in the same shard of a count forever: the objects of one
/// namespace know of each other, so they need one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    count: u32,
}

impl Shard {
    /// All namespaces.
    pub const ALL: Self = Self { index: 0, count: 1 };

    /// Shard `index` of `count`, if there is one.
    #[must_use]
    pub fn new(index: u32, count: u32) -> Option<Self> {
        let exists = index < count && count <= MOST;
        exists.then_some(Self { index, count })
    }

    /// Returns whether it is one of several.
    #[must_use]
    pub fn is_part(self) -> bool {
        self.count > 1
    }

    /// Returns whether this namespace belongs to it.
    ///
    /// Processes of one count must agree, in all versions. Another rule would need another name of the group.
    #[must_use]
    pub fn has(self, namespace: &str) -> bool {
        // Most processes have all namespaces, and look at none.
        if !self.is_part() {
            return true;
        }
        let hash = Sha256::digest(namespace);
        // A remainder can be taken byte by byte.
        let remainder = hash.iter().fold(0, |remainder, byte| {
            (remainder * 256 + u32::from(*byte)) % self.count
        });
        remainder == self.index
    }

    /// The name that all processes of this count share.
    fn group(self) -> String {
        format!("shards-{}", self.count)
    }

    /// The Leases that a process needs, and the holder that it writes into each, in the order in which they have to be won. A
    /// process of a count that does not lead must not keep the Lease of a shard from one of the count that does.
    #[must_use]
    pub fn leases(self, lease: &str, process: &str) -> Vec<(String, Identity)> {
        let process = Identity::Process(process.to_owned());
        if !self.is_part() {
            return vec![(lease.to_owned(), process)];
        }
        let own = format!("{lease}-shard-{}", self.index);
        vec![
            (lease.to_owned(), Identity::Group(self.group())),
            (own, process),
        ]
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| {
            let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u32>().ok().filter(|_| is_plain)
        };
        let parts = text.split_once('/');
        let numbers = parts.and_then(|(index, count)| Some((number(index)?, number(count)?)));
        match numbers {
            None => Err("write INDEX/COUNT, such as 0/3".into()),
            Some((_, 0)) => Err("there must be at least one shard".into()),
            Some((_, count)) if count > MOST => Err(format!("at most {MOST} shards are possible")),
            Some((index, count)) => Self::new(index, count)
                .ok_or_else(|| format!("the last of {count} shards is {}/{count}", count - 1)),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shards(count: u32) -> impl Iterator<Item = Shard> {
        (0..count).map(move |index| Shard { index, count })
    }

    fn owner(namespace: &str, count: u32) -> u32 {
        let mut owners = shards(count).filter(|shard| shard.has(namespace));
        owners.next().expect("one serves it").index
    }

    #[test]
    fn a_namespace_stays_in_its_shard_from_one_version_to_the_next() {
        let owners = |count| {
            ["default", "kube-system", "treasury", "team-a", "team-b"]
                .map(|namespace| owner(namespace, count))
        };
        // Computed with `sha256sum`; a version that changes them needs another name for the group.
        assert_eq!(owners(1), [0; 5]);
        assert_eq!(owners(2), [1, 0, 1, 0, 1]);
        assert_eq!(owners(3), [1, 2, 0, 0, 2]);
        assert_eq!(owners(64), [15, 26, 23, 44, 19]);
    }

    #[test]
    fn many_namespaces_are_spread_evenly() {
        for count in [2, 3, 5, 16] {
            let mut sizes = vec![0_u32; count as usize];
            for number in 0..4000 {
                sizes[owner(&format!("team-{number}"), count) as usize] += 1;
            }
            let mean = 4000 / count;
            let even = |size: &u32| (mean * 3 / 4..=mean * 5 / 4).contains(size);
            assert!(sizes.iter().all(even), "{count}: {sizes:?}");
        }
    }

    #[test]
    fn a_shard_is_read_as_it_is_written_and_one_that_does_not_exist_is_refused() {
        for text in ["0/1", "0/3", "2/3", "63/64"] {
            assert_eq!(text.parse::<Shard>().unwrap().to_string(), text);
        }
        for (text, error) in [
            ("3/3", "the last of 3 shards is 2/3"),
            ("0/0", "there must be at least one shard"),
            ("0/65", "at most 64 shards are possible"),
            ("a/b", "write INDEX/COUNT, such as 0/3"),
            ("1", "write INDEX/COUNT, such as 0/3"),
            ("", "write INDEX/COUNT, such as 0/3"),
            ("-1/3", "write INDEX/COUNT, such as 0/3"),
            ("+1/3", "write INDEX/COUNT, such as 0/3"),
            ("1/3/5", "write INDEX/COUNT, such as 0/3"),
            (" 1/3", "write INDEX/COUNT, such as 0/3"),
            ("99999999999/3", "write INDEX/COUNT, such as 0/3"),
        ] {
            assert_eq!(text.parse::<Shard>(), Err(error.to_owned()), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn each_namespace_is_in_exactly_one_shard(namespace in "[a-z0-9-]{1,63}", count in 1..=MOST) {
            prop_assert_eq!(shards(count).filter(|shard| shard.has(&namespace)).count(), 1);
        }
    }
}
