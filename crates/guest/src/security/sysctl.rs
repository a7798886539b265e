//! Parameters of the kernel that are set when the system starts.
//!
//! Files of one name in several folders: the first folder's counts. They are then read in the order of
//! their names, wherever they lie, and the last line of a parameter counts. Which folders there are
//! depends on who reads them: systemd, or the `sysctl` of older systems, which reads
//! `/etc/sysctl.conf` too, and last. What others set after them is in [`late`].

use std::collections::BTreeMap;

use fathom_filesystem::FileType;
use fathom_report::{Coverage, Enabled, Listing, Service, Setting};

use super::arguments::Arguments;
use super::{glob, late};
use crate::files::{Files, Read};

const HIDES: &str = "parameters of the kernel";

/// The folders, the first counting most. `/run` is empty while the system is off, but is read as any.
const FOLDERS: [&str; 5] = [
    "/etc/sysctl.d",
    "/run/sysctl.d",
    "/usr/local/lib/sysctl.d",
    "/usr/lib/sysctl.d",
    "/lib/sysctl.d",
];

/// The file that is read besides them by `sysctl`, and by systemd only where a link in a folder leads
/// to it.
const CONF: &str = "/etc/sysctl.conf";

/// How many files and parameters there are with sense.
const MAX_FILES: usize = 1024;
const MAX_SETTINGS: usize = 10_000;

/// The parameters by their names, with dots. `arguments` are those of the kernel, which may set some
/// before anything else does.
pub(super) fn of(
    files: &Files<'_>,
    services: &Listing<Service>,
    arguments: Option<&Arguments<'_>>,
) -> Listing<Setting> {
    let mut listing = Listing::complete(Vec::new(), Vec::new());
    let mut read = Parameters::default();
    let mut paths: Vec<String> = files_in_order(files, &mut listing);
    if !of_systemd(services) {
        if services.coverage != Coverage::Complete {
            let why = services.reason.as_deref().unwrap_or("some services could not be read");
            listing.hide(format!("whether systemd sets them is not known: {why}"));
        }
        paths.push(CONF.to_owned());
    }
    paths.extend(late::ufw(files, services, &mut listing));
    if paths.len() > MAX_FILES {
        listing.hide(format!("there are more than {MAX_FILES} files; the rest is not read"));
        paths.truncate(MAX_FILES);
    }
    for path in paths {
        match files.text(&path, HIDES) {
            Read::There(text) => {
                listing.evidence.push(path.as_str().into());
                text.lines().for_each(|line| read.line(line, &path));
            }
            Read::Absent => {}
            Read::Unread(why) => listing.hide(why),
        }
    }
    if read.too_many {
        listing
            .hide(format!("there are more than {MAX_SETTINGS} parameters; the rest is left out"));
    }
    let forwarding = late::networkd(files, services);
    for (name, value, path) in forwarding.set {
        read.set.insert(name.to_owned(), (Some(value.to_owned()), path));
    }
    let mut settings = read.settled();
    if let Some(arguments) = arguments {
        told(arguments, &mut settings, &mut listing);
    }
    // What may be turned on when the network comes up is not known to be off.
    for (name, why) in forwarding.unsure {
        if settings.iter().any(|setting| setting.name == name && setting.value == "1") {
            continue;
        }
        settings.retain(|setting| setting.name != name);
        listing.hide(why);
    }
    if settings.is_empty() && listing.reason.is_none() {
        listing.reason = Some("nothing is set; the kernel's own defaults hold".to_owned());
    }
    if listing.evidence.is_empty() {
        listing.evidence.extend(FOLDERS.map(Into::into));
    }
    listing.items = settings;
    listing
}

/// The first release of the kernel that knows parameters among its arguments.
const KNOWS_ARGUMENTS: (u32, u32) = (5, 8);

/// Adds what the kernel is told as `sysctl.NAME=VALUE`, or by an argument of an older kind, unless a
/// file sets it afterwards.
fn told(arguments: &Arguments<'_>, settings: &mut Vec<Setting>, listing: &mut Listing<Setting>) {
    let mut last: BTreeMap<String, &str> = BTreeMap::new();
    if arguments.value("norandmaps").is_some() {
        last.insert("kernel.randomize_va_space".to_owned(), "0");
    }
    let mut named = arguments.starting("sysctl.").peekable();
    if named.peek().is_some() {
        let release = arguments.kernel.and_then(release);
        if release.is_some_and(|release| release >= KNOWS_ARGUMENTS) {
            last.extend(named.map(|(name, value)| (canonical(name), value)));
        } else {
            listing.hide("the kernel is told parameters, which it only knows from release 5.8 on");
        }
    }
    last.retain(|name, _| settings.iter().all(|setting| setting.name != *name));
    settings.extend(last.into_iter().take(MAX_SETTINGS).map(|(name, value)| Setting {
        name,
        value: value.to_owned(),
        evidence: arguments.place.clone(),
    }));
    settings.sort_by(|one, other| one.name.cmp(&other.name));
}

