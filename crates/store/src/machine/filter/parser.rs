//! Reading a condition.

use super::field::Kind;
use super::lexer::{Token, tokens};
use super::{Expression, Field, FilterError, Operator, PackageTest, Value};

/// How deep brackets and `not` may go.
const DEEPEST: usize = 32;
/// How much may be asked at once.
const MOST: usize = 64;
/// How many values a list may have.
const LISTED: usize = 200;

pub(super) fn parse(text: &str) -> Result<Expression, FilterError> {
    let tokens = tokens(text)?;
    let end = text.chars().count();
    let mut parser = Parser { tokens, next: 0, end, predicates: 0 };
    let expression = parser.expression(0)?;
    match parser.peek() {
        None => Ok(expression),
        Some(_) => parser.wrong("what comes before is whole; \"and\" or \"or\" joins conditions"),
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    end: usize,
    predicates: usize,
}

type Parsed<T> = Result<T, FilterError>;

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |(at, _)| *at)
    }

    fn wrong<T>(&self, what: impl Into<String>) -> Parsed<T> {
        Err(FilterError { at: self.at(), what: what.into() })
    }

    /// Whether the next is this word, which is then passed.
    fn is(&mut self, word: &str) -> bool {
        let is = matches!(self.peek(), Some(Token::Word(it)) if it.eq_ignore_ascii_case(word));
        self.next += usize::from(is);
        is
    }

    fn takes(&mut self, token: &Token, what: &str) -> Parsed<()> {
        if self.peek() == Some(token) {
            self.next += 1;
            return Ok(());
        }
        self.wrong(what)
    }

    fn expression(&mut self, depth: usize) -> Parsed<Expression> {
        let mut all = vec![self.conjunction(depth)?];
        while self.is("or") {
            all.push(self.conjunction(depth)?);
        }
        Ok(joined(all, Expression::Or))
    }

    fn conjunction(&mut self, depth: usize) -> Parsed<Expression> {
        let mut all = vec![self.unary(depth)?];
        while self.is("and") {
            all.push(self.unary(depth)?);
        }
        Ok(joined(all, Expression::And))
    }

    fn unary(&mut self, depth: usize) -> Parsed<Expression> {
        if depth > DEEPEST {
            return self.wrong(format!("brackets and \"not\" go {DEEPEST} deep at most"));
        }
        if self.is("not") {
            return Ok(Expression::Not(Box::new(self.unary(depth + 1)?)));
        }
        if self.peek() == Some(&Token::Open) {
            self.next += 1;
            let inside = self.expression(depth + 1)?;
            self.takes(&Token::Close, "the bracket is never closed")?;
            return Ok(inside);
        }
        self.predicates += 1;
        if self.predicates > MOST {
            return self.wrong(format!("a condition asks for {MOST} things at most"));
        }
        self.predicate()
    }

    fn predicate(&mut self) -> Parsed<Expression> {
        let name = match self.peek() {
            Some(Token::Word(name)) => name.to_ascii_lowercase(),
            _ => return self.wrong(format!("a field is to stand here: {}", Field::names())),
        };
        let Some(field) = Field::named(&name) else {
            return self.wrong(format!("there is no {name:?}; there are {}", Field::names()));
        };
        self.next += 1;
        if self.is("is") {
            let negative = self.is("not");
            let known = if self.is("known") {
                true
            } else if self.is("unknown") {
                false
            } else {
                return self.wrong("behind \"is\" comes \"known\" or \"unknown\"");
            };
            let expression = Expression::Known(field);
            return Ok(if known != negative { expression } else { not(expression) });
        }
        let negative = self.is("not");
        if self.is("in") {
            let values = self.list()?;
            let expression = self.one_of(field, values)?;
            return Ok(if negative { not(expression) } else { expression });
        }
        if negative {
            return self.wrong("behind \"not\" comes \"in\" here");
        }
        if field.kind == Kind::Package
            && let Some(Token::Word(name) | Token::Text(name)) = self.peek()
        {
            let name = name.clone();
            self.next += 1;
            return self.version(name);
        }
        let Some(Token::Operator(operator)) = self.peek() else {
            return self.wrong(format!("how is {name} to compare? = != ~ < <= > >= in, is"));
        };
        let operator = *operator;
        let at = self.next;
        self.next += 1;
        let value = self.value()?;
        let expression = self.compare(field, operator, value);
        expression.map_err(|error| {
            let at = self.tokens.get(at).map_or(self.end, |(at, _)| *at);
            FilterError { at, ..error }
        })
    }

    fn compare(&self, field: Field, operator: Operator, value: String) -> Parsed<Expression> {
        use Operator::{Equal, Like, NotEqual, Unlike};
        let name = field.name;
        let negative = matches!(operator, NotEqual | Unlike);
        let said = |expression: Expression| if negative { not(expression) } else { expression };
        match (field.kind, operator) {
            (Kind::Text, Equal | NotEqual | Like | Unlike) => {
                Ok(Expression::Compare(field, operator, Value::Text(value)))
            }
            (Kind::Text, _) => {
                self.wrong(format!("{name} is a text: it is asked for by = != ~ !~ in"))
            }
            (Kind::Number, Like | Unlike) => self.wrong(format!("{name} is a number")),
            (Kind::Number, _) => {
                Ok(Expression::Compare(field, operator, self.number(field, &value)?))
            }
            (Kind::Package, Equal | NotEqual) => {
                Ok(said(Expression::Package(PackageTest::Named(vec![value]))))
            }
            (Kind::Package, Like | Unlike) => {
                Ok(said(Expression::Package(PackageTest::Like(value))))
            }
            (Kind::Package, _) => self.wrong("a version is asked for by: package NAME < VERSION"),
            (Kind::Flaw, Equal | NotEqual) => Ok(said(Expression::Flaw(vec![value]))),
            (Kind::Flaw, _) => self.wrong("a flaw is asked for by = != in"),
        }
    }

    fn one_of(&self, field: Field, values: Vec<String>) -> Parsed<Expression> {
        Ok(match field.kind {
            Kind::Package => Expression::Package(PackageTest::Named(values)),
            Kind::Flaw => Expression::Flaw(values),
            Kind::Text => Expression::In(field, values.into_iter().map(Value::Text).collect()),
            Kind::Number => {
                let numbers = values.iter().map(|value| self.number(field, value));
                Expression::In(field, numbers.collect::<Parsed<_>>()?)
            }
        })
    }

    fn number(&self, field: Field, value: &str) -> Parsed<Value> {
        match value.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::Number(number)),
            _ => self.wrong(format!("{} is a number, and {value:?} is none", field.name)),
        }
    }

    /// What is behind `package NAME`.
    fn version(&mut self, name: String) -> Parsed<Expression> {
        use Operator::{Like, NotEqual, Unlike};
        let operator = match self.peek() {
            Some(Token::Operator(it)) if !matches!(it, NotEqual | Like | Unlike) => *it,
            _ => return self.wrong("behind a package comes = < <= > or >= and a version"),
        };
        self.next += 1;
        let version = match self.peek() {
            Some(Token::Word(text) | Token::Text(text)) => text.clone(),
            _ => return self.wrong("a version is to stand here"),
        };
        self.next += 1;
        Ok(Expression::Package(PackageTest::Version(name, operator, version)))
    }

    fn list(&mut self) -> Parsed<Vec<String>> {
        self.takes(&Token::OpenList, "a list begins with [")?;
        let mut values = vec![self.value()?];
        while self.peek() == Some(&Token::Comma) {
            self.next += 1;
            values.push(self.value()?);
            if values.len() > LISTED {
                return self.wrong(format!("a list has {LISTED} values at most"));
            }
        }
        self.takes(&Token::CloseList, "a list ends with ]")?;
        Ok(values)
    }

    fn value(&mut self) -> Parsed<String> {
        match self.peek() {
            Some(Token::Text(text) | Token::Word(text)) => {
                let text = text.clone();
                self.next += 1;
                Ok(text)
            }
            _ => self.wrong("a value is to stand here"),
        }
    }
}

