//! The configuration of APT: `APT::Periodic::Enable "1";`, with scopes in braces, and the last of a
//! name counting.

use std::collections::BTreeMap;

/// How deep scopes are nested, and how many names there are with sense.
const MAX_DEPTH: usize = 64;
const MAX_NAMES: usize = 20_000;

/// The names in lower case with their values and the files that set them. Of lists the entries are not
/// kept.
#[derive(Default)]
pub(crate) struct AptConf {
    values: BTreeMap<String, (String, String)>,
    /// Whether something could not be understood or was too much.
    pub(crate) doubtful: bool,
}

enum Token {
    /// A word, and whether it stands in quotes.
    Word(String, bool),
    Open,
    Close,
    End,
    /// `#clear`.
    Clear,
    /// `#include`.
    Include,
}

impl AptConf {
    /// The value of the name and the file.
    pub(crate) fn get(&self, name: &str) -> Option<(&str, &str)> {
        let (value, place) = self.values.get(&name.to_ascii_lowercase())?;
        Some((value, place))
    }

    /// All names.
    #[cfg(test)]
    fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, (value, _))| (name.as_str(), value.as_str()))
    }

    /// Takes in a file.
    pub(crate) fn read(&mut self, text: &str, path: &str) {
        let mut scopes: Vec<String> = Vec::new();
        let mut statement: Vec<(String, bool)> = Vec::new();
        let mut clears = false;
        for token in tokens(text) {
            match token {
                Token::Word(word, quoted) => statement.push((word, quoted)),
                Token::Clear => clears = true,
                Token::Include => {
                    // Rare enough that it is only said that there is more.
                    self.doubtful = true;
                    statement.clear();
                }
                Token::End => {
                    self.statement(&scopes, &statement, clears, path);
                    statement.clear();
                    clears = false;
                }
                Token::Open => {
                    if scopes.len() >= MAX_DEPTH {
                        self.doubtful = true;
                        return;
                    }
                    if statement.len() == 2 {
                        self.statement(&scopes, &statement, false, path);
                    }
                    let name = statement.first().map(|(name, _)| name.clone());
                    scopes.push(name.unwrap_or_default());
                    statement.clear();
                }
                Token::Close => {
                    // The last entry may lack its semicolon.
                    self.statement(&scopes, &statement, clears, path);
                    statement.clear();
                    self.doubtful |= scopes.pop().is_none();
                }
            }
        }
        self.doubtful |= !statement.is_empty() || !scopes.is_empty();
    }

    fn statement(&mut self, scopes: &[String], words: &[(String, bool)], clears: bool, path: &str) {
        let full = |name: &str| {
            let parts = scopes.iter().map(String::as_str).chain([name]);
            parts.collect::<Vec<_>>().join("::").to_ascii_lowercase()
        };
        if clears {
            for (name, _) in words {
                let name = full(name);
                let beneath = format!("{name}::");
                self.values.retain(|key, _| *key != name && !key.starts_with(&beneath));
            }
            return;
        }
        let value = match words {
            [] => return,
            // An entry of a list.
            [(_, true)] => return,
            [(_, false)] => "",
            [_, (value, _), ..] => value,
        };
        let name = full(&words[0].0);
        if name.ends_with("::") {
            return;
        }
        if self.values.len() >= MAX_NAMES && !self.values.contains_key(&name) {
            self.doubtful = true;
            return;
        }
        self.values.insert(name, (value.to_owned(), path.to_owned()));
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { return tokens };
        let line = || rest.split_once('\n').map_or("", |(_, behind)| behind);
        match first {
            '{' | '}' | ';' => {
                tokens.push(match first {
                    '{' => Token::Open,
                    '}' => Token::Close,
                    _ => Token::End,
                });
                rest = &rest[1..];
            }
            '"' => {
                let (word, behind) = rest[1..].split_once('"').unwrap_or((&rest[1..], ""));
                tokens.push(Token::Word(word.to_owned(), true));
                rest = behind;
            }
            '#' if rest.starts_with("#clear") => {
                tokens.push(Token::Clear);
                rest = &rest["#clear".len()..];
            }
            '#' if rest.starts_with("#include") => {
                tokens.push(Token::Include);
                rest = &rest["#include".len()..];
            }
            '#' => rest = line(),
            '/' if rest.starts_with("//") => rest = line(),
            '/' if rest.starts_with("/*") => {
                rest = rest.split_once("*/").map_or("", |(_, behind)| behind);
            }
            _ => {
                let stops = |it: char| it.is_whitespace() || matches!(it, '{' | '}' | ';' | '"');
                let end = rest.find(stops).unwrap_or(rest.len());
                tokens.push(Token::Word(rest[..end].to_owned(), false));
                rest = &rest[end..];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_comments_and_clearing_are_understood() {
        let mut conf = AptConf::default();
        let text = "// no\nAPT::Periodic::Enable \"1\"; # no\n/* A \"b\"; */\n\
             APT { Periodic { Unattended-Upgrade 1; Update \"x y\"; }; List { \"a\"; \"b\"; }; \
             Value \"v\" { Inner \"i\"; }; };\nA::List:: \"z\";\n";
        conf.read(text, "/a");
        conf.read("apt::periodic::ENABLE \"0\";\nGone \"1\";\nGone::Too 1;\n#clear Gone;\n", "/b");
        let names: Vec<_> = conf.names().collect();
        assert_eq!(
            names,
            [
                ("apt::periodic::enable", "0"),
                ("apt::periodic::unattended-upgrade", "1"),
                ("apt::periodic::update", "x y"),
                ("apt::value", "v"),
                ("apt::value::inner", "i"),
            ]
        );
        assert_eq!(conf.get("APT::Periodic::Enable"), Some(("0", "/b")));
        assert!(!conf.doubtful);
    }

    #[test]
    fn what_cannot_be_understood_is_doubtful() {
        for text in ["A {", "}", "A", "#include \"/x\";", "A \"open"] {
            let mut conf = AptConf::default();
            conf.read(text, "/a");
            assert!(conf.doubtful, "{text}");
        }
        let mut conf = AptConf::default();
        conf.read(&"a{".repeat(10_000), "/a");
        assert!(conf.doubtful);
    }
}
