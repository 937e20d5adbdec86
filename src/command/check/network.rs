//! The way to a token endpoint, step by step. Each endpoint is asked once, however many credentials name it: providers count.

use std::collections::HashMap;

use crate::{
    api::ClientAuthentication,
    oauth::{
        ca_bundle::TrustedCa,
        client::{TokenClient, proxy},
        diagnose::probe::{self, Judgement},
        endpoint::Endpoint,
        error::{NetworkError, TokenError},
    },
    reconcile::{FailedStep, Finding, NetworkFact, NetworkStep, Settings},
};

/// The findings about the way to each endpoint.
pub(super) struct Network {
    tokens: TokenClient,
    /// The findings about the way to each token endpoint, by its URL and the trusted CA certificates.
    ways: HashMap<(String, Option<TrustedCa>), Vec<Finding>>,
    /// The finding about the response of each token endpoint, by its URL.
    responses: HashMap<String, Finding>,
    /// The findings about the way to each probed API, by the URL of the probe and the trusted CA certificates.
    probes: HashMap<(String, Option<TrustedCa>), Vec<Finding>>,
}

/// One line for each step that is not made.
pub(super) fn unseen(steps: usize) -> impl Iterator<Item = Finding> {
    let rest = NetworkStep::ALL.into_iter().skip(ALL - steps);
    rest.map(|step| Finding::unseen(NetworkFact::NotChecked(step)))
}

/// One line for the host of the probe, if there is one.
pub(super) fn probe_unseen(settings: &Settings) -> Option<Finding> {
    let host = settings.probe.as_ref()?.endpoint.authority();
    Some(Finding::unseen(NetworkFact::ProbeHostNotChecked { host }))
}

/// All of them.
pub(super) const ALL: usize = NetworkStep::ALL.len();

impl Network {
    pub(super) fn new(tokens: TokenClient) -> Self {
        Self {
            tokens,
            ways: HashMap::new(),
            responses: HashMap::new(),
            probes: HashMap::new(),
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

    /// The way to the host of the probe, as far as it needs no token.
    pub(super) async fn probe_findings(
        &mut self,
        settings: &Settings,
        trusted: Option<&TrustedCa>,
    ) -> Vec<Finding> {
        let Some(probe) = &settings.probe else {
            return Vec::new();
        };
        let way = (probe.endpoint.url().to_string(), trusted.cloned());
        if let Some(known) = self.probes.get(&way) {
            return known.clone();
        }
        let mut findings = Vec::new();
        let failed = |error| FailedStep::of_probe(error, settings);
        let reached = self
            .reach(&probe.endpoint, trusted, &failed, &mut findings)
            .await;
        findings.push(match reached {
            Ok(true) => Finding::unseen(NetworkFact::ProbeNotSent {
                host: probe.endpoint.authority(),
            }),
            Ok(false) => return findings,
            Err(error) => Finding::bad(NetworkFact::Failed(failed(error))),
        });
        self.probes.insert(way, findings.clone());
        findings
    }

    /// Goes as far as an exchange would.
    async fn walk(
        &mut self,
        settings: &Settings,
        trusted: Option<&TrustedCa>,
        findings: &mut Vec<Finding>,
    ) -> Result<(), TokenError> {
        let failed = |error| FailedStep::new(error, settings);
        if self
            .reach(&settings.endpoint, trusted, &failed, findings)
            .await?
        {
            findings.push(self.response(settings, trusted).await);
        }
        Ok(())
    }

    /// Goes as far as the handshake. Returns whether a request could be sent.
    async fn reach(
        &self,
        endpoint: &Endpoint,
        trusted: Option<&TrustedCa>,
        failed: &(dyn Fn(NetworkError) -> FailedStep + Sync),
        findings: &mut Vec<Finding>,
    ) -> Result<bool, NetworkError> {
        self.tokens.check_network(endpoint)?;
        if let Some(proxy) = proxy::proxy(endpoint) {
            if !self.through_proxy(endpoint, proxy, findings).await {
                return Ok(false);
            }
        } else {
            self.directly(endpoint, findings).await?;
        }
        let handshake = self.tokens.handshake(endpoint, trusted).await?;
        let certificate = handshake.certificate;
        let (finding, is_trusted) = match handshake.outcome {
            Ok(version) => (
                Finding::good(NetworkFact::Trusted {
                    version,
                    certificate,
                }),
                true,
            ),
            Err(error) => (
                Finding::bad(NetworkFact::Untrusted {
                    failed: failed(error),
                    certificate,
                }),
                false,
            ),
        };
        findings.push(finding);
        Ok(is_trusted)
    }

    /// The address and the connection. Returns whether the proxy could be reached.
    async fn through_proxy(
        &self,
        endpoint: &Endpoint,
        proxy: String,
        findings: &mut Vec<Finding>,
    ) -> bool {
        findings.push(Finding::unseen(NetworkFact::ResolvedByProxy {
            host: endpoint.host(),
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
        endpoint: &Endpoint,
        findings: &mut Vec<Finding>,
    ) -> Result<(), NetworkError> {
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
            // The probe names no client, and so presents no certificate.
            Err(NetworkError::ClientCertificateRequired { .. })
                if settings.authentication == ClientAuthentication::MutualTls =>
            {
                Finding::good(NetworkFact::AsksForCertificate)
            }
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
