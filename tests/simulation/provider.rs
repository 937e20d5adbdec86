//! A provider that rotates refresh tokens, as django-oauth-toolkit does: grace, reuse protection, or no rotation at all.

use std::collections::BTreeSet;

/// How a provider treats refresh tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) rotates: bool,
    /// Seconds for which the token before still gives the same pair.
    pub(crate) grace: i64,
    /// Whether one replay kills the whole login.
    pub(crate) reuse_protection: bool,
    /// Seconds that an access token lives.
    pub(crate) lifetime: i64,
}

/// A pair of tokens, by number: the later one is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) refresh: u64,
    pub(crate) access: u64,
}

pub(crate) struct Provider {
    pub(crate) rules: Rules,
    next: u64,
    /// The first refresh token of the newest login.
    login: u64,
    /// The pair of the newest login; `None`: it is dead.
    current: Option<Pair>,
    /// The refresh token before, until when it gives the same pair again.
    before: Option<(u64, i64)>,
    /// Every token that was consumed.
    consumed: BTreeSet<u64>,
    /// Whether a person revoked the login.
    pub(crate) revoked: bool,
}

impl Provider {
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            rules,
            next: 0,
            login: 0,
            current: None,
            before: None,
            consumed: BTreeSet::new(),
            revoked: false,
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// A person signs in: a new login, and its first refresh token.
    pub(crate) fn sign_in(&mut self) -> u64 {
        let refresh = self.number();
        let access = self.number();
        self.login = refresh;
        self.current = Some(Pair { refresh, access });
        self.before = None;
        self.revoked = false;
        refresh
    }

    pub(crate) fn revoke(&mut self) {
        self.current = None;
        self.before = None;
        self.revoked = true;
    }

    /// Whether this refresh token would be taken.
    pub(crate) fn takes(&self, token: u64, now: i64) -> bool {
        self.current.is_some_and(|pair| {
            pair.refresh == token
                || self
                    .before
                    .is_some_and(|(before, until)| before == token && now <= until)
        })
    }

    /// Serves a refresh, or answers `invalid_grant`.
    pub(crate) fn refresh(&mut self, token: u64, now: i64) -> Option<Pair> {
        if !self.takes(token, now) {
            // Only that of the same login.
            let family = token >= self.login && self.consumed.contains(&token);
            if self.rules.reuse_protection && family {
                self.current = None;
            }
            return None;
        }
        let current = self.current.expect("it takes the token");
        if current.refresh != token {
            return Some(current);
        }
        let refresh = if self.rules.rotates {
            self.consumed.insert(token);
            self.before = (self.rules.grace > 0).then_some((token, now + self.rules.grace));
            self.number()
        } else {
            token
        };
        let access = self.number();
        let pair = Pair { refresh, access };
        self.current = Some(pair);
        Some(pair)
    }
}
