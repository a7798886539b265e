//! The order of versions, beside those who made the rules.

use std::cmp::Ordering;
use std::fmt::Write as _;

use anyhow::{Result, ensure};
use fathom_version::Scheme;

use super::{Case, Work};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("versions/debian", |work| compare(work, &DPKG, fathom_version::debian)),
        Case::new("versions/rpm", |work| {
            // Whether a release that only one has counts, depends on who asks rpm.
            compare(work, &RPM, |one, other| {
                let alike = one.contains('-') == other.contains('-');
                alike.then(|| fathom_version::rpm(one, other))
            })
        }),
        Case::new("versions/systemd", |work| {
            compare(work, &SYSTEMD, |one, other| Some(fathom_version::uapi(one, other)))
        }),
        Case::new("versions/pacman", |work| {
            compare(work, &PACMAN, |one, other| {
                // A release that only one has does not count to pacman, which no key can say; and
                // where separators are the end, it contradicts itself.
                let alike = one.contains('-') == other.contains('-');
                let ends = |version: &str| {
                    let mut parts = version.split('-');
                    parts.any(|part| part.ends_with(|last: char| !last.is_ascii_alphanumeric()))
                };
                if !alike || ends(one) || ends(other) {
                    return None;
                }
                Scheme::Pacman.compare(one, other)
            })
        }),
        Case::new("versions/gem", |work| {
            compare(work, &GEM, |one, other| Scheme::Gem.compare(one, other))
        }),
        Case::new("versions/python", |work| {
            compare(work, &PYTHON, |one, other| Scheme::Pep440.compare(one, other))
        }),
        Case::new("versions/composer", |work| {
            compare(work, &COMPOSER, |one, other| Scheme::Packagist.compare(one, other))
        }),
    ]
}

/// One who says which of two versions is newer.
struct Owner {
    /// Reads the file `pairs`, and prints a line of `-1`, `0` or `1` for each; or of `?` for what it
    /// refuses.
    script: &'static str,
    /// What the versions are made of.
    pieces: &'static [&'static str],
    /// How many pairs are asked for.
    pairs: usize,
}

/// Pairs, where each starts a process or more.
const SLOW: usize = 1500;

/// Pairs, where all are read at once.
const FAST: usize = 10_000;

const DPKG: Owner = Owner {
    script: r"while read -r a b; do
  if dpkg --compare-versions $a lt $b 2>/dev/null; then echo -1
  elif dpkg --compare-versions $a gt $b 2>/dev/null; then echo 1; else echo 0; fi
done < pairs",
    pieces: &PIECES,
    pairs: SLOW,
};
const RPM: Owner = Owner {
    script: r#"rpm --eval '%{lua: for line in io.lines("pairs") do a, b = line:match("(%S+) (%S+)") print(rpm.vercmp(a, b) .. "\n") end}' | grep ."#,
    pieces: &PIECES,
    pairs: FAST,
};
const SYSTEMD: Owner = Owner {
    script: r"while read -r a b; do
  case $(systemd-analyze compare-versions $a $b) in *' < '*) echo -1 ;; *' > '*) echo 1 ;; *) echo 0 ;; esac
