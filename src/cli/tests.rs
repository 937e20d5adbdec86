use super::*;

#[test]
fn the_command_line_is_consistent() {
    <Cli as clap::CommandFactory>::command().debug_assert();
}

#[test]
fn an_interval_is_written_as_durations_are_written_elsewhere() {
    for (text, seconds) in [
        ("1s", 1),
        ("90s", 90),
        ("3600s", 3600),
        ("60m", 3600),
        ("1m30s", 90),
        ("1h", 3600),
    ] {
        assert_eq!(
            interval(text),
            Ok(SignedDuration::from_secs(seconds)),
            "{text}"
        );
    }
    for text in ["0s", "3601s", "61m", "1h1s", "90", "-5s"] {
        assert!(interval(text).is_err(), "{text}");
    }
}

#[test]
fn a_bad_flag_is_refused_by_name() {
    for (arguments, named) in [
        (
            ["cube-operator", "run", "--allow-network", "10.0.0.0/99"],
            "--allow-network",
        ),
        (
            ["cube-operator", "run", "--deny-network", "10.0.0.0"],
            "--deny-network",
        ),
        (
            ["cube-operator", "run", "--hide-network-detail", "some"],
            "--hide-network-detail",
        ),
        (
            ["cube-operator", "run", "--allowed-token-hosts", "https://x"],
            "--allowed-token-hosts",
        ),
        (
            ["cube-operator", "run", "--namespaces", "A,b"],
            "--namespaces",
        ),
        (["cube-operator", "run", "--listen", "8080"], "--listen"),
        (["cube-operator", "run", "--lease", "leader"], "--lease"),
        (
            ["cube-operator", "run", "--token-request-interval", "0s"],
            "--token-request-interval",
        ),
    ] {
        let error = Cli::try_parse_from(arguments).unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
}
