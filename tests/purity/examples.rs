//! Small sources on which the rules hold or fail.

use crate::{
    circles::{circles, report},
    imports::{Import, imports},
    layers::violations,
    sources::Sources,
};

fn sources(files: &[(&str, &str)]) -> Sources {
    let with_root = files.iter().chain(&[("src/lib.rs", "")]);
    Sources::of(with_root.map(|(path, text)| ((*path).to_owned(), (*text).to_owned())))
}

/// Which file takes what from which, one sentence each.
fn sentences(files: &[(&str, &str)]) -> Vec<String> {
    let imports = imports(&sources(files));
    imports.iter().map(Import::sentence).collect()
}

const A: (&str, &str) = ("src/a.rs", "pub struct A; pub fn make() -> A { A }");

#[test]
fn a_use_names_the_file_that_defines_its_item() {
    for text in [
        "use crate::a::A;",
        "use super::a::A;",
        "use crate::{a::{A}, b};",
        "use crate::a::{self, A};",
        "use crate::a::A as Other;",
        "pub use crate::a::A;",
        "fn f() { use crate::a::A; }",
        "mod inner { use super::super::a::A; }",
        "mod inner { use crate::a::A; }",
    ] {
        let found = sentences(&[A, ("src/b.rs", text)]);
        assert_eq!(found, ["src/b.rs takes A from src/a.rs"], "{text}");
    }
}

#[test]
fn a_path_in_the_code_is_an_import_too() {
    for text in [
        "fn f() { crate::a::make(); }",
        "fn f() { super::a::make(); }",
        "use super::a; fn f() { a::make(); }",
        "use super::a as other; fn f() { other::make(); }",
        "fn f() -> String { format!(\"{}\", crate::a::make()) }",
        "use super::a; fn f() { assert_eq!(Vec::<u8>::new(), [a::make()]); }",
        "#[derive(Default)] struct B { #[arg(default_value_t = crate::a::make())] a: u8 }",
        "mod inner { fn f() { super::super::a::make(); } }",
    ] {
        let found = sentences(&[A, ("src/b.rs", text)]);
        assert_eq!(found, ["src/b.rs takes make from src/a.rs"], "{text}");
    }
    let glob = sentences(&[A, ("src/b.rs", "use super::a::*;")]);
    assert_eq!(glob, ["src/b.rs takes * from src/a.rs"]);
}

#[test]
fn what_takes_nothing_from_another_file_is_no_import() {
    for text in [
        "use std::fmt; use a::A; fn f() { serde::a::make(); }",
        "use rustls; fn f() { rustls::a(); }",
        "use super::a;",
        "/// [`crate::a::A`]\npub(in crate::a) struct B; // crate::a::A",
        "fn a() {} fn f() { let a = a(); a.make(); }",
        "struct B; impl B { fn a(&self) { Self::a(self); self::inner::g(); } } mod inner { pub fn g() {} }",
    ] {
        let found = sentences(&[A, ("src/b.rs", text)]);
        assert_eq!(found, Vec::<String>::new(), "{text}");
    }
}

#[test]
fn an_import_through_a_face_comes_from_the_file_behind_it() {
    let face = [
        (
            "src/room.rs",
            "mod door; mod wall; pub use door::{door, Handle as Knob}; pub use wall::*; pub const SIZE: u8 = 1;",
        ),
        ("src/room/door.rs", "pub fn door() {} pub struct Handle;"),
        ("src/room/wall.rs", "pub struct Brick;"),
    ];
    for (text, found) in [
        (
            "use crate::room::door;",
            "src/user.rs takes door from src/room/door.rs",
        ),
        (
            "use crate::room::Knob;",
            "src/user.rs takes Handle from src/room/door.rs",
        ),
        (
            "use crate::room::Brick;",
            "src/user.rs takes Brick from src/room/wall.rs",
        ),
        (
            "use crate::room::SIZE;",
            "src/user.rs takes SIZE from src/room.rs",
        ),
        (
            "use crate::room; fn f() { room::door(); }",
            "src/user.rs takes door from src/room/door.rs",
        ),
    ] {
        let mut files = face.to_vec();
        files.push(("src/user.rs", text));
        assert_eq!(sentences(&files), [found], "{text}");
    }
}

#[test]
fn a_parent_that_uses_what_it_shows_is_no_face() {
    let child = ("src/room/door.rs", "pub fn door() {}");
    for text in [
        "mod door; use door::door;",
        "mod door; pub use door::door; fn f() { door(); }",
        "mod door; fn f() { door::door(); }",
    ] {
        let found = sentences(&[("src/room.rs", text), child]);
        assert_eq!(
            found,
            ["src/room.rs takes door from src/room/door.rs"],
            "{text}"
        );
    }
}

#[test]
fn a_program_uses_the_library_by_its_name() {
    let found = sentences(&[
        A,
        (
            "src/main.rs",
            "use cube_operator::a::A; fn f() { crate::g(); } fn g() {}",
        ),
        ("src/bin/other.rs", "fn f() { cube_operator::a::make(); }"),
    ]);
    assert_eq!(
        found,
        [
            "src/bin/other.rs takes make from src/a.rs",
            "src/main.rs takes A from src/a.rs",
        ]
    );
}

