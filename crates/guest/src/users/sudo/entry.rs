//! A line of sudo's files as its grammar takes it.

use super::token::{Token, tokens};

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Settings, and whether they hold for everybody.
    Defaults { everywhere: bool, settings: Vec<Default> },
    /// Names for several of a kind.
    Aliases,
    /// Who may become whom, and whether some of it is without a password.
    Rule { without_password: bool },
}

/// One of the defaults.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Default {
    pub(crate) name: String,
    /// Whether a `!` turns it off.
    pub(crate) is_off: bool,
    /// What it is set to.
    pub(crate) value: Option<String>,
}

/// What the line says, and how much of it does so before a comment. An error says why sudo cannot
/// understand it; nothing of lines that say nothing.
pub(crate) fn parse(line: &str) -> Result<Option<(Entry, usize)>, String> {
    let (tokens, end) = tokens(line)?;
    if tokens.is_empty() {
        return Ok(None);
    }
    let mut parser = Parser { tokens: &tokens, at: 0, without_password: false };
    let entry = match parser.next() {
        Some(Token::Defaults(scope)) => parser.defaults(*scope),
        Some(Token::Aliases(kind)) => parser.aliases(kind),
        _ => {
            parser.at = 0;
            parser.rule()
        }
    };
    match entry {
        Some(entry) if parser.at == tokens.len() => Ok(Some((entry, end))),
        _ => Err("it is no rule that sudo understands".to_owned()),
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    without_password: bool,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<&'a Token> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        Some(token)
    }

    /// Takes the sign if it is there.
    fn sign(&mut self, sign: char) -> bool {
        let is_there = self.peek() == Some(&Token::Sign(sign));
        self.at += usize::from(is_there);
        is_there
    }

    fn defaults(&mut self, scope: Option<char>) -> Option<Entry> {
        match scope {
            Some('@') => self.list(Self::host)?,
            Some('!') => self.list(Self::command)?,
            Some(_) => self.list(Self::user)?,
            None => {}
        }
        let mut settings = Vec::new();
        loop {
            let is_off = self.sign('!');
            let Some(Token::Name(name)) = self.next() else { return None };
            let assigns = ['=', '+', '-'].into_iter().any(|sign| !is_off && self.sign(sign));
            let value = match (assigns, self.peek()) {
                (false, _) => None,
                (true, Some(Token::Word(value))) => {
                    self.at += 1;
                    Some(value.clone())
                }
                (true, _) => return None,
            };
            settings.push(Default { name: name.clone(), is_off, value });
            if !self.sign(',') {
                return Some(Entry::Defaults { everywhere: scope.is_none(), settings });
            }
        }
    }

    fn aliases(&mut self, kind: &str) -> Option<Entry> {
        loop {
            let Some(Token::Alias(name)) = self.next() else { return None };
            if name == "ALL" || !self.sign('=') {
                return None;
            }
            match kind {
                "User" | "Runas" => self.list(Self::user)?,
                "Host" => self.list(Self::host)?,
                _ => self.list(Self::hashed)?,
            }
            if !self.sign(':') {
                return Some(Entry::Aliases);
            }
        }
    }

    fn rule(&mut self) -> Option<Entry> {
        self.list(Self::user)?;
        loop {
            self.list(Self::host)?;
            if !self.sign('=') {
                return None;
            }
            self.list(Self::specification)?;
            if !self.sign(':') {
                return Some(Entry::Rule { without_password: self.without_password });
            }
        }
    }

    /// One or several with commas between them.
    fn list(&mut self, one: fn(&mut Self) -> Option<()>) -> Option<()> {
        loop {
            one(self)?;
            if !self.sign(',') {
                return Some(());
            }
        }
    }

    fn user(&mut self) -> Option<()> {
        self.sign('!');
        let user = self.next()?;
        let is_user =
            matches!(user, Token::Alias(_) | Token::Word(_) | Token::Group | Token::Netgroup);
        is_user.then_some(())
    }

    fn group(&mut self) -> Option<()> {
        self.sign('!');
        matches!(self.next()?, Token::Alias(_) | Token::Word(_)).then_some(())
    }

    fn host(&mut self) -> Option<()> {
        self.sign('!');
        let host = self.next()?;
        let is_host =
            matches!(host, Token::Alias(_) | Token::Word(_) | Token::Netgroup | Token::Address);
        is_host.then_some(())
    }

    fn command(&mut self) -> Option<()> {
        self.sign('!');
        match self.next()? {
            Token::Alias(_) | Token::Command | Token::Expression => Some(()),
            // Elsewhere this is a name as any other.
            Token::Word(word) if word == "list" => Some(()),
            _ => None,
        }
    }

    /// A command behind its hashes.
    fn hashed(&mut self) -> Option<()> {
        while self.peek() == Some(&Token::Hash) {
            self.at += 1;
            if !self.sign(':') || self.next() != Some(&Token::Digest) {
                return None;
            }
            self.sign(',');
        }
        self.command()
    }

    /// As whom, how, and which command.
    fn specification(&mut self) -> Option<()> {
        if self.sign('(') {
            let has_users = !matches!(self.peek(), Some(Token::Sign(':' | ')')));
            if has_users {
                self.list(Self::user)?;
            }
            let is_bare = !has_users && self.tokens.get(self.at + 1) == Some(&Token::Sign(')'));
            if self.sign(':') && !is_bare {
                self.list(Self::group)?;
            }
            if !self.sign(')') {
                return None;
            }
        }
        while let Some(Token::Option(name)) = self.peek() {
            self.at += 1;
            if !self.sign('=') {
                return None;
            }
            let Some(Token::Word(value)) = self.next() else { return None };
            if !may_be(name, value) {
                return None;
            }
        }
        while let Some(Token::Tag(tag)) = self.peek() {
            self.without_password |= tag == "NOPASSWD";
            self.at += 1;
        }
        self.hashed()
    }
}

