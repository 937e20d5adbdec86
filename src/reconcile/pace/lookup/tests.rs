use std::collections::BTreeMap;

use super::*;
use crate::reconcile::provider::ProviderObject;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn wanted(issuer: &str) -> Discovery {
    let spec = serde_json::from_value(serde_json::json!({"issuer": issuer})).unwrap();
    let object = ProviderObject::of_namespace(spec, &ProviderStatus::default()).unwrap();
    object.discovery().unwrap().clone()
}

fn found(issuer: &str, read_at: Timestamp) -> ProviderEndpoints {
    ProviderEndpoints {
        issuer: issuer.into(),
        token_url: format!("{issuer}/token"),
        authorization_url: None,
        read_at,
    }
}

/// One object whose issuer is asked when it is due.
struct Object {
    lookup: Lookup,
    status: ProviderStatus,
    name: String,
    namespace: &'static str,
}

impl Object {
    fn new(namespace: &'static str, name: &str) -> Self {
        Self {
            lookup: Lookup::default(),
            status: ProviderStatus::default(),
            name: name.into(),
            namespace,
        }
    }

    /// Returns whether it reads at this time.
    fn reads(&mut self, of: &Discovery, budget: &mut LookupBudget, now: Timestamp) -> bool {
        let name = (self.name.as_str(), self.namespace);
        self.lookup.step(of, name, &self.status, budget, now) == LookupStep::Read
    }

    fn fails(&mut self, of: &Discovery, now: Timestamp) {
        self.lookup
            .ended(of.clone(), Err(DiscoveryFailure::Hidden), now);
    }
}

#[test]
fn a_suspected_endpoint_is_looked_up_an_hour_after_the_last_read_and_once() {
    let (of, mut budget) = (wanted("https://a.example"), LookupBudget::default());
    let mut object = Object::new("a", "main");
    object.status.endpoints = Some(found("https://a.example", at(0)));
    assert!(!object.reads(&of, &mut budget, at(10)));
    object.lookup.suspect();
    let name = (object.name.as_str(), object.namespace);
    let step = object
        .lookup
        .step(&of, name, &object.status, &mut budget, at(10));
    assert_eq!(step, LookupStep::Rest(at(3600)));
    assert!(object.reads(&of, &mut budget, at(3600)));
    for (second, next) in [(3600, 7200), (7200, 10_800)] {
        let read = Ok(found("https://a.example", at(second)));
        object.lookup.ended(of.clone(), read, at(second));
        assert!(
            !object.reads(&of, &mut budget, at(next)),
            "nothing is suspected"
        );
        object.lookup.suspect();
        assert!(!object.reads(&of, &mut budget, at(next - 1)));
        assert!(object.reads(&of, &mut budget, at(next)));
    }
}

#[test]
fn a_document_is_read_once_a_day_and_a_restart_reads_none() {
    let (of, mut budget) = (wanted("https://a.example"), LookupBudget::default());
    let mut object = Object::new("a", "main");
    let mut reads = Vec::new();
    for second in (0..3 * 86_400).step_by(600) {
        // A process that begins anew knows what is in the status.
        object.lookup = Lookup::default();
        if object.reads(&of, &mut budget, at(second)) {
            reads.push(second);
            object.status.endpoints = Some(found("https://a.example", at(second)));
        }
    }
    assert_eq!(reads.len(), 4, "{reads:?}");
    let gaps = reads.windows(2).map(|pair| pair[1] - pair[0]);
    assert!(
        gaps.clone().all(|gap| (77_760..=87_000).contains(&gap)),
        "{reads:?}"
    );
    // A forged time puts no read off.
    object.status.endpoints = Some(found("https://a.example", at(9_000_000)));
    object.lookup = Lookup::default();
    assert!(object.reads(&of, &mut budget, at(400_000)));
}