/// The first two numbers of a kernel's version.
fn release(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split(|letter: char| !letter.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Whether systemd sets them.
fn of_systemd(services: &Listing<Service>) -> bool {
    services.items.iter().any(|service| {
        service.name == "systemd-sysctl.service"
            && !matches!(service.enabled.value(), Some(Enabled::Masked))
    })
}

/// The files that count, by their names.
fn files_in_order(files: &Files<'_>, listing: &mut Listing<Setting>) -> Vec<String> {
    let mut by_name: BTreeMap<String, Option<String>> = BTreeMap::new();
    for folder in FOLDERS {
        let children = match files.children(folder, HIDES) {
            Read::There(children) => children,
            Read::Absent => continue,
            Read::Unread(why) => {
                listing.hide(why);
                continue;
            }
        };
        for (name, found) in children {
            if !name.ends_with(".conf") || by_name.contains_key(&name) {
                continue;
            }
            let path = format!("{folder}/{name}");
            let kind = match found.metadata() {
                Ok(metadata) => metadata.file_type,
                Err(error) => {
                    files.note(&error, &path, HIDES);
                    listing.hide(error.to_string());
                    continue;
                }
            };
            match kind {
                // A link to nothing takes the others of its name away.
                FileType::Symlink => match files.link(&path, HIDES) {
                    Read::There(target) if target == "/dev/null" => by_name.insert(name, None),
                    _ => by_name.insert(name, Some(path)),
                },
                FileType::File => by_name.insert(name, Some(path)),
                _ => None,
            };
        }
    }
    by_name.into_values().flatten().collect()
}

/// What lines come to.
#[derive(Default)]
struct Parameters {
    /// By name or pattern: the value, of one that is to be left alone nothing, and the file.
    set: BTreeMap<String, (Option<String>, String)>,
    too_many: bool,
}

impl Parameters {
    fn line(&mut self, line: &str, path: &str) {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            return;
        }
        let (name, value) = match line.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => match line.strip_prefix('-') {
                Some(name) => (name.trim(), None),
                None => return,
            },
        };
        // A failure to set it is passed over; that is nothing that shows.
        let name = name.strip_prefix('-').unwrap_or(name).trim();
        if name.is_empty() {
            return;
        }
        if self.set.len() >= MAX_SETTINGS && !self.set.contains_key(name) {
            self.too_many = true;
            return;
        }
        let value = value.map(str::to_owned);
        self.set.insert(canonical(name), (value, path.to_owned()));
    }

    /// The parameters that are set. A pattern stays what it is, since what it means depends on the
    /// devices that there are; only of its two parameters that every system has, `all` and `default`,
    /// it is told too. One that is named by itself, be it to leave it alone, no pattern touches.
    fn settled(self) -> Vec<Setting> {
        let mut settings: BTreeMap<String, (String, String)> = BTreeMap::new();
        for (name, (value, path)) in &self.set {
            let Some(value) = value else { continue };
            settings.insert(name.clone(), (value.clone(), path.clone()));
            let Some((before, behind)) = name.split_once(".*.") else { continue };
            if !before.ends_with(".conf") || glob::is_pattern(before) || glob::is_pattern(behind) {
                continue;
            }
            for every in ["all", "default"] {
                let name = format!("{before}.{every}.{behind}");
                if !self.set.contains_key(&name) {
                    settings.insert(name, (value.clone(), path.clone()));
                }
            }
        }
        let settings = settings.into_iter();
        let setting = |(name, (value, path)): (String, (String, String))| Setting {
            name,
            value,
            evidence: Some(path.into()),
        };
        settings.map(setting).collect()
    }
}

