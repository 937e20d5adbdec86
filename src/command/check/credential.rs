//! One credential from its spec to the pods that use its token. It looks with the operator's own eyes, and changes nothing.

use super::network::{self, Network};
use crate::{
    consumers::Consumers,
    kubernetes::{
        convert::now,
        error::ApiError,
        world::{Watched, World},
    },
    reconcile::{CaBundle, Finding, Inspection, Look, Mark, Memory, Observed, absorb, conditions},
};

/// The pods of a namespace, or why they are not known.
pub(super) type Pods = Result<Consumers, Finding>;

/// Everything that is found of a credential, in the order in which a token comes about.
pub(super) async fn findings(
    world: &World,
    object: &Watched,
    network: &mut Network,
    pods: &Pods,
) -> Vec<Finding> {
    let (seen, unread) = observe(world, object).await;
    let inspection = match Inspection::of(&seen, now()) {
        Ok(inspection) => inspection,
        Err(unreadable) => {
            let rest = Finding::unseen("nothing else was looked at");
            return vec![unreadable, rest];
        }
    };
    let or = |look: Look, finding: Finding| {
        let error = unread.iter().find(|(unread, _)| *unread == look);
        error.map_or(finding, |(_, error)| unreadable(error))
    };

    let mut findings = inspection.spec();
    findings.extend(conditions(&seen, now()));
    findings.push(or(Look::Source, inspection.source()));
    findings.extend(inspection.seed().map(|finding| or(Look::Seed, finding)));
    findings.extend(inspection.state().map(|finding| or(Look::State, finding)));
    let needed = [
        inspection
            .ca_bundle()
            .map(|finding| or(Look::CaBundle, finding)),
        Some(inspection.hosts()),
    ];
    let needed: Vec<_> = needed.into_iter().flatten().collect();
    // Where a bundle is missing or a host is forbidden, an exchange goes no further either.
    let ends_here = needed.iter().any(|finding| finding.mark == Mark::Bad)
        || unread.iter().any(|(look, _)| *look == Look::CaBundle);
    findings.extend(needed);
    match &seen.settings {
        Ok(settings) if !ends_here => {
            let ca_bundle = match &seen.ca_bundle {
                CaBundle::Pem(pem) => Some(pem.as_str()),
                _ => None,
            };
            findings.extend(network.findings(settings, ca_bundle).await);
        }
        _ => findings.extend(network::unseen(network::ALL)),
    }
    findings.push(or(Look::Target, inspection.target()));
    let target = crate::kubernetes::world::target_name(object).unwrap_or_default();
    findings.extend(consumers(pods, &target));
    findings
}

/// What a decision would know after all of its looks, and what could not be looked at.
async fn observe(world: &World, object: &Watched) -> (Observed, Vec<(Look, ApiError)>) {
    let mut seen = world.observe(object, Memory::default());
    let mut unread = Vec::new();
    let login = seen
        .settings
        .as_ref()
        .is_ok_and(|settings| settings.seed.is_some());
    for look in [
        Look::Target,
        Look::Source,
        Look::CaBundle,
        Look::Seed,
        Look::State,
    ] {
        if !login && matches!(look, Look::Seed | Look::State) {
            continue;
        }
        match world.look(look, &seen).await {
            Ok(outcome) => absorb(&mut seen, outcome, now()),
            Err(error) => unread.push((look, error)),
        }
    }
    (seen, unread)
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