#[test]
fn the_reads_after_failures_are_fewer_and_fewer_and_one_that_works_ends_them() {
    let (of, mut budget) = (wanted("https://a.example"), LookupBudget::default());
    let mut object = Object::new("a", "main");
    let mut reads = Vec::new();
    for second in 0..6 * 3600 {
        if object.reads(&of, &mut budget, at(second)) {
            reads.push(second);
            object.fails(&of, at(second));
        }
    }
    assert!((9..=14).contains(&reads.len()), "{reads:?}");
    assert!(reads[1] <= 12, "{reads:?}");
    object.lookup.ended(
        of.clone(),
        Ok(found("https://a.example", at(30_000))),
        at(30_000),
    );
    assert!(!object.reads(&of, &mut budget, at(31_000)));
    let due = object.lookup.due(&of, "main", &object.status, at(31_000));
    assert!(due > at(30_000 + 70_000));
}

#[test]
fn a_re_read_that_fails_keeps_the_endpoints_and_comes_again() {
    let (of, mut budget) = (wanted("https://a.example"), LookupBudget::default());
    let mut object = Object::new("a", "main");
    let known = found("https://a.example", at(0));
    object.status.endpoints = Some(known.clone());
    assert!(object.reads(&of, &mut budget, at(90_000)));
    object.fails(&of, at(90_000));
    assert_eq!(
        object.lookup.endpoints(&of, &object.status, at(90_000)),
        Some(&known)
    );
    assert!(!object.reads(&of, &mut budget, at(90_001)));
    assert!(object.reads(&of, &mut budget, at(90_013)));
}

/// The reads in an hour of objects whose issuers change every second.
fn reads_of_loops(
    namespaces: &[&'static str],
    objects: usize,
    hosts: usize,
) -> BTreeMap<&'static str, usize> {
    let mut budget = LookupBudget::default();
    let mut all: Vec<_> = namespaces
        .iter()
        .flat_map(|namespace| {
            (0..objects).map(|number| Object::new(namespace, &number.to_string()))
        })
        .collect();
    let issuers: Vec<_> = (0..hosts)
        .flat_map(|host| [0, 1].map(|path| wanted(&format!("https://{host}.example/{path}"))))
        .collect();
    let mut reads = BTreeMap::new();
    for second in 0..3600 {
        for (number, object) in all.iter_mut().enumerate() {
            let of = &issuers[(number + usize::try_from(second).unwrap()) % issuers.len()];
            if object.reads(of, &mut budget, at(second)) {
                *reads.entry(object.namespace).or_default() += 1;
                object.fails(of, at(second));
            }
        }
    }
    reads
}

#[test]
fn edits_in_a_loop_make_no_more_requests_than_the_budget_of_their_namespace() {
    let one = reads_of_loops(&["a"], 1, 1)["a"];
    assert!(one <= 361, "{one}");
    let many = reads_of_loops(&["a"], 200, 100)["a"];
    assert!(many <= 610, "{many}");
}

#[test]
fn a_namespace_with_many_providers_does_not_use_up_a_host_that_others_need() {
    let (of, mut budget) = (wanted("https://a.example"), LookupBudget::default());
    let mut greedy: Vec<_> = (0..1000)
        .map(|number| Object::new("greedy", &number.to_string()))
        .collect();
    for object in &mut greedy {
        object.reads(&of, &mut budget, at(0));
    }
    let mut other = Object::new("other", "main");
    assert!(other.reads(&of, &mut budget, at(0)));
    // The cluster's own objects need no place of a namespace.
    let mut of_cluster = Object::new("", "main");
    assert!(of_cluster.reads(&of, &mut budget, at(0)));
}

#[test]
fn an_object_that_has_to_wait_keeps_its_place() {
    let (of, mut budget) = (wanted("https://a.example"), LookupBudget::default());
    let mut objects: Vec<_> = (0..30)
        .map(|number| Object::new("a", &number.to_string()))
        .collect();
    let mut reads = Vec::new();
    for second in 0..300 {
        for (number, object) in objects.iter_mut().enumerate() {
            if object.lookup.last.is_none() && object.reads(&of, &mut budget, at(second)) {
                reads.push(number);
                object.lookup.ended(
                    of.clone(),
                    Ok(found("https://a.example", at(second))),
                    at(second),
                );
            }
        }
    }
    assert_eq!(reads, (0..30).collect::<Vec<_>>());
}

