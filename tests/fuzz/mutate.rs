//! Changes to an input, as a fuzzer makes them, but from a seed alone.

use fastrand::Rng;

/// What the parsers under test know, and what they stumble over.
const WORDS: [&str; 40] = [
    "\n",
    "\n\n",
    "\r\n",
    "\t",
    "\0",
    " ",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "\u{feff}",
    "é",
    "%",
    "%2F",
    "%00",
    "+",
    "&",
    "=",
    "/",
    ":",
    "@",
    "?",
    "#",
    ",",
    ".",
    "..",
    "-",
    "{",
    "}",
    "[",
    "]",
    "null",
    "-1",
    "0",
    "1e999",
    "9223372036854775807",
    "true",
    ":443",
    "https://",
    "-----",
];

/// An input of the corpus, changed in one to four places.
pub(crate) fn mutated(corpus: &[Vec<u8>], random: &mut Rng) -> Vec<u8> {
    let mut input = random.choice(corpus).cloned().unwrap_or_default();
    for _ in 0..random.usize(1..=4) {
        let at = random.usize(0..=input.len());
        let end = (at + random.usize(0..=8)).min(input.len());
        let new = match random.u8(0..5) {
            0 => vec![],
            1 => vec![random.u8(..)],
            2 => random.choice(WORDS).unwrap_or_default().into(),
            3 => input[at..end].repeat(random.usize(1..40)),
            _ => part_of_another(corpus, random),
        };
        let end = if random.bool() { at } else { end };
        input.splice(at..end, new);
    }
    input
}

/// An input of the corpus in which a short piece is repeated until the whole is this long.
pub(crate) fn swollen(corpus: &[Vec<u8>], length: usize, random: &mut Rng) -> Vec<u8> {
    let mut input = random.choice(corpus).cloned().unwrap_or_default();
    let at = random.usize(0..=input.len());
    let piece = if random.bool() {
        random.choice(WORDS).unwrap_or_default().into()
    } else {
        input[at..(at + random.usize(1..=40)).min(input.len())].to_owned()
    };
    let times = length.saturating_sub(input.len()) / piece.len().max(1);
    input.splice(at..at, piece.repeat(times));
    input
}

fn part_of_another(corpus: &[Vec<u8>], random: &mut Rng) -> Vec<u8> {
    let other = random.choice(corpus).map(Vec::as_slice).unwrap_or_default();
    let start = random.usize(0..=other.len());
    other[start..random.usize(start..=other.len())].to_owned()
}
