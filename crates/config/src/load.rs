//! Everything that was set, put together.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::check::{Severity, judge};
use crate::document;
use crate::environment::{self, Environment};
use crate::file::{self, Gathered};
use crate::overrides::{self, Overrides};
use crate::problem::{Origin, Problem};
use crate::secret::others_can_read;
use crate::settings::Config;
use crate::shape::{Shape, root};

/// The largest file.
pub const MAX_BYTES: u64 = 1 << 20;

/// The file that is read where none is named.
const USUAL: &str = "/etc/fathom/fathom.yaml";

/// What settings are taken from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file.
    pub file: Option<PathBuf>,
    /// The environment.
    pub environment: Environment,
    /// What was typed.
    pub overrides: Overrides,
}

impl Sources {
    /// The file that was named, or that `FATHOM_CONFIG` names, or that of this host, if there is one;
    /// and the environment of this process.
    pub fn usual(named: Option<PathBuf>) -> Self {
        let environment = Environment::of_process();
        let file = named
            .or_else(|| environment.text("FATHOM_CONFIG").map(PathBuf::from))
            .or_else(|| Some(PathBuf::from(USUAL)).filter(|usual| usual.exists()));
        Self { file, environment, overrides: Overrides::new() }
    }
}

/// Settings that are whole and make sense together.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// What may be wrong with them.
    pub warnings: Vec<Problem>,
    pub(crate) origins: BTreeMap<String, Origin>,
}

impl Loaded {
    /// Where the setting has its value from.
    pub fn origin(&self, path: &str) -> Origin {
        self.origins.get(path).cloned().unwrap_or_default()
    }
}

/// Why there are no settings: all of it.
#[derive(Clone, Debug)]
pub struct Refused {
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// What may be.
    pub warnings: Vec<Problem>,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Refused {}

/// Puts together what is set.
pub fn load(sources: &Sources) -> Result<Loaded, Refused> {
    let Some(path) = &sources.file else {
        return load_bytes("", b"", &sources.environment, &sources.overrides);
    };
    let shown = path.display().to_string();
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let origin = Origin::File { file: shown, line: 0, column: 0 };
            let problem = Problem::new("", origin, format!("it cannot be read: {error}"));
            return Err(Refused { problems: vec![problem], warnings: Vec::new() });
        }
    };
    load_bytes(&shown, &bytes, &sources.environment, &sources.overrides)
}

/// One byte more than is taken, so that it shows.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Puts together what is set, with these bytes for the file of this name.
pub fn load_bytes(
    name: &str,
    bytes: &[u8],
    environment: &Environment,
    overrides: &Overrides,
) -> Result<Loaded, Refused> {
    let mut gathered = Gathered::default();
    of_file(name, bytes, environment, &mut gathered);
    environment::gather(environment, &mut gathered);
    overrides::gather(overrides, environment, &mut gathered);
    fill(environment, &mut gathered);
    let value = nested(&gathered.settings);
    let config = match serde_json::from_value::<Config>(value) {
        Ok(config) => config,
        // What the shape takes the types take too; where they do not, that is said without the value.
        Err(_) if !gathered.problems.is_empty() => return Err(refused(gathered)),
        Err(_) => {
            let why = "the settings do not fit their types; please report this";
            gathered.problem(Problem::new("", Origin::Default, why));
            return Err(refused(gathered));
        }
    };
    let origins: BTreeMap<_, _> = gathered
        .settings
        .iter()
        .map(|(path, (_, origin))| (path.clone(), origin.clone()))
        .collect();
    let broken: Vec<String> =
        gathered.problems.iter().map(|problem| problem.path.clone()).collect();
    for judgement in judge(&config) {
        // Of what could not be taken the default stands there, which nobody wrote.
        let rests = |path: &&str| broken.iter().any(|broken| broken.starts_with(*path));
        if judgement.paths.iter().any(rests) {
            continue;
        }
        let path = judgement.paths.first().copied().unwrap_or_default();
        let origin = origins.get(path).cloned().unwrap_or_default();
        let problem = Problem::new(path, origin, judgement.what);
        match judgement.severity {
            Severity::Wrong => gathered.problem(problem),
            Severity::Warning => gathered.warnings.push(problem),
        }
    }
    match gathered.problems.is_empty() {
        true => Ok(Loaded { config, warnings: gathered.warnings, origins }),
        false => Err(refused(gathered)),
    }
}

