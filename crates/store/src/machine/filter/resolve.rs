//! A condition as SQL.

use std::cmp::Ordering;

use sqlx::Row as _;

use super::field::Kind;
use super::{Condition, Expression, Field, Operator, PackageTest, Value};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::machine::fact::plain;
use crate::machine::membership::Sought;
use crate::machine::set::Matter;
use crate::machine::sql::{Sql, Value as Bound, pattern};
use crate::open::Store;

/// How many packages or flaws may be meant by one word.
const MEANT: usize = 3000;
/// How many of them may be asked for in one condition.
const ASKED: usize = 8;

/// A condition, and which facts it is about.
#[derive(Clone, Debug)]
pub(in crate::machine) struct Resolved {
    engine: Engine,
    expression: Expression,
    /// What packages and flaws are meant, in the order in which they are asked for.
    sought: Vec<Sought>,
}

impl Condition {
    /// Finds out which facts it is about.
    pub(in crate::machine) async fn resolve(&self, store: &Store) -> Result<Resolved> {
        let mut sought = Vec::new();
        let mut left = vec![&self.0];
        let mut leaves = Vec::new();
        while let Some(expression) = left.pop() {
            match expression {
                Expression::And(all) | Expression::Or(all) => left.extend(all.iter().rev()),
                Expression::Not(inside) => left.push(inside),
                Expression::Package(_) | Expression::Flaw(_) => leaves.push(expression),
                Expression::Compare(..) | Expression::In(..) | Expression::Known(_) => {}
            }
        }
        if leaves.len() > ASKED {
            let what = format!("a condition asks for {ASKED} packages and flaws at most");
            return Err(Error::new(ErrorKind::Invalid, what));
        }
        for leaf in leaves {
            sought.push(match leaf {
                Expression::Package(test) => packages(store, test).await?,
                Expression::Flaw(names) => flaws(store, names).await?,
                _ => continue,
            });
        }
        Ok(Resolved { engine: store.engine(), expression: self.0.clone(), sought })
    }
}

impl Resolved {
    /// That the condition is sure to hold of machine `m`, or that it is sure not to.
    pub(in crate::machine) fn holds(&self, sql: &mut Sql, wanted: bool) {
        let mut sought = self.sought.iter();
        self.say(&self.expression, wanted, &mut sought, sql);
    }

    fn say<'s>(
        &self,
        expression: &Expression,
        wanted: bool,
        sought: &mut impl Iterator<Item = &'s Sought>,
        sql: &mut Sql,
    ) {
        match expression {
            Expression::And(all) | Expression::Or(all) => {
                let and = matches!(expression, Expression::And(_)) == wanted;
                for (index, inside) in all.iter().enumerate() {
                    sql.say(match (index, and) {
                        (0, _) => "(",
                        (_, true) => " AND ",
                        (_, false) => " OR ",
                    });
                    self.say(inside, wanted, sought, sql);
                }
                sql.say(")");
            }
            Expression::Not(inside) => self.say(inside, !wanted, sought, sql),
            Expression::Known(field) => {
                let is = if wanted { "IS NOT NULL" } else { "IS NULL" };
                sql.say(&format!("({} {is})", self.column(*field)));
            }
            Expression::Compare(field, operator, value) => {
                let operator = if wanted { *operator } else { operator.opposite() };
                self.compare(*field, operator, value, sql);
            }
            Expression::In(field, values) => {
                let not = if wanted { "" } else { "NOT " };
                sql.say(&format!("({} {not}IN (", self.column(*field)));
                for (index, value) in values.iter().enumerate() {
                    sql.say(if index == 0 { "" } else { ", " }).value(bound(value));
                }
                sql.say("))");
            }
            Expression::Package(_) | Expression::Flaw(_) => match sought.next() {
                Some(sought) => sought.holds(sql, wanted),
                None => drop(sql.say("(1 = 0)")),
            },
        }
    }

    fn compare(&self, field: Field, operator: Operator, value: &Value, sql: &mut Sql) {
        let column = self.column(field);
        match (operator, value) {
            (Operator::Like | Operator::Unlike, Value::Text(text)) => {
                let not = if operator == Operator::Like { "" } else { "NOT " };
                sql.say(&format!("(LOWER({column}) {not}LIKE "));
                sql.text(&pattern(&plain(text))).say(" ESCAPE '\\')");
            }
            (_, value) => {
                let symbol = if operator == Operator::NotEqual { "<>" } else { operator.symbol() };
                sql.say(&format!("({column} {symbol} ")).value(bound(value)).say(")");
            }
        }
    }

    fn column(&self, field: Field) -> String {
        debug_assert!(field.kind != Kind::Text || field.column.starts_with("m."));
        self.engine.say(field.column).into_owned()
    }
}

