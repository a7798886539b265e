//! The order of versions, beside those who made the rules.

use std::cmp::Ordering;
use std::fmt::Write as _;

use anyhow::{Result, ensure};

use super::{Case, Work};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("versions/debian", |work| compare(work, DPKG, fathom_version::debian)),
        Case::new("versions/rpm", |work| {
            // Whether a release that only one has counts, depends on who asks rpm.
            compare(work, RPM, |one, other| {
                let alike = one.contains('-') == other.contains('-');
                alike.then(|| fathom_version::rpm(one, other))
            })
        }),
        Case::new("versions/systemd", |work| {
            compare(work, SYSTEMD, |one, other| Some(fathom_version::uapi(one, other)))
        }),
    ]
}

/// Each reads the pairs, and prints a line of `-1`, `0` or `1` for each.
const DPKG: &str = r"while read -r a b; do
  if dpkg --compare-versions $a lt $b 2>/dev/null; then echo -1
  elif dpkg --compare-versions $a gt $b 2>/dev/null; then echo 1; else echo 0; fi
done < pairs";
const RPM: &str = r#"rpm --eval '%{lua: for line in io.lines("pairs") do a, b = line:match("(%S+) (%S+)") print(rpm.vercmp(a, b) .. "\n") end}' | grep ."#;
const SYSTEMD: &str = r"while read -r a b; do
  case $(systemd-analyze compare-versions $a $b) in *' < '*) echo -1 ;; *' > '*) echo 1 ;; *) echo 0 ;; esac
done < pairs";

/// What versions are made of.
const PIECES: [&str; 26] = [
    "0",
    "1",
    "01",
    "9",
    "10",
    "123456789012345678901234567890",
    "a",
    "b",
    "rc",
    "Z",
    ".",
    ".",
    "..",
    "-",
    "-",
    "+",
    "~",
    "~",
    "~~",
    "^",
    "1.0",
    "2.0",
    ".el9",
    "deb12",
    "git",
    "0:",
];

/// How many pairs are compared.
const PAIRS: usize = 1500;

fn compare(work: &Work, script: &str, ours: impl Fn(&str, &str) -> Option<Ordering>) -> Result<()> {
    // Every run compares the same pairs.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut number = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let mut version = |common: &str| {
        let mut version = String::from(common);
        for _ in 0..=number(5) {
            version.push_str(PIECES[number(PIECES.len())]);
        }
        version
    };
    let (mut pairs, mut text) = (Vec::new(), String::new());
    for index in 0..PAIRS {
        // The interesting ones differ late.
        let common = if index % 2 == 0 { version("1") } else { String::from("1") };
        let (one, other) = (version(&common), version(&common));
        // What the owner refuses or takes otherwise is not ours to compare.
        if let Some(order) = ours(&one, &other).filter(|_| is_plain(&one) && is_plain(&other)) {
            let _ = writeln!(text, "{one} {other}");
            pairs.push((one, other, order));
        }
    }
    std::fs::write(work.path("pairs"), text)?;
    let said = work.bash(script)?;
    let said: Vec<&str> = said.lines().collect();
    ensure!(said.len() == pairs.len(), "{} pairs, {} answers", pairs.len(), said.len());
    ensure!(pairs.len() > PAIRS / 3, "only {} pairs are left", pairs.len());
    for ((one, other, order), said) in pairs.iter().zip(said) {
        let told = match order {
            Ordering::Less => "-1",
            Ordering::Equal => "0",
            Ordering::Greater => "1",
        };
        ensure!(told == said, "{one} and {other}: they say {said}, we say {told}");
    }
    work.note(format!("{} pairs", pairs.len()));
    Ok(())
}

/// Nothing is missing behind a dash or a colon, and an epoch has digits alone.
fn is_plain(version: &str) -> bool {
    let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
    let is_epoch = epoch.len() < 9 && epoch.bytes().all(|byte| byte.is_ascii_digit());
    let begins = rest.starts_with(|first: char| first.is_ascii_digit());
    is_epoch && begins && !rest.contains(':') && !version.ends_with('-')
}
