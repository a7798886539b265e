//! Who has been on the machine: the profiles that it keeps, and the hives of their settings.

use super::super::paths;
use super::super::registry::{Name, Registry};
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

    /// The file of the hive that the user sees as `HKCU`, and the key that others see it as.
    pub(in crate::windows) fn hive(&self) -> Option<(String, String)> {
        let folder = self.folder.as_ref()?;
        Some((format!("{folder}/NTUSER.DAT"), format!(r"HKU\{}", self.sid)))
    }

    /// The file of the hive that is `HKCU\Software\Classes`.
    pub(in crate::windows) fn classes(&self) -> Option<(String, String)> {
        let folder = self.folder.as_ref()?;
        let file = format!("{folder}/AppData/Local/Microsoft/Windows/UsrClass.dat");
        Some((file, format!(r"HKU\{}_Classes", self.sid)))
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
    for key in list.children().filter(|key| !key.name().ends_with(".bak")).take(MAX_PROFILES) {
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
