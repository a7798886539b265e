//! The words of a line as sudo parts them. What a character means depends on what stands before it:
//! an argument of a command may hold what ends a name, and values of defaults have rules of their own.

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// `Defaults`, with the sign of what they are limited to.
    Defaults(Option<char>),
    /// `User_Alias` and the like; the word before the underscore.
    Aliases(String),
    /// The name of one of the defaults.
    Name(String),
    /// A name of an account or a machine, or the value of one of the defaults.
    Word(String),
    /// A group.
    Group,
    /// A netgroup.
    Netgroup,
    /// An address that is no plain word.
    Address,
    /// A name in capitals.
    Alias(String),
    /// A command with its arguments.
    Command,
    /// A command by a regular expression.
    Expression,
    /// `NOPASSWD:` and the like, without the colon.
    Tag(String),
    /// `CWD` and the like, which take a value.
    Option(String),
    /// The name of a hash, `sha224`.
    Hash,
    /// A hash of the right length.
    Digest,
    /// A single character: one of `(`, `)`, `,`, `:`, `=`, `!`, `+` and `-`.
    Sign(char),
}

/// What the characters mean at some place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Names and commands.
    Names,
    /// Behind `Defaults`, what they are limited to.
    Scope,
    /// The name of one of the defaults.
    Default,
    /// What it is set to.
    Value,
    /// What an option is set to.
    Option,
    /// A hash, of so many bytes.
    Digest(usize),
}

const TAGS: [&str; 16] = [
    "NOPASSWD",
    "PASSWD",
    "NOEXEC",
    "EXEC",
    "INTERCEPT",
    "NOINTERCEPT",
    "SETENV",
    "NOSETENV",
    "LOG_OUTPUT",
    "NOLOG_OUTPUT",
    "LOG_INPUT",
    "NOLOG_INPUT",
    "MAIL",
    "NOMAIL",
    "FOLLOW",
    "NOFOLLOW",
];

const OPTIONS: [&str; 8] =
    ["CWD", "CHROOT", "TIMEOUT", "NOTBEFORE", "NOTAFTER", "ROLE", "TYPE", "APPARMOR_PROFILE"];

const HASHES: [(&str, usize); 4] = [("sha224", 28), ("sha256", 32), ("sha384", 48), ("sha512", 64)];

const KINDS: [&str; 5] = ["User", "Runas", "Host", "Cmnd", "Cmd"];

/// The parts of the line, and where its comment begins, or it ends. An error says what cannot be one.
pub(super) fn tokens(line: &str) -> Result<(Vec<Token>, usize), String> {
    let mut lexer = Lexer { line, at: 0, state: State::Names, tokens: Vec::new(), barren: 0 };
    while !lexer.step()? {}
    Ok((lexer.tokens, lexer.at))
}

/// Tags, options and whatever else only later releases know, with the first that does.
const LATER: [(&str, [u32; 3]); 7] = [
    ("CHROOT", [1, 9, 3]),
    ("CWD", [1, 9, 3]),
    ("INTERCEPT", [1, 9, 8]),
    ("NOINTERCEPT", [1, 9, 8]),
    ("NOTAFTER", [1, 8, 20]),
    ("NOTBEFORE", [1, 8, 20]),
    ("TIMEOUT", [1, 8, 20]),
];

/// Commands may be regular expressions since then.
const EXPRESSIONS_SINCE: [u32; 3] = [1, 9, 10];

/// The last of these releases.
pub(super) const NEWEST: [u32; 3] = EXPRESSIONS_SINCE;

/// The first release that knows all that the line holds.
pub(super) fn since(line: &str) -> [u32; 3] {
    let tokens = tokens(line).map(|(tokens, _)| tokens).unwrap_or_default();
    let of_token = |token: &Token| match token {
        Token::Tag(name) | Token::Option(name) => {
            LATER.iter().find(|(later, _)| later == name).map(|(_, since)| *since)
        }
        Token::Expression => Some(EXPRESSIONS_SINCE),
        _ => None,
    };
    tokens.iter().filter_map(of_token).max().unwrap_or_default()
}

