use super::*;

fn networks(allowed: &[&str], denied: &[&str]) -> Networks {
    let parse = |list: &[&str]| list.iter().map(|text| text.parse().unwrap()).collect();
    Networks::allowing(parse(allowed)).denying(parse(denied))
}

fn refusal(networks: &Networks, address: &str) -> Option<String> {
    let refusal = networks.refusal(address.parse().unwrap());
    refusal.map(|network| network.to_string())
}

#[test]
fn addresses_of_the_own_host_are_refused_unless_their_network_is_allowed() {
    let none = Networks::default();
    for (address, refused) in [
        ("127.0.0.1", Some("loopback")),
        ("::ffff:127.0.0.1", Some("loopback")),
        ("::1", Some("loopback")),
        ("0.0.0.0", Some("unspecified")),
        ("0.1.2.3", Some("unspecified")),
        ("::", Some("unspecified")),
        ("169.254.169.254", Some("link-local")),
        ("fe80::1", Some("link-local")),
        ("224.0.0.1", Some("multicast")),
        ("ff02::1", Some("multicast")),
        ("255.255.255.255", Some("broadcast")),
        ("100.100.100.200", Some("cloud metadata")),
        ("168.63.129.16", Some("cloud metadata")),
        ("192.0.0.192", Some("cloud metadata")),
        ("fd00:ec2::254", Some("cloud metadata")),
        ("fd00:ec2::23", Some("cloud metadata")),
        ("fd20:ce::254", Some("cloud metadata")),
        ("fd00:42::42", Some("cloud metadata")),
        ("10.0.0.1", None),
        ("192.0.2.1", None),
        ("2001:db8::1", None),
        ("fd00:ec3::254", None),
    ] {
        assert_eq!(
            refusal(&none, address),
            refused.map(Into::into),
            "{address}"
        );
    }
    let loopback = networks(&["127.0.0.0/8"], &[]);
    assert_eq!(refusal(&loopback, "127.0.0.1"), None);
    assert_eq!(refusal(&loopback, "::ffff:127.0.0.1"), None);
    assert_eq!(refusal(&loopback, "::1"), Some("loopback".into()));
}

/// The address of a metadata service and a public one, in each form that carries an IPv4 address.
const CARRIED: [(&str, &str); 11] = [
    ("::ffff:169.254.169.254", "::ffff:192.0.2.1"),
    ("::169.254.169.254", "::192.0.2.1"),
    ("::ffff:0:169.254.169.254", "::ffff:0:192.0.2.1"),
    ("64:ff9b::169.254.169.254", "64:ff9b::192.0.2.1"),
    ("64:ff9b:1::169.254.169.254", "64:ff9b:1::192.0.2.1"),
    (
        "64:ff9b:1:7f00::169.254.169.254",
        "64:ff9b:1:7f00::192.0.2.1",
    ),
    ("64:ff9b:1:a9fe:a9:fe00::", "64:ff9b:1:c000:2:100::"),
    ("64:ff9b:1:a9:fe:a9fe::", "64:ff9b:1:c0:0:201::"),
    ("64:ff9b:1::a9:fea9:fe00:0", "64:ff9b:1::c0:2:100:0"),
    ("2002:a9fe:a9fe::1", "2002:c000:201::1"),
    (
        "2001:db8::5efe:169.254.169.254",
        "2001:db8::200:5efe:192.0.2.1",
    ),
];

#[test]
fn an_address_is_refused_for_the_one_that_it_carries() {
    let none = Networks::default();
    let allowed = networks(&["169.254.0.0/16"], &[]);
    for (carrying, public) in CARRIED {
        assert_eq!(
            refusal(&none, carrying),
            Some("link-local".into()),
            "{carrying}"
        );
        assert_eq!(refusal(&none, public), None, "{public}");
        assert_eq!(refusal(&allowed, carrying), None, "{carrying}");
    }
    // Teredo carries its server, and its client with the bits inverted.
    for (address, refused) in [
        ("2001:0:a9fe:a9fe::3fff:fdfe", Some("link-local")),
        ("2001:0:c000:201::5601:5601", Some("link-local")),
        ("2001:0:c000:201::3fff:fdfe", None),
    ] {
        assert_eq!(
            refusal(&none, address),
            refused.map(Into::into),
            "{address}"
        );
    }
}

#[test]
fn a_denied_network_is_refused_in_each_form_and_the_longer_prefix_decides() {
    let some = networks(
        &["10.1.0.0/16", "10.1.2.3/32", "127.0.0.0/8", "10.4.0.0/16"],
        &["10.0.0.0/8", "10.1.2.0/24", "10.4.0.0/16", "fd00::/8"],
    );
    for (address, refused) in [
        ("10.200.0.1", Some("denied")),
        ("64:ff9b::10.200.0.1", Some("denied")),
        ("2002:ac8:1::", Some("denied")),
        ("fd12::1", Some("denied")),
        ("10.1.0.1", None),
        ("64:ff9b::10.1.0.1", None),
        ("10.1.2.4", Some("denied")),
        ("10.1.2.3", None),
        ("10.4.0.1", Some("denied")),
        ("127.0.0.1", None),
        ("169.254.169.254", Some("link-local")),
        ("192.0.2.1", None),
    ] {
        assert_eq!(
            refusal(&some, address),
            refused.map(Into::into),
            "{address}"
        );
    }
    // Any prefix allows an address that is only denied by default.
    assert_eq!(refusal(&networks(&["0.0.0.0/0"], &[]), "127.0.0.1"), None);
}

#[test]
fn a_cluster_whose_own_addresses_look_like_carried_ones_can_allow_them() {
    for (own, network) in [
        ("64:ff9b:1::1", "64:ff9b:1::/48"),
        ("2002:7f00:1::1", "2002:7f00::/24"),
        ("fd12::200:5efe:7f00:1", "fd12::/16"),
        ("fd00:ec2::254", "fd00:ec2::/32"),
    ] {
        assert!(refusal(&Networks::default(), own).is_some(), "{own}");
        assert_eq!(refusal(&networks(&[network], &[]), own), None, "{own}");
        let denied = networks(&[network], &["127.0.0.0/8", "0.0.0.0/8", "fd00:ec2::/32"]);
        assert_eq!(refusal(&denied, own), Some("denied".into()), "{own}");
    }
}
