//! Updates of Windows itself, as Component Based Servicing keeps them, each with its state.

use fathom_block::Error;
use fathom_report::{Listing, Package, PackageKind};
use quick_xml::Reader;
use quick_xml::events::Event;

use super::super::moment;
use super::super::registry::{Name, Node, Registry, Values};
use super::{architecture, bare};
use crate::files::Read;

pub(super) const PACKAGES: &str =
    r"Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages";
const MANIFESTS: &str = "/Windows/servicing/Packages";

/// The longest manifest that is read; what is looked for stands at its beginning.
const MAX_MANIFEST: usize = 4 << 20;

/// The parts of a package's name: `Package_for_KB1~31bf3856ad364e35~amd64~~20348.1.1.0`.
pub(super) struct Identity<'n> {
    pub(super) name: &'n str,
    pub(super) architecture: &'n str,
    pub(super) language: &'n str,
    pub(super) version: &'n str,
}

impl<'n> Identity<'n> {
    pub(super) fn of(full: &'n str) -> Option<Self> {
        let mut parts = full.split('~');
        let (name, _, architecture) = (parts.next()?, parts.next()?, parts.next()?);
        let (language, version) = (parts.next()?, parts.next()?);
        parts.next().is_none().then_some(Self { name, architecture, language, version })
    }
}

/// What servicing made of a package; nothing where it is not there. One that does not say what was
/// made of it may well be there.
pub(super) fn state(values: &Values<'_>) -> Option<Option<&'static str>> {
    let Read::There(state) = values.number("CurrentState") else {
        return Some(Some("unknown-state"));
    };
    match state {
        // Resolved means known, and no more.
        0x00 | 0x10 | 0x20 => None,
        0x05 => Some(Some("uninstall-pending")),
        0x30 => Some(Some("staging")),
        0x40 => Some(Some("staged")),
        0x50 => Some(Some("superseded")),
        0x60 => Some(Some("install-pending")),
        0x65 => Some(Some("partially-installed")),
        0x70 | 0x80 => Some(None),
        _ => Some(Some("unknown-state")),
    }
}

/// When servicing installed it.
pub(super) fn installed(values: &Values<'_>) -> Option<String> {
    let high = values.number("InstallTimeHigh").there()?;
    let low = values.number("InstallTimeLow").there()?;
    moment::filetime(u64::from(high) << 32 | u64::from(low))
}

/// All updates that are there in any state.
pub(super) fn all(registry: &Registry<'_>) -> Listing<Package> {
    let packages = match registry.key(Name::Software, PACKAGES) {
        Read::There(packages) => packages,
        Read::Absent => {
            let place = format!(r"HKLM\SOFTWARE\{PACKAGES}");
            return Listing::empty(format!("there is no {place}"), vec![place.into()]);
        }
        Read::Unread(why) => return Listing::unknown(why),
    };
    let all = packages.children().filter_map(|key| update(registry, &key)).collect();
    Listing::complete(all, vec![packages.place().into()])
}

/// The update that the key tells of. Parts of updates are packages too: `Package_7_for_KB1`.
fn update(registry: &Registry<'_>, key: &Node<'_>) -> Option<Package> {
    let identity = Identity::of(key.name())?;
    let subject = identity.name.strip_prefix("Package_for_")?;
    let values = key.values();
    let state = state(&values)?;
    let name = match knowledge_base(subject) {
        Some(number) => number.to_owned(),
        // A cumulative update does not bear its number in its name.
        None => manifest(registry, key.name()).unwrap_or_else(|| subject.to_owned()),
    };
    Some(Package {
        architecture: architecture(identity.architecture),
        source: Some(key.name().to_owned()),
        installed: installed(&values),
        state: state.map(str::to_owned),
        vendor: Some("Microsoft".to_owned()),
        ..bare(PackageKind::Hotfix, name, Some(identity.version.to_owned()), key.place())
    })
}

/// `KB` and digits at the beginning.
fn knowledge_base(subject: &str) -> Option<&str> {
    let digits = subject.strip_prefix("KB")?;
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    (length > 0).then(|| &subject[..length + 2])
}

/// The number of an update, as its manifest says it.
fn manifest(registry: &Registry<'_>, full: &str) -> Option<String> {
    if full.contains(['/', '\\']) {
        return None;
    }
    let path = format!("{MANIFESTS}/{full}.mum");
    let bytes = registry.files.bytes(&path, super::HIDES, MAX_MANIFEST).there()?;
    match identifier(&String::from_utf8_lossy(&bytes)) {
        Ok(identifier) => identifier,
        Err(why) => {
            registry.note(&Error::corrupt(&path, 0, why), &path);
            None
        }
    }
}

/// The attribute `identifier` of the package that a manifest is about.
fn identifier(text: &str) -> Result<Option<String>, String> {
    let mut reader = Reader::from_str(text.trim_start_matches('\u{FEFF}'));
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) | Event::Empty(start)
                if start.local_name().as_ref() == "package" =>
            {
                for attribute in start.attributes() {
                    let attribute = attribute.map_err(|error| error.to_string())?;
                    if attribute.key.local_name().as_ref() == "identifier" {
                        return Ok(knowledge_base(&attribute.value).map(str::to_owned));
                    }
                }
                return Ok(None);
            }
            Event::Eof => return Ok(None),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_packages() {
        let full = "Package_for_KB5034439~31bf3856ad364e35~amd64~~20348.2201.1.2";
        let identity = Identity::of(full).unwrap();
        assert_eq!((identity.name, identity.architecture), ("Package_for_KB5034439", "amd64"));
        assert_eq!((identity.language, identity.version), ("", "20348.2201.1.2"));
        assert!(Identity::of("a~b~c~d").is_none() && Identity::of("a~b~c~d~e~f").is_none());
        assert_eq!(knowledge_base("KB5034439_rtm"), Some("KB5034439"));
        assert_eq!(knowledge_base("KB"), None);
        assert_eq!(knowledge_base("RollupFix"), None);
    }

    #[test]
    fn the_number_in_a_manifest() {
        let text = "\u{FEFF}<?xml version=\"1.0\" encoding=\"utf-8\"?><assembly>\
                    <assemblyIdentity name=\"Package_for_RollupFix\"/>\
                    <package identifier=\"KB5034129\" applicabilityEvaluation=\"deep\"/></assembly>";
        assert_eq!(identifier(text), Ok(Some("KB5034129".to_owned())));
        assert_eq!(identifier("<package identifier='other'/>"), Ok(None));
        assert_eq!(identifier("<assembly/>"), Ok(None));
        assert!(identifier("<a></b>").is_err());
    }
}
