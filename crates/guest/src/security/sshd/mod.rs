//! What holds for logins over SSH, as `sshd -T` prints it.
//!
//! The files are read in the order of their includes. Of what stands outside of conditions the first
//! line of a keyword counts; what stands under one counts more, if it holds. What always holds
//! (`Match all`) is therefore put over the rest here, as every login sees it, and all other conditions
//! are kept with what they set. What is not set is what the release does by default, where that is
//! known: a keyword that is in the list of neither is not known, and not off.

mod algorithms;
mod keyword;
mod login;
mod reader;
mod release;
mod socket;
mod started;
#[cfg(test)]
mod tests;
mod value;
mod words;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

use fathom_report::{
    Coverage, Evidence, Fact, Listing, Package, Service, Setting, Sshd, SshdMatch,
};

use self::keyword::{CHALLENGE, Kind};
pub(crate) use self::login::{Login, Logins};
use self::reader::{Reader, Set};
use self::release::{DEFAULTS, HOST_KEYS, Release};
use crate::files::{Files, Read};

/// What the report loses if a file cannot be read.
const HIDES: &str = "settings of sshd";

/// The file of the administrator, and that of SUSE, which holds where there is none.
const CONFIGS: [&str; 2] = ["/etc/ssh/sshd_config", "/usr/etc/ssh/sshd_config"];

/// Where the program lies.
const PROGRAMS: [&str; 2] = ["/usr/sbin/sshd", "/usr/bin/sshd"];

/// What holds.
pub(super) fn of(
    files: &Files<'_>,
    packages: &Listing<Package>,
    services: &Listing<Service>,
) -> Fact<Sshd> {
    let release = Release::of(packages);
    let mut reader = Reader::new(files, release.as_ref());
    let started = match started::how(files, services) {
        Ok(started) => started,
        Err(_) if release.is_none() && !started::has_config(files) => {
            return missing(files, packages, CONFIGS.to_vec());
        }
        Err(why) => return Fact::unknown(why),
    };
    // What the program is given when it is started counts before any file.
    reader.given(&started.options);
    let configs = started.configs();
    let mut there = false;
    for config in &configs {
        match reader.file(config) {
            Ok(true) => {
                there = true;
                break;
            }
            Ok(false) => {}
            Err(why) => return Fact::unknown(why),
        }
    }
    if !there && release.is_none() {
        return missing(files, packages, configs);
    }
    let evidence = match reader.places.is_empty() {
        true => configs.iter().map(|place| Evidence::from(*place)).collect(),
        false => reader.places.iter().map(|place| Evidence::from(place.as_str())).collect(),
    };
    let mut sshd = resolved(reader, release.as_ref());
    socket::apply(files, services, &mut sshd.settings, &mut sshd.unknown);
    sshd.settings.sort_by(|a, b| a.name.cmp(&b.name));
    Fact::Known { value: sshd, evidence }
}

/// What is said where neither a file nor a package of sshd is there: it is not, unless its package may
/// be among those that could not be read.
fn missing(files: &Files<'_>, packages: &Listing<Package>, configs: Vec<&str>) -> Fact<Sshd> {
    let is_absent = |path: &&str| matches!(files.found(path, HIDES), Read::Absent);
    match &packages.reason {
        Some(why) if packages.coverage != Coverage::Complete && !PROGRAMS.iter().all(is_absent) => {
            Fact::unknown(format!("which packages are installed is not known: {why}"))
        }
        _ => Fact::absent(configs),
    }
}

/// By name, what it is set to and where.
type Settled = BTreeMap<String, Vec<(String, String)>>;

fn resolved(reader: Reader<'_>, release: Option<&Release>) -> Sshd {
    let mut unsure = Vec::new();
    let unconditional = |set: &&Set| set.condition.as_deref().unwrap_or_default().is_empty();
    let mut settled = settle(reader.sets.iter().filter(unconditional), release, &mut unsure);
    let always = reader.sets.iter().filter(|set| set.condition.as_deref() == Some(""));
    let always = always.filter(|set| set.keyword.is_none_or(|keyword| keyword.conditional));
    let always = settle(always, release, &mut unsure);
    settled.extend(always);
    settled.retain(|name, _| !unsure.contains(name));

    let mut settings = Vec::new();
    for (name, values) in &settled {
        // Both depend on others and are done below.
        if name == "port" || name == "listenaddress" {
            continue;
        }
        for (value, place) in values {
            match shown(name, value, release) {
                Some(value) => settings.push(setting(name, value, Some(place))),
                None => unsure.push(name.clone()),
            }
        }
    }
    if let Some(release) = release {
        defaults(release, &settled, &unsure, &mut settings);
    }
    addresses(&settled, release.is_some(), &mut settings);
    settings.sort_by(|a, b| a.name.cmp(&b.name));
    unsure.sort();
    unsure.dedup();
    Sshd {
        settings,
        matches: matches(&reader.sets, release),
        version: release.map(|release| release.version.clone()),
        unknown: unsure,
        mistakes: reader.mistakes,
    }
}

