//! The grammar of a script of GRUB.

use std::rc::Rc;

use super::word::{Token, Word, tokens};

/// How deep blocks may lie in each other.
const MAX_DEPTH: usize = 48;

/// Commands one after the other.
pub(super) type Script = Rc<Vec<Statement>>;

#[derive(Debug)]
pub(super) enum Statement {
    /// A command with its words, and the block behind it: of `menuentry` and `submenu`.
    Command {
        words: Vec<Word>,
        block: Option<Script>,
    },
    /// Each condition with what it lets run, and what runs where none holds.
    If {
        branches: Vec<(Script, Script)>,
        otherwise: Option<Script>,
    },
    /// What runs any number of times; a variable is another one each time.
    Loop {
        variable: Option<String>,
        body: Script,
    },
    Function {
        name: String,
        body: Script,
    },
}

/// The commands of a script; why it cannot be understood, where that is so.
pub(super) fn parse(text: &str) -> Result<Script, String> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, at: 0 };
    let script = parser.list(0)?;
    match parser.peek() {
        None => Ok(script),
        Some(token) => Err(format!("{} stands where nothing may", shown(token))),
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
}

fn shown(token: &Token) -> String {
    match token {
        Token::Word(word) => format!("{:?}", word.keyword().unwrap_or("a word")),
        Token::End => "the end of a line".to_owned(),
        Token::Open => "\"{\"".to_owned(),
        Token::Close => "\"}\"".to_owned(),
        Token::Other(character) => format!("{character:?}"),
    }
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    fn keyword(&self) -> Option<&'a str> {
        match self.peek()? {
            Token::Word(word) => word.keyword(),
            _ => None,
        }
    }

    /// Goes on behind the keyword that must stand here.
    fn expect(&mut self, keyword: &str) -> Result<(), String> {
        if self.keyword() == Some(keyword) {
            self.at += 1;
            return Ok(());
        }
        let found = self.peek().map_or_else(|| "the end".to_owned(), shown);
        Err(format!("{found} stands where {keyword:?} must"))
    }

    /// Commands until a keyword or a brace that closes what they stand in.
    fn list(&mut self, depth: usize) -> Result<Script, String> {
        if depth > MAX_DEPTH {
            return Err(format!("blocks lie more than {MAX_DEPTH} deep in each other"));
        }
        let mut statements = Vec::new();
        loop {
            while self.peek() == Some(&Token::End) {
                self.at += 1;
            }
            if matches!(self.keyword(), Some("then" | "elif" | "else" | "fi" | "do" | "done"))
                || matches!(self.peek(), None | Some(Token::Close))
            {
                return Ok(Rc::new(statements));
            }
            statements.push(self.statement(depth)?);
        }
    }

    fn statement(&mut self, depth: usize) -> Result<Statement, String> {
        match self.keyword() {
            Some("if") => self.condition(depth),
            Some("while" | "until") => {
                self.at += 1;
                self.list(depth + 1)?;
                self.body(None, depth)
            }
            Some("for") => {
                self.at += 1;
                let variable = self.keyword().ok_or("a loop has no variable")?.to_owned();
                while !matches!(self.peek(), None | Some(Token::End)) {
                    self.at += 1;
                }
                self.list(depth + 1)?;
                self.body(Some(variable), depth)
            }
            Some("function") => {
                self.at += 1;
                let name = self.keyword().ok_or("a function has no name")?.to_owned();
                self.at += 1;
                while self.peek() == Some(&Token::End) {
                    self.at += 1;
                }
                let body = self.block(depth)?.ok_or("a function has no body")?;
                Ok(Statement::Function { name, body })
            }
            _ => self.command(depth),
        }
    }

    fn body(&mut self, variable: Option<String>, depth: usize) -> Result<Statement, String> {
        self.expect("do")?;
        let body = self.list(depth + 1)?;
        self.expect("done")?;
        Ok(Statement::Loop { variable, body })
    }

    fn condition(&mut self, depth: usize) -> Result<Statement, String> {
        let mut branches = Vec::new();
        let mut otherwise = None;
        loop {
            // `if`, or `elif`.
            self.at += 1;
            let condition = self.list(depth + 1)?;
            self.expect("then")?;
            branches.push((condition, self.list(depth + 1)?));
            match self.keyword() {
                Some("elif") => {}
                Some("else") => {
                    self.at += 1;
                    otherwise = Some(self.list(depth + 1)?);
                    self.expect("fi")?;
                    break;
                }
                _ => {
                    self.expect("fi")?;
                    break;
                }
            }
        }
        Ok(Statement::If { branches, otherwise })
    }

    fn block(&mut self, depth: usize) -> Result<Option<Script>, String> {
        if self.peek() != Some(&Token::Open) {
            return Ok(None);
        }
        self.at += 1;
        let body = self.list(depth + 1)?;
        if self.peek() != Some(&Token::Close) {
            return Err("a block is not closed".to_owned());
        }
        self.at += 1;
        Ok(Some(body))
    }

    fn command(&mut self, depth: usize) -> Result<Statement, String> {
        let mut words = Vec::new();
        while let Some(Token::Word(word)) = self.peek() {
            words.push(word.clone());
            self.at += 1;
        }
        let block = self.block(depth)?;
        match self.peek() {
            None | Some(Token::End | Token::Close) if !words.is_empty() || block.is_some() => {
                Ok(Statement::Command { words, block })
            }
            // `fi` and its like may stand right behind a block.
            Some(Token::Word(_)) if block.is_some() => Ok(Statement::Command { words, block }),
            found => {
                let found = found.map_or_else(|| "the end".to_owned(), shown);
                Err(format!("{found} stands where a command must"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_that_are_and_are_none() {
        let script = parse(
            "if [ -s $prefix/grubenv ]; then\n load_env\nelif true; then a\nelse\n b; c\nfi\n\
             function f {\n d\n}\nmenuentry 'x' --class y {\n linux /z\n}\nfor i in 1 2; do e; done\n",
        )
        .unwrap();
        assert_eq!(script.len(), 4);
        let Statement::If { branches, otherwise } = &script[0] else { panic!("{script:?}") };
        assert_eq!((branches.len(), otherwise.as_ref().unwrap().len()), (2, 2));
        for bad in ["if true; fi", "if true; then a", "menuentry x {", "}", "a | b", "fi", "| a"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(parse(&"if a; then ".repeat(100)).unwrap_err().contains("deep"));
        assert!(parse(&"x {\n".repeat(60_000)).unwrap_err().contains("deep"));
    }
}
