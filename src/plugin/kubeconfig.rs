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
    let has_proxy = names_a_proxy(&file, options.context.as_deref());
    let mut config = Config::from_custom_kubeconfig(file, &options)
        .await
        .map_err(|error| unusable(&error))?;
    if !has_proxy {
        let environment = Matcher::from_env();
        config.proxy_url = of_environment(&environment, config.proxy_url, &config.cluster_url);
    }
    check_proxy(config.proxy_url.as_ref())?;
    Ok(config)
}

fn unusable(error: &KubeconfigError) -> PluginError {
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
    let mut present: Vec<_> = listed.iter().filter(|file| file.exists()).collect();
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

/// Returns whether the cluster of this context, or of the current one, has a `proxy-url`.
fn names_a_proxy(file: &Kubeconfig, context: Option<&str>) -> bool {
    let Some(context) = context.or(file.current_context.as_deref()) else {
        return false;
    };
    let mut contexts = file.contexts.iter();
    let found = contexts.find(|named| named.name == context);
    let Some(context) = found.and_then(|named| named.context.as_ref()) else {
        return false;
    };
    let mut clusters = file.clusters.iter();
    let found = clusters.find(|named| named.name == context.cluster);
    let cluster = found.and_then(|named| named.cluster.as_ref());
    cluster.is_some_and(|cluster| {
        cluster
            .proxy_url
            .as_ref()
            .is_some_and(|url| !url.is_empty())
    })
}

/// The proxy of the environment for this API server. kube compares `NO_PROXY` with the host of the proxy instead, but its URI may
/// have a user and a password.
fn of_environment(environment: &Matcher, of_kube: Option<Uri>, server: &Uri) -> Option<Uri> {
    if is_this_machine(server) {
        return None;
    }
    let found = environment.intercept(server)?;
    let has_user = |uri: &Uri| {
        let authority = uri.authority();
        uri.scheme().is_some()
            && authority.is_some_and(|authority| authority.as_str().contains('@'))
    };
    let with_user = of_kube.filter(has_user);
    Some(with_user.unwrap_or_else(|| found.uri().clone()))
}

/// Returns whether a server is on this machine, which no proxy of the environment reaches.
fn is_this_machine(server: &Uri) -> bool {
    let host = server.host().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// kube's own error would show the user and the password of the proxy.
fn check_proxy(proxy: Option<&Uri>) -> Result {
    let Some(proxy) = proxy else {
        return Ok(());
    };
    if proxy
        .scheme_str()
        .is_some_and(|scheme| PROXIES.contains(&scheme))
    {
        return Ok(());
    }
    Err(PluginError::new(format!(
        "the proxy {} cannot be used: its address must begin with http://, https:// or socks5://; correct `proxy-url` of the \
         kubeconfig or HTTPS_PROXY",
        proxy.host().unwrap_or_default()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri {
        text.parse().unwrap()
    }

    fn matcher(proxy: &str, exceptions: &str) -> Matcher {
        Matcher::builder().https(proxy).no(exceptions).build()
    }

    #[test]
    fn the_exceptions_name_api_servers_and_none_on_this_machine_is_reached_by_a_proxy() {
        let proxy = uri("http://alice:s3cret@proxy.corp:3128");
        let of = |exceptions, server| {
            let matcher = matcher(&proxy.to_string(), exceptions);
            of_environment(&matcher, Some(proxy.clone()), &uri(server))
        };
        assert_eq!(of("", "https://api.example.com:6443"), Some(proxy.clone()));
        assert_eq!(of(".corp", "https://api.example.com"), Some(proxy.clone()));
        assert_eq!(of("example.com,", "https://api.example.com"), None);
        assert_eq!(of("10.0.0.0/8", "https://10.1.2.3:6443"), None);
        for here in [
            "https://localhost:6443",
            "https://127.0.0.1",
            "https://[::1]:6443",
        ] {
            assert_eq!(of("", here), None);
        }
    }

    #[test]
    fn a_proxy_without_a_scheme_is_one_that_speaks_http() {
        let matcher = matcher("proxy.corp:3128", "");
        let found = of_environment(
            &matcher,
            Some(uri("proxy.corp:3128")),
            &uri("https://a.example.com"),
        );
        assert_eq!(found, Some(uri("http://proxy.corp:3128")));
    }

    #[test]
    fn a_proxy_of_another_kind_is_an_error_without_its_password() {
        let refused = check_proxy(Some(&uri("ftp://alice:s3cret@proxy.corp:3128")));
        let message = refused.unwrap_err().to_string();
        assert!(
            message.starts_with("the proxy proxy.corp cannot be used"),
            "{message}"
        );
        assert!(!message.contains("s3cret"), "{message}");
        assert!(check_proxy(None).is_ok());
    }

    #[test]
    fn the_proxy_of_a_cluster_is_that_of_the_context() {
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
        assert!(!names_a_proxy(&file, None));
        assert!(names_a_proxy(&file, Some("proxied")));
        assert!(!names_a_proxy(&file, Some("absent")));
    }
}