fn bound(value: &Value) -> Bound {
    match value {
        Value::Text(text) => Bound::Text(plain(text)),
        Value::Number(number) => Bound::Number(*number),
    }
}

/// Which packages are meant.
async fn packages(store: &Store, test: &PackageTest) -> Result<Sought> {
    let mut sql = Sql::new("SELECT number, scheme, key, version FROM packages WHERE ");
    match test {
        PackageTest::Named(names) => {
            sql.say("name IN (");
            for (index, name) in names.iter().enumerate() {
                sql.say(if index == 0 { "" } else { ", " }).text(&plain(name));
            }
            sql.say(")");
        }
        PackageTest::Like(text) => {
            sql.say("LOWER(name) LIKE ").text(&pattern(&plain(text))).say(" ESCAPE '\\'");
        }
        PackageTest::Version(name, ..) => drop(sql.say("name = ").text(&plain(name))),
    }
    sql.say(&format!(" LIMIT {}", MEANT + 1));
    let rows = few(sql.rows(store).await?, "packages")?;
    let (mut sure, mut unsure) = (Vec::new(), Vec::new());
    for row in &rows {
        let number: i32 = row.try_get("number")?;
        let PackageTest::Version(_, operator, wanted) = test else {
            sure.push(number);
            continue;
        };
        let (scheme, key): (Option<String>, Option<String>) =
            (row.try_get("scheme")?, row.try_get("key")?);
        let order = order(scheme.as_deref(), key.as_deref(), wanted);
        match order {
            Some(order) if operator.holds(order) => sure.push(number),
            Some(_) => {}
            // Of versions without an order it is known at least whether they are the same.
            None if *operator == Operator::Equal => {
                if row.try_get::<String, _>("version")? == *wanted {
                    sure.push(number);
                }
            }
            None => unsure.push(number),
        }
    }
    sought(store, Matter::Packages, sure, unsure).await
}

/// How a version that is kept compares to another; nothing where that cannot be told.
fn order(scheme: Option<&str>, key: Option<&str>, wanted: &str) -> Option<Ordering> {
    let scheme = fathom_version::Scheme::parse(scheme?)?;
    let wanted = crate::machine::fact::hex(&scheme.key(wanted)?);
    Some(key?.cmp(wanted.as_str()))
}

/// Which flaws are meant.
async fn flaws(store: &Store, names: &[String]) -> Result<Sought> {
    let mut sql = Sql::new("SELECT DISTINCT flaw AS number FROM flaw_names WHERE name IN (");
    for (index, name) in names.iter().enumerate() {
        sql.say(if index == 0 { "" } else { ", " }).text(&plain(name));
    }
    sql.say(&format!(") LIMIT {}", MEANT + 1));
    let rows = few(sql.rows(store).await?, "flaws")?;
    let sure = rows.iter().map(|row| Ok(row.try_get("number")?)).collect::<Result<_>>()?;
    sought(store, Matter::Flaws, sure, Vec::new()).await
}

async fn sought(store: &Store, matter: Matter, sure: Vec<i32>, unsure: Vec<i32>) -> Result<Sought> {
    let sets = store.few_sets(matter, &sure).await?;
    Ok(Sought { matter, sure, unsure, sets })
}

fn few<T>(rows: Vec<T>, what: &str) -> Result<Vec<T>> {
    match rows.len() > MEANT {
        true => Err(Error::new(
            ErrorKind::Invalid,
            format!("more than {MEANT} {what} in their versions are meant: ask for fewer"),
        )),
        false => Ok(rows),
    }
}
