//! What a check comes to on a system: yes, no, or it cannot be told.

mod found;
mod truth;

use std::cell::Cell;

use fathom_report::is_like;
use serde_json::Value;

use self::found::{Found, List, evidence_of, label};
pub(crate) use self::truth::{Truth, Verdict};
use crate::language::{Expression, Literal, Operator, Path, Step, Test};
use fathom_report::Day;

/// How many comparisons one check may take. Lists in lists multiply.
const MAX_STEPS: u32 = 2_000_000;

/// How many items a message names.
const NAMED: usize = 6;

/// A system that checks are put to.
pub(crate) struct Evaluator<'a> {
    /// The system as its document.
    system: &'a Value,
    today: Day,
    steps: Cell<u32>,
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(system: &'a Value, today: Day) -> Self {
        Self { system, today, steps: Cell::new(0) }
    }

    /// What the check comes to.
    pub(crate) fn evaluate(&self, check: &Expression) -> Verdict {
        self.steps.set(0);
        let verdict = self.truth(check, self.system);
        if self.steps.get() > MAX_STEPS {
            return Verdict::unknown(format!("it takes more than {MAX_STEPS} comparisons"));
        }
        verdict
    }

    fn truth(&self, expression: &Expression, scope: &Value) -> Verdict {
        self.steps.set(self.steps.get().saturating_add(1));
        if self.steps.get() > MAX_STEPS {
            return Verdict::unknown(String::new());
        }
        match expression {
            Expression::And(parts) => {
                Verdict::all(parts.iter().map(|part| self.truth(part, scope)))
            }
            Expression::Or(parts) => Verdict::any(parts.iter().map(|part| self.truth(part, scope))),
            Expression::Not(inner) => self.truth(inner, scope).not(),
            Expression::Is(path, test) => self.is(path, test, scope),
            Expression::Any(path, filter) => self.any(path, filter.as_deref(), scope),
            Expression::Every(path, filter, wanted) => {
                self.every(path, filter.as_deref(), wanted, scope, found::list)
            }
            Expression::EveryFound(path, filter, wanted) => {
                self.every(path, filter.as_deref(), wanted, scope, found::list_as_looked_for)
            }
            Expression::Count(path, filter, operator, number) => {
                self.count(path, filter.as_deref(), *operator, *number, scope)
            }
            Expression::Installed(names) => self.installed(names),
            Expression::Enabled(names) => self.enabled(names),
            Expression::Concern(id) => self.concern(id),
            Expression::Unknown(why) => Verdict::unknown(why.clone()),
        }
    }

    fn is(&self, path: &Path, test: &Test, scope: &Value) -> Verdict {
        match (found::resolve(scope, path), test) {
            (Found::Unknown(why), _) => Verdict::unknown(format!("{path}: {why}")),
            (Found::Absent(evidence), Test::Absent) => {
                Verdict::new(Truth::Yes, format!("there is no {path}")).with(evidence)
            }
            (Found::There(value, evidence), Test::Absent) => {
                Verdict::new(Truth::No, format!("{path} is {}", label(value))).with(evidence)
            }
            (Found::There(value, evidence), Test::Known) => {
                Verdict::new(Truth::Yes, format!("{path} is {}", label(value))).with(evidence)
            }
            (Found::Absent(evidence), Test::Known) => {
                Verdict::new(Truth::No, format!("there is no {path}")).with(evidence)
            }
            (Found::Absent(evidence), test) => {
                // What is not there equals nothing, and so differs from everything.
                let differs = matches!(test, Test::Compare(Operator::NotEqual, _));
                let truth = if differs { Truth::Yes } else { Truth::No };
                Verdict::new(truth, format!("there is no {path}")).with(evidence)
            }
            (Found::There(value, evidence), test) => match self.test(value, test) {
                Ok(holds) => {
                    let truth = if holds { Truth::Yes } else { Truth::No };
                    Verdict::new(truth, format!("{path} is {}", label(value))).with(evidence)
                }
                Err(why) => Verdict::unknown(format!("{path}: {why}")),
            },
        }
    }

    /// Whether a value is as it is asked; or why that cannot be told.
    fn test(&self, value: &Value, test: &Test) -> Result<bool, String> {
        let text = || value.as_str().ok_or_else(|| format!("{} is no text", label(value)));
        Ok(match test {
            Test::Compare(operator, literal) => self.compare(value, *operator, literal)?,
            Test::In(literals) => {
                let mut any = false;
                for literal in literals {
                    any |= self.compare(value, Operator::Equal, literal)?;
                }
                any
            }
            Test::Contains(part) => text()?.contains(part.as_str()),
            Test::Starts(start) => text()?.starts_with(start.as_str()),
            Test::Ends(end) => text()?.ends_with(end.as_str()),
            Test::Matches(pattern) => is_like(text()?, pattern),
            Test::Known | Test::Absent => return Err("this is asked of statements".to_owned()),
        })
    }

    fn compare(
        &self,
        value: &Value,
        operator: Operator,
        literal: &Literal,
    ) -> Result<bool, String> {
        let differs = |operator| operator == Operator::NotEqual;
        let ordering = match literal {
            Literal::Text(wanted) => match value.as_str() {
                Some(text) => text.cmp(wanted),
                None => return Ok(differs(operator)),
            },
            Literal::Flag(wanted) => match value.as_bool() {
                Some(flag) => flag.cmp(wanted),
                None => return Err(format!("{} is no true or false", label(value))),
            },
            Literal::Number(_) | Literal::Decimal(_) => match number(value) {
                Some(number) => number.cmp(&millionths(literal)),
                None => match operator {
                    Operator::Equal | Operator::NotEqual => return Ok(differs(operator)),
                    _ => return Err(format!("{} is no number", label(value))),
                },
            },
            Literal::Today(days) => {
                let day = value.as_str().and_then(Day::parse);
                let day = day.ok_or_else(|| format!("{} is no day", label(value)))?;
                day.cmp(&self.today.plus(*days))
            }
        };
        Ok(operator.holds(ordering))
    }

    fn any(&self, path: &Path, filter: Option<&Expression>, scope: &Value) -> Verdict {
        let list = match found::list(scope, path) {
            Ok(list) => list,
            Err(why) => return Verdict::unknown(format!("{path}: {why}")),
        };
        let (hits, unsure) = self.sort(&list, filter);
        if !hits.is_empty() {
            return Verdict::new(Truth::Yes, format!("{path}: {}", names(&hits)))
                .with(places(&hits));
        }
        if let Some(why) = list.incomplete.or(unsure.into_iter().next()) {
            return Verdict::unknown(format!("{path}: {why}"));
        }
        let what = if filter.is_some() { "none is so" } else { "there are none" };
        Verdict::new(Truth::No, format!("{path}: {what}")).with(list.evidence)
    }

    /// The items for which it holds, and why it cannot be told of others.
    fn sort<'v>(
        &self,
        list: &List<'v>,
        filter: Option<&Expression>,
    ) -> (Vec<&'v Value>, Vec<String>) {
        let Some(filter) = filter else { return (list.items.iter().collect(), Vec::new()) };
        let (mut hits, mut unsure) = (Vec::new(), Vec::new());
        for item in list.items {
            let verdict = self.truth(filter, item);
            match verdict.truth {
                Truth::Yes => hits.push(item),
                Truth::No => {}
                Truth::Unknown => {
                    unsure.push(format!("{}: {}", label(item), verdict.message()));
                }
            }
        }
        (hits, unsure)
    }

    fn every<'v>(
        &self,
        path: &Path,
        filter: Option<&Expression>,
        wanted: &Expression,
        scope: &'v Value,
        list: fn(&'v Value, &Path) -> Result<List<'v>, String>,
    ) -> Verdict {
        let list = match list(scope, path) {
            Ok(list) => list,
            Err(why) => return Verdict::unknown(format!("{path}: {why}")),
        };
        let (mut good, mut bad, mut unsure) = (Vec::new(), Vec::new(), None);
        let mut why_bad = String::new();
        for item in list.items {
            let is_meant = match filter {
                Some(filter) => self.truth(filter, item),
                None => Verdict::new(Truth::Yes, String::new()),
            };
            if is_meant.truth == Truth::No {
                continue;
            }
            let verdict = self.truth(wanted, item);
            match (is_meant.truth, verdict.truth) {
                (Truth::Yes, Truth::Yes) => good.push(item),
                // Whether it is meant cannot be told, but it is as it should be.
                (Truth::Unknown, Truth::Yes) | (Truth::No, _) => {}
                (Truth::Yes, Truth::No) => {
                    if bad.is_empty() {
                        why_bad = verdict.message();
                    }
                    bad.push(item);
                }
                (Truth::Unknown, _) => unsure = Some((item, is_meant.message())),
                (Truth::Yes, Truth::Unknown) => unsure = Some((item, verdict.message())),
            }
        }
        if !bad.is_empty() {
            let message = format!("{path}: {} not so ({why_bad})", names(&bad));
            return Verdict::new(Truth::No, message).with(places(&bad));
        }
        if let Some(why) = list.incomplete {
            return Verdict::unknown(format!("{path}: {why}"));
        }
        if let Some((item, why)) = unsure {
            return Verdict::unknown(format!("{path}: {}: {why}", label(item)));
        }
        let mut message = match good.len() {
            0 => format!("{path}: there is none that it is about"),
            _ => format!("{path}: {} so", names(&good)),
        };
        if let Some(how_far) = list.how_far {
            message = format!("{message}; {how_far}");
        }
        let evidence = if good.is_empty() { list.evidence } else { places(&good) };
        Verdict::new(Truth::Yes, message).with(evidence)
    }

    fn count(
        &self,
        path: &Path,
        filter: Option<&Expression>,
        operator: Operator,
        number: i64,
        scope: &Value,
    ) -> Verdict {
        let list = match found::list(scope, path) {
            Ok(list) => list,
            Err(why) => return Verdict::unknown(format!("{path}: {why}")),
        };
        let (hits, unsure) = self.sort(&list, filter);
        let least = hits.len() as i64;
        let most = match &list.incomplete {
            Some(_) => i64::MAX,
            None => least + unsure.len() as i64,
        };
        let truth = truth::of_range(least, most, operator, number);
        if truth == Truth::Unknown {
            let why = list.incomplete.or(unsure.into_iter().next()).unwrap_or_default();
            return Verdict::unknown(format!("{path}: at least {least}, but {why}"));
        }
        let message = match least {
            0 => format!("{path}: none"),
            _ => format!("{path}: {least}: {}", names(&hits)),
        };
        Verdict::new(truth, message).with(places(&hits))
    }

    fn of_system(&self, fields: &[&str]) -> Result<List<'_>, String> {
        let steps = fields.iter().map(|name| Step::Field((*name).to_owned())).collect();
        found::list(self.system, &Path(steps))
    }

    /// Whether a package of one of the names is installed: unpacked and configured, not only known to
    /// the database.
    fn installed(&self, names: &[String]) -> Verdict {
        let list = match self.of_system(&["packages"]) {
            Ok(list) => list,
            Err(why) => return Verdict::unknown(format!("packages: {why}")),
        };
        let wanted = names.join(" or ");
        let hit = list.items.iter().find(|package| {
            let is_named = names.iter().any(|name| package["name"] == **name);
            let gone = ["config-files", "not-installed", "removed"];
            let state = package["state"].as_str().unwrap_or_default();
            is_named && !gone.iter().any(|gone| state.contains(gone))
        });
        match (hit, list.incomplete) {
            (Some(package), _) => {
                let message =
                    format!("{} {} is installed", label(package), text(package, "version"));
                Verdict::new(Truth::Yes, message).with(evidence_of(package))
            }
            (None, Some(why)) => Verdict::unknown(format!("packages: {why}")),
            (None, None) => {
                Verdict::new(Truth::No, format!("{wanted} is not installed")).with(list.evidence)
            }
        }
    }

    /// Whether a service of one of the names is started with the system.
    fn enabled(&self, names: &[String]) -> Verdict {
        let list = match self.of_system(&["services"]) {
            Ok(list) => list,
            Err(why) => return Verdict::unknown(format!("services: {why}")),
        };
        let is_named = |service: &&Value| {
            let name = text(service, "name");
            names.iter().any(|wanted| {
                name == wanted || name.strip_suffix(".service") == Some(wanted.as_str())
            })
        };
        let mut unsure = None;
        let mut known = Vec::new();
        for service in list.items.iter().filter(is_named) {
            let field = Path(vec![Step::Field("enabled".to_owned())]);
            match found::resolve(service, &field) {
                Found::There(state, _) if state == "enabled" => {
                    let message = format!("{} is enabled", label(service));
                    return Verdict::new(Truth::Yes, message).with(evidence_of(service));
                }
                Found::There(state, _) => {
                    known.push(format!("{} is {}", label(service), label(state)))
                }
                Found::Absent(_) => known.push(format!("{} is not enabled", label(service))),
                Found::Unknown(why) => unsure = Some(why),
            }
        }
        if let Some(why) = unsure.or(list.incomplete) {
            return Verdict::unknown(format!("services: {why}"));
        }
        let message = match known.is_empty() {
            true => format!("there is no service {}", names.join(" or ")),
            false => known.join(", "),
        };
        Verdict::new(Truth::No, message).with(list.evidence)
    }

    fn concern(&self, id: &str) -> Verdict {
        let list = match self.of_system(&["concerns"]) {
            Ok(list) => list,
            Err(why) => return Verdict::unknown(format!("concern {id}: {why}")),
        };
        if let Some(hit) = list.items.iter().find(|concern| concern["id"] == id) {
            let message = text(hit, "message").to_owned();
            return Verdict::new(Truth::Yes, message).with(evidence_of(hit));
        }
        let undecided = self.system["undecided"].as_array().map_or(&[][..], Vec::as_slice);
        if let Some(hit) = undecided.iter().find(|concern| concern["id"] == id) {
            return Verdict::unknown(format!("concern {id}: {}", text(hit, "reason")));
        }
        // Where the list is not complete and says of which concerns, this is none of them.
        match list.incomplete {
            Some(why) if undecided.is_empty() => Verdict::unknown(format!("concern {id}: {why}")),
            _ => Verdict::new(Truth::No, format!("there is no concern {id}")),
        }
    }
}