/// What comes of several lines with one keyword.
fn settle<'a>(
    sets: impl Iterator<Item = &'a Set>,
    release: Option<&Release>,
    unsure: &mut Vec<String>,
) -> Settled {
    let mut settled = Settled::new();
    for set in sets {
        let values = set.values.iter().map(|value| (value.clone(), set.place.clone()));
        let values: Vec<_> = values.collect();
        if values.is_empty() {
            continue;
        }
        let adds_up = set.keyword.is_some_and(keyword::Keyword::adds_up);
        let last = set.keyword.is_some_and(keyword::Keyword::last_counts);
        match settled.get_mut(&set.name) {
            None => {
                let mut values = values;
                if last {
                    values[0].0 = values[0].0.replacen("::", &format!(":{RATE}:"), 1);
                }
                settled.insert(set.name.clone(), values);
            }
            Some(earlier) if adds_up => earlier.extend(values),
            Some(earlier) if last && earlier[0].0 != values[0].0 => {
                // Later releases take the first, as of all other keywords; which one did so first was
                // not compared.
                if release.is_some_and(Release::is_compared) {
                    let rate = rate(&earlier[0].0).to_owned();
                    *earlier = values;
                    earlier[0].0 = earlier[0].0.replacen("::", &format!(":{rate}:"), 1);
                } else {
                    unsure.push(set.name.clone());
                }
            }
            Some(_) => {}
        }
    }
    settled
}

/// The rate of `begin:rate:full` where none is set.
const RATE: &str = "30";

/// The rate of `begin:rate:full`, which is the default where it is left open.
fn rate(value: &str) -> &str {
    value.split(':').nth(1).filter(|rate| !rate.is_empty()).unwrap_or(RATE)
}

/// The value as it is shown in the end: changes of lists of algorithms are applied.
fn shown(name: &str, value: &str, release: Option<&Release>) -> Option<String> {
    let is_list =
        keyword::find(name, false).is_some_and(|keyword| keyword.kind == Kind::Algorithms);
    if !is_list {
        return Some(value.to_owned());
    }
    let compared = release.is_some_and(Release::is_compared);
    algorithms::assemble(value, compared.then(|| algorithms::offer(name)).flatten())
}

fn setting(name: &str, value: impl Into<String>, place: Option<&str>) -> Setting {
    Setting { name: name.to_owned(), value: value.into(), evidence: place.map(Evidence::from) }
}

/// Adds what is not set.
fn defaults(release: &Release, settled: &Settled, unsure: &[String], settings: &mut Vec<Setting>) {
    let open = |name: &str| !settled.contains_key(name) && !unsure.iter().any(|it| it == name);
    for (name, _) in DEFAULTS.iter().filter(|(name, _)| open(name)) {
        if let Some(value) = release.default(name) {
            settings.push(setting(name, value, None));
        }
    }
    if open("hostkey") {
        settings.extend(HOST_KEYS.map(|path| setting("hostkey", path, None)));
    }
    if release.is_compared() {
        for name in [
            "ciphers",
            "macs",
            "kexalgorithms",
            "hostkeyalgorithms",
            "hostbasedacceptedalgorithms",
            "pubkeyacceptedalgorithms",
            "casignaturealgorithms",
        ] {
            if let Some(offer) = algorithms::offer(name).filter(|_| open(name)) {
                settings.push(setting(name, offer.default.join(","), None));
            }
        }
    }
    if release.has_challenge() {
        // The older keyword turns the other on, and is itself on unless it is turned off.
        let challenge = settled.get(CHALLENGE).and_then(|values| values.first());
        let asks = challenge.is_none_or(|(value, _)| value == "yes");
        if challenge.is_none() {
            settings.push(setting(CHALLENGE, "yes", None));
        }
        let interactive = "kbdinteractiveauthentication";
        let place = challenge.map(|(_, place)| place.as_str());
        if asks {
            settings.retain(|setting| setting.name != interactive);
            settings.push(setting(interactive, "yes", place));
        } else if open(interactive) {
            settings.retain(|setting| setting.name != interactive);
            settings.push(setting(interactive, "no", place));
        }
    }
}

