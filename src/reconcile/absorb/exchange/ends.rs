//! The ends of a token and of its login, counted by this cluster's clock.

use jiff::{SignedDuration, Timestamp};

use crate::{
    oauth::response::{Issued, LoginEnd, StatedEnd},
    reconcile::{
        memory::LifetimeSource,
        plan::Attempt,
        time::later,
        token::{LoginExpiry, TokenMetadata, has_moved},
    },
};

/// An end that is stated as a time, and was longer ago than this, is a mistake: that token has not just been issued.
const STALE: SignedDuration = SignedDuration::from_secs(60);
/// A token whose lifetime is not stated, and that comes again so shortly before its known end, is the old one.
const AT_ITS_END: SignedDuration = SignedDuration::from_secs(5);

/// The time of the request, and the provider's time and our own at its response.
#[derive(Clone, Copy)]
pub(super) struct Times {
    pub(super) sent_at: Timestamp,
    pub(super) date: Option<Timestamp>,
    pub(super) now: Timestamp,
}

impl Times {
    /// The time from which the provider counts.
    pub(super) fn provider_clock(self) -> Timestamp {
        self.date.unwrap_or(self.sent_at)
    }

    /// How far the provider's clock is ahead, or behind, at least: it stated its time between the request and the response.
    pub(super) fn skew(self) -> Option<SignedDuration> {
        let date = self.date?;
        let nearest = date.clamp(self.sent_at.min(self.now), self.now);
        Some(date.duration_since(nearest))
    }
}

/// The lifetime of a token, counted from the request, and what it is taken from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lifetime {
    pub(super) duration: SignedDuration,
    pub(super) source: LifetimeSource,
}

impl Lifetime {
    pub(super) fn of(issued: &Issued, assumed: SignedDuration, times: Times) -> Self {
        if let Some(duration) = issued.lifetime {
            let source = LifetimeSource::ExpiresIn;
            return Self { duration, source };
        }
        let stated = issued.stated_end.map(|end| Self {
            duration: end.time().duration_since(times.provider_clock()),
            source: match end {
                StatedEnd::Field(name, _) => LifetimeSource::Field(name),
                StatedEnd::Jwt(_) => LifetimeSource::Jwt,
            },
        });
        let stated = stated.filter(|lifetime| lifetime.duration > -STALE);
        stated.unwrap_or(Self {
            duration: assumed,
            source: LifetimeSource::Assumed,
        })
    }

    /// Returns whether the token is useless on arrival. Requesting the next one immediately would not end.
    pub(super) fn is_over(&self, times: Times) -> bool {
        later(times.sent_at, self.duration) <= times.now
    }
}

/// The end of the login after this response. Without a new refresh token, the end of the one that was sent still holds.
pub(super) fn login(
    attempt: &Attempt,
    issued: &Issued,
    has_successor: bool,
    times: Times,
) -> Option<LoginExpiry> {
    let sent = attempt.login.as_ref()?;
    let before = sent.record.issued.as_ref();
    let before = before.and_then(|token| Some((token.login?, token.issued_at)));
    let at = match issued.login_end {
        LoginEnd::Unstated if !has_successor => before?.0.at,
        LoginEnd::Unstated | LoginEnd::Never => return None,
        LoginEnd::In(duration) => later(times.sent_at, duration),
        LoginEnd::At(at) => later(times.sent_at, at.duration_since(times.provider_clock())),
    };
    // A refresh token that has just worked has not ended before.
    (at > times.sent_at).then(|| LoginExpiry::following(at, before, times.sent_at))
}

/// The limit of the spec for a token that came before: it counts from the first response with this token. The provider knows better
/// than the spec about one that has outlived its limit.
pub(super) fn of_first_response(
    token: TokenMetadata,
    before: Option<&TokenMetadata>,
    maximum: Option<SignedDuration>,
    lifetime: Lifetime,
) -> TokenMetadata {
    let before = before.filter(|before| before.inputs_hash == token.inputs_hash);
    let (Some(before), Some(maximum)) = (before, maximum) else {
        return token;
    };
    let latest = later(before.issued_at, maximum);
    if latest <= token.issued_at || lifetime.source == LifetimeSource::Assumed {
        return token;
    }
    TokenMetadata {
        expires_at: token.expires_at.min(latest),
        ..token
    }
}

/// Returns whether the provider has issued the published token again, with the end that is known: it keeps a token until its end.
pub(super) fn repeats(token: &TokenMetadata, before: &TokenMetadata, lifetime: Lifetime) -> bool {
    // The hash is keyed with the token: it is the same for the same token and inputs only.
    if token.inputs_hash != before.inputs_hash {
        return false;
    }
    if lifetime.source == LifetimeSource::Assumed {
        return token.issued_at >= later(before.expires_at, -AT_ITS_END);
    }
    let moved = has_moved(
        before.expires_at,
        token.expires_at,
        before.issued_at,
        token.issued_at,
    );
    !moved && token.expires_at > later(before.expires_at, -STALE)
}