struct Lexer<'a> {
    line: &'a str,
    at: usize,
    state: State,
    tokens: Vec<Token>,
    /// Up to where no regular expression ends, so that none is looked for twice.
    barren: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.line.get(self.at..).unwrap_or_default()
    }

    fn blanks(&mut self) -> bool {
        let rest = self.rest();
        let left = rest.trim_start_matches([' ', '\t', '\r']);
        self.at += rest.len() - left.len();
        left.len() < rest.len()
    }

    fn take(&mut self, length: usize, token: Token) {
        self.at += length;
        self.tokens.push(token);
    }

    /// Takes one part; `true` at the end.
    fn step(&mut self) -> Result<bool, String> {
        let blank = self.blanks();
        if self.state == State::Scope && blank && !self.rest().starts_with(',') {
            let listed = self.tokens.last() == Some(&Token::Sign(','));
            if !listed {
                self.state = State::Default;
            }
        }
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(true) };
        if first == '#' && self.state != State::Scope && is_comment(rest) {
            return Ok(true);
        }
        if first == '!' {
            let count = rest.bytes().take_while(|byte| *byte == b'!').count();
            self.at += count;
            if count % 2 == 1 {
                self.tokens.push(Token::Sign('!'));
            }
            return Ok(false);
        }
        match self.state {
            State::Default => self.name(rest)?,
            State::Value => self.value(rest, first)?,
            State::Option => self.option(rest, first)?,
            State::Digest(bytes) => self.digest(rest, first, bytes)?,
            State::Names | State::Scope => self.names(rest, first)?,
        }
        Ok(false)
    }

    fn name(&mut self, rest: &str) -> Result<(), String> {
        let length = rest.bytes().take_while(|byte| byte.is_ascii_lowercase() || *byte == b'_');
        let length = length.count();
        if length == 0 {
            return Err(unexpected(rest));
        }
        self.take(length, Token::Name(rest[..length].to_owned()));
        self.state = State::Value;
        Ok(())
    }

    fn value(&mut self, rest: &str, first: char) -> Result<(), String> {
        match first {
            ',' => {
                self.take(1, Token::Sign(','));
                self.state = State::Default;
            }
            '=' => self.take(1, Token::Sign('=')),
            '+' | '-' if rest[1..].starts_with('=') => self.take(2, Token::Sign(first)),
            '"' => self.quoted(rest)?,
            _ => {
                let ends = |letter: char| "#=, \t\r\"".contains(letter);
                let (word, length) = word(rest, ends);
                if length == 0 {
                    return Err(unexpected(rest));
                }
                self.take(length, Token::Word(word));
            }
        }
        Ok(())
    }

    fn option(&mut self, rest: &str, first: char) -> Result<(), String> {
        if first == '=' {
            self.take(1, Token::Sign('='));
            return Ok(());
        }
        if first == '"' {
            self.quoted(rest)?;
        } else {
            let (word, length) = word(rest, |letter| "#=,: \t\r\"".contains(letter));
            if length == 0 {
                return Err(unexpected(rest));
            }
            self.take(length, Token::Word(word));
        }
        self.state = State::Names;
        Ok(())
    }

    fn digest(&mut self, rest: &str, first: char, bytes: usize) -> Result<(), String> {
        if first == ':' {
            self.take(1, Token::Sign(':'));
            return Ok(());
        }
        let base64 = |letter: &u8| letter.is_ascii_alphanumeric() || b"+/=".contains(letter);
        let length = rest.bytes().take_while(base64).count();
        let text = &rest[..length];
        let is_hex = length == bytes * 2 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bare = text.trim_end_matches('=').len();
        let is_base64 =
            bare == (bytes * 8).div_ceil(6) && (length == bare || length == bytes.div_ceil(3) * 4);
        if !is_hex && !is_base64 {
            return Err(format!("{text} is no hash of {bytes} bytes"));
        }
        self.take(length, Token::Digest);
        self.state = State::Names;
        Ok(())
    }

    fn names(&mut self, rest: &'a str, first: char) -> Result<(), String> {
        match first {
            '"' => return self.quoted(rest),
            '(' | ')' | ',' | '=' | ':' => {
                self.take(1, Token::Sign(first));
                return Ok(());
            }
            '/' | '^' => {
                let length = if first == '/' { path(rest) } else { self.expression(rest) };
                // What goes on behind it makes it another word.
                if length > 1 && length >= identifier(rest).1 {
                    return self.command(rest, length);
                }
            }
            '+' | '%' => {
                let prefix = if rest.starts_with("%:") { 2 } else { 1 };
                let (_, length) = identifier(&rest[prefix..]);
                if length == 0 {
                    return Err(unexpected(rest));
                }
                let is_group = first == '%';
                self.take(prefix + length, if is_group { Token::Group } else { Token::Netgroup });
                return Ok(());
            }
            _ => {}
        }
        if let Some(length) = address(rest) {
            self.take(length, Token::Address);
            return Ok(());
        }
        let (word, length) = identifier(rest);
        if length == 0 {
            return Err(unexpected(rest));
        }
        self.identified(rest, word, length)
    }

    /// How long the regular expression is that begins here; 0 if it does not end.
    fn expression(&mut self, rest: &str) -> usize {
        if self.at < self.barren {
            return 0;
        }
        match expression(rest) {
            Ok(length) => length,
            Err(looked) => {
                self.barren = self.at + looked;
                0
            }
        }
    }

    /// A word that may be one of those that mean more.
    fn identified(&mut self, rest: &str, word: String, length: usize) -> Result<(), String> {
        let behind = &rest[length..];
        let starts_line = self.tokens.is_empty();
        if starts_line && word == "Defaults" {
            let scope = behind.chars().next().filter(|sign| ":@>".contains(*sign));
            let scope = scope.or_else(|| behind.starts_with('!').then_some('!'));
            let length = length + usize::from(scope.is_some());
            self.take(length, Token::Defaults(scope));
            self.blanks_after_scope(scope);
            return Ok(());
        }
        // The sign stands in no word, but `@` does.
        if starts_line && word.starts_with("Defaults@") {
            self.take("Defaults@".len(), Token::Defaults(Some('@')));
            self.blanks_after_scope(Some('@'));
            return Ok(());
        }
        let kind = word.strip_suffix("_Alias").filter(|kind| KINDS.contains(kind));
        if let Some(kind) = kind.filter(|_| starts_line && behind.starts_with([' ', '\t'])) {
            self.take(length, Token::Aliases(kind.to_owned()));
            return Ok(());
        }
        if let Some((_, bytes)) = HASHES.iter().find(|(name, _)| *name == word) {
            self.take(length, Token::Hash);
            self.state = State::Digest(*bytes);
            return Ok(());
        }
        if TAGS.contains(&word.as_str()) {
            let blanks = behind.len() - behind.trim_start_matches([' ', '\t']).len();
            if behind[blanks..].starts_with(':') {
                self.take(length + blanks + 1, Token::Tag(word));
                return Ok(());
            }
        }
        if OPTIONS.contains(&word.as_str()) {
            self.state = State::Option;
            self.take(length, Token::Option(word));
            return Ok(());
        }
        if word == "sudoedit" {
            return self.command(rest, length);
        }
        let is_alias = word.starts_with(|letter: char| letter.is_ascii_uppercase())
            && word
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        self.take(length, if is_alias { Token::Alias(word) } else { Token::Word(word) });
        Ok(())
    }

    fn blanks_after_scope(&mut self, scope: Option<char>) {
        self.state = State::Scope;
        if scope.is_some() {
            self.blanks();
        }
    }

    /// A command, whose arguments go on to what ends them. Behind defaults it has none.
    fn command(&mut self, rest: &str, length: usize) -> Result<(), String> {
        let mut end = length;
        let is_folder = rest[..length].ends_with('/');
        if self.state == State::Names && !is_folder {
            end += arguments(&rest[length..])?;
        }
        let is_expression = rest.starts_with('^');
        self.take(end, if is_expression { Token::Expression } else { Token::Command });
        Ok(())
    }

    /// A name between quotes.
    fn quoted(&mut self, rest: &str) -> Result<(), String> {
        let mut text = String::new();
        let mut letters = rest.char_indices().skip(1).peekable();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\\' if letters.next_if(|(_, next)| *next == '"').is_some() => text.push('"'),
                '"' => {
                    if text.is_empty() && self.state != State::Value {
                        return Err("a name is empty".to_owned());
                    }
                    self.take(at + 1, Token::Word(text));
                    return Ok(());
                }
                _ => text.push(letter),
            }
        }
        Err("a quote is not closed".to_owned())
    }
}

