//! From text to words.

/// A word of the language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Name(String),
    Text(String),
    Number(i64),
    /// A number with decimals, in millionths.
    Decimal(i64),
    /// One of `( ) [ ] , . + - = != < <= > >=`.
    Symbol(&'static str),
}

impl Token {
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Name(name) => name.clone(),
            Self::Text(text) => format!("{text:?}"),
            Self::Number(number) => number.to_string(),
            Self::Decimal(millionths) => decimal(*millionths),
            Self::Symbol(symbol) => (*symbol).to_owned(),
        }
    }
}

/// The longer before the shorter that begins them.
const SYMBOLS: [&str; 14] =
    ["!=", "<=", ">=", "(", ")", "[", "]", ",", ".", "+", "-", "=", "<", ">"];

/// The words of a text.
pub(super) fn words(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = if first.is_ascii_alphabetic() || first == '_' {
            let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            (Token::Name(rest[..end].to_owned()), &rest[end..])
        } else if first.is_ascii_digit() {
            number(rest)?
        } else if first == '"' {
            quoted(rest)?
        } else {
            let symbol = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol));
            let symbol = symbol.ok_or_else(|| format!("{first:?} means nothing here"))?;
            (Token::Symbol(symbol), &rest[symbol.len()..])
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    Ok(tokens)
}

/// How many decimals a number has at most.
const DECIMALS: usize = 6;

/// The number that `text` begins with, and what follows it.
fn number(text: &str) -> Result<(Token, &str), String> {
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (whole, rest) = text.split_at(digits(text));
    let too_large = || format!("{whole} is too large a number");
    let number: i64 = whole.parse().map_err(|_| too_large())?;
    let Some(behind) = rest.strip_prefix('.').filter(|it| digits(it) > 0) else {
        return Ok((Token::Number(number), rest));
    };
    let (decimals, rest) = behind.split_at(digits(behind));
    if decimals.len() > DECIMALS {
        return Err(format!("{whole}.{decimals} has more than {DECIMALS} decimals"));
    }
    let part: i64 = format!("{decimals:0<DECIMALS$}").parse().map_err(|_| too_large())?;
    let millionths = number.checked_mul(1_000_000).and_then(|it| it.checked_add(part));
    Ok((Token::Decimal(millionths.ok_or_else(too_large)?), rest))
}

/// A number of millionths as it is written.
pub(super) fn decimal(millionths: i64) -> String {
    let sign = if millionths < 0 { "-" } else { "" };
    let (whole, part) = (millionths.abs() / 1_000_000, millionths.abs() % 1_000_000);
    format!("{sign}{whole}.{}", format!("{part:06}").trim_end_matches('0'))
}

/// The text in quotes that `text` begins with, and what follows it. A backslash takes the next
/// character as it is.
fn quoted(text: &str) -> Result<(Token, &str), String> {
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((Token::Text(value), &text[at + 1..])),
            '\\' => match characters.next() {
                Some((_, escaped @ ('"' | '\\'))) => value.push(escaped),
                _ => return Err("a backslash stands before a quote or a backslash only".to_owned()),
            },
            character => value.push(character),
        }
    }
    Err("a quote is not closed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart() {
        let tokens = words(r#"a.b["c d"]<=10 and it!="\"é" "#).unwrap();
        let shown: Vec<_> = tokens.iter().map(Token::shown).collect();
        let wanted =
            ["a", ".", "b", "[", "\"c d\"", "]", "<=", "10", "and", "it", "!=", "\"\\\"é\""];
        assert_eq!(shown, wanted);
        for wrong in ["\"open", "a ; b", "99999999999999999999", "\"\\n\"", "é"] {
            assert!(words(wrong).is_err(), "{wrong}");
        }
    }
}
