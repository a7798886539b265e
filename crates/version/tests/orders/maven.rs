//! `ComparableVersion`: lists within lists.

use std::cmp::Ordering;

use fathom_version::Scheme;

use crate::random::Random;
use crate::{by_number, check};

const PIECES: [&str; 28] = [
    "0",
    "0",
    "0",
    "1",
    "01",
    "10",
    "12345678901",
    ".",
    ".",
    "-",
    "-",
    "a",
    "b",
    "m",
    "alpha",
    "beta",
    "milestone",
    "rc",
    "cr",
    "snapshot",
    "ga",
    "final",
    "release",
    "sp",
    "foo",
    "x",
    "_",
    "Final",
];

enum Item {
    Number(String),
    Word(String),
    List(Vec<Item>),
}

/// The items of a version; every list is the last item of the one that it is in.
fn parse(version: &str) -> Vec<Item> {
    let version = version.to_lowercase();
    let mut lists = vec![Vec::new()];
    let mut rest = version.as_str();
    while let Some(first) = rest.chars().next() {
        let is_digits = first.is_ascii_digit();
        let is_other = |c: char| matches!(c, '.' | '-') || c.is_ascii_digit() != is_digits;
        let (piece, behind) = rest.split_at(rest.find(is_other).unwrap_or(rest.len()));
        let next = behind.chars().next();
        let becomes_digits = next.is_some_and(|c| c.is_ascii_digit());
        let list = lists.last_mut().expect("there is a list at least");
        if piece.is_empty() {
            list.push(Item::Number(String::from("0")));
        } else if is_digits {
            list.push(Item::Number(piece.to_owned()));
        } else {
            let is_split = next.is_none() || becomes_digits;
            let word = Item::Word(match piece {
                "a" if becomes_digits => String::from("alpha"),
                "b" if becomes_digits => String::from("beta"),
                "m" if becomes_digits => String::from("milestone"),
                "cr" => String::from("rc"),
                "ga" | "final" | "release" => String::new(),
                piece => piece.to_owned(),
            });
            if is_split && !list.is_empty() {
                lists.push(vec![word]);
            } else {
                list.push(word);
            }
        }
        match next {
            Some('.') => rest = &behind[1..],
            Some('-') => {
                rest = &behind[1..];
                lists.push(Vec::new());
            }
            Some(_) => {
                rest = behind;
                lists.push(Vec::new());
            }
            None => rest = "",
        }
    }
    let mut inner: Vec<Item> = Vec::new();
    while let Some(mut list) = lists.pop() {
        while list.last().is_some_and(|item| item.sign() == Ordering::Equal) {
            list.pop();
        }
        if !inner.is_empty() {
            list.push(Item::List(inner));
        }
        inner = list;
    }
    inner
}

/// The order of a qualifier; all that are not known come last.
fn rank(word: &str) -> (usize, &str) {
    let known = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];
    match known.iter().position(|name| *name == word) {
        Some(rank) => (rank, ""),
        None => (known.len(), word),
    }
}

impl Item {
    /// The order of the item and nothing.
    fn sign(&self) -> Ordering {
        match self {
            Self::Number(digits) => by_number(digits, "0"),
            Self::Word(word) => rank(word).cmp(&rank("")),
            Self::List(items) => sign(items),
        }
    }
}

fn sign(items: &[Item]) -> Ordering {
    items.iter().map(Item::sign).fold(Ordering::Equal, Ordering::then)
}

/// The order, and whether it contradicts that of both and a version that ends here.
fn compare(one: &[Item], other: &[Item]) -> (Ordering, bool) {
    let kind = |item: &Item| match item {
        Item::Word(_) => 0,
        Item::List(_) => 1,
        Item::Number(_) => 2,
    };
    for at in 0..one.len().max(other.len()) {
        let (order, is_contradiction) = match (one.get(at), other.get(at)) {
            (Some(Item::List(one)), Some(Item::List(other))) => compare(one, other),
            (Some(a), Some(b)) => {
                let order = match (a, b) {
                    (Item::Number(a), Item::Number(b)) => by_number(a, b),
                    (Item::Word(a), Item::Word(b)) => rank(a).cmp(&rank(b)),
                    (a, b) => kind(a).cmp(&kind(b)),
                };
                (order, sign(&one[at..]).cmp(&sign(&other[at..])) == order.reverse())
            }
            (one, other) => {
                let sign = |item: Option<&Item>| item.map_or(Ordering::Equal, Item::sign);
                (sign(one).cmp(&sign(other)), false)
            }
        };
        if order != Ordering::Equal {
            return (order, is_contradiction);
        }
    }
    (Ordering::Equal, false)
}

#[test]
fn maven_by_its_lists() {
    let (mut random, mut contradictions) = (Random::new(), 0);
    for _ in 0..50_000 {
        let (one, other) = random.pair(&["1", "1.0", "1-", "1.2.3", "1.0.0."], &PIECES);
        let (order, is_contradiction) = compare(&parse(&one), &parse(&other));
        // Where Maven contradicts itself, what makes older comes before what makes newer.
        let order = if is_contradiction { order.reverse() } else { order };
        contradictions += u32::from(is_contradiction);
        check(Scheme::Maven, &one, &other, order);
    }
    assert!((1..1000).contains(&contradictions), "{contradictions} contradictions");
}
