//! The words of a condition.

use super::{FilterError, Operator};

/// The longest condition, in characters.
const LONGEST: usize = 4096;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A word or a number, as it stands there.
    Word(String),
    /// What stood in quotation marks.
    Text(String),
    Operator(Operator),
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
}

/// The words of a text, each with how many characters stand before it.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, FilterError> {
    let wrong = |at: usize, what: String| Err(FilterError { at, what });
    let characters: Vec<char> = text.chars().take(LONGEST + 1).collect();
    if characters.len() > LONGEST {
        return wrong(LONGEST, format!("a condition has {LONGEST} characters at most"));
    }
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(character) = characters.get(at).copied() {
        let start = at;
        at += 1;
        let then = |wanted: char| characters.get(start + 1) == Some(&wanted);
        let token = match character {
            _ if character.is_whitespace() => continue,
            '(' => Token::Open,
            ')' => Token::Close,
            '[' => Token::OpenList,
            ']' => Token::CloseList,
            ',' => Token::Comma,
            '=' => Token::Operator(Operator::Equal),
            '~' => Token::Operator(Operator::Like),
            '<' | '>' | '!' => {
                let (single, double) = match character {
                    '<' => (Some(Operator::Less), Operator::AtMost),
                    '>' => (Some(Operator::More), Operator::AtLeast),
                    _ => (None, Operator::NotEqual),
                };
                if then('=') {
                    at += 1;
                    Token::Operator(double)
                } else if character == '!' && then('~') {
                    at += 1;
                    Token::Operator(Operator::Unlike)
                } else if let Some(single) = single {
                    Token::Operator(single)
                } else {
                    return wrong(start, "behind ! comes = or ~".to_owned());
                }
            }
            '"' | '\'' => {
                let mut inside = String::new();
                loop {
                    match characters.get(at).copied() {
                        None => return wrong(start, format!("the {character} is never closed")),
                        Some(it) if it == character => break,
                        Some('\\') => {
                            let Some(next) = characters.get(at + 1) else {
                                return wrong(at, "nothing stands behind the \\".to_owned());
                            };
                            inside.push(*next);
                            at += 2;
                        }
                        Some(it) => {
                            inside.push(it);
                            at += 1;
                        }
                    }
                }
                at += 1;
                Token::Text(inside)
            }
            _ if is_of_word(character) => {
                while characters.get(at).copied().is_some_and(is_of_word) {
                    at += 1;
                }
                Token::Word(characters[start..at].iter().collect())
            }
            other => return wrong(start, format!("{other:?} has no meaning here")),
        };
        tokens.push((start, token));
    }
    Ok(tokens)
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || "_-.:+/*@%".contains(character)
}
