//! From which repository each package was installed, as those who install remember.
//!
//! dnf keeps its history in a database of SQLite: a table of packages, one of repositories, and one of
//! what each transaction did with which package from which repository; the last one counts. yum kept a
//! folder for each package that is installed, with a file for each thing that it knew. Neither is part of
//! rpm's own database: where they are missing, or a package was installed by other means, it is not known.

use std::collections::HashMap;
use std::ops::ControlFlow;

use fathom_block::{Error, Result};
use fathom_report::Package;

use crate::files::{Files, Read};
use crate::sqlite::{Database, Record, Source, Value};

/// What the report loses if this cannot be read.
const HIDES: &str = "from which repositories packages are";

/// Where dnf keeps its history.
const HISTORY: &str = "/var/lib/dnf/history.sqlite";

/// Where yum keeps what it knows of packages.
const YUM: &str = "/var/lib/yum/yumdb";

/// How many rows of a table, or packages of yum's, are read: a machine that is updated every day for ten
/// years has some hundred thousand.
const MAX_ROWS: usize = 1 << 19;

/// The longest name of a repository.
const MAX_NAME: usize = 256;

/// Repositories by the packages that are from them.
#[derive(Debug, Default)]
pub(super) struct Repositories(HashMap<String, String>);

impl Repositories {
    /// What is remembered. What cannot be read has been noted.
    pub(super) fn read(files: &Files<'_>) -> Self {
        let mut found = Self::default();
        found.of_yum(files);
        // Who went from yum to dnf has the later things there.
        if let Err(error) = found.of_dnf(files) {
            files.note(&error.within(HISTORY), HISTORY, HIDES);
        }
        found
    }

    /// Says of the package from where it is, if that is known.
    pub(super) fn tell(&self, package: &mut Package) {
        let release = package.release.as_deref().unwrap_or_default();
        let architecture = package.architecture.as_deref().unwrap_or_default();
        let named = key(&package.name, &package.version, release, architecture);
        if let Some(repository) = self.0.get(&named) {
            package.origin = Some(repository.clone());
        }
    }

    fn of_dnf(&mut self, files: &Files<'_>) -> Result<()> {
        let Read::There(main) = files.open(HISTORY, HIDES) else { return Ok(()) };
        let beside = |suffix: &str| files.open(&format!("{HISTORY}{suffix}"), HIDES).there();
        let source = Source { main, wal: beside("-wal"), journal: beside("-journal") };
        let (database, problems) = Database::open(source)?;
        for problem in problems {
            files.note(&problem.within(HISTORY), HISTORY, HIDES);
        }
        let mut names: HashMap<i64, String> = HashMap::new();
        rows(&database, "repo", &mut |row| {
            // The first column is the row's own number.
            let name = text(row, 1)?;
            // What was there before dnf looked is from nowhere that it knows.
            if !name.is_empty() && name.len() <= MAX_NAME && name != "@System" {
                names.insert(row.id, name);
            }
            Ok(())
        })?;
        let mut last: HashMap<i64, i64> = HashMap::new();
        rows(&database, "trans_item", &mut |row| {
            let (item, repository) = (number(row, 2)?, number(row, 3)?);
            let repository = repository.filter(|it| names.contains_key(it));
            last.extend(item.zip(repository));
            Ok(())
        })?;
        rows(&database, "rpm", &mut |row| {
            let repository = number(row, 0)?.and_then(|item| names.get(last.get(&item)?));
            if let Some(repository) = repository {
                let named = key(&text(row, 1)?, &text(row, 3)?, &text(row, 4)?, &text(row, 5)?);
                self.0.insert(named, repository.clone());
            }
            Ok(())
        })
    }

    /// `/var/lib/yum/yumdb/b/SHA-bash-4.2.46-34.el7-x86_64/from_repo`.
    fn of_yum(&mut self, files: &Files<'_>) {
        for (letter, _) in files.children(YUM, HIDES).there().unwrap_or_default() {
            let folder = format!("{YUM}/{letter}");
            for (name, _) in files.children(&folder, HIDES).there().unwrap_or_default() {
                let Some((_, named)) = name.split_once('-') else { continue };
                let Some((named, architecture)) = named.rsplit_once('-') else { continue };
                let path = format!("{folder}/{name}/from_repo");
                let Some(repository) = files.text(&path, HIDES).there() else { continue };
                let repository = repository.trim();
                if self.0.len() >= MAX_ROWS {
                    let why = format!("more than {MAX_ROWS} packages");
                    files.note(&Error::unsupported("yum's packages", why), YUM, HIDES);
                    return;
                }
                if !repository.is_empty() && repository.len() <= MAX_NAME {
                    let named = format!("{named}.{architecture}");
                    self.0.insert(named, repository.to_owned());
                }
            }
        }
    }
}

/// A package, without its epoch, which yum does not write.
fn key(name: &str, version: &str, release: &str, architecture: &str) -> String {
    format!("{name}-{version}-{release}.{architecture}")
}

/// Shows the rows of a table; an error for the first that cannot be read, or where there are too many.
fn rows(
    database: &Database,
    table: &str,
    each: &mut dyn FnMut(&Record<'_>) -> Result<()>,
) -> Result<()> {
    let (mut count, mut problem) = (0_usize, None);
    database.rows(table, &mut |row| {
        count += 1;
        let seen = match row {
            Ok(_) if count > MAX_ROWS => {
                Err(Error::unsupported(table.to_owned(), format!("more than {MAX_ROWS} rows")))
            }
            row => row.and_then(|row| each(&row)),
        };
        match seen {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                problem = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    problem.map_or(Ok(()), Err)
}

fn text(row: &Record<'_>, column: usize) -> Result<String> {
    match row.value(column)? {
        Value::Text(text) => Ok(String::from_utf8_lossy(text).into_owned()),
        _ => {
            Err(Error::corrupt(format!("row {}", row.id), 0, format!("no text in column {column}")))
        }
    }
}

fn number(row: &Record<'_>, column: usize) -> Result<Option<i64>> {
    Ok(match row.value(column)? {
        Value::Integer(number) => Some(number),
        _ => None,
    })
}