/// Whether the option takes the value.
fn may_be(option: &str, value: &str) -> bool {
    match option {
        "CWD" | "CHROOT" => value.starts_with(['/', '~']) || value == "*",
        // Numbers, each with its unit.
        "TIMEOUT" => {
            let digit = |byte: u8| byte.is_ascii_digit();
            let known = value.bytes().all(|byte| digit(byte) || b"dhmsDHMS".contains(&byte));
            let pairs = value.as_bytes().windows(2).all(|pair| digit(pair[0]) || digit(pair[1]));
            known && pairs && value.starts_with(|first: char| first.is_ascii_digit())
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What visudo says of each.
    #[test]
    fn lines_that_sudo_understands() {
        for line in [
            "frank ALL=(ALL) this is a syntax error : =",
            "gina ALL=(ALL) NOPASSWD: sha224:abcd /bin/ls",
            "a ALL=/bin/foo : garbage",
            "a ALL=/bin/foo/ x",
            "a ALL=foo",
            "a ALL=NOPASSWD: ",
            "a ALL=NOPASSWD:TIMEOUT=5 ALL",
            "a ALL=(root) TIMEOUT=x ALL",
            "a ALL=CWD=x ALL",
            "a ALL=/bin/x #2000",
            "a ALL=/bin/x ^a.*",
            "a ALL=(root:) ALL",
            "#2000 foo",
            "#2020-01-01 a=b",
            "sudoedit ALL=ALL",
            "a>b ALL=ALL",
            "a, ALL=",
            "a",
            "Defaults",
            "Defaults : a use_pty",
            "Defaults use_pty use_pty",
            "Defaults use_pty !",
            "Defaults logfile=\"/open",
            "Defaults@%wheel use_pty",
            "User_Alias a=b",
            "User_Alias ALL=b",
            "\u{e9}\\",
            "%",
            "(",
        ] {
            assert!(parse(line).is_err(), "{line}: {:?}", parse(line));
        }
        for line in [
            "list ALL=list",
            "a ALL=sudoedit /x, /bin/foo a=b, /bin/foo =b, /bin/foo \"x y\"",
            "a ALL=/bin/foo : b = /bin/x",
            "a@b ALL=ALL",
            "a ALL=/bin/foo ^a.*$, ^/bin/.*$",
            "a ALL=CWD=/x /bin/ls",
            "a ALL=(root) TIMEOUT=1h5m NOPASSWD : /bin/ls",
            "%#100, %:foo, \"%a b\", +ng, #-2000 ALL=ALL",
            "a\\ b 10.0.0.0/8,fe80::1/64=(:g) !!/x",
            "a ALL=() ALL : b=(:) ALL",
            "a ALL=(a,b:c) sha224 : 0GomF8mNN3wlDt1HD9XldjJ3SNgpFdbjO1+NsQ== /bin/ls",
        ] {
            let end = line.len();
            let rule = |without_password| Ok(Some((Entry::Rule { without_password }, end)));
            assert_eq!(parse(line), rule(line.contains("NOPASSWD")), "{line}");
        }
        assert_eq!(parse("User_Alias A=b,c : B=d"), Ok(Some((Entry::Aliases, 22))));
        assert_eq!(parse("Cmd_Alias A=/x, !/y"), Ok(Some((Entry::Aliases, 19))));
        assert_eq!(parse(" # nothing"), Ok(None));
    }

    #[test]
    fn comments_are_no_part_of_a_line() {
        for (line, expected) in [
            ("Defaults mail_badpass # use_pty", "Defaults mail_badpass "),
            ("b ALL=(ALL) ALL # was NOPASSWD: before", "b ALL=(ALL) ALL "),
            ("b ALL=(ALL) /bin/ls# no", "b ALL=(ALL) /bin/ls"),
            ("#1000 ALL=(#1001) /bin/ls \\# x", "#1000 ALL=(#1001) /bin/ls \\# x"),
            ("Defaults passprompt=\"a # b\"# c", "Defaults passprompt=\"a # b\""),
        ] {
            let (_, end) = parse(line).unwrap().unwrap();
            assert_eq!(&line[..end], expected);
        }
    }

    #[test]
    fn defaults_with_their_scope_and_values() {
        let settings = |line: &str| match parse(line).unwrap().unwrap().0 {
            Entry::Defaults { everywhere, settings } => {
                let shown = settings.iter().map(|it| {
                    let off = if it.is_off { "!" } else { "" };
                    format!("{off}{}={}", it.name, it.value.as_deref().unwrap_or("-"))
                });
                (everywhere, shown.collect::<Vec<_>>().join(" "))
            }
            other => panic!("{line}: {other:?}"),
        };
        for (line, everywhere, expected) in [
            (
                "Defaults !use_pty, logfile = \"/x y\" , timestamp_timeout=-1",
                true,
                "!use_pty=- logfile=/x y timestamp_timeout=-1",
            ),
            ("Defaults env_keep += \"A B\"", true, "env_keep=A B"),
            ("Defaults:alice,%x use_pty", false, "use_pty=-"),
            ("Defaults@host use_pty", false, "use_pty=-"),
            ("Defaults>root use_pty", false, "use_pty=-"),
            ("Defaults!/bin/ls, CMD use_pty", false, "use_pty=-"),
        ] {
            assert_eq!(settings(line), (everywhere, expected.to_owned()), "{line}");
        }
    }
}
