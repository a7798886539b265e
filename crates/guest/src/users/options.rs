//! What stands before a key: conditions under which sshd takes it.

use std::time::{SystemTime, UNIX_EPOCH};

/// A key with it is taken for none of its own: it is believed what it signs.
const AUTHORITY: &str = "cert-authority";

/// Words by themselves that `no-` may turn round.
const FLAGS: [&str; 7] = [
    "agent-forwarding",
    "port-forwarding",
    "pty",
    "user-rc",
    "x11-forwarding",
    "touch-required",
    "verify-required",
];

/// Names that a value between quotes follows.
const VALUES: [&str; 8] = [
    "command",
    "environment",
    "expiry-time",
    "from",
    "permitlisten",
    "permitopen",
    "principals",
    "tunnel",
];

/// How far the clock of a place is from that of Greenwich at most.
const FARTHEST: i64 = 14 * 3600;

/// Whether sshd takes a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Yes,
    /// It does not, but takes certificates that the key signs.
    Signer,
    /// It does not, for this reason.
    No(String),
    /// It cannot be told.
    Unsure(String),
}

/// Whether sshd takes the key with these options at the moment.
pub(super) fn judge(options: &str, now: SystemTime) -> Taken {
    let mut taken = Taken::Yes;
    let mut signs = false;
    for option in split(options) {
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name.to_ascii_lowercase(), Some(value)),
            None => (option.to_ascii_lowercase(), None),
        };
        let plain = name.strip_prefix("no-").unwrap_or(&name);
        match value {
            None if FLAGS.contains(&plain) || name == "restrict" => {}
            None if name == AUTHORITY => signs = true,
            Some(value) if VALUES.contains(&name.as_str()) => {
                let inside = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
                let Some(inside) = inside else {
                    return Taken::No(format!("the value of {name} is not quoted"));
                };
                if name != "expiry-time" {
                    continue;
                }
                match expiry(inside, now) {
                    Taken::Yes => {}
                    no @ Taken::No(_) => return no,
                    unsure => taken = unsure,
                }
            }
            _ => return Taken::No(format!("{name:?} is no option")),
        }
    }
    if signs { Taken::Signer } else { taken }
}

/// The options, which commas part but between quotes.
fn split(options: &str) -> Vec<&str> {
    let mut quotes = Quotes::default();
    let parts = options.split(|letter: char| quotes.are_closed_behind(letter) && letter == ',');
    parts.filter(|part| !part.is_empty()).collect()
}

/// Whether a place is between quotes. A backslash right before a quote keeps it from being one, whatever
/// stands before the backslash.
#[derive(Default)]
pub(super) struct Quotes {
    is_open: bool,
    is_kept: bool,
}

impl Quotes {
    /// Goes on behind the letter, and says whether no quote is open there.
    pub(super) fn are_closed_behind(&mut self, letter: char) -> bool {
        self.is_open ^= letter == '"' && !self.is_kept;
        self.is_kept = letter == '\\';
        !self.is_open
    }
}

/// Whether the key holds at the moment.
fn expiry(text: &str, now: SystemTime) -> Taken {
    let Some((end, is_exact)) = moment(text) else {
        return Taken::No(format!("its expiry-time {text:?} is no moment"));
    };
    let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let past = i64::try_from(now).unwrap_or(i64::MAX).saturating_sub(end);
    // A moment without a Z is meant by the clock of the place.
    let margin = if is_exact { 0 } else { FARTHEST };
    match past {
        past if past > margin => Taken::No(format!("it expired: {text}")),
        past if past >= -margin && !is_exact => Taken::Unsure(format!(
            "the place of the machine decides if its key has expired: {text}"
        )),
        _ => Taken::Yes,
    }
}

/// The seconds since 1970 of `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`, and whether a `Z` behind
/// it says that they are those of Greenwich.
fn moment(text: &str) -> Option<(i64, bool)> {
    let (digits, is_exact) = match text.strip_suffix(['Z', 'z']) {
        Some(digits) => (digits, true),
        None => (text, false),
    };
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || ![8, 12, 14].contains(&digits.len()) {
        return None;
    }
    let number = |from: usize, to: usize| match digits.get(from..to) {
        Some(part) => part.parse::<i64>().ok(),
        None => Some(0),
    };
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(8, 10)?, number(10, 12)?, number(12, 14)?);
    let fits = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && year >= 1970
        && hour < 24
        && minute < 60
        && second < 61;
    if !fits {
        return None;
    }
    // Years that begin in March, so that the day that leap years have is their last.
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = 365 * year + year / 4 - year / 100 + year / 400 + of_year - 719_468;
    Some((days * 86_400 + hour * 3600 + minute * 60 + second, is_exact))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn options_that_sshd_does_not_know_refuse_the_key() {
        let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        for options in [
            "",
            "restrict,pty,No-X11-Forwarding,no-touch-required,verify-required",
            "command=\"a, \\\"b\\\" c\",from=\"10.0.0.0/8,!x\",permitopen=\"h:1\"",
            "expiry-time=\"20991231\"",
            "expiry-time=\"202311142213Z\",expiry-time=\"21000101Z\"",
            "principals=\"a,b\",tunnel=\"0\",environment=\"A=b\"",
            "command=\"a\\\\\", b\",no-verify-required",
        ] {
            let expected = options.contains("2023");
            assert_eq!(judge(options, now) != Taken::Yes, expected, "{options}");
        }
        for options in [
            "no-such-option",
            "no-restrict",
            "no-cert-authority",
            "pty=\"x\"",
            "command",
            "command=ls",
            "expiry-time=\"20200101\"",
            "expiry-time=\"20200101000000Z\"",
            "expiry-time=\"2020\"",
            "expiry-time=\"20201301\"",
        ] {
            assert!(matches!(judge(options, now), Taken::No(_)), "{options}");
        }
        assert_eq!(judge("Cert-Authority,principals=\"a\"", now), Taken::Signer);
        assert!(matches!(judge("cert-authority,expiry-time=\"20200101\"", now), Taken::No(_)));
        // 2023-11-14 22:13:20 in Greenwich.
        assert!(matches!(judge("expiry-time=\"20231115\"", now), Taken::Unsure(_)));
        assert_eq!(judge("expiry-time=\"20231115Z\"", now), Taken::Yes);
        assert_eq!(moment("20231114221320Z"), Some((1_700_000_000, true)));
    }
}
