//! The results of the decision's own checks for each part, for `cube-operator check`. Nothing is decided here, and `status` has
//! the words.

mod inputs;
mod login;
#[cfg(feature = "plugin")]
mod sign_in;
mod status;
mod target;

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    case::Case,
    finding::{Finding, SpecFact},
    observed::Observed,
    settings::Settings,
};
#[cfg(feature = "plugin")]
pub(crate) use login::SOON as LOGIN_ENDS_SOON;
#[cfg(feature = "plugin")]
pub(crate) use sign_in::SignIn;
pub(crate) use status::conditions;

/// One credential whose spec can be read, and whose parts were looked at.
pub(crate) struct Inspection<'a>(Case<'a>);

impl<'a> Inspection<'a> {
    /// Inspects what was observed.
    ///
    /// # Errors
    /// If the spec cannot be used.
    pub(crate) fn of(observed: &'a Observed, now: Timestamp) -> Result<Self, Box<Finding>> {
        match &observed.settings {
            Ok(settings) if settings.provider_flaw().is_some() => {
                let fact = SpecFact::ProviderUnusable(Box::new(settings.clone()));
                Err(Box::new(Finding::bad(fact)))
            }
            Ok(settings) => Ok(Self(Case::with(observed, settings, now))),
            Err(error) => {
                let fact = SpecFact::Unusable(error.clone());
                Err(Box::new(Finding::bad(fact)))
            }
        }
    }

    pub(crate) fn settings(&self) -> &'a Settings {
        self.0.settings
    }

    /// The request that the spec describes.
    pub(crate) fn spec(&self) -> Vec<Finding> {
        let settings = self.0.settings;
        let mut findings = vec![Finding::good(SpecFact::Requests {
            host: settings.endpoint.authority(),
            path: settings.endpoint.url().path().to_owned(),
            grant: settings.grant.spec_name(),
        })];
        if let Some(probe) = &settings.probe {
            findings.push(Finding::good(SpecFact::Probes(Arc::clone(probe))));
        }
        if settings.grant_unlisted_by.is_some() {
            let settings = Box::new(settings.clone());
            findings.push(Finding::notice(SpecFact::GrantNotListed(settings)));
        }
        if settings.suspend {
            findings.push(Finding::notice(SpecFact::Suspended));
        }
        if self.0.observed.credential.deleting {
            findings.push(Finding::notice(SpecFact::Deleting));
        }
        findings
    }
}