fn unexpected(rest: &str) -> String {
    let found: String = rest.chars().take(20).collect();
    format!("{found:?} is not expected there")
}

/// Whether a comment begins here. A number behind the sign is that of an account.
pub(super) fn is_comment(rest: &str) -> bool {
    let Some(behind) = rest.strip_prefix('#') else { return false };
    let digits = behind.strip_prefix('-').unwrap_or(behind);
    !digits.starts_with(|letter: char| letter.is_ascii_digit())
}

/// A word up to what ends it, and how long it is as it is written. A backslash keeps what follows.
fn word(text: &str, ends: impl Fn(char) -> bool) -> (String, usize) {
    let mut word = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        if letter == '\\' {
            match letters.next() {
                Some((_, next)) => word.push(next),
                None => return (word, at),
            }
        } else if ends(letter) {
            return (word, at);
        } else {
            word.push(letter);
        }
    }
    (word, text.len())
}

/// The name of an account or a machine, or the number of an account.
fn identifier(text: &str) -> (String, usize) {
    if text.starts_with('#') && !is_comment(text) {
        let sign = if text.starts_with("#-") { 2 } else { 1 };
        let digits = text[sign..].bytes().take_while(u8::is_ascii_digit).count();
        return (text[..sign + digits].to_owned(), sign + digits);
    }
    word(text, |letter| "#>!=:,() \t\r\"".contains(letter))
}

