//! Those who wait for a permit of one client: the two lines, and each one's place.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{
    key::Proof,
    line::{Line, Rank, Served},
    permit::PermitRequest,
};
use crate::{
    object::Uid,
    reconcile::{pace::delays, time::later},
};

/// The namespaces whose next ones are looked at for places that were abandoned: no more of them can be due at the same moment.
const LOOKED_AT: usize = 4;

/// How far a client has proved that it is the one that it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proved {
    /// This process has seen its secret working.
    Works,
    /// It was not tried yet.
    Untried,
    /// The provider has refused it.
    Refused,
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    working: Line,
    unproven: Line,
    /// The places by uid.
    places: HashMap<Uid, Place>,
    arrivals: u64,
}

#[derive(Debug)]
pub(super) struct Place {
    pub(super) proof: Proof,
    pub(super) proved: Proved,
    namespace: String,
    rank: Rank,
    /// The time to ask again, as it was stated. It is kept while it lasts, so that a status does not change all the time.
    pub(super) answered: Timestamp,
}

impl Place {
    pub(super) fn works(&self) -> bool {
        self.proved == Proved::Works
    }
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(super) fn has_unproven(&self) -> bool {
        !self.unproven.is_empty()
    }

    /// Takes a place, or keeps it. Where something about the request has changed, the time of the arrival still counts.
    pub(super) fn stand(&mut self, request: &PermitRequest, proved: Proved, now: Timestamp) {
        let known = self.leave(request.uid);
        let (arrival, answered) = known.map_or_else(
            || (self.arrivals, now),
            |place| (place.rank.arrival, place.answered),
        );
        self.arrivals = self.arrivals.max(arrival + 1);
        let place = Place {
            proof: request.client.proof(),
            proved,
            namespace: request.namespace.clone(),
            rank: Rank {
                refused: proved == Proved::Refused,
                expires_at: request.expires_at.unwrap_or(Timestamp::MAX),
                arrival,
            },
            answered,
        };
        let line = self.line_mut(place.works());
        line.enter(&place.namespace, place.rank, request.uid);
        self.places.insert(request.uid, place);
    }

    /// Moves those who wait with this secret to the line where they belong now. It walks over all who wait, which is rare: only an
    /// exchange that shows something new about the secret asks for it.
    pub(super) fn reclassify(&mut self, proof: Proof, proved: Proved) {
        let same = self.places.iter().filter(|(_, place)| place.proof == proof);
        let uids: Vec<_> = same.map(|(uid, _)| *uid).collect();
        for uid in uids {
            let Some(mut place) = self.leave(uid) else {
                continue;
            };
            place.proved = proved;
            place.rank.refused = proved == Proved::Refused;
            let line = self.line_mut(place.works());
            line.enter(&place.namespace, place.rank, uid);
            self.places.insert(uid, place);
        }
    }

    pub(super) fn leave(&mut self, uid: Uid) -> Option<Place> {
        let place = self.places.remove(&uid)?;
        if self.places.is_empty() {
            // There are thousands of clients, and an empty map keeps its memory.
            self.places = HashMap::new();
        }
        self.line_mut(place.works())
            .leave(&place.namespace, &place.rank);
        Some(place)
    }

    /// This one gets a permit. Returns its place. Namespaces without a permit since `recently` are as new ones.
    pub(super) fn serve(&mut self, uid: Uid, now: Timestamp, recently: Timestamp) -> Option<Place> {
        let place = self.places.get(&uid)?;
        let (works, proof) = (place.works(), place.proof);
        let line = if works {
            &mut self.working
        } else {
            &mut self.unproven
        };
        line.serve(&place.namespace, proof, now, recently);
        self.leave(uid)
    }

    pub(super) fn place(&self, uid: Uid) -> Option<&Place> {
        self.places.get(&uid)
    }

    pub(super) fn answer(&mut self, uid: Uid, at: Timestamp) {
        if let Some(place) = self.places.get_mut(&uid) {
            place.answered = at;
        }
    }

    /// The number of those in its line who are served before this one; of many, the first few hundred.
    pub(super) fn ahead(&self, place: &Place) -> usize {
        self.line(place.works())
            .ahead(&place.namespace, &place.rank)
    }

    /// The last permit of its line that went to its namespace.
    pub(super) fn last_served(&self, place: &Place) -> Option<Served> {
        self.line(place.works()).last_served(&place.namespace)
    }

    /// A request that is not claimed in time loses its place, once others wait for it.
    pub(super) fn drop_abandoned_places(&mut self, now: Timestamp) {
        while let Some(uid) = self.abandoned(now) {
            self.leave(uid);
        }
    }

    fn abandoned(&self, now: Timestamp) -> Option<Uid> {
        let heads = [&self.working, &self.unproven].map(|line| line.heads(LOOKED_AT));
        let mut heads = heads.into_iter().flatten();
        heads.find(|uid| {
            let place = self.places.get(uid);
            place.is_some_and(|place| later(place.answered, delays::PLACE_IN_QUEUE) < now)
        })
    }

    fn line(&self, works: bool) -> &Line {
        if works { &self.working } else { &self.unproven }
    }

    fn line_mut(&mut self, works: bool) -> &mut Line {
        if works {
            &mut self.working
        } else {
            &mut self.unproven
        }
    }
}
