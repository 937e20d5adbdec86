//! The kubeconfig, read as kubectl reads it.

use std::{
    env,
    ffi::OsStr,
    net::IpAddr,
    path::{Path, PathBuf},
};

use axum::http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use kube::{
    Config,
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError},
};

use super::{
    context::Global,
    error::{PluginError, Result},
};

/// The schemes of the proxies that the client of the API server knows.
const PROXIES: [&str; 3] = ["http", "https", "socks5"];

/// The cluster and the user that these flags name.
pub(super) async fn config(global: &Global) -> Result<Config> {
    let options = KubeConfigOptions {
        context: global.context.clone(),
        ..KubeConfigOptions::default()
    };
    let file = read(global.kubeconfig.as_deref()).map_err(|error| unusable(&error))?;
    let own_proxy = proxy_in(&file, options.context.as_deref());
    let mut config = Config::from_custom_kubeconfig(file, &options)
        .await
        .map_err(|error| unusable(&error))?;
    // kube compares NO_PROXY with the host of the proxy in place of the API server's.
    let proxy = own_proxy.unwrap_or_else(|| of_environment(&config.cluster_url));
    let proxy = (!proxy.is_empty()).then(|| parse(&proxy));
    config.proxy_url = proxy.transpose()?;
    Ok(config)
}

/// The proxy of the environment if it is the way to this API server, or an empty text.
fn of_environment(server: &Uri) -> String {
    let proxy = variable("HTTPS_PROXY");
    if is_used(&proxy, &variable("NO_PROXY"), server) {
        return proxy;
    }
    String::new()
}

/// A variable whose name may be in small letters too.
fn variable(name: &str) -> String {
    let names = [name.to_owned(), name.to_ascii_lowercase()];
    let mut values = names.iter().filter_map(|name| env::var(name).ok());
    values.find(|value| !value.is_empty()).unwrap_or_default()
}

fn unusable(error: &KubeconfigError) -> PluginError {
    if matches!(error, KubeconfigError::ParseNoProxy(_)) {
        return PluginError::new(
            "NO_PROXY cannot be read: write hosts, IP addresses or networks with one comma between each two",
        );
    }
    PluginError::new(format!(
        "the kubeconfig cannot be used: {error}; set KUBECONFIG or --kubeconfig"
    ))
}

fn read(file: Option<&Path>) -> std::result::Result<Kubeconfig, KubeconfigError> {
    if let Some(file) = file {
        return Kubeconfig::read_from(file);
    }
    let listed = files(env::var_os("KUBECONFIG").as_deref());
    let Some(first) = listed.first() else {
        return Kubeconfig::read();
    };
    // One that exists and cannot be read is an error: the next one may name another cluster.
    let may_exist = |file: &&PathBuf| !matches!(file.try_exists(), Ok(false));
    let mut present: Vec<_> = listed.iter().filter(may_exist).collect();
    if present.is_empty() {
        // The error names it.
        present.push(first);
    }
    let merge = |merged: Kubeconfig, file| merged.merge(Kubeconfig::read_from(file)?);
    present.into_iter().try_fold(Kubeconfig::default(), merge)
}

/// The files of `KUBECONFIG`.
fn files(variable: Option<&OsStr>) -> Vec<PathBuf> {
    let files = env::split_paths(variable.unwrap_or_default());
    files.filter(|file| !file.as_os_str().is_empty()).collect()
}

/// The `proxy-url` of the cluster of this context, or of the current one.
fn proxy_in(file: &Kubeconfig, context: Option<&str>) -> Option<String> {
    let context = context.or(file.current_context.as_deref())?;
    let mut contexts = file.contexts.iter();
    let found = contexts.find(|named| named.name == context)?;
    let cluster = &found.context.as_ref()?.cluster;
    let mut clusters = file.clusters.iter();
    let found = clusters.find(|named| named.name == *cluster)?;
    let proxy = found.cluster.as_ref()?.proxy_url.clone()?;
    Some(proxy).filter(|proxy| !proxy.is_empty())
}

