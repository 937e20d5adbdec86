//! The time between two token requests of one client, as a provider object sets it.

use jiff::SignedDuration;

use super::flaw::Unusable;

/// The time between two token requests of one client. The kind of the object decides what it replaces, because its writer decides
/// how much may be sent in the name of a client that others use too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::reconcile) enum RequestInterval {
    /// An administrator's, of a `ClusterCubeProvider`. It takes the place of the operator's, so that it may be shorter.
    InPlace(SignedDuration),
    /// A namespace's, of a `CubeProvider`. It holds besides the operator's, so that it makes the requests of its own namespace rarer,
    /// and does nothing else.
    Besides(SignedDuration),
}

impl RequestInterval {
    /// Reads the field of a provider object.
    pub(super) fn read(text: &str, is_of_cluster: bool) -> Result<Self, Unusable> {
        let parsed = text.parse::<SignedDuration>().ok();
        let whole = parsed.map(rounded_up);
        let allowed = whole.filter(|duration| (1..=3600).contains(&duration.as_secs()));
        match allowed {
            Some(duration) if is_of_cluster => Ok(Self::InPlace(duration)),
            Some(duration) => Ok(Self::Besides(duration)),
            None => Err(Unusable::TokenRequestInterval(text.to_owned())),
        }
    }

    /// Its length.
    pub(in crate::reconcile) fn duration(self) -> SignedDuration {
        match self {
            Self::InPlace(duration) | Self::Besides(duration) => duration,
        }
    }
}

/// Nobody's provider is asked more often than the text says.
fn rounded_up(duration: SignedDuration) -> SignedDuration {
    let more = i64::from(duration.subsec_nanos() > 0);
    SignedDuration::from_secs(duration.as_secs().saturating_add(more))
}
