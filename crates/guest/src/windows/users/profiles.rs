//! Who has been on the machine: the profiles that it keeps, and the hives of their settings.

use super::super::paths;
use super::super::registry::{Name, Node, Registry};
use crate::files::Read;

const PROFILE_LIST: &str = r"Microsoft\Windows NT\CurrentVersion\ProfileList";

/// More profiles than this are not looked into.
const MAX_PROFILES: usize = 1000;

/// The settings of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::windows) struct Profile {
    /// Whose they are.
    pub(in crate::windows) sid: String,
    /// The folder, as Windows writes it.
    pub(in crate::windows) home: String,
    /// The folder in the tree, where it is on the system's disk.
    pub(in crate::windows) folder: Option<String>,
    /// Where it says so.
    pub(in crate::windows) place: String,
}

impl Profile {
    /// The name of the folder, which is that of the account when it first logged in.
    pub(in crate::windows) fn name(&self) -> &str {
        self.home.rsplit('\\').next().unwrap_or(&self.home)
    }

    /// A path as this user means it: what stands for the folder of the profile is put in.
    pub(in crate::windows) fn expanded(&self, path: &str) -> String {
        let own = [
            ("%USERPROFILE%", ""),
            ("%APPDATA%", r"\AppData\Roaming"),
            ("%LOCALAPPDATA%", r"\AppData\Local"),
        ];
        let path = path.trim();
        let found = own.iter().find_map(|(variable, folder)| {
            let head = path.get(..variable.len())?;
            head.eq_ignore_ascii_case(variable).then(|| (folder, &path[variable.len()..]))
        });
        match found {
            Some((folder, rest)) => format!("{}{folder}{rest}", self.home),
            None => path.to_owned(),
        }
    }

    /// The file of the hive that the user sees as `HKCU`, and the key that others see it as. One that
    /// the user cannot change has another ending, and counts more.
    fn hive(&self, registry: &Registry<'_>) -> Option<(String, String)> {
        let folder = self.folder.as_ref()?;
        let mandatory = format!("{folder}/NTUSER.MAN");
        let file = match registry.files.found(&mandatory, registry.hides()) {
            Read::There(_) => mandatory,
            Read::Absent | Read::Unread(_) => format!("{folder}/NTUSER.DAT"),
        };
        Some((file, format!(r"HKU\{}", self.sid)))
    }

    /// The file of the hive that is `HKCU\Software\Classes`.
    fn classes(&self) -> Option<(String, String)> {
        let folder = self.folder.as_ref()?;
        let file = format!("{folder}/AppData/Local/Microsoft/Windows/UsrClass.dat");
        Some((file, format!(r"HKU\{}_Classes", self.sid)))
    }

    /// A key of what the user sees as `HKCU`. Windows makes that hive when somebody first logs in; a
    /// part of the system may be without one.
    pub(in crate::windows) fn key<'r>(
        &self,
        registry: &'r Registry<'_>,
        path: &str,
    ) -> Read<Node<'r>> {
        self.key_in(registry, self.hive(registry), path)
    }

    /// A key of what the user sees as `HKCU\Software\Classes`.
    pub(in crate::windows) fn class_key<'r>(
        &self,
        registry: &'r Registry<'_>,
        path: &str,
    ) -> Read<Node<'r>> {
        self.key_in(registry, self.classes(), path)
    }

    fn key_in<'r>(
        &self,
        registry: &'r Registry<'_>,
        hive: Option<(String, String)>,
        path: &str,
    ) -> Read<Node<'r>> {
        let Some((file, root)) = hive else {
            let why = format!("the profile of {} is not on the system's disk", self.name());
            return Read::Unread(why);
        };
        if !self.is_of_a_person() {
            return registry.other(&file, &root, path);
        }
        let why = format!("{} names the profile, which has this hive", self.place);
        registry.required((&file, &root), path, &why)
    }

    /// Whether it belongs to somebody, and not to a part of the system.
    pub(in crate::windows) fn is_of_a_person(&self) -> bool {
        self.sid.starts_with("S-1-5-21-") || self.sid.starts_with("S-1-12-1-")
    }
}

/// The drive letter that the system has for itself.
pub(in crate::windows) fn system_drive(registry: &Registry<'_>) -> Option<char> {
    let said = registry.said(Name::Software, r"Microsoft\Windows NT\CurrentVersion");
    let root = said.text(&["SystemRoot"]);
    let mut start = root.value()?.chars();
    let letter = start.next().filter(char::is_ascii_alphabetic)?;
    (start.next() == Some(':')).then_some(letter)
}

/// All profiles that the machine keeps.
pub(in crate::windows) fn all(registry: &Registry<'_>) -> Read<Vec<Profile>> {
    let list = match registry.key(Name::Software, PROFILE_LIST) {
        Read::There(list) => list,
        Read::Absent => return Read::Absent,
        Read::Unread(why) => return Read::Unread(why),
    };
    let drive = system_drive(registry);
    let mut profiles = Vec::new();
    // A profile that could not be loaded stays behind as a second key that ends so.
    let keys = list.children().filter(|key| !key.name().ends_with(".bak"));
    for key in registry.first(keys, MAX_PROFILES, list.place()) {
        if let Read::There(home) = key.values().text("ProfileImagePath") {
            profiles.push(Profile {
                sid: key.name().to_owned(),
                folder: paths::on_system_drive(&home, drive),
                home,
                place: key.place().to_owned(),
            });
        }
    }
    Read::There(profiles)
}
