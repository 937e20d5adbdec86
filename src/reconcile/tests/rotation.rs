//! A stored refresh token. Its histories are in `tests/simulation`.

use secrecy::SecretString;

use super::world::{UID, World, seconds};
use crate::reconcile::{
    Action, Content, Next, Outcome, Read, Source, SourceSecret, SourceValue, StateReading,
    StoredLogin, Target, TargetSecret, absorb, decide,
    source::preflight,
    target::DesiredMetadata,
    token::{Token, TokenInputs, TokenMetadata},
};

#[test]
fn a_target_that_is_gone_before_the_watch_tells_is_restored_without_claiming_the_refresh_token() {
    let mut world = World::new();
    world.spec = serde_json::from_value(serde_json::json!({
        "provider": "CubeSoftware", "clientSecretRef": {"name": "client"},
        "grant": "RefreshToken", "refreshTokenRef": {"name": "seed"},
    }))
    .unwrap();
    let (mut observed, now) = (world.observe(), world.now);
    let login = SecretString::from("S3CRET-seed");
    let settings = observed.settings.clone().unwrap();
    let source = world.read(Read::source(&settings, &observed.source), &observed);
    absorb(&mut observed, source, now);
    observed.seed = Source::Read(SourceSecret {
        version: "7".into(),
        token_hosts: None,
        values: SourceValue::Text(login.clone()),
    });
    let settings = observed.settings.clone().unwrap();
    let client = preflight::client(&settings, &observed.source).unwrap();
    let token = SecretString::from("S3CRET-token");
    let metadata = TokenMetadata {
        owner_uid: "predecessor".into(),
        issued_at: now,
        expires_at: now + seconds(3600),
        inputs_hash: TokenInputs::new(&settings, &client).hash(&token),
        generation: 1,
        source_version: "1".into(),
        seed_version: Some("7".into()),
        rotation: Some(1),
        refresh_request: None,
        scopes: Vec::new(),
    };

    let wanted = DesiredMetadata::new(&observed.credential, &settings, &metadata);
    observed.target = Target::Present(TargetSecret {
        name: settings.target_name.clone(),
        uid: "target".into(),
        version: "5".into(),
        labels: wanted.labels,
        annotations: wanted.annotations,
        owners: Vec::new(),
        owner_lives: false,
        owner_wants_it: false,
        content: Content::Confirmed("0badcafe".into()),
    });
    let stored = StoredLogin::begin(&login, Some("7".into()), None).succeeded(
        Some("S3CRET-next".into()),
        Some(Token {
            value: token,
            metadata,
        }),
        None,
    );
    let state = StateReading {
        uid: "state".into(),
        version: "6".into(),
        owners: vec![UID.into()],
        data: Some(stored.data()),
    };
    absorb(&mut observed, Outcome::State(Some(state)), now);
    absorb(&mut observed, Outcome::Target(None), now);
    let Next::Act(action) = decide(&observed, now).next else {
        panic!("there is something to do");
    };
    assert!(matches!(*action, Action::Publish(_)), "{action:?}");
}
