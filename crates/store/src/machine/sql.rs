//! A statement that is put together of parts.

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe};

use crate::error::Result;
use crate::open::Store;

/// A value that goes with a statement.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Whole(i64),
    Number(f64),
}

/// A statement, and what goes with it. Whatever comes from a caller is a value, never text.
#[derive(Clone, Debug, Default)]
pub(super) struct Sql {
    text: String,
    values: Vec<Value>,
}

impl Sql {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), values: Vec::new() }
    }

    /// More of it: words of ours.
    pub(super) fn say(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// A place for a value.
    pub(super) fn value(&mut self, value: Value) -> &mut Self {
        self.values.push(value);
        self.text.push_str(&format!("${}", self.values.len()));
        self
    }

    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.value(Value::Text(text.to_owned()))
    }

    /// Numbers of ours, in brackets.
    pub(super) fn numbers(&mut self, numbers: &[i32]) -> &mut Self {
        self.text.push_str(&listed(numbers));
        self
    }

    /// That the namespace of `table` is one of these; nothing: any.
    pub(super) fn within(&mut self, table: &str, namespaces: Option<&[String]>) -> &mut Self {
        let Some(namespaces) = namespaces else { return self.say("(1 = 1)") };
        if namespaces.is_empty() {
            return self.say("(1 = 0)");
        }
        self.say(&format!("{table}.namespace IN ("));
        for (index, namespace) in namespaces.iter().enumerate() {
            self.say(if index == 0 { "" } else { ", " }).text(namespace);
        }
        self.say(")")
    }

    /// All rows of the answer.
    pub(super) async fn rows(&self, store: &Store) -> Result<Vec<AnyRow>> {
        Ok(self.query().fetch_all(store.read()).await?)
    }

    fn query(&self) -> Query<'_, Any, AnyArguments> {
        // There are as many of them as there are questions: none is prepared for another time.
        let query = sqlx::query(AssertSqlSafe(self.text.clone())).persistent(false);
        self.values.iter().fold(query, |query, value| match value {
            Value::Text(text) => query.bind(text.clone()),
            Value::Whole(number) => query.bind(*number),
            Value::Number(number) => query.bind(*number),
        })
    }
}

/// Numbers in brackets; none is a list that nothing is in.
pub(super) fn listed(numbers: &[i32]) -> String {
    if numbers.is_empty() {
        return "(NULL)".to_owned();
    }
    let mut text = String::with_capacity(numbers.len() * 8 + 2);
    text.push('(');
    for (index, number) in numbers.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&number.to_string());
    }
    text.push(')');
    text
}

/// A pattern for `LIKE … ESCAPE '\'`: stars stand for anything, and so does what is around a text
/// without any. Case does not count.
pub(super) fn pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    let bare = !text.contains('*');
    if bare {
        pattern.push('%');
    }
    for character in text.to_lowercase().chars() {
        match character {
            '*' => pattern.push('%'),
            '%' | '_' | '\\' => pattern.extend(['\\', character]),
            other => pattern.push(other),
        }
    }
    if bare {
        pattern.push('%');
    }
    pattern
}
