//! How the system starts: what the kernel is told, who may change what starts, and what three keys do.

use fathom_report::{Fact, Listing, Setting};

use super::Found;
use crate::files::{Files, Read};
use crate::security::Known;
use crate::security::arguments::Arguments;

/// The menus of GRUB, where they lie.
const MENUS: [&str; 4] =
    ["/boot/grub/grub.cfg", "/boot/grub2/grub.cfg", "/boot/efi/EFI/*/grub.cfg", "/grub/grub.cfg"];

pub(super) fn of(found: &mut Found<'_>, known: &Known<'_>, kernel: &Listing<Setting>) {
    let arguments = Arguments::of(known.boot);
    if let Some(arguments) = &arguments {
        let place = arguments.place.as_ref().map(|place| place.0.as_str());
        for (name, argument) in [
            ("kernel-mitigations", "mitigations"),
            ("kernel-lockdown", "lockdown"),
            ("kernel-audit", "audit"),
            ("kernel-module-signatures", "module.sig_enforce"),
        ] {
            if let Some(value) = arguments.value(argument) {
                let value = if value.is_empty() { "yes" } else { value };
                found.add(name, value, place);
            }
        }
    }
    if let Some(arguments) = &arguments {
        let off = mitigations_off(arguments);
        let value = if off.is_empty() { "none".to_owned() } else { off.join(" ") };
        let place = arguments.place.as_ref().map(|place| place.0.as_str());
        found.add("kernel-mitigations-off", value, place);
    }
    randomisation(found, arguments.as_ref(), kernel);
    password(found);
    three_keys(found);
    target(found, arguments.as_ref());
    if found.files.exists("/.autorelabel", super::HIDES) {
        found.add("selinux-relabel-pending", "yes", Some("/.autorelabel"));
    }
    if let Fact::Known { value, evidence } = &known.boot.default {
        let place = evidence.first().map(|place| place.0.as_str());
        found.add("boot-loader", value.loader.clone(), place);
    }
}

/// Arguments of which the last counts, and the values by which they turn a defence against a hole of
/// processors off.
const MITIGATIONS: [(&str, &[&str]); 22] = [
    ("mitigations", &["off"]),
    ("spectre_v2", &["off"]),
    ("spectre_v2_user", &["off"]),
    ("spectre_bhi", &["off"]),
    ("spec_store_bypass_disable", &["off"]),
    ("ssbd", &["force-off"]),
    ("pti", &["off"]),
    ("kpti", &["0", "off", "no", "n"]),
    ("mds", &["off"]),
    ("l1tf", &["off"]),
    ("tsx_async_abort", &["off"]),
    ("srbds", &["off"]),
    ("mmio_stale_data", &["off"]),
    ("retbleed", &["off"]),
    ("spec_rstack_overflow", &["off"]),
    ("gather_data_sampling", &["off"]),
    ("reg_file_data_sampling", &["off"]),
    ("indirect_target_selection", &["off"]),
    ("tsa", &["off"]),
    ("vmscape", &["off"]),
    ("kvm.nx_huge_pages", &["off", "never", "0"]),
    ("kvm-intel.vmentry_l1d_flush", &["never"]),
];

/// Words that turn one off by themselves.
const MITIGATION_SWITCHES: [&str; 5] =
    ["nospectre_v1", "nospectre_v2", "nospectre_bhb", "nospec_store_bypass_disable", "nopti"];

/// What the kernel is told that turns a defence against a hole of processors off.
fn mitigations_off(arguments: &Arguments<'_>) -> Vec<String> {
    let mut off = Vec::new();
    for (name, values) in MITIGATIONS {
        // The kernel takes both signs in names of parameters of modules.
        let value = arguments.value(name).or_else(|| arguments.value(&name.replace('-', "_")));
        if let Some(value) = value.filter(|value| values.contains(value)) {
            off.push(format!("{name}={value}"));
        }
    }
    // What is said of `pti` by name counts more than the word.
    let outdone = |name: &str| name == "nopti" && arguments.value("pti").is_some();
    let words: Vec<&str> = arguments.text.split_whitespace().collect();
    let switches = MITIGATION_SWITCHES.iter().filter(|name| words.contains(*name));
    off.extend(switches.filter(|name| !outdone(name)).map(|name| (*name).to_owned()));
    off
}

/// Whether addresses are random: the kernel does it unless it is told not to.
fn randomisation(
    found: &mut Found<'_>,
    arguments: Option<&Arguments<'_>>,
    kernel: &Listing<Setting>,
) {
    let name = "address-space-randomisation";
    let set = kernel.items.iter().find(|setting| setting.name == "kernel.randomize_va_space");
    if let Some(set) = set {
        let place = set.evidence.as_ref().map(|place| place.0.clone());
        return found.add(name, set.value.clone(), place.as_deref());
    }
    // The kernel's own default, as long as nothing that says otherwise could not be read.
    if arguments.is_some() && kernel.coverage == fathom_report::Coverage::Complete {
        found.add(name, "2", None);
    }
}

