//! The log lines about an election.

use std::fmt::{self, Display, Formatter};

use crate::kubernetes::error::ApiError;

/// A line of the log. The same event in a row is logged once.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ElectionEvent {
    Leads,
    /// Other processes hold the Lease under the same name.
    TakesPart {
        group: String,
    },
    StandsBy {
        leader: String,
    },
    TakesNoPart(ApiError),
    LeadsNoLonger,
    NotRenewed(ApiError),
}

impl ElectionEvent {
    pub(super) fn is_warning(&self) -> bool {
        match self {
            Self::Leads | Self::TakesPart { .. } | Self::StandsBy { .. } => false,
            Self::TakesNoPart(_) | Self::LeadsNoLonger | Self::NotRenewed(_) => true,
        }
    }
}

impl Display for ElectionEvent {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leads => f.write_str("leading"),
            Self::TakesPart { group } => write!(f, "taking part in {group}"),
            Self::StandsBy { leader } => write!(f, "standing by: {leader} is leading"),
            Self::TakesNoPart(error) => write!(
                f,
                "failed to take part in leader election, retrying: {error}"
            ),
            Self::LeadsNoLonger => f.write_str(
                "stopped leading: exchanges in progress are finished, and no new one begins",
            ),
            Self::NotRenewed(error) => write!(
                f,
                "failed to renew the Lease, so that soon no exchange begins, retrying: {error}"
            ),
        }
    }
}