#[test]
fn tests_may_import_what_they_like() {
    let text = "#[cfg(test)] use crate::a::A; #[cfg(all(test, unix))] fn f() { crate::a::make(); }
        #[cfg(test)] mod examples; #[cfg(test)] mod inner { use crate::a::A; }
        struct B; impl B { #[cfg(test)] fn g() { crate::a::make(); } }";
    let found = sentences(&[
        A,
        ("src/b.rs", text),
        ("src/b/tests.rs", "use crate::a::A;"),
        ("src/b/tests/world.rs", "use crate::a::A;"),
        ("src/b/examples.rs", "use crate::a::A;"),
        ("src/b/examples/more.rs", "use crate::a::A;"),
    ]);
    assert_eq!(found, Vec::<String>::new());
    let shipped = "#[cfg(any(test, unix))] use crate::a::A; #[cfg(not(test))] use crate::a::make;";
    let found = sentences(&[A, ("src/b.rs", shipped)]);
    assert_eq!(found, ["src/b.rs takes A, make from src/a.rs"]);
}

#[test]
fn a_circle_is_reported_with_the_whole_way_around() {
    let sources = sources(&[
        ("src/a.rs", "use crate::b::B; pub struct A;"),
        ("src/b.rs", "use crate::c::{C, E}; pub struct B;"),
        (
            "src/c.rs",
            "use crate::d::D; fn f() { crate::a::A; } pub struct C; pub struct E;",
        ),
        ("src/d.rs", "pub struct D;"),
    ]);
    let imports = imports(&sources);
    assert_eq!(
        report(&circles(&imports)),
        "3 files import each other in a circle:\n  \
         src/a.rs takes B from src/b.rs\n  \
         src/b.rs takes C, E from src/c.rs\n  \
         src/c.rs takes A from src/a.rs\n"
    );
}

#[test]
fn the_shortest_way_around_a_circle_is_shown() {
    let sources = sources(&[
        ("src/a.rs", "use crate::b::B; pub struct A;"),
        ("src/b.rs", "use crate::c::C; pub struct B;"),
        (
            "src/c.rs",
            "use crate::{a::A, d::D}; pub struct C; pub struct E;",
        ),
        ("src/d.rs", "use crate::c::E; pub struct D;"),
    ]);
    let imports = imports(&sources);
    assert_eq!(
        report(&circles(&imports)),
        "4 files import each other in a circle:\n  \
         src/c.rs takes D from src/d.rs\n  \
         src/d.rs takes E from src/c.rs\n"
    );
}

#[test]
fn files_without_a_circle_have_none() {
    let sources = sources(&[
        ("src/a.rs", "use crate::{b::B, c::C};"),
        ("src/b.rs", "use crate::c::C; pub struct B;"),
        ("src/c.rs", "pub struct C;"),
    ]);
    assert_eq!(report(&circles(&imports(&sources))), "");
}

/// The violations of these files against the rows `top`, `left` beside `right`, and `bottom`.
fn violated(files: &[(&str, &str)]) -> Vec<String> {
    let layers: &[&[&str]] = &[
        &["src/top.rs", "src/lib.rs"],
        &["src/left", "src/right"],
        &["src/left/base"],
        &["src/bottom"],
    ];
    let all = [
        ("src/top.rs", ""),
        ("src/left.rs", "pub struct Left;"),
        ("src/right.rs", "pub struct Right;"),
        ("src/left/base.rs", "pub struct Base;"),
        ("src/bottom.rs", "mod floor; mod tile;"),
        ("src/bottom/floor.rs", "pub struct Floor;"),
        ("src/bottom/tile.rs", "pub struct Tile;"),
    ];
    let kept = |(path, _): &&(&str, &str)| !files.iter().any(|(other, _)| path == other);
    let all: Vec<_> = all.iter().filter(kept).chain(files).copied().collect();
    let sources = sources(&all);
    violations(layers, &sources.files(), &imports(&sources))
}

#[test]
fn an_import_that_runs_downwards_or_within_a_room_is_allowed() {
    let found = violated(&[
        (
            "src/top.rs",
            "use crate::{left::Left, bottom::floor::Floor};",
        ),
        (
            "src/left.rs",
            "use crate::{left::base::Base, bottom::tile::Tile}; pub struct Left;",
        ),
        (
            "src/bottom/tile.rs",
            "use super::floor::Floor; pub struct Tile;",
        ),
    ]);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn an_import_that_runs_upwards_or_sideways_is_a_violation() {
    for (path, text, found) in [
        (
            "src/bottom/tile.rs",
            "use crate::left::base::Base;",
            "src/bottom/tile.rs takes Base from src/left/base.rs: src/left/base is not below src/bottom",
        ),
        (
            "src/left/base.rs",
            "use super::Left; pub struct Base;",
            "src/left/base.rs takes Left from src/left.rs: src/left is not below src/left/base",
        ),
        (
            "src/right.rs",
            "fn f() { crate::left::Left; }",
            "src/right.rs takes Left from src/left.rs: src/left is not below src/right",
        ),
    ] {
        assert_eq!(violated(&[(path, text)]), [found]);
    }
}

#[test]
fn a_file_without_a_row_and_a_row_without_a_file_are_violations() {
    let found = violated(&[("src/topping.rs", ""), ("src/top/sub.rs", "")]);
    assert_eq!(
        found,
        [
            "src/top/sub.rs has no row in LAYERS",
            "src/topping.rs has no row in LAYERS",
        ]
    );
    let layers: &[&[&str]] = &[&["src/a", "src/lib.rs"], &["src/gone"]];
    let sources = sources(&[("src/a.rs", "")]);
    let found = violations(layers, &sources.files(), &imports(&sources));
    assert_eq!(found, ["src/gone in LAYERS has no file"]);
}
