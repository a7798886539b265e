//! What stands behind a keyword, as `sshd -T` shows it.

use super::keyword::{Keyword, Kind};
use super::words::words;

/// The values that the line gives the keyword, each a line of what sshd shows; or what is wrong.
pub(super) fn values(keyword: &Keyword, rest: &str) -> Result<Vec<String>, String> {
    if rest.is_empty() {
        return Err("there is nothing behind it".to_owned());
    }
    match keyword.kind {
        Kind::Rest => return Ok(vec![none(rest)]),
        Kind::Ignored => return Ok(Vec::new()),
        _ => {}
    }
    let words = words(rest).ok_or("a quote is not closed")?;
    let first = words.first().ok_or("there is nothing behind it")?.as_str();
    let alone = || match words.len() {
        1 => Ok(first),
        _ => Err("there are too many words behind it".to_owned()),
    };
    let one = |value: Option<String>| {
        value.map(|value| vec![value]).ok_or_else(|| format!("{first:?} is no value of it"))
    };
    match keyword.kind {
        Kind::Rest | Kind::Ignored => Ok(Vec::new()),
        Kind::Flag => {
            let word = alone()?.to_ascii_lowercase();
            one(["yes", "no"].contains(&word.as_str()).then_some(word))
        }
        Kind::Choice(choices) => {
            let word = alone()?;
            let choice = choices.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
            one(choice.map(|(_, shown)| (*shown).to_owned()))
        }
        Kind::Number => one(alone()?.parse::<i32>().ok().map(|number| number.to_string())),
        Kind::Time => one(seconds(alone()?).map(|time| time.to_string())),
        Kind::TimeOrNone => match alone()? {
            word if word.eq_ignore_ascii_case("none") => Ok(vec!["none".to_owned()]),
            word => one(seconds(word).map(|time| match time {
                0 => "none".to_owned(),
                time => time.to_string(),
            })),
        },
        Kind::Mask => {
            let mask = u32::from_str_radix(alone()?, 8).ok().filter(|mask| *mask <= 0o777);
            one(mask.map(|mask| format!("0{mask:o}")))
        }
        Kind::Word => Ok(vec![none(alone()?)]),
        Kind::Another if keyword.name == "port" => {
            let port = alone()?.parse::<u16>().ok().filter(|port| *port > 0);
            one(port.map(|port| port.to_string()))
        }
        Kind::Another => Ok(vec![none(alone()?)]),
        Kind::Words if keyword.name == "pubkeyauthoptions" => pubkey_options(&words),
        Kind::Words => Ok(vec![words.join(" ")]),
        Kind::Each if keyword.name == "setenv" => Ok(variables(&words)),
        Kind::Each => Ok(words.clone()),
        Kind::Subsystem => match words.len() {
            0 | 1 => Err("it has no command".to_owned()),
            _ => Ok(vec![words.join(" ")]),
        },
        Kind::Algorithms => Ok(vec![alone()?.to_owned()]),
        Kind::RekeyLimit => rekey_limit(&words),
        Kind::MaxStartups => one(max_startups(alone()?)),
        Kind::NetBlockSize => one(Some(alone()?.to_owned())),
        Kind::Qos => {
            let second = words.get(1).map_or(first, String::as_str);
            let both = qos(first).zip(qos(second)).filter(|_| words.len() <= 2);
            one(both.map(|(first, second)| format!("{first} {second}")))
        }
        Kind::Listen => match words.as_slice() {
            [_] => Ok(vec![first.to_owned()]),
            [_, keyword, domain] if keyword == "rdomain" => {
                Ok(vec![format!("{first} rdomain {domain}")])
            }
            _ => Err("there are too many words behind it".to_owned()),
        },
        Kind::Permitted => {
            let alone = matches!(first, "any" | "none");
            let shown = words.iter().take(if alone { 1 } else { usize::MAX });
            let bare =
                |word: &&String| keyword.name == "permitlisten" && !alone && !word.contains(':');
            let shown =
                shown.map(|word| if bare(&word) { format!("*:{word}") } else { word.clone() });
            Ok(vec![shown.collect::<Vec<_>>().join(" ")])
        }
        Kind::Upper => one(level(alone()?)),
    }
}

/// `none` in any case stands for that nothing is set.
fn none(word: &str) -> String {
    if word.eq_ignore_ascii_case("none") { "none".to_owned() } else { word.to_owned() }
}

/// `1h30m` in seconds.
fn seconds(text: &str) -> Option<i32> {
    let mut total = 0i32;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        let (number, unit) = rest.split_at(end);
        let factor = match unit.chars().next().map(|unit| unit.to_ascii_lowercase()) {
            None | Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86400,
            Some('w') => 604_800,
            Some(_) => return None,
        };
        total = number.parse::<i32>().ok()?.checked_mul(factor)?.checked_add(total)?;
        rest = unit.get(1..).unwrap_or_default();
    }
    (!text.is_empty()).then_some(total)
}

/// The first of each name counts.
fn variables(words: &[String]) -> Vec<String> {
    let name = |word: &str| word.split('=').next().unwrap_or_default().to_owned();
    let mut seen: Vec<String> = Vec::new();
    let mut kept = words.to_vec();
    kept.retain(|word| {
        let new = !seen.contains(&name(word));
        seen.push(name(word));
        new
    });
    kept
}

fn pubkey_options(words: &[String]) -> Result<Vec<String>, String> {
    const OPTIONS: [&str; 2] = ["touch-required", "verify-required"];
    let has = |option: &str| words.iter().any(|word| word.eq_ignore_ascii_case(option));
    let known = |word: &String| {
        word.eq_ignore_ascii_case("none")
            || OPTIONS.iter().any(|option| word.eq_ignore_ascii_case(option))
    };
    if !words.iter().all(known) {
        return Err("it has no such option".to_owned());
    }
    let set: Vec<_> = OPTIONS.into_iter().filter(|option| has(option)).collect();
    Ok(vec![if set.is_empty() { "none".to_owned() } else { set.join(" ") }])
}