done < pairs",
    pieces: &PIECES,
    pairs: SLOW,
};
/// Debian has the library of pacman, but not its `vercmp`.
const PACMAN: Owner = Owner {
    script: r#"/usr/bin/python3 -c '
import ctypes, ctypes.util
order = ctypes.CDLL(ctypes.util.find_library("alpm")).alpm_pkg_vercmp
for line in open("pairs"):
    said = order(*(version.encode() for version in line.split()))
    print((said > 0) - (said < 0))'"#,
    pieces: &PACMAN_PIECES,
    pairs: FAST,
};
const GEM: Owner = Owner {
    script: r#"ruby -e '
File.foreach("pairs") do |line|
  pair = line.split
  known = pair.all? { |version| Gem::Version.correct?(version) }
  puts known ? Gem::Version.new(pair[0]) <=> Gem::Version.new(pair[1]) : "?"
end'"#,
    pieces: &GEM_PIECES,
    pairs: FAST,
};
const PYTHON: Owner = Owner {
    script: r#"/usr/bin/python3 -c '
from packaging.version import InvalidVersion, Version
for line in open("pairs"):
    try:
        one, other = map(Version, line.split())
        print((one > other) - (one < other))
    except InvalidVersion:
        print("?")'"#,
    pieces: &PYTHON_PIECES,
    pairs: FAST,
};
const COMPOSER: Owner = Owner {
    script: r#"php -r '
require "/usr/share/php/Composer/Semver/autoload.php";
$parser = new Composer\Semver\VersionParser();
foreach (file("pairs") as $line) {
  [$one, $other] = explode(" ", trim($line));
  try {
    echo version_compare($parser->normalize($one), $parser->normalize($other)), "\n";
  } catch (UnexpectedValueException $error) {
    echo "?\n";
  }
}'"#,
    pieces: &COMPOSER_PIECES,
    pairs: FAST,
};

/// What versions of systems are made of.
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

/// What the others are made of.
const PACMAN_PIECES: [&str; 16] = [
    "0",
    "1",
    "01",
    "10",
    "a",
    "b",
    "rc",
    ".",
    ".1",
    "..0",
    "-1",
    "_2",
    "+b",
    "1.0",
    "0:",
    "123456789012345678901234567890",
];
const GEM_PIECES: [&str; 14] = [
    "0",
    "1",
    "01",
    "10",
    ".0",
    ".0",
    ".1",
    ".a",
    ".b",
    ".rc1",
    ".0.0.b",
    "-pre",
    ".A",
    ".123456789012345678901234567890",
];
const PYTHON_PIECES: [&str; 22] = [
    "0",
    "1",
    "01",
    "10",
    ".0",
    ".0",
    ".1",
    "a",
    "b1",
    "rc2",
    "-alpha.1",
    "c",
    "_pre",
    ".preview3",
    ".post1",
    "-1",
    "rev",
    ".dev",
    ".dev4",
    "+a.1",
    "+1",
    "-",
];
const COMPOSER_PIECES: [&str; 20] = [
    "0", "1", "01", "10", ".0", ".0", ".1", ".1", "-alpha", "a2", "-beta.1", "b", "-RC1", "rc",
    "-patch2", "pl", "-dev", "-stable", "+a", ".x-dev",
];

fn compare(
    work: &Work,
    owner: &Owner,
    ours: impl Fn(&str, &str) -> Option<Ordering>,
) -> Result<()> {
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
            version.push_str(owner.pieces[number(owner.pieces.len())]);
        }
        version
    };
    let (mut pairs, mut text) = (Vec::new(), String::new());
    for index in 0..owner.pairs {
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
    let said = work.bash(owner.script)?;
    let said: Vec<&str> = said.lines().collect();
    ensure!(said.len() == pairs.len(), "{} pairs, {} answers", pairs.len(), said.len());
    let mut compared = 0;
    for ((one, other, order), said) in pairs.iter().zip(said) {
        let told = match order {
            Ordering::Less => "-1",
            Ordering::Equal => "0",
            Ordering::Greater => "1",
        };
        ensure!([told, "?"].contains(&said), "{one} and {other}: they say {said}, we say {told}");
        compared += usize::from(said == told);
    }
    ensure!(compared > owner.pairs / 8, "only {compared} pairs are left");
    work.note(format!("{compared} pairs"));
    Ok(())
}

/// Nothing is missing behind a dash or a colon, and an epoch has digits alone.
fn is_plain(version: &str) -> bool {
    let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
    let is_epoch = epoch.len() < 9 && epoch.bytes().all(|byte| byte.is_ascii_digit());
    let begins = rest.starts_with(|first: char| first.is_ascii_digit());
    is_epoch && begins && !rest.contains(':') && !version.ends_with('-')
}
