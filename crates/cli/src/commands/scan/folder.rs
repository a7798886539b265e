//! Folders in the place of images: what lies in them, in the order of the names.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;

use fathom_report::finding::Findings;

use super::input::{self, DOCUMENTS};
use crate::exit::{Failure, say};

/// The most files that are taken of one folder.
const MOST: usize = 100_000;

/// How many files are named that are left alone.
const NAMED: usize = 5;

/// The endings of names of images.
const IMAGES: [&str; 11] =
    ["qcow2", "qcow", "vmdk", "vhd", "vhdx", "avhdx", "vpc", "vdi", "ova", "raw", "img"];

/// What is to be scanned.
pub(super) struct Inputs {
    pub(super) names: Vec<OsString>,
    /// Whether it is a list, though perhaps of one.
    pub(super) is_list: bool,
    /// What was found before, by the places of their names: several that were saved as one document.
    pub(super) saved: HashMap<usize, Findings>,
}

impl Inputs {
    /// The images and documents that were named, with what lies in folders in their place.
    pub(super) fn of(images: &[OsString]) -> Result<Self, Failure> {
        let mut inputs =
            Self { names: Vec::new(), is_list: images.len() > 1, saved: HashMap::new() };
        for image in images {
            match fs::metadata(image).is_ok_and(|it| it.is_dir()) {
                true => {
                    inputs.is_list = true;
                    for file in files(Path::new(image))? {
                        inputs.add(file)?;
                    }
                }
                false => inputs.add(image.clone())?,
            }
        }
        Ok(inputs)
    }

    fn add(&mut self, name: OsString) -> Result<(), Failure> {
        let Some(all) = input::list(&name)? else {
            self.names.push(name);
            return Ok(());
        };
        self.is_list = true;
        for findings in all {
            let subject = OsString::from(&findings.subject);
            self.saved.insert(self.names.len(), findings);
            self.names.push(subject);
        }
        Ok(())
    }
}

/// The files of a folder that can be scanned by their names. What is left alone is said.
fn files(folder: &Path) -> Result<Vec<OsString>, Failure> {
    let shown = folder.display().to_string();
    let listed = fs::read_dir(folder).map_err(Failure::reading(shown.clone()))?;
    let (mut taken, mut left) = (Vec::new(), Vec::new());
    for entry in listed {
        let entry = entry.map_err(Failure::reading(shown.clone()))?;
        let path = entry.path();
        let is_file = fs::metadata(&path).is_ok_and(|it| it.is_file());
        match is_file && is_taken(&entry.file_name()) {
            true => taken.push(path.into_os_string()),
            // What begins with a dot is nobody's report: half of one, or a program's notes.
            false if entry.file_name().as_encoded_bytes().starts_with(b".") => {}
            false => left.push(entry.file_name().to_string_lossy().into_owned()),
        }
        if taken.len() > MOST {
            let why = format!("{shown}: there are more than {MOST} files, which is the most");
            return Err(Failure::Usage(why));
        }
    }
    taken.sort();
    left.sort();
    if !left.is_empty() {
        let named = left.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        let more = left.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        say(&format!("note: {shown}: left alone, by the names: {named}{more}"));
    }
    if taken.is_empty() {
        let why = "there is no image and no document in this folder";
        return Err(fathom_block::Error::not_found(shown, why).into());
    }
    Ok(taken)
}

/// Whether a file is an image or a document, by its name. An extent is a part of an image.
fn is_taken(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_lowercase();
    if name.starts_with('.') {
        return false;
    }
    let Some((stem, ending)) = name.rsplit_once('.') else { return false };
    let is_extent = ending == "vmdk" && is_extent(stem);
    DOCUMENTS.contains(&ending) || IMAGES.contains(&ending) && !is_extent
}

/// `disk-flat`, `disk-f001`, `disk-s001`.
fn is_extent(stem: &str) -> bool {
    let is_number =
        |number: &str| number.len() == 3 && number.bytes().all(|byte| byte.is_ascii_digit());
    let last = stem.rsplit('-').next().unwrap_or_default();
    let numbered = last.strip_prefix(['s', 'f']).is_some_and(is_number);
    stem.ends_with("-flat") || stem.contains('-') && numbered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_is_taken() {
        for name in
            ["a.json", "a.cdx.json", "a.SPDX", "a.qcow2", "a.vmdk", "web-1.vmdk", "s001.vmdk"]
        {
            assert!(is_taken(OsStr::new(name)), "{name}");
        }
        for name in
            ["README", "a.txt", ".a.json", "a-flat.vmdk", "a-s001.vmdk", "a-f012.vmdk", "json"]
        {
            assert!(!is_taken(OsStr::new(name)), "{name}");
        }
    }
}