/// Bytes, and seconds.
fn rekey_limit(words: &[String]) -> Result<Vec<String>, String> {
    let wrong = || "it is no size and time".to_owned();
    let (size, time) = match words {
        [size] => (size, "none"),
        [size, time] => (size, time.as_str()),
        _ => return Err(wrong()),
    };
    let bytes = match size.as_str() {
        "default" => 0,
        size => {
            let (digits, unit) = size.split_at(size.trim_end_matches(char::is_alphabetic).len());
            let shift = match unit.to_ascii_lowercase().as_str() {
                "" | "b" => 0,
                "k" => 10,
                "m" => 20,
                "g" => 30,
                "t" => 40,
                _ => return Err(wrong()),
            };
            let number: u64 = digits.parse().map_err(|_| wrong())?;
            number.checked_mul(1 << shift).ok_or_else(wrong)?
        }
    };
    let time = match time {
        "none" => 0,
        time => seconds(time).ok_or_else(wrong)?,
    };
    Ok(vec![format!("{bytes} {time}")])
}

/// `begin:rate:full`; a single number leaves the rate as it is, which is left open here.
fn max_startups(text: &str) -> Option<String> {
    let numbers: Option<Vec<i32>> = text.split(':').map(|part| part.parse().ok()).collect();
    match numbers?.as_slice() {
        [full] if *full > 0 => Some(format!("{full}::{full}")),
        [begin, rate, full] if *begin > 0 && begin <= full && (1..=100).contains(rate) => {
            Some(format!("{begin}:{rate}:{full}"))
        }
        _ => None,
    }
}

/// The name of a class of service, or a number.
fn qos(text: &str) -> Option<String> {
    const CLASSES: [(&str, u8); 25] = [
        ("af11", 0x28),
        ("af12", 0x30),
        ("af13", 0x38),
        ("af21", 0x48),
        ("af22", 0x50),
        ("af23", 0x58),
        ("af31", 0x68),
        ("af32", 0x70),
        ("af33", 0x78),
        ("af41", 0x88),
        ("af42", 0x90),
        ("af43", 0x98),
        ("cs0", 0x00),
        ("cs1", 0x20),
        ("cs2", 0x40),
        ("cs3", 0x60),
        ("cs4", 0x80),
        ("cs5", 0xa0),
        ("cs6", 0xc0),
        ("cs7", 0xe0),
        ("ef", 0xb8),
        ("le", 0x01),
        ("lowdelay", 0x10),
        ("throughput", 0x08),
        ("reliability", 0x04),
    ];
    let word = text.to_ascii_lowercase();
    if word == "none" || CLASSES.iter().any(|(name, _)| *name == word) {
        return Some(word);
    }
    let number = match word.strip_prefix("0x") {
        Some(digits) => u8::from_str_radix(digits, 16).ok()?,
        None if word.len() > 1 && word.starts_with('0') => u8::from_str_radix(&word, 8).ok()?,
        None => word.parse().ok()?,
    };
    let class = CLASSES.iter().find(|(_, value)| *value == number);
    Some(class.map_or_else(|| format!("0x{number:02x}"), |(name, _)| (*name).to_owned()))
}

/// A level, facility or hash in capitals.
fn level(text: &str) -> Option<String> {
    let word = text.to_ascii_uppercase();
    let plain = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plain.then(|| if word == "DEBUG1" { "DEBUG".to_owned() } else { word })
}

#[cfg(test)]
mod tests {
    use super::super::keyword::find;
    use super::*;

    fn shown(name: &str, rest: &str) -> Option<String> {
        values(find(name, false).unwrap(), rest).ok().map(|values| values.join("|"))
    }

    #[test]
    fn values_are_shown_as_sshd_shows_them() {
        for (name, rest, expected) in [
            ("usepam", "YES", Some("yes")),
            ("usepam", "true", None),
            ("usepam", "yes yes", None),
            ("usepam", "", None),
            ("permitrootlogin", "Prohibit-Password", Some("without-password")),
            ("logingracetime", "1h2m3", Some("3723")),
            ("logingracetime", "9999999999", None),
            ("logingracetime", "5x", None),
            ("unusedconnectiontimeout", "0", Some("none")),
            ("streamlocalbindmask", "0077", Some("077")),
            ("port", "70000", None),
            ("acceptenv", "LANG LC_*", Some("LANG|LC_*")),
            ("rekeylimit", "1G 1h", Some("1073741824 3600")),
            ("rekeylimit", "default none", Some("0 0")),
            ("rekeylimit", "18446744073709551615G", None),
            ("maxstartups", "5", Some("5::5")),
            ("maxstartups", "5:50:2", None),
            ("ipqos", "0x10", Some("lowdelay lowdelay")),
            ("ipqos", "af21 0x03", Some("af21 0x03")),
            ("permitlisten", "80 host:81", Some("*:80 host:81")),
            ("forcecommand", "/bin/x  \"a b\" # c", Some("/bin/x  \"a b\" # c")),
            ("subsystem", "sftp internal-sftp -l INFO", Some("sftp internal-sftp -l INFO")),
            ("subsystem", "sftp", None),
            ("banner", "NONE", Some("none")),
            ("setenv", "A=1 B=2 A=3", Some("A=1|B=2")),
            ("protocol", "2", Some("")),
            ("pubkeyauthoptions", "none", Some("none")),
        ] {
            assert_eq!(shown(name, rest).as_deref(), expected, "{name} {rest}");
        }
    }
}
