//! What Composer makes of a version, compared as the manual of PHP says of `version_compare`.

use std::cmp::Ordering;

use fathom_version::Scheme;

use crate::check;
use crate::random::Random;

#[derive(Clone, Copy)]
enum Part {
    Number(u64),
    /// dev < alpha < beta < RC < number < patch.
    Name(usize),
}

const NAMES: [&[&str]; 6] = [
    &["dev"],
    &["alpha", "a", "Alpha"],
    &["beta", "b", "BETA"],
    &["RC", "rc"],
    &[],
    &["patch", "pl", "p", "PL"],
];

/// What a number is among the names.
const NUMBER: usize = 4;

fn version(random: &mut Random) -> (String, Vec<Part>) {
    let mut parts: Vec<Part> = (0..=random.below(4))
        .map(|_| Part::Number(random.one_of(&[0, 0, 1, 2, 10, 99999])))
        .collect();
    let mut text = random.one_of(&["", "v", "V"]).to_owned();
    text += &text_of(&parts);
    parts.resize(4, Part::Number(0));
    match random.below(3) {
        0 => {
            let name = random.one_of(&[1, 2, 3, 5]);
            parts.push(Part::Name(name));
            text += random.one_of(&["", ".", "-", "_"]);
            text += random.one_of(NAMES[name]);
            for at in 0..random.below(3) {
                let number = random.one_of(&[0, 1, 2, 10]);
                text += random.one_of(&if at == 0 { ["", ".", "-"] } else { [".", ".", "-"] });
                text += &number.to_string();
                parts.push(Part::Number(number));
            }
        }
        1 if random.once_in(2) => {
            text += random.one_of(&["-stable", ".stable1", "stable-dev"]);
            return (text, parts);
        }
        _ => {}
    }
    if random.once_in(4) {
        text += random.one_of(&["-dev", "dev", ".DEV"]);
        parts.push(Part::Name(0));
    }
    text += random.one_of(&["", "", "+build.1"]);
    (text, parts)
}

fn text_of(parts: &[Part]) -> String {
    let text = |part: &Part| match part {
        Part::Number(number) => number.to_string(),
        Part::Name(name) => NAMES[*name][0].to_owned(),
    };
    parts.iter().map(text).collect::<Vec<_>>().join(".")
}

fn compare(one: &[Part], other: &[Part]) -> Ordering {
    for at in 0..one.len().max(other.len()) {
        let rank = |part: Part| match part {
            Part::Number(_) => NUMBER,
            Part::Name(name) => name,
        };
        let order = match (one.get(at).copied(), other.get(at).copied()) {
            (Some(Part::Number(one)), Some(Part::Number(other))) => one.cmp(&other),
            (Some(one), Some(other)) => rank(one).cmp(&rank(other)),
            (Some(Part::Number(_)), None) => Ordering::Greater,
            (None, Some(Part::Number(_))) => Ordering::Less,
            (one, other) => one.map_or(NUMBER, rank).cmp(&other.map_or(NUMBER, rank)),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

#[test]
fn packagist_as_composer() {
    let mut random = Random::new();
    let mut last = version(&mut random);
    for _ in 0..50_000 {
        let mut next = version(&mut random);
        // The interesting ones differ late.
        while !random.once_in(5) && compare(&next.1[..2], &last.1[..2]) != Ordering::Equal {
            next = version(&mut random);
        }
        check(Scheme::Packagist, &last.0, &next.0, compare(&last.1, &next.1));
        last = next;
    }
}