fn not(expression: Expression) -> Expression {
    Expression::Not(Box::new(expression))
}

fn joined(mut all: Vec<Expression>, join: fn(Vec<Expression>) -> Expression) -> Expression {
    match (all.len(), all.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            all.extend(last);
            join(all)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_binds_how() {
        let same = |one: &str, other: &str| {
            assert_eq!(parse(one).unwrap(), parse(other).unwrap(), "{one} / {other}");
        };
        same("os = a and os = b or os = c", "((os = a) and (os = b)) or (os = c)");
        same("not os = a and os = b", "(not (os = a)) and os = b");
        same("package != x", "not package = 'x'");
        same("OS IN [a, \"b\"]", "os in ['a', b]");
        same("cve not in [A]", "not cve = A");
        same("risk is unknown", "not risk is known");
        same("os_version = 12.10", "os_version = \"12.10\"");
        let version = PackageTest::Version("a".into(), Operator::Less, "1:2.0-3".into());
        assert_eq!(parse("package a < 1:2.0-3").unwrap(), Expression::Package(version));
        assert_eq!(
            parse("risk >= 7.5").unwrap(),
            Expression::Compare(
                Field::named("risk").unwrap(),
                Operator::AtLeast,
                Value::Number(7.5)
            )
        );
    }

    #[test]
    fn what_makes_no_sense_is_told_with_its_place() {
        for (text, at, what) in [
            ("", 0, "a field is to stand here"),
            ("colour = red", 0, "there is no \"colour\"; there are name,"),
            ("os =", 4, "a value is to stand here"),
            ("os", 2, "how is os to compare?"),
            ("os = a os = b", 7, "what comes before is whole"),
            ("(os = a", 7, "the bracket is never closed"),
            ("os = 'a", 5, "the ' is never closed"),
            ("os = \"a\\", 7, "nothing stands behind"),
            ("risk > high", 5, "\"high\" is none"),
            ("risk > nan", 5, "is none"),
            ("risk ~ 1", 5, "risk is a number"),
            ("os > 1", 3, "os is a text"),
            ("os ! 1", 3, "behind ! comes"),
            ("package < 1", 8, "package NAME < VERSION"),
            ("package a b", 10, "behind a package comes"),
            ("cve > 1", 4, "a flaw is asked for by"),
            ("os in a", 6, "a list begins with ["),
            ("os in [a", 8, "a list ends with ]"),
            ("os is odd", 6, "\"known\" or \"unknown\""),
            ("os = a & os = b", 7, "'&' has no meaning"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.what.contains(what), "{text}: {error}");
            assert_eq!(error.at, at, "{text}: {error}");
        }
    }

    #[test]
    fn what_has_no_end_is_refused() {
        let deep = format!("{}os = a{}", "(".repeat(5000), ")".repeat(5000));
        let many = vec!["os = a"; 100].join(" and ");
        let listed = format!("os in [{}]", vec!["a"; 500].join(","));
        for text in [deep, "not ".repeat(1000), many, listed, "x".repeat(1 << 20)] {
            assert!(parse(&text).is_err());
        }
    }
}
