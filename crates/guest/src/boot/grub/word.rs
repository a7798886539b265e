//! The words of a script of GRUB.

/// The most words of one script. A menu of a hundred kernels has some ten thousand.
const MAX_TOKENS: usize = 200_000;

/// A piece of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text {
        text: String,
        quoted: bool,
    },
    /// What stands in a variable; outside of quotes it may be several words, or none.
    Variable {
        name: String,
        quoted: bool,
    },
}

/// A word as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word(pub(super) Vec<Part>);

impl Word {
    /// The word, if it has neither quotes nor variables: only then is it a keyword.
    pub(super) fn keyword(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Text { text, quoted: false }] => Some(text),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Word(Word),
    /// A new line, or `;`.
    End,
    Open,
    Close,
    /// What means something to a shell and nothing here: `&`, `|`, `<`, `>`.
    Other(char),
}

/// Splits a script into words; why it cannot be, where that is so.
pub(super) fn tokens(script: &str) -> Result<Vec<Token>, String> {
    let mut lexer = Lexer { rest: script.chars().peekable(), tokens: Vec::new() };
    while let Some(token) = lexer.next()? {
        if lexer.tokens.len() >= MAX_TOKENS {
            return Err(format!("it has more than {MAX_TOKENS} words"));
        }
        lexer.tokens.push(token);
    }
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn next(&mut self) -> Result<Option<Token>, String> {
        loop {
            let Some(first) = self.rest.peek().copied() else { return Ok(None) };
            match first {
                ' ' | '\t' | '\r' => {
                    self.rest.next();
                }
                '#' => while self.rest.next_if(|next| *next != '\n').is_some() {},
                '\n' | ';' => return Ok(self.single(Token::End)),
                '{' => return Ok(self.single(Token::Open)),
                '}' => return Ok(self.single(Token::Close)),
                '&' | '|' | '<' | '>' => return Ok(self.single(Token::Other(first))),
                _ => {
                    let word = self.word()?;
                    // A line that goes on is no word.
                    if !word.0.is_empty() {
                        return Ok(Some(Token::Word(word)));
                    }
                }
            }
        }
    }

    fn single(&mut self, token: Token) -> Option<Token> {
        self.rest.next();
        Some(token)
    }

    fn word(&mut self) -> Result<Word, String> {
        let mut word = Word::default();
        while let Some(next) = self.rest.peek().copied() {
            match next {
                ' ' | '\t' | '\r' | '\n' | ';' | '{' | '}' | '&' | '|' | '<' | '>' => break,
                '\'' => {
                    self.rest.next();
                    let mut text = String::new();
                    loop {
                        match self.rest.next() {
                            Some('\'') => break,
                            Some(character) => text.push(character),
                            None => return Err("a quote is not closed".to_owned()),
                        }
                    }
                    word.0.push(Part::Text { text, quoted: true });
                }
                '"' => {
                    self.rest.next();
                    self.quoted(&mut word)?;
                }
                '$' => {
                    self.rest.next();
                    self.variable(&mut word, false);
                }
                '\\' => {
                    self.rest.next();
                    match self.rest.next() {
                        Some('\n') | None => {}
                        Some(character) => {
                            word.0.push(Part::Text { text: character.to_string(), quoted: true });
                        }
                    }
                }
                _ => {
                    self.rest.next();
                    push(&mut word, next, false);
                }
            }
        }
        Ok(word)
    }

    /// The rest of what began with a double quote.
    fn quoted(&mut self, word: &mut Word) -> Result<(), String> {
        // Even nothing is a word then.
        word.0.push(Part::Text { text: String::new(), quoted: true });
        loop {
            match self.rest.next() {
                Some('"') => return Ok(()),
                Some('$') => self.variable(word, true),
                Some('\\') => match self.rest.peek().copied() {
                    Some('\n') => {
                        self.rest.next();
                    }
                    Some(next @ ('$' | '"' | '\\')) => {
                        self.rest.next();
                        push(word, next, true);
                    }
                    _ => push(word, '\\', true),
                },
                Some(character) => push(word, character, true),
                None => return Err("a quote is not closed".to_owned()),
            }
        }
    }

    /// What follows a dollar sign.
    fn variable(&mut self, word: &mut Word, quoted: bool) {
        let mut name = String::new();
        match self.rest.peek().copied() {
            Some('{') => {
                self.rest.next();
                while let Some(character) = self.rest.next_if(|next| !"}\n".contains(*next)) {
                    name.push(character);
                }
                self.rest.next_if_eq(&'}');
            }
            Some(first) if first.is_ascii_digit() => {
                while let Some(digit) = self.rest.next_if(char::is_ascii_digit) {
                    name.push(digit);
                }
            }
            Some(first @ ('?' | '@' | '*' | '#')) => {
                self.rest.next();
                name.push(first);
            }
            // A text that is to be translated.
            Some('"') if !quoted => return,
            _ => {
                let is_name = |next: &char| next.is_ascii_alphanumeric() || *next == '_';
                while let Some(character) = self.rest.next_if(is_name) {
                    name.push(character);
                }
            }
        }
        match name.is_empty() {
            true => push(word, '$', quoted),
            false => word.0.push(Part::Variable { name, quoted }),
        }
    }
}

fn push(word: &mut Word, character: char, quoted: bool) {
    match word.0.last_mut() {
        Some(Part::Text { text, quoted: same }) if *same == quoted => text.push(character),
        _ => word.0.push(Part::Text { text: character.to_string(), quoted }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_what_is_in_them() {
        let all = tokens("set a='b c'\"d\\\"$e\"  # no\nx;y{ \\\n z}").unwrap();
        assert_eq!(all.len(), 9, "{all:?}");
        let Token::Word(word) = &all[1] else { panic!("{all:?}") };
        assert_eq!(
            word.0,
            [
                Part::Text { text: "a=".into(), quoted: false },
                Part::Text { text: "b c".into(), quoted: true },
                Part::Text { text: "d\"".into(), quoted: true },
                Part::Variable { name: "e".into(), quoted: true },
            ]
        );
        assert!(tokens("'open").is_err() && tokens("\"open").is_err());
        assert_eq!(tokens("a$ ${b").unwrap().len(), 2);
    }
}
