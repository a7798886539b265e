//! The summary of PEP 440, on versions put together from their parts in all spellings.

use fathom_version::Scheme;

use crate::check;
use crate::random::Random;

/// A label within a local version: words before numbers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Label {
    Word(String),
    Number(u64),
}

/// What stands in the place of a part that is missing, where that is not the first or the last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Prerelease {
    OnlyDevelopment,
    Of(usize, u64),
    None,
}

/// The parts in the order in which they count.
type Version = (u64, Vec<u64>, Prerelease, Option<u64>, (bool, u64), Vec<Label>);

const NUMBERS: [u64; 6] = [0, 1, 2, 9, 10, 20240101];

/// A number that may be left out where it is 0.
fn number(random: &mut Random, text: &mut String) -> u64 {
    let number = random.one_of(&NUMBERS);
    if number > 0 || random.once_in(2) {
        *text += random.one_of(&["", "", ".", "-", "_"]);
        *text += random.one_of(&["", "", "0"]);
        *text += &number.to_string();
    }
    number
}

fn version(random: &mut Random) -> (String, Version) {
    let mut text = random.one_of(&["", "", "v", " ", "V"]).to_owned();
    let epoch = if random.once_in(4) { random.one_of(&NUMBERS) } else { 0 };
    if epoch > 0 || random.once_in(4) {
        text += &format!("{epoch}!");
    }
    let mut release: Vec<u64> = (0..=random.below(3)).map(|_| random.one_of(&NUMBERS)).collect();
    text += &release.iter().map(u64::to_string).collect::<Vec<_>>().join(".");
    while release.last() == Some(&0) {
        release.pop();
    }
    const NAMES: [&[&str]; 3] =
        [&["a", "alpha", "A"], &["b", "beta", "Beta"], &["rc", "c", "pre", "preview", "RC"]];
    let separator = ["", "", ".", "-", "_"];
    let mut prerelease = Prerelease::None;
    if random.once_in(2) {
        let kind = random.below(3);
        text += random.one_of(&separator);
        text += random.one_of(NAMES[kind]);
        prerelease = Prerelease::Of(kind, number(random, &mut text));
    }
    let mut post = None;
    if random.once_in(3) {
        // A dash behind the name of a pre-release would say its number.
        if random.once_in(2) && text.ends_with(|c: char| c.is_ascii_digit()) {
            let number = random.one_of(&NUMBERS);
            text += &format!("-{number}");
            post = Some(number);
        } else {
            text += random.one_of(&separator);
            text += random.one_of(&["post", "rev", "r", "POST"]);
            post = Some(number(random, &mut text));
        }
    }
    // No development release comes behind all of them.
    let mut development = (true, 0);
    if random.once_in(3) {
        text += random.one_of(&separator);
        text += random.one_of(&["dev", "DEV"]);
        development = (false, number(random, &mut text));
        if prerelease == Prerelease::None && post.is_none() {
            prerelease = Prerelease::OnlyDevelopment;
        }
    }
    let mut local = Vec::new();
    for at in 0..random.below(3) {
        text += if at == 0 { "+" } else { random.one_of(&[".", "-", "_"]) };
        if random.once_in(2) {
            let number = random.one_of(&NUMBERS);
            text += &number.to_string();
            local.push(Label::Number(number));
        } else {
            let word = random.one_of(&["a", "ab", "Ubuntu", "1a", "g0"]);
            text += word;
            local.push(Label::Word(word.to_lowercase()));
        }
    }
    (text, (epoch, release, prerelease, post, development, local))
}

#[test]
fn pep440_by_its_parts() {
    let mut random = Random::new();
    let mut last = version(&mut random);
    for _ in 0..50_000 {
        let mut next = version(&mut random);
        // The interesting ones differ late.
        while !random.once_in(5) && next.1.1 != last.1.1 {
            next = version(&mut random);
        }
        check(Scheme::Pep440, &last.0, &next.0, last.1.cmp(&next.1));
        last = next;
    }
}

#[test]
fn what_is_no_version_comes_first() {
    for legacy in ["1.0-", "1.0.x", "french toast", "1.0a1b1", "1.0+", "1!", "é", "1.0+a..b", "1 2"]
    {
        check(Scheme::Pep440, legacy, "0.dev0", std::cmp::Ordering::Less);
    }
}
