//! `cube-operator check NAME`: each thing that can be wrong with a client, a host or a token endpoint, in its whole words.

mod wrongs;

use serde_json::json;

use crate::{
    check::{FROM_HERE, NOT_LOOKED_AT, untimed},
    place::Place,
    scripted::{Authority, CLOSED, LOCAL, Provider, Reply, Request},
};
use wrongs::{Names, Wrong};

/// A token endpoint whose response depends on the path.
fn answer(request: &Request) -> Reply {
    match request.target.as_str() {
        "/307" => Reply::json(307, "").header("Location", "https://elsewhere.example/o/token/"),
        "/404" => Reply::json(404, "<html>"),
        "/403" => Reply::json(403, "<html>"),
        "/200" => Reply::json(200, "<html>"),
        "/500" => Reply::json(500, ""),
        "/503" => Reply::json(503, ""),
        _ => Reply::json(401, r#"{"error":"invalid_client"}"#),
    }
}

#[test]
fn each_thing_that_is_wrong_is_said_with_its_remedy_and_what_depends_on_it_is_left_out() {
    let place = Place::new();
    let authority = Authority::new("Example Proxy");
    let provider = Provider::start(&authority.certificate(&LOCAL), answer);
    place.trust("scripted", &authority);
    place.apply(&wrongs::limited(place.source()));
    let host = format!("localhost:{}", provider.address.port());
    let closed = format!("127.0.0.1:{CLOSED}");
    let names = Names {
        host: &host,
        closed: &closed,
        authority: "Example Proxy",
    };
    for Wrong {
        what,
        prepare,
        flags,
        lines,
    } in names.wrongs()
    {
        let name = format!("wrong-{what}");
        let mut credential = place.credential_at(&name, &provider.url("/token"), "scripted");
        // Its Secret has the name that the message shows.
        credential["metadata"]["name"] = json!(what);
        prepare(&place, &mut credential);
        credential["metadata"]["name"] = json!(name);
        place.apply(&credential);
        let (code, output, errors) = place.check_as(
            &place.kubeconfig,
            &name,
            &flags,
            &[("RES_OPTIONS", "timeout:1 attempts:1")],
        );
        let absent = format!(
            "✗ Secret \"{name}-token\" does not exist: the operator writes it with the first token; if there is no other fault here, \
             check that the operator runs"
        );
        let no_pod = format!("- no pod uses Secret \"{name}-token\"");
        let before = [FROM_HERE.to_owned(), NOT_LOOKED_AT.to_owned()];
        let expected = [before.to_vec(), lines, vec![absent, no_pod]].concat();
        let output = untimed(&output);
        let found: Vec<_> = output
            .lines()
            .filter(|line| line.starts_with(['✗', '!', '-']))
            .collect();
        assert_eq!(found, expected, "{what}");
        let faults = found.iter().filter(|line| line.starts_with('✗')).count();
        assert_eq!(
            (code, errors),
            (
                Some(1),
                format!("cube-operator: {faults} of the checks above failed\n")
            ),
            "{what}"
        );
    }
    for request in provider.requests() {
        assert_eq!(request.body, "grant_type=cube-operator-check");
    }
    // `check` sends one request to each path, and one more in a run of its own where credentials share a URL.
    assert_eq!(
        provider
            .requests()
            .iter()
            .filter(|request| request.target == "/307")
            .count(),
        1
    );
}
