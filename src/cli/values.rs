//! The values of flags, read with errors that say what to write.

use ipnet::IpNet;
use jiff::SignedDuration;

use crate::oauth::hosts::HostList;

pub(crate) fn hosts(text: &str) -> Result<HostList, String> {
    HostList::parse(text).map_err(|entry| format!("{entry:?} is neither a host nor host:port"))
}

pub(super) fn network(text: &str) -> Result<IpNet, String> {
    let parsed = text.parse();
    parsed.map_err(|_| {
        "write an IPv4 or IPv6 network with its prefix length, such as 10.0.0.0/8 or fd00::/8"
            .into()
    })
}

pub(super) fn interval(text: &str) -> Result<SignedDuration, String> {
    let parsed = text.parse::<SignedDuration>().ok();
    let whole = parsed.map(|duration| SignedDuration::from_secs(duration.as_secs()));
    whole
        .filter(|duration| (1..=3600).contains(&duration.as_secs()))
        .ok_or_else(|| "write a duration from 1s to 1h, such as 12s or 1m30s".into())
}

pub(super) fn namespace(text: &str) -> Result<String, String> {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let valid = (1..=63).contains(&text.len())
        && text.chars().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-');
    if valid {
        Ok(text.to_owned())
    } else {
        Err("a namespace has 1 to 63 lower-case letters, digits and '-'".into())
    }
}
