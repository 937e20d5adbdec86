//! The requests of a refresh after which pods are annotated.

use super::the_budget_fills;
use crate::{consumers::in_volume, operator::eventually, place::Place};

/// All requests of the operator, without its watches.
fn requests(place: &Place) -> Vec<String> {
    let user = place.account();
    let requests = place.plane.requests_of(&user).into_iter();
    let counted =
        requests.filter(|(verb, resource, _)| verb != "watch" && resource != "configmaps");
    counted
        .map(|(verb, resource, _)| format!("{verb} {resource}"))
        .collect()
}

/// Waits for the first token, and for the events about it.
fn first_token(place: &Place) {
    place.ready_main();
    place.wait_for_events("main", &["TokenIssued", "TokenHostsMissing"]);
}

#[test]
fn a_refresh_costs_one_list_of_pods_for_each_page_and_one_patch_for_each_pod_that_mounts_the_token()
{
    let place = Place::new();
    place.reinstall("refreshPods=true,warnConsumers=false");
    let _operator = place.operator_with(&["--refresh-pods", "--warn-consumers=false"], &[]);
    first_token(&place);
    let mut made = 0;
    for pods in [0, 1, 10] {
        while made < pods {
            place.apply_pod(&format!("reader-{made}"), &in_volume());
            made += 1;
        }
        the_budget_fills();
        let before = requests(&place).len();
        place.refresh_main(&format!("with-{pods}"));
        let cost = eventually("the event is the last one", || {
            let cost = requests(&place).split_off(before);
            (cost.last()? == "create events").then_some(cost)
        });
        let patches = vec!["patch pods"; pods];
        let expected = [
            &["get secrets", "patch secrets", "list pods"][..],
            &patches,
            &["patch cubecredentials/status", "create events"],
        ]
        .concat();
        assert_eq!(cost, expected, "{pods} pods");
    }
}

/// Sums up user and system time of a process, in ticks of 10 ms.
fn ticks(process: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split(' ').collect();
    [12, 13]
        .map(|field: usize| fields[field].parse::<u64>().unwrap())
        .iter()
        .sum()
}

/// `cargo test --test cluster -- --ignored --nocapture a_thousand_pods` prints the figures of docs/scale.md.
#[test]
#[ignore = "it measures, and makes a thousand pods"]
fn a_thousand_pods_cost_twenty_lists() {
    let place = Place::new();
    place.reinstall("refreshPods=true,warnConsumers=false");
    let operator = place.operator_with(&["--refresh-pods", "--warn-consumers=false"], &[]);
    first_token(&place);
    place.apply_pod("reader", &in_volume());
    let pod = |number: usize| {
        let mut pod = place.get("pod", "reader").unwrap();
        pod["metadata"] = serde_json::json!({"name": format!("reader-{number:04}")});
        // Of a thousand pods, ten mount the token.
        if number >= 9 {
            pod["spec"]["volumes"] = serde_json::json!([{"name": "token", "emptyDir": {}}]);
        }
        pod
    };
    let pods: Vec<_> = (0..999).map(pod).collect();
    place.apply(&serde_json::json!({"apiVersion": "v1", "kind": "List", "items": pods}));
    for request in ["one", "two", "three"] {
        let (before, cpu) = (requests(&place).len(), ticks(operator.process()));
        place.refresh_main(request);
        let cost = eventually("the event is the last one", || {
            let cost = requests(&place).split_off(before);
            (cost.last()? == "create events").then_some(cost)
        });
        let count = |what: &str| cost.iter().filter(|request| *request == what).count();
        assert_eq!((count("list pods"), count("patch pods")), (20, 10));
        let cpu = (ticks(operator.process()) - cpu) * 10;
        println!(
            "{} requests, {cpu} ms of CPU, peak {} KiB",
            cost.len(),
            operator.peak_kib()
        );
    }
}
