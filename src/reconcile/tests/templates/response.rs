//! Templates and the response: fields that it lacks, and fields that are kept of it.

use super::*;

#[test]
fn a_template_that_is_wrong_costs_no_token_request_and_no_token() {
    let mut world = World::new();
    world.template("header", "{% for x in y %}");
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    let refused = (ConditionStatus::False, "TemplateInvalid".to_owned());
    assert_eq!(world.ready_is(), refused);

    let mut world = rendered();
    world.template("header", "{% for x in y %}");
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    assert_eq!(world.refreshed_is(), refused);
    let message = world.message(ConditionType::Refreshed);
    assert!(message.contains("\"header\""), "{message}");
    world.pass(seconds(3600));
    assert_eq!((world.costs.exchanges, world.ready_is()), (0, refused));
}

#[test]
fn a_field_that_the_response_lacks_costs_one_token_request_and_no_second_one() {
    let mut world = World::new();
    world.template("all", COMPANY);
    world.settle();
    let refused = (ConditionStatus::False, "TemplateInvalid".to_owned());
    assert_eq!((world.costs.exchanges, world.ready_is()), (1, refused));
    for _ in 0..3 {
        world.restart();
        world.pass(seconds(4000));
        world.settle();
    }
    assert_eq!(world.costs.exchanges, 1);

    // A person knows that the next response is another one.
    world.respond_with(json!({"company_id": 7}));
    world.request = Some("again".into());
    world.settle();
    assert_eq!(world.costs.exchanges, 2);
    assert_eq!(world.data(), [("all", "7 S3CRET-token-1")]);
    assert!(world.is_ready());
}

#[test]
fn another_template_makes_use_of_the_token_that_the_first_one_could_not_render() {
    let mut world = World::new();
    world.template("all", COMPANY);
    world.settle();
    world.restart();
    world.template("header", HEADER);
    world.settle();
    assert_eq!(world.costs.exchanges, 1);
    assert!(world.is_ready());
}

#[test]
fn a_response_that_lacks_a_field_once_leaves_the_old_target_until_the_next_one() {
    for login in [false, true] {
        let mut world = if login {
            World::signed_in()
        } else {
            World::new()
        };
        world.respond_with(json!({"company_id": 7}));
        world.template("all", COMPANY);
        world.settle();
        assert!(world.is_ready());
        let exchanges = world.costs.exchanges;
        world.respond_with(json!({}));
        world.wake();
        assert_eq!(world.data()[0].1.chars().next(), Some('7'));
        assert_eq!(world.refreshed_is().1, "TemplateInvalid");
        assert_eq!(world.ready_is().0, ConditionStatus::True);
        world.settle();
        assert_eq!(world.costs.exchanges, exchanges + 1);
        world.respond_with(json!({"company_id": 8}));
        world.pass(seconds(3600));
        assert_eq!(world.costs.exchanges, exchanges + 2);
        assert_eq!(world.data()[0].1.chars().next(), Some('8'));
        assert!(world.is_ready());
    }
}

#[test]
fn templates_that_come_later_use_what_the_response_said() {
    let mut world = World::signed_in();
    world.respond_with(json!({"company_id": 7}));
    world.settle();
    world.restart();
    world.template("all", COMPANY);
    let costs = world.cost_of(World::settle);
    assert_eq!(costs.exchanges, 0);
    assert_eq!(world.data()[0].1.chars().next(), Some('7'));

    // Nothing keeps a response of client credentials before a template names it.
    let mut world = World::ready();
    world.respond_with(json!({"company_id": 7}));
    world.template("all", COMPANY);
    let costs = world.cost_of(World::settle);
    assert_eq!(costs.exchanges, 1);
    assert_eq!(world.data(), [("all", "7 S3CRET-token-1")]);
}

#[test]
fn an_id_token_is_kept_only_where_a_template_names_it() {
    for (template, kept) in [(COMPANY, false), ("{{ response.id_token }}-1", true)] {
        for mut world in [World::new(), World::signed_in()] {
            world.respond_with(json!({"company_id": 7, "id_token": "S3CRET-id"}));
            world.template("all", template);
            world.settle();
            assert!(world.is_ready());
            let found = world.cluster.secrets.iter().any(|(name, secret)| {
                name != TARGET
                    && secret
                        .data
                        .values()
                        .any(|value| value.contains("S3CRET-id"))
            });
            assert_eq!(found, kept, "{template}");
        }
    }
}

#[test]
fn other_inputs_release_a_template_that_the_last_response_did_not_fit() {
    let mut world = World::new();
    world.template("all", COMPANY);
    world.settle();
    assert_eq!(world.ready_is().1, "TemplateInvalid");
    world.respond_with(json!({"company_id": 7}));
    world.edit_spec(|spec| spec.scopes = vec!["openid".into()]);
    world.settle();
    assert_eq!(world.data(), [("all", "7 S3CRET-token-1")]);
    assert!(world.is_ready());

    // A template and the endpoint whose responses fit it, in one edit.
    let mut world = rendered();
    world.respond_with(json!({"company_id": 7}));
    world.edit_spec(|spec| spec.token_url = Some("https://elsewhere.example/".into()));
    world.template("all", COMPANY);
    world.settle();
    assert_eq!(world.data(), [("all", "7 S3CRET-token-1")]);
    assert!(world.is_ready());
}

#[test]
fn a_template_that_begins_to_name_the_id_token_requests_one_token() {
    for mut world in [rendered(), rendered_login()] {
        world.respond_with(json!({"id_token": "S3CRET-id"}));
        world.wake();
        world.template("id", "{{ response.id_token }}-{{ access_token }}");
        let costs = world.cost_of(World::settle);
        assert_eq!(costs.exchanges, 1);
        assert!(world.is_ready(), "{:?}", world.status);
        assert!(world.data()[0].1.starts_with("S3CRET-id-"));

        // A response without one is not asked for again.
        world.respond_with(json!({}));
        world.wake();
        assert_eq!(world.cost_of(World::settle).exchanges, 0);
    }
}
