//! A command of a unit in its words, and the variables in them.

use super::environment::Environment;

/// A word of a command and where it stands.
pub(crate) type Word = (String, String);

/// How systemd is to start a command.
const PREFIXES: [char; 6] = ['-', '@', '+', '!', ':', '|'];

/// The program of a command, without the signs before it.
pub(crate) fn program(command: &str) -> String {
    let word = words(command).into_iter().next().unwrap_or_default();
    word.trim_start_matches(PREFIXES).to_owned()
}

/// What the program is given. An error says why that cannot be told.
pub(crate) fn arguments(
    command: &str,
    environment: &Environment,
    place: &str,
) -> Result<Vec<Word>, String> {
    let mut all = words(command).into_iter();
    let first = all.next().unwrap_or_default();
    let signs = &first[..first.len() - first.trim_start_matches(PREFIXES).len()];
    if signs.contains('@') {
        // It is the name that the program is told to have.
        all.next();
    }
    let mut given = Vec::new();
    // A semicolon by itself begins another command.
    for word in all.take_while(|word| word != ";") {
        let word = without_specifiers(&word)
            .ok_or_else(|| format!("{place}: what {word} is is known when it runs"))?;
        if signs.contains(':') {
            given.push((word, place.to_owned()));
            continue;
        }
        match word.strip_prefix('$') {
            Some(name) if !name.starts_with(['{', '$']) => {
                if let Some((value, place)) = environment.get(name)? {
                    given.extend(split(value, false).into_iter().map(|it| (it, place.clone())));
                }
            }
            _ => given.push(filled(&word, environment, place)?),
        }
    }
    Ok(given)
}

/// The word with the values of its variables, and where the last of them stands.
fn filled(word: &str, environment: &Environment, place: &str) -> Result<Word, String> {
    let (mut text, mut place) = (String::new(), place.to_owned());
    let mut rest = word;
    while let Some((before, behind)) = rest.split_once('$') {
        text.push_str(before);
        if let Some(behind) = behind.strip_prefix('$') {
            text.push('$');
            rest = behind;
            continue;
        }
        match behind.strip_prefix('{').and_then(|inside| inside.split_once('}')) {
            Some((name, behind)) => {
                if let Some((value, of_value)) = environment.get(name)? {
                    text.push_str(value);
                    place.clone_from(of_value);
                }
                rest = behind;
            }
            None => {
                text.push('$');
                rest = behind;
            }
        }
    }
    text.push_str(rest);
    Ok((text, place))
}

/// The words of a setting, quotes and escapes taken off.
pub(crate) fn words(text: &str) -> Vec<String> {
    split(text, true)
}

/// The words of the text. Quotes may begin anywhere in a word; where `escapes` is set a backslash
/// stands for a character, and else it keeps the one behind it.
fn split(text: &str, escapes: bool) -> Vec<String> {
    let mut words = Vec::new();
    let mut letters = text.chars();
    let mut word: Option<String> = None;
    let mut quote = None;
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, _) if letter.is_ascii_whitespace() => words.extend(word.take()),
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (Some(open), _) if open == letter => quote = None,
            (_, '\\') => {
                let word = word.get_or_insert_default();
                match letters.next() {
                    Some(next) if escapes => escaped(next, &mut letters, word),
                    Some(next) => word.push(next),
                    None => word.push('\\'),
                }
            }
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// Adds the character that the one behind a backslash stands for.
fn escaped(letter: char, letters: &mut std::str::Chars<'_>, word: &mut String) {
    match letter {
        'n' => word.push('\n'),
        't' => word.push('\t'),
        's' => word.push(' '),
        'x' => {
            let digits: String = letters.clone().take(2).collect();
            match u8::from_str_radix(&digits, 16) {
                Ok(code) if digits.len() == 2 => {
                    word.push(char::from(code));
                    letters.nth(1);
                }
                _ => word.push_str("\\x"),
            }
        }
        '"' | '\'' | '\\' | ';' => word.push(letter),
        _ => word.extend(['\\', letter]),
    }
}

/// The text in which `%%` stands for the sign; nothing where systemd puts something else in.
pub(crate) fn without_specifiers(text: &str) -> Option<String> {
    let text = text.replace("%%", "\0");
    (!text.contains('%')).then(|| text.replace('\0', "%"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_commands() {
        for (text, expected) in [
            ("/a -o \"b c\" -d", &["/a", "-o", "b c", "-d"][..]),
            ("/a --x='b \"c\"'d", &["/a", "--x=b \"c\"d"]),
            (r"/a b\x20c \s \q ''", &["/a", "b c", " ", r"\q", ""]),
            (r"/a \xzz \", &["/a", r"\xzz", r"\"]),
            ("", &[]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
        assert_eq!(program("-@/usr/sbin/sshd x"), "/usr/sbin/sshd");
        assert_eq!(without_specifiers("100%%").as_deref(), Some("100%"));
        assert_eq!(without_specifiers("%i"), None);
    }
}