/// Whether the menu can be changed without a password. Nothing of the password is told.
fn password(found: &mut Found<'_>) {
    let mut any = None;
    for pattern in MENUS {
        for path in found.expand(pattern) {
            let Some(text) = found.text(&path) else { continue };
            // The one on the system partition of EFI mostly leads to the other.
            any.get_or_insert_with(|| path.clone());
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            if asks(found, &text, folder) {
                return found.add("boot-loader-password", "yes", Some(&path));
            }
        }
    }
    if let Some(path) = any {
        found.add("boot-loader-password", "no", Some(&path));
    }
}

/// Whether the menu names who may change it, and knows a password of theirs.
fn asks(found: &mut Found<'_>, text: &str, folder: &str) -> bool {
    let lines = || text.lines().map(str::trim);
    let named = lines().any(|line| {
        let Some(value) = line.strip_prefix("set superusers=") else { return false };
        !value.trim_matches(['"', '\'']).is_empty()
    });
    let mut passwords = lines().filter(|line| line.starts_with("password"));
    // Red Hat keeps it in a file beside the menu, and its menu reads that.
    let beside = |line: &str| line.contains("${GRUB2_PASSWORD}");
    let known = passwords.any(|line| !beside(line));
    let file = format!("{folder}/user.cfg");
    named && (known || found.text(&file).is_some_and(|text| text.contains("GRUB2_PASSWORD=")))
}

/// Where systemd finds its units, the first counting most.
const UNITS: [&str; 5] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// How many links lead from one name of a target to another.
const MAX_LINKS: usize = 16;

/// What systemd starts when nobody chooses: the target that `default.target` leads to, unless the kernel
/// is told another. Where there is no such link there is nothing to tell.
fn target(found: &mut Found<'_>, arguments: Option<&Arguments<'_>>) {
    let key = "default-target";
    if let Some(arguments) = arguments
        && let Some(unit) = arguments.value("systemd.unit").filter(|unit| !unit.is_empty())
    {
        let place = arguments.place.as_ref().map(|place| place.0.as_str());
        return found.add(key, unit, place);
    }
    let mut name = "default.target".to_owned();
    let mut first = None;
    for _ in 0..MAX_LINKS {
        let (path, target) = match unit(found.files, &name) {
            Read::There((path, Some(target))) => (path, target),
            // The unit itself, or a name that leads nowhere.
            Read::There((path, None)) => {
                first.get_or_insert(path);
                break;
            }
            Read::Absent => break,
            Read::Unread(why) => return found.listing.hide(why),
        };
        first.get_or_insert(path);
        if target == "/dev/null" {
            return found.add(key, "masked", first.as_deref());
        }
        let last = target.rsplit('/').next().unwrap_or_default();
        if last == name {
            break;
        }
        name = last.to_owned();
    }
    if let Some(path) = first {
        found.add(key, name, Some(&path));
    }
}

/// The file of the unit that counts, and where it leads to if it is a link.
fn unit(files: &Files<'_>, name: &str) -> Read<(String, Option<String>)> {
    for folder in UNITS {
        let path = format!("{folder}/{name}");
        match files.link(&path, super::HIDES) {
            Read::There(target) => return Read::There((path, Some(target))),
            Read::Absent => {}
            Read::Unread(why) => return Read::Unread(why),
        }
        match files.found(&path, super::HIDES) {
            Read::There(_) => return Read::There((path, None)),
            Read::Absent => {}
            Read::Unread(why) => return Read::Unread(why),
        }
    }
    Read::Absent
}

/// What the keys control, alt and delete do.
fn three_keys(found: &mut Found<'_>) {
    let name = "ctrl-alt-del";
    for folder in ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"] {
        let path = format!("{folder}/ctrl-alt-del.target");
        match found.files.link(&path, super::HIDES) {
            Read::There(target) => {
                let last = target.rsplit('/').next().unwrap_or_default();
                let does = match last {
                    "null" => "masked",
                    other => other.strip_suffix(".target").unwrap_or(other),
                };
                return found.add(name, does, Some(&path));
            }
            Read::Absent => {}
            Read::Unread(why) => return found.listing.hide(why),
        }
    }
    let path = "/etc/inittab";
    if let Some(text) = found.text(path) {
        let active = text
            .lines()
            .any(|line| !line.trim_start().starts_with('#') && line.contains(":ctrlaltdel:"));
        found.add(name, if active { "reboot" } else { "ignored" }, Some(path));
    }
}
