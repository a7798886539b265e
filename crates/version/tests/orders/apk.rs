//! The rules of apk 3, on versions put together from their parts.

use std::cmp::Ordering;

use fathom_version::Scheme;

use crate::random::Random;
use crate::{by_number, check};

/// What a version is made of, in the order in which what differs is older: where two versions part,
/// the one that goes on with a later kind is the older one.
#[derive(Clone, PartialEq)]
enum Token {
    First(String),
    Number(String),
    Letter(char),
    Suffix(usize),
    SuffixNumber(String),
    Hash(String),
    Revision(String),
    End,
}

const SUFFIXES: [&str; 10] = ["alpha", "beta", "pre", "rc", "", "cvs", "svn", "git", "hg", "p"];

/// What stands for a version without a suffix.
const NONE: usize = 4;

fn rank(token: &Token) -> usize {
    match token {
        Token::First(_) => 0,
        Token::Number(_) => 1,
        Token::Letter(_) => 2,
        Token::Suffix(_) => 3,
        Token::SuffixNumber(_) => 4,
        Token::Hash(_) => 5,
        Token::Revision(_) => 6,
        Token::End => 7,
    }
}

fn version(random: &mut Random) -> Vec<Token> {
    const NUMBERS: [&str; 9] = ["0", "1", "2", "10", "9", "00", "01", "019", "0102"];
    let number = |random: &mut Random| random.one_of(&NUMBERS).to_owned();
    let mut tokens = vec![Token::First(number(random))];
    for _ in 0..random.below(3) {
        tokens.push(Token::Number(number(random)));
    }
    if random.once_in(4) {
        tokens.push(Token::Letter(random.one_of(&['a', 'b', 'z'])));
    }
    for _ in 0..random.below(3) {
        let suffix = random.below(SUFFIXES.len());
        if suffix != NONE {
            tokens.push(Token::Suffix(suffix));
            if random.once_in(2) {
                tokens.push(Token::SuffixNumber(number(random)));
            }
        }
    }
    if random.once_in(6) {
        tokens.push(Token::Hash(random.one_of(&["0", "0a", "ab", "b"]).to_owned()));
    }
    if random.once_in(2) {
        tokens.push(Token::Revision(number(random)));
    }
    tokens
}

fn text(tokens: &[Token]) -> String {
    let text = |token: &Token| match token {
        Token::First(number) | Token::SuffixNumber(number) => number.clone(),
        Token::Number(number) => format!(".{number}"),
        Token::Letter(letter) => letter.to_string(),
        Token::Suffix(suffix) => format!("_{}", SUFFIXES[*suffix]),
        Token::Hash(hash) => format!("~{hash}"),
        Token::Revision(number) => format!("-r{number}"),
        Token::End => String::new(),
    };
    tokens.iter().map(text).collect()
}

fn compare(one: &[Token], other: &[Token]) -> Ordering {
    for at in 0.. {
        let token = |tokens: &[Token]| tokens.get(at).cloned().unwrap_or(Token::End);
        let (a, b) = (token(one), token(other));
        let order = match (&a, &b) {
            (Token::End, Token::End) => return Ordering::Equal,
            (Token::Number(a), Token::Number(b)) if a.starts_with('0') || b.starts_with('0') => {
                a.cmp(b)
            }
            (Token::First(a), Token::First(b))
            | (Token::Number(a), Token::Number(b))
            | (Token::SuffixNumber(a), Token::SuffixNumber(b))
            | (Token::Revision(a), Token::Revision(b)) => by_number(a, b),
            (Token::Letter(a), Token::Letter(b)) => a.cmp(b),
            (Token::Suffix(a), Token::Suffix(b)) => a.cmp(b),
            (Token::Hash(a), Token::Hash(b)) => a.cmp(b),
            (Token::Suffix(suffix), _) if *suffix < NONE => Ordering::Less,
            (_, Token::Suffix(suffix)) if *suffix < NONE => Ordering::Greater,
            (a, b) => rank(b).cmp(&rank(a)),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

#[test]
fn apk_by_its_parts() {
    let mut random = Random::new();
    for _ in 0..50_000 {
        let one = version(&mut random);
        let mut other = version(&mut random);
        if random.once_in(2) {
            // The interesting ones differ late.
            other = one.clone();
            other.truncate(1 + random.below(one.len()));
            let is_open = matches!(other.last(), Some(Token::First(_) | Token::Number(_)));
            if is_open {
                other.extend(version(&mut random).split_off(1));
            }
        }
        check(Scheme::Apk, &text(&one), &text(&other), compare(&one, &other));
    }
}
