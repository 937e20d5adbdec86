//! `cube-operator check`: is everything there that the operator needs, and if a token does not come, where does it end?

mod connect;
mod credential;
mod installation;
mod network;
mod report;

use std::{collections::BTreeMap, sync::Arc};

use kube::{Api, Client};

use crate::{
    cli::{Check, Providers},
    cluster::{Context, Watched, convert, target_name},
    consumers::{Consumers, Pod},
    kubernetes::{client, error::ApiError, list, pods},
    metrics::Metrics,
    oauth::client::{TokenClient, proxy},
    reconcile::{CheckError, ConsumerFact, Finding, InstallationFact, ScopeFact},
};
use credential::Pods;
pub(crate) use installation::{definition_is_served, missing_for_consumers};
use network::Network;
use report::Report;

/// Prints each finding, and fails if one is a fault.
///
/// # Errors
/// If the cluster cannot be reached, there is no such credential, or something is wrong.
pub async fn check(flags: Check) -> super::Result {
    let client = client::connect(&Metrics::default())
        .await
        .map_err(|error| error.to_string())?;
    report(&flags, &client, Account::Operator)
        .await
        .map_err(|error| error.to_string())
}

/// Checks with the rights of a person, who does not need those of the operator.
#[cfg(feature = "plugin")]
pub(crate) async fn check_as_person(flags: &Check, client: &Client) -> Result<(), CheckError> {
    report(flags, client, Account::Person).await
}

/// The account whose rights the check has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Account {
    /// The account of the operator, or of the person who runs `cube-operator check`.
    Operator,
    #[cfg(feature = "plugin")]
    Person,
}

async fn report(flags: &Check, client: &Client, account: Account) -> Result<(), CheckError> {
    let mut report = Report::default();
    let namespaces = namespaces(flags, client);
    if flags.name.is_none() {
        definition(client, &flags.providers, &mut report).await;
        if account == Account::Operator {
            rights(flags, client, &namespaces, &mut report).await?;
        }
    }
    if let Err(absent) = definition_is_served(client).await {
        return if flags.name.is_some() {
            Err(absent.into())
        } else {
            report.end()
        };
    }
    let mut all = Vec::new();
    for namespace in &namespaces {
        match credentials_in(client, namespace.as_deref()).await {
            Ok(found) => all.extend(found),
            // The operator works without it too, in the others.
            Err(error) if namespaces.len() > 1 => report.say(&Finding::bad(error)),
            Err(error) => return Err(error.into()),
        }
    }
    Box::pin(credentials(flags, client, all, &mut report)).await?;
    report.end()
}

/// Checks the definition, which every credential needs.
async fn definition(client: &Client, providers: &Providers, report: &mut Report) {
    report.say(&Finding::good(InstallationFact::ApiServerResponds));
    report.say(&installation::definition(client).await);
    for fault in installation::faulty_kinds(client, providers).await {
        report.say(&fault);
    }
}

/// Checks the rights, which every credential needs.
async fn rights(
    flags: &Check,
    client: &Client,
    namespaces: &[Option<String>],
    report: &mut Report,
) -> Result<(), CheckError> {
    for namespace in namespaces {
        let namespace = namespace.as_deref();
        for finding in installation::permissions(client, namespace, flags).await? {
            report.say(&finding);
        }
    }
    for finding in installation::cluster_permissions(client, &flags.providers).await? {
        report.say(&finding);
    }
    for lease in flags.election.leases() {
        report.say(&installation::may_lead(client, &lease).await?);
    }
    Ok(())
}

/// Where to look; `None`: everywhere.
fn namespaces(flags: &Check, client: &Client) -> Vec<Option<String>> {
    if flags.all_namespaces {
        return vec![None];
    }
    let default = flags
        .name
        .as_ref()
        .map(|_| client.default_namespace().to_owned());
    match (flags.namespace.clone().or(default), &flags.scope.namespaces) {
        (Some(one), _) => vec![Some(one)],
        (None, some) if some.is_empty() => vec![None],
        (None, some) => some.iter().cloned().map(Some).collect(),
    }
}

async fn credentials_in(
    client: &Client,
    namespace: Option<&str>,
) -> Result<Vec<Watched>, ApiError> {
    let (api, place): (Api<Watched>, _) = match namespace {
        Some(namespace) => (
            Api::namespaced(client.clone(), namespace),
            format!("in namespace {namespace}"),
        ),
        None => (Api::all(client.clone()), "in all namespaces".into()),
    };
    list::all(&api, &format!("CubeCredentials {place}")).await
}

