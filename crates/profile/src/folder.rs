//! Rules from a folder that somebody names.
//!
//! `FOLDER/PROFILE/ID.toml` is a rule of the profile `PROFILE`, be it one that is built in or a new
//! one; `FOLDER/ID.toml` is a rule of a profile that is called as the folder.

use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use crate::rule::{MAX_FILE, Rule, RuleError};

/// How many rules a folder may hold.
const MAX_RULES: usize = 4096;

/// Why a folder of rules cannot be used.
#[derive(Debug)]
pub enum FolderError {
    /// It, or a file in it, cannot be read.
    Read(PathBuf, io::Error),
    /// A rule in it is wrong.
    Rule(RuleError),
    /// It holds no rule, or too many.
    Number(PathBuf, String),
}

impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(path, _) => write!(f, "{}", path.display()),
            Self::Rule(error) => write!(f, "{error}"),
            Self::Number(path, why) => write!(f, "{}: {why}", path.display()),
        }
    }
}

impl std::error::Error for FolderError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read(_, error) => Some(error),
            Self::Rule(_) | Self::Number(..) => None,
        }
    }
}

/// The rules in a folder, by profile and name.
pub fn folder(path: &Path) -> Result<Vec<Rule>, FolderError> {
    let mut rules = Vec::new();
    let whole = path.canonicalize().map_err(|error| FolderError::Read(path.to_owned(), error))?;
    read(&whole, &name_of(&whole), &mut rules)?;
    for entry in entries(&whole)? {
        if entry.is_dir() {
            read(&entry, &name_of(&entry), &mut rules)?;
        }
    }
    if rules.is_empty() {
        let why = "there is no rule in it: no *.toml, and none in its folders".to_owned();
        return Err(FolderError::Number(path.to_owned(), why));
    }
    Ok(rules)
}

fn read(folder: &Path, profile: &str, rules: &mut Vec<Rule>) -> Result<(), FolderError> {
    for path in entries(folder)? {
        if path.extension().is_none_or(|extension| extension != "toml") || path.is_dir() {
            continue;
        }
        if rules.len() >= MAX_RULES {
            let why = format!("a folder may hold {MAX_RULES} rules");
            return Err(FolderError::Number(folder.to_owned(), why));
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = text(&path).map_err(|error| FolderError::Read(path.clone(), error))?;
        rules.push(Rule::parse(profile, &name, &text).map_err(FolderError::Rule)?);
    }
    Ok(())
}

/// The text of a file, but no more than one byte beyond what a rule may have.
fn text(path: &Path) -> io::Result<String> {
    use io::Read as _;
    let mut text = String::new();
    fs::File::open(path)?.take(MAX_FILE as u64 + 1).read_to_string(&mut text)?;
    Ok(text)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, FolderError> {
    let wrong = |error| FolderError::Read(folder.to_owned(), error);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(wrong)? {
        paths.push(entry.map_err(wrong)?.path());
    }
    paths.sort();
    Ok(paths)
}

fn name_of(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(id: &str) -> String {
        format!(
            "id = {id:?}\ntitle = \"t\"\nrationale = \"r\"\nseverity = \"low\"\ncheck = 'installed \"x\"'\n"
        )
    }

    #[test]
    fn rules_belong_to_the_profile_of_their_folder() {
        let folder = tempfile::tempdir().unwrap();
        let house = folder.path().join("house");
        fs::create_dir_all(house.join("security")).unwrap();
        assert!(matches!(super::folder(&house), Err(FolderError::Number(..))));
        fs::write(house.join("a.toml"), rule("a")).unwrap();
        fs::write(house.join("README.md"), "no rule").unwrap();
        fs::write(house.join("security/b.toml"), rule("b")).unwrap();
        let rules = super::folder(&house).unwrap();
        let names: Vec<_> = rules.iter().map(|it| (it.profile.as_str(), it.id.as_str())).collect();
        assert_eq!(names, [("house", "a"), ("security", "b")]);
        fs::write(house.join("security/c.toml"), "x = 1").unwrap();
        let error = super::folder(&house).unwrap_err();
        assert!(error.to_string().starts_with("security/c.toml: "), "{error}");
        assert!(matches!(super::folder(&house.join("no")), Err(FolderError::Read(..))));
    }
}