fn text<'v>(item: &'v Value, name: &str) -> &'v str {
    item[name].as_str().unwrap_or_default()
}

/// A number, written as one or in a text.
fn number(value: &Value) -> Option<i128> {
    let whole = |number: i128| number.checked_mul(MILLION);
    match value {
        Value::Number(number) => {
            let is_whole = number.as_i64().map(i128::from).or(number.as_u64().map(i128::from));
            // What has decimals is a score or a share: no large number.
            let part = || Some((number.as_f64()? * MILLION as f64).round() as i128);
            is_whole.and_then(whole).or_else(part)
        }
        Value::String(text) => text.trim().parse().ok().and_then(whole),
        _ => None,
    }
}

/// How many millionths one has: numbers are compared by theirs.
const MILLION: i128 = 1_000_000;

/// The millionths of a number in a rule.
fn millionths(literal: &Literal) -> i128 {
    match literal {
        Literal::Number(number) => i128::from(*number) * MILLION,
        Literal::Decimal(millionths) => i128::from(*millionths),
        Literal::Text(_) | Literal::Flag(_) | Literal::Today(_) => 0,
    }
}

/// The first names of several, and how many there are more.
fn names(items: &[&Value]) -> String {
    let mut named: Vec<String> = items.iter().take(NAMED).map(|item| label(item)).collect();
    if items.len() > NAMED {
        named.push(format!("{} more", items.len() - NAMED));
    }
    named.join(", ")
}

fn places(items: &[&Value]) -> Vec<String> {
    items.iter().take(NAMED).flat_map(|item| evidence_of(item)).collect()
}

#[cfg(test)]
mod tests;
