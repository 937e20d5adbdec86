//! The way to a token endpoint, step by step. Each endpoint is asked once, however many credentials name it: providers count.

use std::{collections::HashMap, fmt::Display};

use crate::{
    api::Reason,
    oauth::{
        client::{TokenClient, error::NetworkError},
        diagnose::{
            self, Address,
            probe::{self, Judgement},
        },
        endpoint::Endpoint,
    },
    reconcile::{Finding, Settings, remedy},
};

/// The subject of each step, in this order.
const STEPS: [&str; 4] = [
    "the address",
    "the connection",
    "the certificate",
    "the answer of the token endpoint",
];

/// The findings on the way to each endpoint.
pub(super) struct Network {
    tokens: TokenClient,
    /// By the token URL and the CA bundle.
    ways: HashMap<(String, Option<String>), Vec<Finding>>,
    /// By the token URL.
    answers: HashMap<String, Finding>,
}

/// One line for each step that is not made.
pub(super) fn unseen(steps: usize) -> impl Iterator<Item = Finding> {
    let rest = STEPS.iter().skip(STEPS.len() - steps);
    rest.map(|step| Finding::unseen(format!("{step} was not looked at")))
}

/// All of them.
pub(super) const ALL: usize = STEPS.len();

impl Network {
    pub(super) fn new(tokens: TokenClient) -> Self {
        Self {
            tokens,
            ways: HashMap::new(),
            answers: HashMap::new(),
        }
    }

    /// One finding for each step.
    pub(super) async fn findings(
        &mut self,
        settings: &Settings,
        ca_bundle: Option<&str>,
    ) -> Vec<Finding> {
        let url = settings.endpoint.url().to_string();
        let way = (url, ca_bundle.map(str::to_owned));
        if let Some(known) = self.ways.get(&way) {
            return known.clone();
        }
        let mut findings = Vec::new();
        if let Err(refusal) = self.walk(settings, ca_bundle, &mut findings).await {
            findings.push(Finding::bad(words(&refusal, refusal.reason(), settings)));
        }
        findings.extend(unseen(ALL - findings.len()));
        self.ways.insert(way, findings.clone());
        findings
    }

    async fn walk(
        &mut self,
        settings: &Settings,
        ca_bundle: Option<&str>,
        findings: &mut Vec<Finding>,
    ) -> Result<(), NetworkError> {
        let endpoint = &settings.endpoint;
        self.tokens.check_network(endpoint)?;
        if let Some(proxy) = diagnose::proxy(endpoint) {
            findings.push(Finding::unseen(format!(
                "{} is looked up by the proxy {proxy}, which the environment names",
                endpoint.host()
            )));
            match self.tokens.connect(&*proxy).await {
                Ok(_) => findings.push(Finding::good(format!(
                    "the proxy {proxy} accepts connections"
                ))),
                Err(why) => {
                    findings.push(Finding::bad(format!(
                        "the proxy {proxy} could not be reached: {why}: check HTTPS_PROXY, and network policies and firewall on \
                         the way to it"
                    )));
                    return Ok(());
                }
            }
        } else {
            let addresses = self.tokens.addresses(endpoint).await?;
            findings.push(shown(endpoint, &addresses));
            let at = self.tokens.connect_to(endpoint, &addresses).await?;
            findings.push(Finding::good(format!("{at} accepts connections")));
        }
        let handshake = self.tokens.handshake(endpoint, ca_bundle).await?;
        let certificate = handshake.certificate;
        match handshake.outcome {
            Ok(version) => findings.push(Finding::good(format!(
                "{version}, with a certificate that is trusted: {certificate}"
            ))),
            Err(refusal) => {
                let what = format!("{refusal} ({certificate})");
                findings.push(Finding::bad(words(&what, refusal.reason(), settings)));
                return Ok(());
            }
        }
        findings.push(self.answer(settings, ca_bundle).await);
        Ok(())
    }

    async fn answer(&mut self, settings: &Settings, ca_bundle: Option<&str>) -> Finding {
        let url = settings.endpoint.url().to_string();
        if let Some(known) = self.answers.get(&url) {
            return known.clone();
        }
        let finding = match self.tokens.probe(&settings.endpoint, ca_bundle).await {
            Err(refusal) => Finding::bad(words(&refusal, refusal.reason(), settings)),
            Ok(answer) => match probe::judge(&answer) {
                Judgement::Expected(what) => Finding::good(format!(
                    "{what} to a question without client and secret, as token endpoints do"
                )),
                Judgement::Unclear(what) => Finding::notice(format!(
                    "{what} to a question without client and secret, which may be the reason"
                )),
                Judgement::Refused(refusal) => {
                    Finding::bad(words(&refusal, refusal.reason(), settings))
                }
            },
        };
        self.answers.insert(url, finding.clone());
        finding
    }
}

/// As a condition would say it.
fn words(what: &impl Display, reason: Reason, settings: &Settings) -> String {
    format!("{what}: {}", remedy(reason, settings))
}

fn shown(endpoint: &Endpoint, addresses: &[Address]) -> Finding {
    let shown = addresses.iter().map(|address| match address.refused {
        Some(why) => format!("{} ({why}: not used)", address.ip),
        None => address.ip.to_string(),
    });
    let shown: Vec<_> = shown.collect();
    Finding::good(format!(
        "{} has the address {}",
        endpoint.host(),
        shown.join(", ")
    ))
}
