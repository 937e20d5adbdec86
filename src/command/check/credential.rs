//! One credential from its spec to the pods that use its token. It reads as the operator does, and changes nothing.

use super::network::{self, Network};
use crate::{
    clock::now,
    cluster::{Context, Watched},
    consumers::Consumers,
    kubernetes::error::ApiError,
    reconcile::{
        AccountRole, ConsumerFact, Finding, Inspection, Mark, Memory, Observed, Read, Settings,
        SpecFact, absorb, conditions,
    },
};

/// The pods of a namespace, or why they are not known.
pub(super) type Pods = Result<Consumers, Finding>;

/// Everything that is found of a credential, in the order in which a token is made.
pub(super) async fn findings(
    context: &Context,
    object: &Watched,
    network: Option<&mut Network>,
    pods: &Pods,
) -> Vec<Finding> {
    let (observed, unreadable) = observe(context, object).await;
    let inspection = match Inspection::of(&observed, now()) {
        Ok(inspection) => inspection,
        Err(unusable) => {
            let rest = Finding::unseen(SpecFact::RestNotChecked);
            return vec![*unusable, rest];
        }
    };
    let mut findings = inspection.spec();
    let credential = &observed.credential;
    findings.extend(conditions(&credential.status, credential.generation, now()));
    findings.push(or(unreadable.source, inspection.source()));
    findings.extend(inspection.seed().map(|found| or(unreadable.seed, found)));
    findings.extend(inspection.state().map(|found| or(unreadable.state, found)));
    findings.extend(inspection.login_end());
    let bundle = inspection.ca_bundle();
    let bundle = bundle.map(|found| or(unreadable.ca_bundle, found));
    let hosts = inspection.hosts();
    // Where the bundle is unusable or the host forbidden, an exchange goes no further either.
    let usable = |found: &Finding| matches!(found.mark, Mark::Good | Mark::Notice);
    let goes_on = bundle.as_ref().is_none_or(usable) && hosts.mark != Mark::Bad;
    findings.extend(bundle);
    findings.push(hosts);
    if let Some(network) = network
        && goes_on
    {
        let trusted = inspection.trusted_ca();
        let settings = inspection.settings();
        findings.extend(network.findings(settings, trusted.as_ref()).await);
        findings.extend(network.probe_findings(settings, trusted.as_ref()).await);
    } else {
        findings.extend(network::unseen(network::ALL));
        findings.extend(network::probe_unseen(inspection.settings()));
    }
    findings.push(or(unreadable.target, inspection.target()));
    findings.extend(consumers(pods, inspection.settings()));
    findings.extend(inspection.earlier_targets(pods.as_ref().ok()));
    findings
}

/// The findings about the parts that could not be read.
#[derive(Default)]
struct Unreadable {
    target: Option<Finding>,
    source: Option<Finding>,
    seed: Option<Finding>,
    state: Option<Finding>,
    ca_bundle: Option<Finding>,
    /// The pods of a namespace are listed for all of its credentials together.
    consumers: Option<Finding>,
}

impl Unreadable {
    fn part(&mut self, read: &Read) -> &mut Option<Finding> {
        match read {
            Read::Target { .. } | Read::Previous { .. } => &mut self.target,
            Read::Source { .. }
            | Read::ServiceAccount {
                role: AccountRole::Client,
                ..
            } => &mut self.source,
            Read::Seed { .. }
            | Read::ServiceAccount {
                role: AccountRole::Subject,
                ..
            } => &mut self.seed,
            Read::State { .. } | Read::OtherStates { .. } | Read::Record { .. } => &mut self.state,
            Read::Consumers { .. } | Read::Workloads { .. } => &mut self.consumers,
            Read::CaBundle(_) => &mut self.ca_bundle,
        }
    }
}

fn or(unreadable: Option<Finding>, finding: Finding) -> Finding {
    unreadable.unwrap_or(finding)
}

/// The observation of a decision after all of its reads, and the parts that could not be read.
async fn observe(context: &Context, object: &Watched) -> (Observed, Unreadable) {
    let mut observed = context.observe(object, Memory::default());
    let mut unread = Unreadable::default();
    for read in reads(&observed) {
        take(context, read, &mut observed, &mut unread).await;
    }
    if let Some(read) = Inspection::of(&observed, now())
        .ok()
        .and_then(|inspection| inspection.other_states())
    {
        take(context, read, &mut observed, &mut unread).await;
    }
    (observed, unread)
}

async fn take(context: &Context, read: Read, observed: &mut Observed, unread: &mut Unreadable) {
    let part = unread.part(&read);
    match context.read(read, &observed.credential).await {
        Ok(outcome) => absorb(observed, outcome, now()),
        Err(error) => *part = Some(unreadable(error)),
    }
}

/// Everything that an exchange may depend on. Nothing is read for a spec that cannot be used.
fn reads(observed: &Observed) -> Vec<Read> {
    let Ok(settings) = &observed.settings else {
        return Vec::new();
    };
    let mut reads = vec![
        Read::target(settings, &observed.target),
        Read::source(settings, &observed.source),
    ];
    reads.extend(Read::ca_bundle(settings));
    reads.extend(Read::seed(settings, &observed.seed));
    if settings.rendering.is_some() && settings.grant.refresh_token().is_none() {
        reads.push(Read::record(settings));
    }
    // Without a refresh token, it shows whether an earlier grant has left one.
    reads.push(Read::state(settings));
    reads
}

/// A missing right of this account is no fault of the credential.
pub(super) fn unreadable(error: ApiError) -> Finding {
    if error.is_refusal() {
        Finding::unseen(error)
    } else {
        Finding::bad(error)
    }
}

fn consumers(pods: &Pods, settings: &Settings) -> Vec<Finding> {
    let target = &settings.target_name;
    let consumers = match pods {
        Ok(consumers) => consumers,
        Err(unknown) => return vec![unknown.clone()],
    };
    let found = consumers.using(target).map(|consumer| {
        let fact = ConsumerFact::Found(consumer.clone());
        if consumer.is_fresh() {
            Finding::good(fact)
        } else if consumer.is_one_of(&settings.restart) {
            Finding::good(ConsumerFact::Restarted(consumer.clone()))
        } else {
            Finding::notice(fact)
        }
    });
    let found: Vec<_> = found.collect();
    if found.is_empty() {
        let secret = target.clone();
        return vec![Finding::unseen(ConsumerFact::NoPod { secret })];
    }
    found
}