/// Adds the ports and what is listened at, each address with each port that it does not name itself.
fn addresses(settled: &Settled, with_defaults: bool, settings: &mut Vec<Setting>) {
    let none = Vec::new();
    let ports = settled.get("port").unwrap_or(&none);
    let listens = settled.get("listenaddress").unwrap_or(&none);
    for (port, place) in ports {
        settings.push(setting("port", port, Some(place)));
    }
    let mut numbers: Vec<&str> = ports.iter().map(|(port, _)| port.as_str()).collect();
    if ports.is_empty() && with_defaults {
        settings.push(setting("port", "22", None));
        numbers.push("22");
    }
    let family = settled.get("addressfamily").and_then(|values| values.first());
    let family = family.map(|(family, _)| family.as_str());
    if listens.is_empty() && with_defaults {
        for port in &numbers {
            let place = ports.iter().find(|(it, _)| it == port).map(|(_, place)| place.as_str());
            if family != Some("inet") {
                settings.push(setting("listenaddress", format!("[::]:{port}"), place));
            }
            if family != Some("inet6") {
                settings.push(setting("listenaddress", format!("0.0.0.0:{port}"), place));
            }
        }
    }
    for (listen, place) in listens {
        let (address, domain) = match listen.split_once(" rdomain ") {
            Some((address, domain)) => (address, format!(" rdomain {domain}")),
            None => (listen.as_str(), String::new()),
        };
        let (host, port) = host_and_port(address);
        let at =
            |port: &str| setting("listenaddress", format!("{host}:{port}{domain}"), Some(place));
        match port {
            Some(port) => settings.push(at(port)),
            None => settings.extend(numbers.iter().map(|port| at(port))),
        }
    }
}

/// The host as it is shown, and the port if it is named.
fn host_and_port(text: &str) -> (String, Option<&str>) {
    let bare_v6 = !text.contains('[') && text.matches(':').count() > 1;
    let (host, port) = if bare_v6 {
        (text, None)
    } else if let Some((host, rest)) =
        text.strip_prefix('[').and_then(|inside| inside.split_once(']'))
    {
        (host, rest.strip_prefix(':'))
    } else {
        text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)))
    };
    let host = match host.parse::<Ipv6Addr>() {
        Ok(address) => format!("[{}]", IpAddr::V6(address)),
        Err(_) => host.to_owned(),
    };
    (host, port.filter(|port| !port.is_empty()))
}

/// The conditions in their order, each with what it sets. What an earlier `Match all` has set already
/// cannot be changed any more, and is left out.
fn matches(sets: &[Set], release: Option<&Release>) -> Vec<SshdMatch> {
    let mut matches: Vec<(usize, SshdMatch)> = Vec::new();
    let mut fixed: Vec<&str> = Vec::new();
    for set in sets {
        let Some(condition) = &set.condition else { continue };
        let adds_up = set.keyword.is_some_and(keyword::Keyword::adds_up);
        let last = set.keyword.is_some_and(keyword::Keyword::last_counts);
        if condition.is_empty() {
            if !adds_up && !last {
                fixed.push(&set.name);
            }
            continue;
        }
        if fixed.contains(&set.name.as_str()) || set.values.is_empty() {
            continue;
        }
        if matches.last().is_none_or(|(block, _)| *block != set.block) {
            let found = SshdMatch {
                condition: condition.clone(),
                settings: Vec::new(),
                evidence: set.place.as_str().into(),
            };
            matches.push((set.block, found));
        }
        let Some((_, found)) = matches.last_mut() else { continue };
        if last {
            found.settings.retain(|setting| setting.name != set.name);
        } else if !adds_up && found.settings.iter().any(|setting| setting.name == set.name) {
            continue;
        }
        for value in &set.values {
            // A change of a list that is not known is shown as it is written.
            let value = shown(&set.name, value, release).unwrap_or_else(|| value.clone());
            found.settings.push(setting(&set.name, value, Some(&set.place)));
        }
    }
    matches.into_iter().map(|(_, found)| found).collect()
}