/// How long the path is that the text begins with.
fn path(text: &str) -> usize {
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' if !letters.next().is_some_and(|(_, next)| ",:= \t#".contains(next)) => return at,
            '\\' => {}
            ',' | ':' | '=' | ' ' | '\t' | '\r' | '#' => return at,
            _ => {}
        }
    }
    text.len()
}

/// How long the regular expression is that the text begins with, up to the `$` that ends it; an error
/// says up to where there is none.
fn expression(text: &str) -> Result<usize, usize> {
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => {
                letters.next();
            }
            '#' => return Err(at),
            '$' => return Ok(at + 1),
            _ => {}
        }
    }
    Err(text.len())
}

/// How long the arguments are that the text begins with.
fn arguments(text: &str) -> Result<usize, String> {
    let behind = text.trim_start_matches([' ', '\t']);
    let blanks = text.len() - behind.len();
    if behind.starts_with('^') {
        let closed = |(at, _): &(usize, &str)| {
            let rest = behind.get(at + 1..).unwrap_or_default();
            let is_end = rest.chars().next().is_none_or(|next| ",:= \t\r#".contains(next));
            is_end && !behind[..*at].ends_with('\\')
        };
        let end = behind.match_indices('$').find(closed);
        let end = end.filter(|(end, _)| !behind[..*end].contains('#'));
        let end = end.ok_or("a regular expression is not closed")?;
        return Ok(blanks + end.0 + 1);
    }
    let mut letters = text.char_indices().peekable();
    let mut begins = true;
    while let Some((at, letter)) = letters.next() {
        let next = letters.peek().map(|(_, next)| *next);
        match letter {
            '\\' if letters.next().is_none() => return Ok(at),
            '\\' => {
                begins = true;
                continue;
            }
            ',' | ':' | '#' => return Ok(at),
            '=' if begins && next.is_none_or(|next| "#\\:, \t\r".contains(next)) => {
                return Ok(at);
            }
            _ => {}
        }
        begins = matches!(letter, ' ' | '\t' | '\r');
    }
    Ok(text.len())
}

/// No address is longer.
const LONGEST_ADDRESS: usize = 64;

/// How long the address of version 6 is that the text begins with.
fn address(text: &str) -> Option<usize> {
    let inside = |byte: &u8| byte.is_ascii_hexdigit() || b":.".contains(byte);
    let length = text.bytes().take(LONGEST_ADDRESS).take_while(inside).count();
    let colons = text[..length].matches(':').count();
    if colons < 2 || text[..length].ends_with('.') {
        return None;
    }
    let Some(mask) = text[length..].strip_prefix('/') else { return Some(length) };
    Some(length + 1 + mask.bytes().take_while(inside).count())
}
