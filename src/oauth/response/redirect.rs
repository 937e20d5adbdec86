//! The target of a redirect, as it may be shown.

use url::Url;

use crate::scrub::Scrubber;

/// The most characters of a target that are shown.
const LONGEST: usize = 200;

/// Scheme, host and path only: a query may hold a code or a token. Of a redirect on the same host only the path is shown.
pub(super) fn target(location: &str, scrubber: &Scrubber) -> Option<String> {
    let location = scrubber.without_secrets(location);
    let (target, on_same_host) = resolved(&location)?;
    // Part by part, because a whole URL looks like a token.
    let cleaned = |text: &str, separator: &str| {
        let parts = text.split(separator).map(|part| scrubber.clean(part));
        parts.collect::<Vec<_>>().join(separator)
    };
    let host = cleaned(target.host_str()?, ".");
    let path = cleaned(target.path(), "/");
    let shown = if on_same_host {
        path
    } else {
        format!("{}://{host}{path}", target.scheme())
    };
    // Once more: `Url` drops what can cut a secret apart, such as tabs and `..`.
    let mut shown = scrubber.without_secrets(&shown);
    shown.truncate(LONGEST);
    Some(shown)
}

/// The target, and whether it is on the host of the request.
fn resolved(location: &str) -> Option<(Url, bool)> {
    if let Ok(target) = Url::parse(location) {
        return Some((target, false));
    }
    if !location.starts_with('/') {
        return None;
    }
    let base = Url::parse("https://same.host").expect("a constant URL is valid");
    let target = base.join(location).ok()?;
    let on_same_host = target.host() == base.host();
    Some((target, on_same_host))
}