/// Returns whether this proxy of the environment is the way to an API server.
fn is_used(proxy: &str, exceptions: &str, server: &Uri) -> bool {
    let environment = Matcher::builder().https(proxy).no(exceptions).build();
    !is_this_machine(server) && environment.intercept(server).is_some()
}

/// Returns whether a server is on this machine, which no proxy of the environment reaches.
fn is_this_machine(server: &Uri) -> bool {
    let host = server.host().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// The URI of a proxy. kube's own errors would show its user and its password.
fn parse(proxy: &str) -> Result<Uri> {
    let text = match proxy.split_once("://") {
        // Names are looked up by the proxy in any case.
        Some(("socks5h", rest)) => format!("socks5://{rest}"),
        Some(_) => proxy.to_owned(),
        None => format!("http://{proxy}"),
    };
    let uri = text.parse::<Uri>().ok();
    let known = |uri: &Uri| {
        let scheme = uri.scheme_str().unwrap_or_default();
        PROXIES.contains(&scheme)
    };
    uri.filter(known).ok_or_else(|| {
        PluginError::new(
            "the proxy before the API server cannot be used: its address must begin with http://, https:// or socks5://; correct \
             `proxy-url` of the kubeconfig or HTTPS_PROXY",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exceptions_name_api_servers_and_none_on_this_machine_is_reached_by_a_proxy() {
        let is_used = |exceptions, server: &str| {
            let server = server.parse().unwrap();
            is_used("http://alice:s3cret@proxy.corp:3128", exceptions, &server)
        };
        assert!(is_used("", "https://api.example.com:6443"));
        assert!(is_used(".corp", "https://api.example.com"));
        assert!(!is_used("example.com,", "https://api.example.com"));
        assert!(!is_used("10.0.0.0/8", "https://10.1.2.3:6443"));
        for here in [
            "https://localhost:6443",
            "https://127.0.0.1",
            "https://[::1]:6443",
        ] {
            assert!(!is_used("", here), "{here}");
        }
        assert!(!super::is_used(
            "",
            "",
            &"https://a.example.com".parse().unwrap()
        ));
    }

    #[test]
    fn a_proxy_keeps_its_user_and_may_have_no_scheme() {
        for (proxy, uri) in [
            (
                "http://alice:s3cret@proxy.corp:3128",
                "http://alice:s3cret@proxy.corp:3128",
            ),
            (
                "alice:s3cret@proxy.corp:3128",
                "http://alice:s3cret@proxy.corp:3128",
            ),
            ("socks5h://localhost:1080", "socks5://localhost:1080"),
        ] {
            assert_eq!(
                parse(proxy).unwrap(),
                uri.parse::<Uri>().unwrap(),
                "{proxy}"
            );
        }
    }

    #[test]
    fn a_proxy_of_another_kind_is_an_error_without_its_password() {
        for proxy in ["ftp://alice:s3cret@proxy.corp:3128", "http://s3cret@"] {
            let message = parse(proxy).unwrap_err().to_string();
            assert!(message.contains("cannot be used"), "{message}");
            assert!(!message.contains("s3cret"), "{message}");
        }
    }

    #[test]
    fn the_proxy_is_in_the_cluster_of_the_context() {
        let file = Kubeconfig::from_yaml(
            r#"
            current-context: direct
            contexts:
            - {name: direct, context: {cluster: direct, user: me}}
            - {name: proxied, context: {cluster: proxied, user: me}}
            clusters:
            - {name: direct, cluster: {server: "https://a.example.com", proxy-url: ""}}
            - {name: proxied, cluster: {server: "https://b.example.com", proxy-url: "socks5://localhost:1080"}}
            "#,
        )
        .unwrap();
        assert_eq!(proxy_in(&file, None), None);
        let proxy = proxy_in(&file, Some("proxied"));
        assert_eq!(proxy.as_deref(), Some("socks5://localhost:1080"));
        assert_eq!(proxy_in(&file, Some("absent")), None);
    }
}
