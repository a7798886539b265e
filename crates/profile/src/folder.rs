//! Rules from a folder that somebody names.
//!
//! `FOLDER/PROFILE/ID.toml` is a rule of the profile `PROFILE`, be it one that is built in or a new
//! one; `FOLDER/ID.toml` is a rule of a profile that is called as the folder.

use std::io::Read as _;
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
    /// It holds no rule, or too many; or a file in it is none that a rule could be.
    Unfit(PathBuf, String),
}

impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(path, _) => write!(f, "{}", path.display()),
            Self::Rule(error) => write!(f, "{error}"),
            Self::Unfit(path, why) => write!(f, "{}: {why}", path.display()),
        }
    }
}

impl std::error::Error for FolderError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read(_, error) => Some(error),
            Self::Rule(_) | Self::Unfit(..) => None,
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
        return Err(FolderError::Unfit(path.to_owned(), why));
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
            return Err(FolderError::Unfit(folder.to_owned(), why));
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = text(&path)?;
        rules.push(Rule::parse(profile, &name, &text).map_err(FolderError::Rule)?);
    }
    Ok(())
}

/// The text of a file, but no more than one byte beyond what a rule may have. A pipe or a device is
/// not opened, since that might never end.
fn text(path: &Path) -> Result<String, FolderError> {
    let unread = |error| FolderError::Read(path.to_owned(), error);
    let unfit = |why: String| FolderError::Unfit(path.to_owned(), why);
    if !fs::metadata(path).map_err(unread)?.is_file() {
        return Err(unfit("it is not a regular file".to_owned()));
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(unread)?;
    file.take(MAX_FILE as u64 + 1).read_to_end(&mut bytes).map_err(unread)?;
    // Cut off within a character, it is too long, which is said of the whole bytes before.
    if bytes.len() > MAX_FILE {
        return Err(unfit(format!("a rule may have {MAX_FILE} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        unfit(format!("it is no text in UTF-8: the character at byte {at} is none"))
    })
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
    fn what_is_no_file_of_text_is_refused_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let said = || super::folder(folder.path()).unwrap_err().to_string();
        fs::write(folder.path().join("a.toml"), b"id = \"\xff\"").unwrap();
        assert!(
            said().ends_with("a.toml: it is no text in UTF-8: the character at byte 6 is none")
        );
        fs::remove_file(folder.path().join("a.toml")).unwrap();
        // Nobody writes to the pipe: whoever opened it would wait for ever.
        let pipe = folder.path().join("b.toml");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert!(said().ends_with("b.toml: it is not a regular file"));
    }

    #[test]
    fn rules_belong_to_the_profile_of_their_folder() {
        let folder = tempfile::tempdir().unwrap();
        let house = folder.path().join("house");
        fs::create_dir_all(house.join("security")).unwrap();
        assert!(matches!(super::folder(&house), Err(FolderError::Unfit(..))));
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
