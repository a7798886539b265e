//! One line of a table of cron.

/// What a line is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Nothing, a remark, or a variable.
    Nothing,
    Entry(Entry<'a>),
    /// What cron does not understand.
    Wrong,
}

/// When, who and what: `5 4 * * * root command`, `@daily root command`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) when: String,
    pub(super) user: &'a str,
    pub(super) command: &'a str,
}

/// The words that stand for a time.
const WORDS: [&str; 8] =
    ["@reboot", "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// What a field may say: the least and the greatest number, and names, the first of which stands for
/// the least.
const FIELDS: [(u32, u32, &[&str]); 5] =
    [(0, 59, &[]), (0, 23, &[]), (1, 31, &[]), (1, 12, &MONTHS), (0, 7, &DAYS)];

/// Reads a line; `account` is whose table it is, where the lines name none.
pub(super) fn read<'a>(line: &'a str, account: Option<&'a str>) -> Line<'a> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') || is_variable(line) {
        return Line::Nothing;
    }
    entry(line, account).map_or(Line::Wrong, Line::Entry)
}

/// `NAME=value`, with blanks around the sign, and the name in quotes if one likes.
fn is_variable(line: &str) -> bool {
    let Some((name, _)) = line.split_once('=') else { return false };
    let name = name.trim();
    let quoted = name.starts_with(['"', '\'']) && name.len() > 1 && name.ends_with(['"', '\'']);
    !name.is_empty() && (quoted || !name.contains(char::is_whitespace))
}

fn entry<'a>(line: &'a str, account: Option<&'a str>) -> Option<Entry<'a>> {
    let (when, rest) = if line.starts_with('@') {
        let (word, rest) = line.split_once(char::is_whitespace)?;
        WORDS.contains(&word.to_ascii_lowercase().as_str()).then_some((word.to_owned(), rest))?
    } else {
        times(line.strip_prefix('-').unwrap_or(line))?
    };
    let rest = rest.trim_start();
    let (user, command) = match account {
        Some(account) => (account, rest),
        None => rest.split_once(char::is_whitespace)?,
    };
    let command = command.trim();
    (!command.is_empty()).then_some(Entry { when, user, command })
}

/// The five fields of the time, and what follows.
fn times(line: &str) -> Option<(String, &str)> {
    let mut rest = line;
    let mut when = Vec::new();
    for (least, greatest, names) in FIELDS {
        let (field, after) = rest.split_once(char::is_whitespace)?;
        let good = field.split(',').all(|part| is_part(part, least, greatest, names));
        good.then(|| when.push(field))?;
        rest = after.trim_start();
    }
    Some((when.join(" "), rest))
}

/// One of what commas part: `*`, `*/5`, `7`, `1-5/2`, `mon-fri`.
fn is_part(part: &str, least: u32, greatest: u32, names: &[&str]) -> bool {
    // Some programs choose a time of such a range by themselves.
    if part.contains(['~', '?']) {
        return true;
    }
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (part, None),
    };
    if step.is_some_and(|step| step.parse::<u32>().map_or(true, |step| step == 0)) {
        return false;
    }
    let value = |text: &str| {
        let place = names.iter().position(|name| text.eq_ignore_ascii_case(name));
        let named = place.and_then(|place| u32::try_from(place).ok());
        let number = named.and_then(|place| place.checked_add(least)).or(text.parse().ok());
        number.filter(|number| (least..=greatest).contains(number))
    };
    match range.split_once('-') {
        // One that ends before it begins is taken, and never comes.
        _ if range == "*" => true,
        Some((first, last)) => value(first).zip(value(last)).is_some(),
        None => value(range).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_tables() {
        for (line, account, expected) in [
            ("17 *\t* * *\troot    cd / && x", None, Some(("17 * * * *", "root", "cd / && x"))),
            ("*/5 4 1-7 * mon joe run", None, Some(("*/5 4 1-7 * mon", "joe", "run"))),
            ("@daily root run", None, Some(("@daily", "root", "run"))),
            ("0 0 * * * run all", Some("joe"), Some(("0 0 * * *", "joe", "run all"))),
            ("-*/5 * * * * root quiet", None, Some(("*/5 * * * *", "root", "quiet"))),
            ("0 0 1,15 jan-Jun 7 root A=b", None, Some(("0 0 1,15 jan-Jun 7", "root", "A=b"))),
            ("1 2 3 4 5", None, None),
            ("60 * * * * root x", None, None),
            ("*/0 * * * * root x", None, None),
            ("@sometimes root x", None, None),
            ("rubbish", None, None),
        ] {
            let expected = expected.map_or(Line::Wrong, |(when, user, command)| {
                Line::Entry(Entry { when: when.to_owned(), user, command })
            });
            assert_eq!(read(line, account), expected, "{line}");
        }
        for line in ["PATH=/bin:/usr/bin", "MAILTO = a b", "# 1 2 3 4 5 root x", "", "\"A b\"=c"] {
            assert_eq!(read(line, None), Line::Nothing, "{line}");
        }
    }
}
