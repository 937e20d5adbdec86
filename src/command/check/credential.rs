//! One credential from its spec to the pods that use its token. It looks with the operator's own eyes, and changes nothing.

use std::collections::HashMap;

use super::network::{self, Network};
use crate::{
    clock::now,
    cluster::{Context, Watched},
    consumers::Consumers,
    kubernetes::error::ApiError,
    reconcile::{CaBundle, Finding, Inspection, Mark, Memory, Observed, Read, absorb, conditions},
};

/// The pods of a namespace, or why they are not known.
pub(super) type Pods = Result<Consumers, Finding>;

/// Everything that is found of a credential, in the order in which a token comes about.
pub(super) async fn findings(
    context: &Context,
    object: &Watched,
    network: &mut Network,
    pods: &Pods,
) -> Vec<Finding> {
    let (observed, unread) = observe(context, object).await;
    let inspection = match Inspection::of(&observed, now()) {
        Ok(inspection) => inspection,
        Err(unusable) => {
            let rest = Finding::unseen("nothing else was looked at");
            return vec![unusable, rest];
        }
    };
    let or = |look: Read, finding: Finding| match unread.get(&look) {
        Some(unreadable) => unreadable.clone(),
        None => finding,
    };

    let mut findings = inspection.spec();
    findings.extend(conditions(&observed, now()));
    findings.push(or(Read::Source, inspection.source()));
    findings.extend(inspection.seed().map(|found| or(Read::Seed, found)));
    findings.extend(inspection.state().map(|found| or(Read::State, found)));
    let bundle = inspection
        .ca_bundle()
        .map(|found| or(Read::CaBundle, found));
    let hosts = inspection.hosts();
    // Where the bundle is unusable or the host forbidden, an exchange goes no further either.
    let usable = |found: &Finding| found.mark == Mark::Good;
    let goes_on = bundle.as_ref().is_none_or(usable) && hosts.mark != Mark::Bad;
    findings.extend(bundle);
    findings.push(hosts);
    if goes_on {
        let ca_bundle = match &observed.ca_bundle {
            CaBundle::Pem(pem) => Some(pem.as_str()),
            _ => None,
        };
        findings.extend(network.findings(inspection.settings(), ca_bundle).await);
    } else {
        findings.extend(network::unseen(network::ALL));
    }
    findings.push(or(Read::Target, inspection.target()));
    findings.extend(consumers(pods, &inspection.settings().target_name));
    findings
}

/// What a decision would know after all of its looks, and what could not be looked at.
async fn observe(context: &Context, object: &Watched) -> (Observed, HashMap<Read, Finding>) {
    let mut observed = context.observe(object, Memory::default());
    let mut unread = HashMap::new();
    let login = observed
        .settings
        .as_ref()
        .is_ok_and(|settings| settings.seed.is_some());
    let looks = [Read::Target, Read::Source, Read::CaBundle].into_iter();
    let of_login = [Read::Seed, Read::State].into_iter().filter(|_| login);
    for look in looks.chain(of_login) {
        match context.read(look, &observed).await {
            Ok(outcome) => absorb(&mut observed, outcome, now()),
            Err(error) => drop(unread.insert(look, unreadable(&error))),
        }
    }
    (observed, unread)
}

/// What this account may not read is no fault of the credential.
pub(super) fn unreadable(error: &ApiError) -> Finding {
    if error.is_refusal() {
        Finding::unseen(format!(
            "{error}: ask for that right, or run this in the operator's pod"
        ))
    } else {
        Finding::bad(format!("{error}: try again"))
    }
}

fn consumers(pods: &Pods, target: &str) -> Vec<Finding> {
    let consumers = match pods {
        Ok(consumers) => consumers,
        Err(unknown) => return vec![unknown.clone()],
    };
    let found = consumers.using(target).map(|consumer| {
        if consumer.is_fresh() {
            Finding::good(consumer.to_string())
        } else {
            Finding::notice(consumer.to_string())
        }
    });
    let found: Vec<_> = found.collect();
    if found.is_empty() {
        return vec![Finding::unseen(format!("no pod uses Secret {target:?}"))];
    }
    found
}
