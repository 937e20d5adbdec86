//! A backup in files, and a restore from them.

use crate::{
    environment::{TokenServer, directory},
    login::{Login, STATE},
    operator::eventually,
};

use super::{Recipe, Shell};

#[test]
fn a_namespace_is_restored_from_the_files_of_the_page_and_its_login_continues() {
    let place = Login::at(TokenServer::shared());
    let _operator = place.operator();
    let seed = place.begin();
    place.refresh("before");
    let Recipe(commands) = Recipe::of("operations.md", "Back up and restore").for_main(&place);
    let [backup, restore] = commands.as_slice() else {
        panic!("{commands:?}");
    };
    let files = directory("backup");
    let shell = Shell {
        plane: place.plane,
        directory: files.to_str().unwrap(),
    };

    shell.run(backup, "");
    let modes = shell.run("stat -c %a *.json", "");
    assert_eq!(
        modes,
        "600\n".repeat(6),
        "only their owner can read the files"
    );
    place.kubectl(&["delete", "cubecredential", "main"]);
    place.kubectl(&["delete", "secret", "client", "seed", STATE]);
    eventually("the target is collected", || {
        place.get("secret", "main-token").is_none().then_some(())
    });
    shell.run(restore, "");
    place.wait_until_good();
    place.refresh("after");
    place.assert_unbroken(&seed, 3);
}