/// `net/ipv4/ip_forward` and `net.ipv4.ip_forward` are one: where a slash comes first, dots are part of
/// names.
fn canonical(name: &str) -> String {
    match name.find(['.', '/']) {
        Some(at) if name.as_bytes()[at] == b'/' => {
            let swap = |character| match character {
                '/' => '.',
                '.' => '/',
                other => other,
            };
            name.chars().map(swap).collect()
        }
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use fathom_report::Fact;
    use serde_json::json;

    use super::*;
    use crate::memory;

    fn systemd() -> Listing<Service> {
        let service = json!({
            "kind": "service",
            "name": "systemd-sysctl.service",
            "enabled": Fact::known(Enabled::Static, "/lib"),
            "evidence": [],
        });
        let service = serde_json::from_value(service).unwrap();
        Listing::complete(vec![service], Vec::new())
    }

    fn shown(files: &[(&str, &[u8])], services: &Listing<Service>) -> Vec<String> {
        let tree = memory::tree(files);
        let text = "ro sysctl.kernel.a=9 sysctl.kernel.told=1 sysctl.kernel.told=2";
        let arguments = Arguments { text, place: None, kernel: Some("6.1.0-28-amd64") };
        let with = of(&Files::new(&tree), services, Some(&arguments)).items;
        let value = |name: &str| with.iter().find(|it| it.name == name).map(|it| it.value.clone());
        assert_eq!(value("kernel.told").as_deref(), Some("2"));
        let listing = of(&Files::new(&tree), services, None);
        let own = listing.items.iter().find(|it| it.name == "kernel.a");
        assert_eq!(value("kernel.a").as_deref(), own.map_or(Some("9"), |it| Some(&it.value)));
        assert_eq!(listing.coverage, Coverage::Complete);
        let items = listing.items.iter();
        items.map(|setting| format!("{}={}", setting.name, setting.value)).collect()
    }

    #[test]
    fn files_count_by_their_names_and_the_first_folder_wins() {
        let files: &[(&str, &[u8])] = &[
            ("/etc/sysctl.d/50-a.conf", b"kernel.a = 1\n"),
            ("/usr/lib/sysctl.d/50-a.conf", b"kernel.a = 2\nkernel.lost = 1"),
            ("/usr/lib/sysctl.d/60-b.conf", b"kernel/a=3\n# kernel.c=1\n;\nno line\n"),
            ("/usr/lib/sysctl.d/70-c.conf", b"kernel.never = 1\n"),
            ("/etc/sysctl.d/70-c.conf -> /dev/null", b""),
            ("/usr/lib/sysctl.d/80-d", b"kernel.never = 1\n"),
            ("/etc/sysctl.conf", b"kernel.a = 4\n"),
        ];
        assert_eq!(shown(files, &systemd()), ["kernel.a=3"]);
        let none = Listing::complete(Vec::new(), Vec::new());
        assert_eq!(shown(files, &none), ["kernel.a=4"], "without systemd that file counts last");
    }

    #[test]
    fn the_kernel_is_told_what_its_release_knows() {
        let none = Listing::complete(Vec::new(), Vec::new());
        let tree = memory::tree(&[]);
        let text = "norandmaps sysctl.kernel.a=1";
        let told = |kernel| {
            let arguments = Arguments { text, place: None, kernel };
            of(&Files::new(&tree), &none, Some(&arguments))
        };
        let new = told(Some("5.8.0-1.el9"));
        let names: Vec<_> = new.items.iter().map(|it| (&it.name[..], &it.value[..])).collect();
        assert_eq!(names, [("kernel.a", "1"), ("kernel.randomize_va_space", "0")]);
        for kernel in [None, Some("4.18.0-553.el8"), Some("vmlinuz")] {
            let old = told(kernel);
            assert_eq!((old.items.len(), old.coverage), (1, Coverage::Partial), "{kernel:?}");
        }
    }

    #[test]
    fn patterns_pass_over_what_is_named() {
        let files: &[(&str, &[u8])] = &[(
            "/usr/lib/sysctl.d/50.conf",
            b"net.ipv4.conf.*.rp_filter = 2\n-net.ipv4.conf.all.rp_filter\n-net.x = 1\n\
              net/ipv4/conf/eth0.1/rp_filter = 1\n",
        )];
        assert_eq!(
            shown(files, &systemd()),
            [
                "net.ipv4.conf.*.rp_filter=2",
                "net.ipv4.conf.default.rp_filter=2",
                "net.ipv4.conf.eth0/1.rp_filter=1",
                "net.x=1",
            ]
        );
    }

    #[test]
    fn a_file_that_is_too_long_leaves_the_list_partial() {
        let long = vec![b'#'; (1 << 20) + 1];
        let tree = memory::tree(&[("/etc/sysctl.d/a.conf", &long)]);
        let listing = of(&Files::new(&tree), &systemd(), None);
        assert_eq!(listing.coverage, Coverage::Partial);
    }

    /// systemd's own service and further ones that are enabled.
    fn with(names: &[&str]) -> Listing<Service> {
        let mut all = systemd();
        all.items.extend(names.iter().map(|name| {
            let enabled = Fact::known(Enabled::Enabled, "/etc");
            let service =
                json!({"kind": "service", "name": name, "enabled": enabled, "evidence": []});
            serde_json::from_value::<Service>(service).unwrap()
        }));
        all
    }

    fn value(files: &[(&str, &[u8])], services: &Listing<Service>, name: &str) -> Option<String> {
        let listing = of(&Files::new(&memory::tree(files)), services, None);
        listing.items.iter().find(|it| it.name == name).map(|it| it.value.clone())
    }

    #[test]
    fn ufw_applies_its_file_last() {
        let own: (&str, &[u8]) = ("/etc/sysctl.d/99-z.conf", b"net.ipv4.ip_forward = 0\n");
        let file: (&str, &[u8]) = ("/etc/ufw/sysctl.conf", b"net/ipv4/ip_forward=1\n");
        let defaults: (&str, &[u8]) = ("/etc/default/ufw", b"IPT_SYSCTL=/etc/ufw/sysctl.conf\n");
        let on: (&str, &[u8]) = ("/etc/ufw/ufw.conf", b"ENABLED=yes\n");
        let off: (&str, &[u8]) = ("/etc/ufw/ufw.conf", b"ENABLED=no\n");
        let (name, started) = ("net.ipv4.ip_forward", with(&["ufw.service"]));
        assert_eq!(value(&[own, file, defaults, on], &started, name).as_deref(), Some("1"));
        assert_eq!(value(&[own, file, defaults, off], &started, name).as_deref(), Some("0"));
        assert_eq!(value(&[own, file, defaults, on], &systemd(), name).as_deref(), Some("0"));
        assert_eq!(value(&[own, file, on], &started, name).as_deref(), Some("0"));
        let mut unsure = systemd();
        unsure.hide("a folder is damaged");
        let tree = memory::tree(&[own, file, defaults, on]);
        assert_eq!(of(&Files::new(&tree), &unsure, None).coverage, Coverage::Partial);
    }

    #[test]
    fn networkd_passes_packets_on_where_a_network_asks_for_it() {
        let own: (&str, &[u8]) = ("/etc/sysctl.d/99-z.conf", b"net.ipv4.ip_forward = 0\n");
        let (name, started) = ("net.ipv4.ip_forward", with(&["systemd-networkd.service"]));
        let network = |path: &str, text: &str, services: &Listing<Service>| {
            value(&[own, (path, text.as_bytes())], services, name)
        };
        let place = "/etc/systemd/network/a.network";
        let text = "[Match]\nName=eth0\n[Network]\nIPForward=yes\n";
        assert_eq!(network(place, text, &started).as_deref(), Some("1"));
        assert_eq!(network(place, text, &systemd()).as_deref(), Some("0"));
        assert_eq!(network(place, "[Other]\nIPForward=yes\n", &started).as_deref(), Some("0"));
        assert_eq!(network(place, "[Network]\nIPForward=ipv6\n", &started).as_deref(), Some("0"));
        let part = "/etc/systemd/network/a.network.d/b.conf";
        assert_eq!(network(part, text, &started).as_deref(), Some("1"));
        // What ships with networkd for containers says nothing.
        let shipped = "/usr/lib/systemd/network/80-container-ve.network";
        assert_eq!(network(shipped, text, &started).as_deref(), Some("0"));
        let conf = "/etc/systemd/networkd.conf";
        assert_eq!(
            network(conf, "[Network]\nIPv4Forwarding=yes\n", &started).as_deref(),
            Some("1")
        );
        // Of one interface or of all: that is not known to be off.
        assert_eq!(network(place, "[Network]\nIPv4Forwarding=yes\n", &started), None);
        assert_eq!(network(place, "[Network]\nIPMasquerade=ipv4\n", &started), None);
        let mut unsure = systemd();
        unsure.hide("a folder is damaged");
        assert_eq!(network(place, text, &unsure), None);
    }
}