fn refused(gathered: Gathered) -> Refused {
    Refused { problems: gathered.problems, warnings: gathered.warnings }
}

fn of_file(name: &str, bytes: &[u8], environment: &Environment, gathered: &mut Gathered) {
    let at = |place: document::Place| Origin::File {
        file: name.to_owned(),
        line: place.line,
        column: place.column,
    };
    let whole = || at(document::Place::default());
    if bytes.len() as u64 > MAX_BYTES {
        let why = format!("it has more than {MAX_BYTES} bytes");
        return gathered.problem(Problem::new("", whole(), why));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let why = format!("it is not UTF-8, from byte {} on", error.valid_up_to());
            return gathered.problem(Problem::new("", whole(), why));
        }
    };
    let (node, objections) = document::parse(text);
    for (place, why) in objections {
        gathered.problem(Problem::new("", at(place), why));
    }
    let Some(node) = node else { return };
    match (&node.content, root()) {
        (document::Content::Nothing, _) => {}
        (document::Content::Table(entries), Shape::Table(parts)) => {
            file::gather(parts, entries, "", &at, environment, gathered);
        }
        _ => {
            let why = "groups of settings stand here, as in `server:`";
            gathered.problem(Problem::new("", at(node.place), why));
        }
    }
    if let (true, Some(mode)) = (gathered.inline_secret, others_can_read(Path::new(name))) {
        let why = format!(
            "it holds secrets, and everybody on this host can read it (mode {mode:04o}); \
             chmod o= takes that away"
        );
        gathered.warnings.push(Problem::new("", whole(), why));
    }
}

/// Settings that nobody set and whose defaults rest on others, or on the environment.
fn fill(environment: &Environment, gathered: &mut Gathered) {
    let home = |name: &str| environment.text(name).map(PathBuf::from);
    let data = home("XDG_DATA_HOME").or_else(|| Some(home("HOME")?.join(".local/share")));
    let data = data.map_or_else(|| "/var/lib/fathom".into(), |data| data.join("fathom"));
    let mut rest = |path: &str, value: String, origin: Origin| {
        let value = || (Value::String(value), origin);
        let (value, _) = gathered.settings.entry(path.to_owned()).or_insert_with(value);
        value.as_str().unwrap_or_default().to_owned()
    };
    let default = || Origin::Default;
    let data = rest("data_folder", data.display().to_string(), default());
    let data = data.trim_end_matches('/');
    rest("store.url", format!("sqlite://{data}/fathom.db"), default());
    rest("store.reports.location", format!("{data}/reports"), default());
    rest("worker.work_dir", format!("{data}/work"), default());
    match environment.text("FATHOM_DB") {
        Some(folder) => {
            let origin = Origin::Environment("FATHOM_DB".into());
            rest("scan.database", folder.to_owned(), origin);
        }
        None => {
            rest("scan.database", format!("{data}/advisories"), default());
        }
    }
}

/// Settings by their paths as tables in tables.
fn nested(settings: &BTreeMap<String, (Value, Origin)>) -> Value {
    let mut root = Map::new();
    for (path, (value, _)) in settings {
        insert(&mut root, path, value.clone());
    }
    Value::Object(root)
}

fn insert(table: &mut Map<String, Value>, path: &str, value: Value) {
    let Some((key, rest)) = path.split_once('.') else {
        table.insert(path.to_owned(), value);
        return;
    };
    if let Value::Object(inner) = table.entry(key).or_insert_with(|| Value::Object(Map::new())) {
        insert(inner, rest, value);
    }
}