/// Checks the credentials that the flags name, one after the other.
async fn credentials(
    flags: &Check,
    client: &Client,
    all: Vec<Watched>,
    report: &mut Report,
) -> Result<(), CheckError> {
    let tokens = TokenClient::new(flags.reach.networks());
    let hosts = flags.reach.allowed_token_hosts.clone();
    let required = flags.reach.require_token_hosts;
    let mut context = Context::snapshot(client.clone(), all, tokens.clone(), hosts, required);
    if !flags.clients.service_account_tokens {
        context.parts.api_audiences = None;
    }
    for error in context.read_providers(flags.providers.kinds()).await {
        report.say(&credential::unreadable(error));
    }
    let namespace = flags.providers.operator_namespace.as_deref();
    for error in context.read_operator_bundles(namespace).await {
        report.say(&credential::unreadable(error));
    }

    let wanted = wanted(flags, &context);
    if wanted.is_empty() {
        return nothing(flags, &context, report);
    }
    let objects = wanted.values().flat_map(BTreeMap::values);
    let connects = connect::is_allowed(flags, &context, objects);
    if connects {
        proxy::check_variables()?;
    }
    report.say(&vantage(connects));
    let mut network = connects.then(|| Network::new(tokens));
    for (namespace, objects) in wanted {
        let pods = consumers(flags, client, &namespace, objects.values()).await;
        for (name, object) in objects {
            report.heading(&format!("CubeCredential {namespace}/{name}"));
            if let Some(unwatched) = unwatched(flags, &namespace) {
                report.say(&unwatched);
            }
            let findings = credential::findings(&context, &object, network.as_mut(), &pods);
            for finding in Box::pin(findings).await {
                report.say(&finding);
            }
        }
    }
    Ok(())
}

/// By namespace and name.
fn wanted(flags: &Check, context: &Context) -> BTreeMap<String, BTreeMap<String, Arc<Watched>>> {
    let mut wanted: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for key in context.all() {
        let (namespace, name) = (key.namespace().to_owned(), key.name().to_owned());
        if flags.name.as_ref().is_none_or(|only| name == *only)
            && let Some(object) = context.find(&key)
        {
            wanted.entry(namespace).or_default().insert(name, object);
        }
    }
    wanted
}

fn unwatched(flags: &Check, namespace: &String) -> Option<Finding> {
    let watched = &flags.scope.namespaces;
    (!watched.is_empty() && !watched.contains(namespace)).then(|| {
        Finding::bad(ScopeFact::Unwatched {
            namespace: namespace.clone(),
            watched: watched.clone(),
        })
    })
}

/// Says that there is no such credential, and which ones there are.
fn nothing(flags: &Check, context: &Context, report: &mut Report) -> Result<(), CheckError> {
    let Some(name) = &flags.name else {
        report.say(&Finding::unseen(ScopeFact::NoCredential));
        return Ok(());
    };
    let namespace = flags
        .namespace
        .as_deref()
        .unwrap_or(context.parts.client.default_namespace());
    let others = context.all().into_iter().map(|key| key.name().to_owned());
    let mut others: Vec<_> = others.collect();
    others.sort();
    Err(CheckError::UnknownCredential {
        name: name.clone(),
        namespace: namespace.to_owned(),
        others,
    })
}

/// The operator may see another network, so people have to know where this one is seen from.
fn vantage(connects: bool) -> Finding {
    Finding::unseen(match (connects, connect::is_in_pod()) {
        (false, _) => ScopeFact::NotConnected,
        (true, true) => ScopeFact::FromPod,
        (true, false) => ScopeFact::FromMachine,
    })
}

async fn consumers(
    flags: &Check,
    client: &Client,
    namespace: &str,
    objects: impl Iterator<Item = &Arc<Watched>>,
) -> Pods {
    if !flags.warning.warn_consumers {
        return Err(Finding::unseen(ConsumerFact::NotChecked));
    }
    let targets = objects.flat_map(|object| {
        let earlier = convert::status(object).previous_targets;
        target_name(object).into_iter().chain(earlier)
    });
    let targets: Vec<_> = targets.collect();
    let mut consumers = Consumers::of(&targets);
    let take = |pods: &[Pod]| consumers.add(pods);
    match pods::pages(client, namespace, pods::PAGE, take).await {
        Ok(()) => Ok(consumers),
        Err(error) => Err(credential::unreadable(error)),
    }
}
