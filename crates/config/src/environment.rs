//! Settings in the environment.
//!
//! Every setting has a variable: `FATHOM_` and its path in upper case, joined by `_`. Secrets have a
//! second one with `_FILE` behind it, which names the file that holds them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;

use serde_json::Value;

use crate::document::{self, MAX_PROBLEMS};
use crate::file::{Gathered, take};
use crate::leaf;
use crate::problem::{Origin, Problem};
use crate::secret;
use crate::shape::{Setting, Shape, root, settings};
use crate::suggest::closest;

/// Variables of ours that are no settings.
const OTHERS: &[&str] = &[
    "FATHOM_BLESS",
    "FATHOM_CACHE",
    "FATHOM_CONFIG",
    "FATHOM_DB",
    "FATHOM_DB_KEY",
    "FATHOM_DB_MIRROR",
    "FATHOM_SERVER",
    "FATHOM_TOKEN",
    "FATHOM_TOKEN_FILE",
];

/// The environment that settings and secrets are looked up in.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// That of this process.
    pub fn of_process() -> Self {
        std::env::vars_os().collect()
    }

    /// The variable, if it is there and not empty; an error where it is not UTF-8.
    pub fn get(&self, name: &str) -> Option<Result<&str, ()>> {
        let value = self.0.get(std::ffi::OsStr::new(name)).filter(|value| !value.is_empty())?;
        Some(value.to_str().ok_or(()))
    }

    /// The variable, if it is there, UTF-8 and not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.ok()
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// Values may be secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The variable of the setting.
pub fn variable(path: &str) -> String {
    format!("FATHOM_{}", path.to_uppercase().replace('.', "_"))
}

/// Takes every setting that the environment has.
pub(crate) fn gather(environment: &Environment, gathered: &mut Gathered) {
    let settings = settings();
    for setting in &settings {
        let Some(shape) = root().at(&setting.path) else { continue };
        let origin = Origin::Environment(setting.variable.clone());
        let file = format!("{}_FILE", setting.variable);
        let of_file = setting.secret.then(|| environment.get(&file)).flatten();
        match (environment.get(&setting.variable), of_file) {
            (Some(_), Some(_)) => {
                let why = format!("{file} is set as well; one of them must go");
                gathered.problem(Problem::new(&setting.path, origin, why));
            }
            (Some(Ok(text)), None) => read(shape, setting, text, origin, environment, gathered),
            (None, Some(Ok(path))) => {
                let origin = Origin::Environment(file);
                match secret::of_file(path) {
                    Ok((text, warning)) => {
                        let warning =
                            warning.map(|why| Problem::new(&setting.path, origin.clone(), why));
                        gathered.warnings.extend(warning);
                        read(shape, setting, &text, origin, environment, gathered);
                    }
                    Err(why) => gathered.problem(Problem::new(&setting.path, origin, why)),
                }
            }
            (Some(Err(())), None) | (None, Some(Err(()))) => {
                gathered.problem(Problem::new(&setting.path, origin, "it is not UTF-8"));
            }
            (None, None) => {}
        }
    }
    unknown(environment, &settings, gathered);
}

fn read(
    shape: &Shape,
    setting: &Setting,
    text: &str,
    origin: Origin,
    environment: &Environment,
    gathered: &mut Gathered,
) {
    text_value(shape, &setting.path, text, origin, environment, gathered);
}

/// Takes a setting of one line of text: lists are separated by commas, lists of tables are YAML.
pub(crate) fn text_value(
    shape: &Shape,
    path: &str,
    text: &str,
    origin: Origin,
    environment: &Environment,
    gathered: &mut Gathered,
) {
    let problem = |why: String| Problem::new(path, origin.clone(), why);
    let value = match shape {
        Shape::Leaf(kind) => leaf::value(kind, text),
        Shape::List(inner) => match &**inner {
            Shape::Leaf(kind) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                items
                    .map(|item| leaf::value(kind, item))
                    .collect::<Result<_, _>>()
                    .map(Value::Array)
            }
            Shape::List(_) | Shape::Table(_) => {
                let (node, objections) = document::parse(text);
                let broken = !objections.is_empty();
                for (_, why) in objections {
                    gathered.problem(problem(why));
                }
                let Some(node) = node.filter(|_| !broken) else { return };
                let at = |_| origin.clone();
                if let Some(value) = take(shape, &node, path, &at, environment, gathered) {
                    gathered.set(path, value, origin.clone());
                }
                return;
            }
        },
        Shape::Table(_) => Err("this is a group of settings; set them one by one".to_owned()),
    };
    match value {
        Ok(value) => gathered.set(path, value, origin),
        Err(why) => gathered.problem(problem(why)),
    }
}

/// Warns about variables that look like one of ours and are none.
fn unknown(environment: &Environment, settings: &[Setting], gathered: &mut Gathered) {
    let of_files = settings.iter().filter(|setting| setting.secret);
    let of_files: Vec<_> = of_files.map(|setting| format!("{}_FILE", setting.variable)).collect();
    let known = || {
        let names = settings.iter().map(|setting| setting.variable.as_str());
        names.chain(of_files.iter().map(String::as_str)).chain(OTHERS.iter().copied())
    };
    for name in environment.0.keys().filter_map(|name| name.to_str()) {
        let ours = name.to_uppercase().starts_with("FATHOM_");
        if !ours || known().any(|known| known == name) || gathered.warnings.len() >= MAX_PROBLEMS {
            continue;
        }
        if let Some(meant) = closest(name, known()) {
            let origin = Origin::Environment(name.to_owned());
            let why = format!("no setting has this variable; did you mean {meant}?");
            gathered.warnings.push(Problem::new("", origin, why));
        }
    }
}
