//! Settings that were typed.

use std::fmt;

use crate::environment::{Environment, text_value};
use crate::file::Gathered;
use crate::problem::{Origin, Problem, clipped};
use crate::secret;
use crate::shape::{Shape, root, settings};
use crate::suggest::closest;

/// Settings that were typed, which win over all others: `path = value`, later ones over earlier ones.
#[derive(Clone, Default)]
pub struct Overrides(Vec<(String, String)>);

impl Overrides {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the setting of this path, as `transport.type`. Lists are separated by commas.
    #[must_use]
    pub fn set(mut self, path: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.push((path.into(), value.into()));
        self
    }

    /// Sets what `text` says, as `transport.type=redis`.
    pub fn assign(&mut self, text: &str) -> Result<(), String> {
        let (path, value) = text
            .split_once('=')
            .ok_or_else(|| "write it as PATH=VALUE, as in transport.type=redis".to_owned())?;
        self.0.push((path.trim().to_owned(), value.to_owned()));
        Ok(())
    }
}

/// Values may be secrets.
impl fmt::Debug for Overrides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(path, _)| path)).finish()
    }
}

/// Takes every setting that was typed.
pub(crate) fn gather(overrides: &Overrides, environment: &Environment, gathered: &mut Gathered) {
    for (path, text) in &overrides.0 {
        let origin = Origin::Flag;
        if let Some(shape) = root().at(path) {
            text_value(shape, path, text, origin, environment, gathered);
            continue;
        }
        // `password.file=PATH` is the file that holds it, as it is in the file.
        if let Some((secret, place)) = path.rsplit_once('.')
            && let Some(shape @ Shape::Leaf(_)) = root().at(secret)
            && shape.is_secret()
            && matches!(place, "file" | "env")
        {
            let found = match place {
                "file" => secret::of_file(text),
                _ => secret::of_variable(text, environment).map(|text| (text, None)),
            };
            match found {
                Ok((value, warning)) => {
                    let warning = warning.map(|why| Problem::new(secret, origin.clone(), why));
                    gathered.warnings.extend(warning);
                    text_value(shape, secret, &value, origin, environment, gathered);
                }
                Err(why) => gathered.problem(Problem::new(secret, origin, why)),
            }
            continue;
        }
        let settings = settings();
        let meant = closest(path, settings.iter().map(|setting| setting.path.as_str()));
        let meant = meant.map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
        let why = format!("there is no such setting{meant}");
        gathered.problem(Problem::new(clipped(path), origin, why));
    }
}
