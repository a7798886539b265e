//! From words to what they mean.

use super::lexer::{Token, words};
use super::schema::{ALIASES, Shape};
use super::{Expression, Literal, Operator, Path, Step, Test};

/// The longest check.
const MAX_LENGTH: usize = 8 << 10;

/// How deeply expressions lie in each other.
const MAX_DEPTH: usize = 16;

/// How many items a list in a rule has.
const MAX_LITERALS: usize = 256;

/// Words that begin a predicate and so are no names of properties.
const RESERVED: [&str; 16] = [
    "any",
    "no",
    "every",
    "count",
    "installed",
    "enabled",
    "concern",
    "not",
    "and",
    "or",
    "where",
    "has",
    "is",
    "in",
    "true",
    "false",
];

/// Reads a check. What is wrong with it is told in words.
pub fn parse(text: &str) -> Result<Expression, String> {
    parse_of(text, &Shape::system())
}

/// Reads a check of what has this shape.
pub(crate) fn parse_of(text: &str, shape: &Shape) -> Result<Expression, String> {
    if text.len() > MAX_LENGTH {
        return Err(format!("a check has at most {MAX_LENGTH} bytes"));
    }
    let mut parser = Parser { tokens: words(text)?, at: 0, depth: 0 };
    let expression = parser.expression(shape)?;
    match parser.peek() {
        None => Ok(expression),
        Some(token) => Err(format!("{} is more than the check needs", token.shown())),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Result<Token, String> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token.ok_or_else(|| "the check ends too early".to_owned())
    }

    /// Whether this word comes next, which then is taken.
    fn word(&mut self, word: &str) -> bool {
        let is = matches!(self.peek(), Some(Token::Name(name)) if name == word);
        self.at += usize::from(is);
        is
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        let is = matches!(self.peek(), Some(Token::Symbol(next)) if *next == symbol);
        self.at += usize::from(is);
        is
    }

    fn expect(&mut self, symbol: &str) -> Result<(), String> {
        if self.symbol(symbol) {
            return Ok(());
        }
        let found = self.peek().map_or_else(|| "the end".to_owned(), Token::shown);
        Err(format!("{symbol} is missing before {found}"))
    }

    fn expression(&mut self, shape: &Shape) -> Result<Expression, String> {
        let mut parts = vec![self.conjunction(shape)?];
        while self.word("or") {
            parts.push(self.conjunction(shape)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::Or(parts) })
    }

    fn conjunction(&mut self, shape: &Shape) -> Result<Expression, String> {
        let mut parts = vec![self.unary(shape)?];
        while self.word("and") {
            parts.push(self.unary(shape)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::And(parts) })
    }

    fn unary(&mut self, shape: &Shape) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("a check is at most {MAX_DEPTH} levels deep"));
        }
        let expression = if self.word("not") {
            Expression::Not(Box::new(self.unary(shape)?))
        } else if self.symbol("(") {
            let inner = self.expression(shape)?;
            self.expect(")")?;
            inner
        } else {
            self.predicate(shape)?
        };
        self.depth -= 1;
        Ok(expression)
    }

    fn predicate(&mut self, shape: &Shape) -> Result<Expression, String> {
        if self.word("any") {
            let (list, filter, _) = self.list(shape)?;
            return Ok(Expression::Any(list, filter));
        }
        if self.word("no") {
            let (list, filter, _) = self.list(shape)?;
            return Ok(Expression::Not(Box::new(Expression::Any(list, filter))));
        }
        if self.word("every") {
            let found = self.word("found");
            let (list, filter, item) = self.list(shape)?;
            if !self.word("has") {
                return Err(format!("\"every {list}\" needs \"has\" and what every one has"));
            }
            let wanted = Box::new(self.unary(&item)?);
            return Ok(match found {
                true => Expression::EveryFound(list, filter, wanted),
                false => Expression::Every(list, filter, wanted),
            });
        }
        if self.word("count") {
            let (list, filter, _) = self.list(shape)?;
            let operator = self.operator().ok_or("\"count\" needs = != < <= > or >=")?;
            return match self.next()? {
                Token::Number(number) => Ok(Expression::Count(list, filter, operator, number)),
                other => Err(format!("\"count\" needs a number, not {}", other.shown())),
            };
        }
        for (word, make) in
            [("installed", Expression::Installed as fn(_) -> _), ("enabled", Expression::Enabled)]
        {
            if self.of_system(word, shape)? {
                return self.texts().map(make);
            }
        }
        if self.of_system("concern", shape)? {
            return self.text().map(Expression::Concern);
        }
        // What stands before a text in quotes is no name of a property.
        if let (Some(Token::Name(name)), Some(Token::Text(_))) =
            (self.peek(), self.tokens.get(self.at + 1))
            && name == "unknown"
        {
            self.at += 1;
            return self.text().map(Expression::Unknown);
        }
        let (path, found) = self.path(shape)?;
        if found.is_list() {
            return self.membership(path, &found);
        }
        let test = self.test(&path, &found)?;
        Ok(Expression::Is(path, test))
    }

    /// Whether this word comes next; it is one that asks a whole system, no item.
    fn of_system(&mut self, word: &str, shape: &Shape) -> Result<bool, String> {
        // An item may have a property of that name, which then is meant.
        if !shape.is_system() && shape.has(word) {
            return Ok(false);
        }
        match self.word(word) {
            true if !shape.is_system() => Err(format!("{word:?} asks a system, not an item")),
            asked => Ok(asked),
        }
    }

    /// A list, which of its items, and what an item is.
    fn list(&mut self, shape: &Shape) -> Result<(Path, Option<Box<Expression>>, Shape), String> {
        let (path, found) = self.path(shape)?;
        let item = found.item().ok_or_else(|| format!("{path} is not a list"))?;
        let filter = if self.word("where") { Some(Box::new(self.unary(&item)?)) } else { None };
        Ok((path, filter, item))
    }

    /// `groups contains "sudo"`: the one thing that is asked of a list as of a value.
    fn membership(&mut self, path: Path, found: &Shape) -> Result<Expression, String> {
        if !self.word("contains") {
            let why = format!("{path} is a list: any, no, every, count or contains asks it");
            return Err(why);
        }
        let wanted = Literal::Text(self.text()?);
        let item = found.item().unwrap_or_else(Shape::anything);
        item.check(&path, &wanted)?;
        let is = Expression::Is(Path(Vec::new()), Test::Compare(Operator::Equal, wanted));
        Ok(Expression::Any(path, Some(Box::new(is))))
    }

    fn path(&mut self, shape: &Shape) -> Result<(Path, Shape), String> {
        let first = match self.next()? {
            Token::Name(name) => name,
            other => {
                return Err(format!("{} is no name of something in the report", other.shown()));
            }
        };
        if first == "it" {
            if shape.is_system() {
                return Err("\"it\" is an item: it stands in where and has only".to_owned());
            }
            return Ok((Path(Vec::new()), shape.clone()));
        }
        if RESERVED.contains(&first.as_str()) && !shape.has(&first) {
            return Err(format!("{first:?} stands where a name is needed"));
        }
        let mut steps = Vec::new();
        let alias = ALIASES.iter().find(|(alias, _)| shape.is_system() && *alias == first);
        match alias {
            Some((_, way)) => steps.extend(way.iter().map(|name| Step::Field((*name).into()))),
            None => steps.push(Step::Field(first)),
        }
        let mut found = shape.clone();
        for step in &steps {
            found = found.step(step)?;
        }
        loop {
            let step = if self.symbol(".") {
                match self.next()? {
                    Token::Name(name) => Step::Field(name),
                    other => return Err(format!("{} is no name", other.shown())),
                }
            } else if self.symbol("[") {
                let name = self.text()?;
                self.expect("]")?;
                Step::Setting(name)
            } else {
                return Ok((Path(steps), found));
            };
            found = found.step(&step)?;
            steps.push(step);
        }
    }

    fn test(&mut self, path: &Path, found: &Shape) -> Result<Test, String> {
        if self.word("is") {
            return match self.next()? {
                Token::Name(name) if name == "known" => Ok(Test::Known),
                Token::Name(name) if name == "absent" => Ok(Test::Absent),
                other => Err(format!("\"is\" needs known or absent, not {}", other.shown())),
            };
        }
        if self.word("in") {
            self.expect("[")?;
            let mut literals = vec![self.literal()?];
            while self.symbol(",") {
                literals.push(self.literal()?);
            }
            self.expect("]")?;
            if literals.len() > MAX_LITERALS {
                return Err(format!("a list in a rule has at most {MAX_LITERALS} items"));
            }
            literals.iter().try_for_each(|literal| found.check(path, literal))?;
            return Ok(Test::In(literals));
        }
        for (word, make) in [
            ("contains", Test::Contains as fn(String) -> Test),
            ("starts", Test::Starts),
            ("ends", Test::Ends),
            ("matches", Test::Matches),
        ] {
            if self.word(word) {
                return self.text().map(make);
            }
        }
        let operator = self.operator().ok_or_else(|| {
            let next = self.peek().map_or_else(|| "the end".to_owned(), Token::shown);
            format!("after {path} a comparison is needed, not {next}")
        })?;
        let literal = self.literal()?;
        let is_ordered =
            matches!(literal, Literal::Number(_) | Literal::Decimal(_) | Literal::Today(_));
        if !is_ordered && !matches!(operator, Operator::Equal | Operator::NotEqual) {
            return Err(format!("only numbers and days are smaller or larger, not {literal}"));
        }
        found.check(path, &literal)?;
        Ok(Test::Compare(operator, literal))
    }

    fn operator(&mut self) -> Option<Operator> {
        [
            Operator::Equal,
            Operator::NotEqual,
            Operator::Less,
            Operator::AtMost,
            Operator::More,
            Operator::AtLeast,
        ]
        .into_iter()
        .find(|operator| self.symbol(operator.symbol()))
    }

    fn literal(&mut self) -> Result<Literal, String> {
        Ok(match self.next()? {
            Token::Text(text) => Literal::Text(text),
            Token::Number(number) => Literal::Number(number),
            Token::Decimal(millionths) => Literal::Decimal(millionths),
            Token::Symbol("-") => match self.next()? {
                Token::Number(number) => Literal::Number(-number),
                Token::Decimal(millionths) => Literal::Decimal(-millionths),
                other => return Err(format!("{} is no number", other.shown())),
            },
            Token::Name(name) if name == "true" => Literal::Flag(true),
            Token::Name(name) if name == "false" => Literal::Flag(false),
            Token::Name(name) if name == "today" => Literal::Today(if self.symbol("+") {
                self.number()?
            } else if self.symbol("-") {
                -self.number()?
            } else {
                0
            }),
            other => return Err(format!("{} is no value; a text stands in quotes", other.shown())),
        })
    }

    fn number(&mut self) -> Result<i64, String> {
        match self.next()? {
            Token::Number(number) => Ok(number),
            other => Err(format!("{} is no number", other.shown())),
        }
    }

    fn text(&mut self) -> Result<String, String> {
        match self.next()? {
            Token::Text(text) => Ok(text),
            other => Err(format!("{} is no text in quotes", other.shown())),
        }
    }

    fn texts(&mut self) -> Result<Vec<String>, String> {
        let mut texts = vec![self.text()?];
        while self.symbol(",") {
            texts.push(self.text()?);
        }
        if texts.len() > MAX_LITERALS {
            return Err(format!("a list in a rule has at most {MAX_LITERALS} items"));
        }
        Ok(texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(check: &str) -> String {
        match parse(check) {
            Err(why) => why,
            Ok(expression) => panic!("{check}: {expression:?}"),
        }
    }

    #[test]
    fn checks_are_read() {
        for check in [
            r#"identity.distribution in ["debian", "ubuntu"]"#,
            r#"sshd["permitrootlogin"] = "no" or not installed "openssh-server""#,
            r#"every mounts where path = "/tmp" has options contains "nodev""#,
            "every found certificates has not_after >= today",
            r#"no accounts where (id = "0" and name != "root")"#,
            r#"count set_id where not path starts "/usr/" <= 3"#,
            r#"no accounts where any keys where kind = "ssh-dss""#,
            r#"any users.sudo where it contains "NOPASSWD""#,
            r#"identity.end_of_life.support >= today+180"#,
            r#"security.secure_boot = true and identity.hostname is known"#,
            r#"no concerns where category = "Critical""#,
            r#"every services where enabled = "enabled" has user is absent"#,
            r#"identity.name is absent and unknown "it has none""#,
        ] {
            parse(check).unwrap_or_else(|why| panic!("{check}: {why}"));
        }
    }

    #[test]
    fn and_binds_closer_than_or() {
        let check = r#"enabled "a" or enabled "b" and enabled "c""#;
        let Expression::Or(parts) = parse(check).unwrap() else { panic!() };
        assert!(matches!(parts[1], Expression::And(_)));
    }

    #[test]
    fn what_is_wrong_is_said_and_what_was_meant() {
        assert!(wrong(r#"identity.distro = "x""#).contains("\"distribution\""));
        assert!(wrong(r#"packges = "x""#).contains("packages"));
        assert!(wrong(r#"packages = "x""#).contains("is a list"));
        assert!(wrong(r#"any identity.name"#).contains("not a list"));
        assert!(wrong(r#"any services where enabled = "enable""#).contains("\"enabled\""));
        assert!(wrong(r#"identity.name < "x""#).contains("smaller"));
        assert!(wrong(r#"identity.name = x"#).contains("quotes"));
        assert!(wrong(r#"every packages where name = "x""#).contains("has"));
        assert!(wrong(r#"it = "x""#).contains("item"));
        assert!(wrong(r#"identity.name = "x" identity"#).contains("more than"));
        assert!(wrong("").contains("early"));
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let deep = format!("{}enabled \"a\"{}", "(".repeat(5_000), ")".repeat(5_000));
        assert!(wrong(&deep).contains("bytes") || wrong(&deep).contains("deep"));
        let deep = "not ".repeat(1_000) + "enabled \"a\"";
        assert!(wrong(&deep).contains("deep"));
        assert!(wrong(&" ".repeat(9_000)).contains("bytes"));
    }
}