#[test]
fn a_time_in_the_future_neither_repeats_reads_nor_hides_what_was_found() {
    let (of, mut budget) = (wanted("https://a.example"), LookupBudget::default());
    let mut object = Object::new("a", "main");
    let ahead = found("https://a.example", at(9_000_000));
    object.status.endpoints = Some(ahead.clone());
    let known = object.lookup.endpoints(&of, &object.status, at(0));
    assert_eq!(known, Some(&ahead), "there is nothing better");
    let mut reads = 0;
    for second in (0..86_400).step_by(5) {
        if object.reads(&of, &mut budget, at(second)) {
            reads += 1;
            let found = Ok(found("https://a.example", at(second)));
            object.lookup.ended(of.clone(), found, at(second));
        }
        let known = object.lookup.endpoints(&of, &object.status, at(second));
        assert!(known.is_some_and(|known| known.read_at <= at(second)));
    }
    assert!((1..=2).contains(&reads), "{reads}");
}

#[test]
fn a_later_read_of_another_operator_counts_unless_its_clock_is_ahead() {
    let of = wanted("https://a.example");
    let mut object = Object::new("a", "main");
    let own = found("https://a.example", at(0));
    object.lookup.ended(of.clone(), Ok(own.clone()), at(0));
    let other = found("https://a.example", at(3600));
    object.status.endpoints = Some(other.clone());
    let known = |now| object.lookup.endpoints(&of, &object.status, now);
    assert_eq!(known(at(0)), Some(&own));
    assert_eq!(known(at(3540)), Some(&other));
}

#[test]
fn an_issuer_that_changes_while_its_read_waits_costs_the_namespace_a_place_each_time() {
    let issuers = ["https://a.example", "https://b.example"].map(wanted);
    let mut budget = LookupBudget::default();
    // The places of both hosts are taken for two minutes.
    for of in &issuers {
        for number in 0..140 {
            let name = number.to_string();
            Object::new("", &name).reads(of, &mut budget, at(0));
        }
    }
    let places = |budget: &mut LookupBudget| {
        issuers.each_ref().map(|of| {
            let at = budget.of_host(&of.host(), at(0));
            i32::try_from(at.as_second() - 1_700_000_000).unwrap()
        })
    };
    let before = places(&mut budget);
    let mut object = Object::new("a", "main");
    for second in 0..60 {
        let of = &issuers[usize::try_from(second % 2).unwrap()];
        assert!(!object.reads(of, &mut budget, at(second)));
    }
    let after = places(&mut budget);
    let taken: i32 = (0..2).map(|host| after[host] - before[host] - 1).sum();
    assert!(taken <= 10 + 10, "{taken}");
}

#[test]
fn where_details_are_hidden_only_another_real_failure_is_another() {
    let of = wanted("https://a.example");
    let mut lookup = Lookup::new(true);
    let status = |status| {
        let error = crate::oauth::discovery::DiscoveryError::Status { status };
        DiscoveryFailure::Metadata(crate::oauth::error::MetadataError::Document(error))
    };
    for (failure, is_another) in [(503, true), (503, false), (404, true)] {
        let ended = lookup.ended(of.clone(), Err(status(failure)), at(0));
        assert_eq!(ended, is_another, "{failure}");
        let shown = lookup.failure(&of).map(|(failure, _)| failure);
        assert_eq!(shown, Some(&DiscoveryFailure::Hidden));
    }
}

#[test]
fn after_a_clock_was_set_back_no_read_waits_as_long_as_it_was_ahead() {
    let day = 86_400;
    let (of, other) = (wanted("https://a.example"), wanted("https://b.example"));
    let mut budget = LookupBudget::default();
    for number in 0..140 {
        Object::new("a", &number.to_string()).reads(&of, &mut budget, at(day));
    }
    let mut waits = Object::new("a", "waits");
    assert!(!waits.reads(&of, &mut budget, at(day)));
    let mut failed = Object::new("b", "failed");
    let failure = DiscoveryFailure::Hidden;
    failed.lookup.ended(of.clone(), Err(failure), at(day));
    let mut changed = Object::new("c", "changed");
    changed
        .lookup
        .ended(other, Ok(found("https://b.example", at(day))), at(day));
    for object in [&mut waits, &mut failed, &mut changed] {
        assert!(object.reads(&of, &mut budget, at(0)));
    }
}
