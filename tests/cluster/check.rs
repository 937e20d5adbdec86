//! `cube-operator check NAME`: every step of a healthy credential, and each thing that can be wrong, in its whole words.

mod from_where;
mod healthy;
mod rights;
mod target;

use crate::{
    commands::{Ended, run},
    place::Place,
};

pub(crate) const LOOPBACK: &str = "--allow-network=127.0.0.0/8,::1/128";
pub(crate) const FROM_HERE: &str = "- the network is checked from this machine, with the flags given here; the operator may have another route \
                         and other flags: run this in its pod with kubectl exec to check from there";
/// The line about a credential that no operator has reconciled.
pub(crate) const NOT_LOOKED_AT: &str = "✗ the operator has not observed it yet: check that it runs, and that it watches this \
                                        namespace";

pub(crate) const NETWORK: [&str; 4] = [
    "the address",
    "the connection",
    "the certificate",
    "the response of the token endpoint",
];

impl Place {
    /// Checks one credential with the operator's account, and with further flags.
    fn check(&self, name: &str, flags: &[&str]) -> Ended {
        self.check_as(&self.kubeconfig, name, &[&[LOOPBACK], flags].concat(), &[])
    }

    pub(crate) fn check_as(
        &self,
        kubeconfig: &str,
        name: &str,
        flags: &[&str],
        environment: &[(&str, &str)],
    ) -> Ended {
        let arguments = [
            &["check", "--connect", "--namespace", &self.namespace, name],
            flags,
        ]
        .concat();
        run(kubeconfig, &arguments, environment)
    }

    /// The lines with one of these marks.
    fn marked(&self, marks: &[char], name: &str, flags: &[&str]) -> Vec<String> {
        let (_, output, _) = self.check(name, flags);
        let lines = output.lines().filter(|line| line.starts_with(marks));
        lines.map(str::to_owned).collect()
    }
}

/// The output without the times of a certificate.
pub(crate) fn untimed(output: &str) -> String {
    let lines = output
        .lines()
        .map(|line| match line.split_once(", valid from ") {
            Some((start, _)) => format!("{start}, valid …\n"),
            None => format!("{line}\n"),
        });
    lines.collect()
}

fn authority_of(url: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    format!("{}:{}", url.host_str().unwrap(), url.port().unwrap())
}

/// The lines about steps that are left out after a failed one.
pub(crate) fn unseen(steps: &[&str]) -> Vec<String> {
    steps
        .iter()
        .map(|step| format!("- {step} was not checked"))
        .collect()
}
