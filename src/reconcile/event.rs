//! Events, which mark changes and never routine work.

use crate::api::Reason;

/// An event about one `CubeCredential`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The change that it reports.
    pub kind: EventKind,
    /// The sentence that people read.
    pub note: String,
}

/// The type of an event in Kubernetes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EventType {
    Normal,
    Warning,
}

/// Generates the enum, the list of all events with a name of their own, their types and their meanings from one table.
macro_rules! events {
    ($($(#[doc = $meaning:literal])+ $event:ident => $type:ident,)+) => {
        /// The change that an event reports. Its name is the event's reason.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum EventKind {
            $($(#[doc = $meaning])+ $event,)+
            /// A condition began to fail for this reason.
            Failed(Reason),
        }

        impl EventKind {
            /// Every event but the failures, which have the names of reasons.
            pub const CHANGES: [Self; [$(stringify!($event)),+].len()] = [$(Self::$event),+];

            /// Its documentation here, for the reference.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$event => concat!($($meaning),+).trim_ascii(),)+
                    Self::Failed(reason) => reason.meaning(),
                }
            }

            /// Returns whether `kubectl describe` shows it as a `Warning`.
            #[must_use]
            pub fn is_warning(self) -> bool {
                let event_type = match self {
                    $(Self::$event => EventType::$type,)+
                    Self::Failed(_) => EventType::Warning,
                };
                event_type == EventType::Warning
            }
        }
    };
}

events! {
    /// A token was issued: the first one, or the first one after failures that left consumers without a token.
    TokenIssued => Normal,
    /// A failure is over.
    Recovered => Normal,
    /// The target Secret was deleted or edited, and was written again.
    TargetRepaired => Normal,
    /// The Secret under the earlier `target.name` was deleted, because the token has moved to a new one.
    TargetMoved => Normal,
    /// Pods still use the Secret under the earlier `target.name`. It is kept, and not refreshed.
    TargetKept => Warning,
    /// An exchange was made that the annotation `cube-operator.dev/refresh-requested-at` requested.
    RefreshRequested => Normal,
    /// The initial refresh token of another sign-in was adopted.
    SeedAdopted => Normal,
    /// The grant has changed, and the Secret `<name>-cube-state` still holds a refresh token.
    RefreshTokenLeft => Warning,
    /// The provider's OAuth metadata does not list the grant. Its support knows whether your client may use it.
    GrantNotListed => Warning,
    /// The response states no usable lifetime. The event says which lifetime is assumed.
    ExpiryUnknown => Warning,
    /// A token of client credentials lives for more than 24 hours. The provider may have stated milliseconds.
    LongLivedToken => Warning,
    /// The provider issues the same token again until it expires, so the next one is requested closer to its end.
    TokenRepeated => Warning,
    /// The provider granted fewer scopes than were requested.
    ScopeNarrowed => Warning,
    /// The clocks of the operator and of the provider differ by more than a minute.
    ClockSkew => Warning,
    /// The token lives so briefly that a pod that mounts it may see an expired one for up to 90 s.
    ShortLivedToken => Warning,
    /// A source Secret may be sent to any host, because its owner has not limited the hosts.
    TokenHostsMissing => Warning,
    /// A certificate of the CA bundle cannot be used, and is left out.
    CABundleIncomplete => Warning,
    /// A pod uses the token in a way that never sees a refresh: an environment variable or a `subPath` mount.
    StaleConsumer => Warning,
    /// Pods that mount the token could not be annotated after a refresh: they see it at the next sync of their kubelet, within 90 s.
    PodsNotRefreshed => Warning,
    /// A workload of `consumers.restart` is restarted, because the token was refreshed. The same event is on the workload.
    WorkloadRestarted => Normal,
    /// A workload of `consumers.restart` could not be restarted, or waits for another rollout.
    WorkloadNotRestarted => Warning,
    /// The old token may end before the workloads of `consumers.restart` are restarted.
    RestartTooLate => Warning,
}

impl EventKind {
    /// The event's reason in Kubernetes.
    #[must_use]
    pub fn reason(self) -> String {
        match self {
            Self::Failed(reason) => reason.to_string(),
            other => format!("{other:?}"),
        }
    }
}
