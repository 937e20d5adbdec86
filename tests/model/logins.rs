//! How a provider rotates refresh tokens, after django-oauth-toolkit: with grace, with reuse protection, or not at all.

use std::collections::BTreeSet;

/// How a provider treats refresh tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) rotates: bool,
    /// Seconds for which the token before still gives the same pair.
    pub(crate) grace: i64,
    /// Whether one replay ends the whole login.
    pub(crate) reuse_protection: bool,
    /// Seconds after which a refresh token ends that is not used; `None`: never.
    pub(crate) idle: Option<i64>,
}

impl Rules {
    /// A provider that forgives nothing: each refresh token works once, and a replay ends the login.
    pub(crate) const STRICT: Self = Self {
        rotates: true,
        grace: 0,
        reuse_protection: true,
        idle: None,
    };
}

/// A pair of tokens, by number: the later one is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) refresh: u64,
    pub(crate) access: u64,
}

/// The logins of one person, of which only the newest is worth anything.
#[derive(Debug)]
pub(crate) struct Logins {
    pub(crate) rules: Rules,
    next: u64,
    /// The first refresh token of the newest login.
    first: u64,
    /// The pair of the newest login; `None`: it has ended.
    current: Option<Pair>,
    /// The refresh token before, and until when it gives the same pair again.
    before: Option<(u64, i64)>,
    /// Every token that was consumed.
    consumed: BTreeSet<u64>,
    /// Whether a person revoked the login.
    pub(crate) revoked: bool,
    /// When the current refresh token was issued; that of a sign-in begins to count with its first use.
    since: Option<i64>,
}

impl Logins {
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            rules,
            next: 0,
            first: 0,
            current: None,
            before: None,
            consumed: BTreeSet::new(),
            revoked: false,
            since: None,
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
        self.first = refresh;
        self.current = Some(Pair { refresh, access });
        self.before = None;
        self.revoked = false;
        self.since = None;
        refresh
    }

    pub(crate) fn revoke(&mut self) {
        self.current = None;
        self.before = None;
        self.revoked = true;
    }

    /// Whether the refresh token has ended because nobody used it in time.
    pub(crate) fn has_ended(&self, now: i64) -> bool {
        let end = self.since.zip(self.rules.idle);
        end.is_some_and(|(since, idle)| since + idle < now)
    }

    /// Whether this refresh token would be accepted.
    pub(crate) fn accepts(&self, token: u64, now: i64) -> bool {
        !self.has_ended(now)
            && self.current.is_some_and(|pair| {
                pair.refresh == token
                    || self
                        .before
                        .is_some_and(|(before, until)| before == token && now <= until)
            })
    }

    /// Consumes a refresh token; `None`: it is rejected.
    pub(crate) fn refresh(&mut self, token: u64, now: i64) -> Option<Pair> {
        if !self.accepts(token, now) {
            // A token of an earlier login does not end this one.
            let replayed = token >= self.first && self.consumed.contains(&token);
            if self.rules.reuse_protection && replayed {
                self.current = None;
            }
            return None;
        }
        let current = self.current.expect("it accepts the token");
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
        self.since = Some(now);
        Some(pair)
    }
}
