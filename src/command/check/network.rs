//! The way to a token endpoint, step by step. Each endpoint is asked once, however many credentials name it: providers count.

use std::collections::HashMap;

use crate::{
    oauth::{
        ca_bundle::TrustedCa,
        client::{TokenClient, proxy},
        diagnose::probe::{self, Judgement},
        error::TokenError,
    },
    reconcile::{FailedStep, Finding, NetworkFact, NetworkStep, Settings},
};

/// The findings about the way to each endpoint.
pub(super) struct Network {
    tokens: TokenClient,
    /// By the token URL and the trusted CA certificates.
    ways: HashMap<(String, Option<TrustedCa>), Vec<Finding>>,
    /// By the token URL.
    responses: HashMap<String, Finding>,
}

/// One line for each step that is not made.
pub(super) fn unseen(steps: usize) -> impl Iterator<Item = Finding> {
    let rest = NetworkStep::ALL.into_iter().skip(ALL - steps);
    rest.map(|step| Finding::unseen(NetworkFact::NotChecked(step)))
}

/// All of them.
pub(super) const ALL: usize = NetworkStep::ALL.len();

impl Network {
    pub(super) fn new(tokens: TokenClient) -> Self {
        Self {
            tokens,
            ways: HashMap::new(),
            responses: HashMap::new(),
        }
    }

    /// One finding for each step.
    pub(super) async fn findings(
        &mut self,
        settings: &Settings,
        trusted: Option<&TrustedCa>,
    ) -> Vec<Finding> {
        let url = settings.endpoint.url().to_string();
        let way = (url, trusted.cloned());
        if let Some(known) = self.ways.get(&way) {
            return known.clone();
        }
        let mut findings = Vec::new();
        if let Err(error) = self.walk(settings, trusted, &mut findings).await {
            findings.push(failed(error, settings));
        }
        findings.extend(unseen(ALL - findings.len()));
        self.ways.insert(way, findings.clone());
        findings
    }

    /// Goes as far as an exchange would.
    async fn walk(
        &mut self,
        settings: &Settings,
        trusted: Option<&TrustedCa>,
        findings: &mut Vec<Finding>,
    ) -> Result<(), TokenError> {
        let endpoint = &settings.endpoint;
        self.tokens.check_network(endpoint)?;
        if let Some(proxy) = proxy::proxy(endpoint) {
            if !self.through_proxy(settings, proxy, findings).await {
                return Ok(());
            }
        } else {
            self.directly(settings, findings).await?;
        }
        let handshake = self.tokens.handshake(endpoint, trusted).await?;
        let certificate = handshake.certificate;
        match handshake.outcome {
            Ok(version) => findings.push(Finding::good(NetworkFact::Trusted {
                version,
                certificate,
            })),
            Err(error) => {
                findings.push(Finding::bad(NetworkFact::Untrusted {
                    failed: FailedStep::new(error, settings),
                    certificate,
                }));
                return Ok(());
            }
        }
        findings.push(self.response(settings, trusted).await);
        Ok(())
    }

    /// The address and the connection. Returns whether the proxy could be reached.
    async fn through_proxy(
        &self,
        settings: &Settings,
        proxy: String,
        findings: &mut Vec<Finding>,
    ) -> bool {
        findings.push(Finding::unseen(NetworkFact::ResolvedByProxy {
            host: settings.endpoint.host(),
            proxy: proxy.clone(),
        }));
        let connected = self.tokens.connect(&*proxy).await;
        let is_connected = connected.is_ok();
        findings.push(match connected {
            Ok(_) => Finding::good(NetworkFact::ProxyConnected { proxy }),
            Err(cause) => Finding::bad(NetworkFact::ProxyUnreachable { proxy, cause }),
        });
        is_connected
    }

    /// The address and the connection, without a proxy.
    async fn directly(
        &self,
        settings: &Settings,
        findings: &mut Vec<Finding>,
    ) -> Result<(), TokenError> {
        let endpoint = &settings.endpoint;
        let addresses = self.tokens.addresses(endpoint).await?;
        findings.push(Finding::good(NetworkFact::Addresses {
            host: endpoint.host(),
            addresses: addresses.clone(),
        }));
        let at = self.tokens.connect_to(endpoint, &addresses).await?;
        findings.push(Finding::good(NetworkFact::Connected(at)));
        Ok(())
    }

    async fn response(&mut self, settings: &Settings, trusted: Option<&TrustedCa>) -> Finding {
        let url = settings.endpoint.url().to_string();
        if let Some(known) = self.responses.get(&url) {
            return known.clone();
        }
        let finding = match self.tokens.probe(&settings.endpoint, trusted).await {
            Err(error) => failed(error, settings),
            Ok(response) => match probe::judge(&response) {
                Judgement::Expected(error) => Finding::good(NetworkFact::Refused(error)),
                Judgement::Unclear(unclear) => Finding::notice(NetworkFact::Unclear(unclear)),
                Judgement::Refused(error) => failed(error, settings),
            },
        };
        self.responses.insert(url, finding.clone());
        finding
    }
}

fn failed(error: impl Into<TokenError>, settings: &Settings) -> Finding {
    Finding::bad(NetworkFact::Failed(FailedStep::new(error, settings)))
}
