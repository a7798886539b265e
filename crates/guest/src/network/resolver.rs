//! Which servers the system as a whole asks for names.
//!
//! Mostly that is decided when it runs: `/etc/resolv.conf` then leads into `/run`, and the lists say
//! that they are not all.

use std::collections::BTreeMap;

use fathom_report::{Coverage, Evidence, Listing, Service};

use super::connections::{Connections, HIDES, once};
use super::ini::{Style, sections};
use super::layers::layered;
use super::manager;
use crate::files::{Files, Read};
use crate::services::starts;

const RESOLV_CONF: &str = "/etc/resolv.conf";
const RESOLVED: [&str; 3] = [
    "/etc/systemd/resolved.conf",
    "/usr/local/lib/systemd/resolved.conf",
    "/usr/lib/systemd/resolved.conf",
];
const RESOLVCONF: [&str; 3] = [
    "/etc/resolvconf/resolv.conf.d/head",
    "/etc/resolvconf/resolv.conf.d/base",
    "/etc/resolvconf/resolv.conf.d/tail",
];

/// How many servers of the file the library asks.
const MAX_SERVERS: usize = 3;

/// What the files say together.
#[derive(Default)]
struct Said {
    nameservers: Vec<String>,
    search: Vec<String>,
    places: Vec<Evidence>,
    /// Why it is not all.
    hidden: Option<String>,
}

/// The servers, and the domains that names are looked up in. `connections` may have found some.
pub(super) fn of(
    files: &Files<'_>,
    services: &Listing<Service>,
    connections: &Connections<'_, '_>,
) -> (Listing<String>, Listing<String>) {
    let mut said = Said {
        nameservers: connections.nameservers.clone(),
        search: connections.search.clone(),
        ..Said::default()
    };
    // Nothing but what could not be read comes of the listing itself.
    let read = files.listing(|| {
        said.resolv_conf(files);
        if starts(services, &["systemd-resolved"]).value() != Some(&false) {
            said.resolved(files);
        }
        if starts(services, &["NetworkManager"]).value() != Some(&false) {
            said.network_manager(files);
        }
        for path in RESOLVCONF {
            if let Read::There(text) = files.text(path, HIDES) {
                said.lines(&text, path);
            }
        }
        Listing::<()>::complete(Vec::new(), Vec::new())
    });
    once(&mut said.nameservers);
    once(&mut said.search);
    let list = |items: Vec<String>| {
        let mut list = Listing::complete(items, said.places.clone());
        for why in read.reason.iter().chain(&said.hidden) {
            list.hide(why.clone());
        }
        if list.items.is_empty() && list.coverage != Coverage::Complete {
            list.coverage = Coverage::Unknown;
        } else if list.items.is_empty() {
            list.reason = Some("none is configured".to_owned());
        }
        list
    };
    (list(said.nameservers), list(said.search))
}

impl Said {
    fn resolv_conf(&mut self, files: &Files<'_>) {
        self.places.push(RESOLV_CONF.into());
        let target = match files.link(RESOLV_CONF, HIDES) {
            Read::There(target) => Some(target),
            Read::Absent | Read::Unread(_) => None,
        };
        let made = |target: &str| {
            format!("{RESOLV_CONF} leads to {target}, which is made when the system runs")
        };
        if let Some(target) =
            target.as_deref().filter(|target| target.split('/').any(|part| part == "run"))
        {
            self.hidden = Some(made(target));
            return;
        }
        match (files.text(RESOLV_CONF, HIDES), target) {
            (Read::There(text), _) => self.lines(&text, RESOLV_CONF),
            (Read::Absent, Some(target)) => self.hidden = Some(made(&target)),
            (Read::Absent, None) => self.hidden = Some(format!("there is no {RESOLV_CONF}")),
            (Read::Unread(_), _) => {}
        }
    }

    /// The lines of a file in the way of `resolv.conf`.
    fn lines(&mut self, text: &str, path: &str) {
        let mut search: Vec<String> = Vec::new();
        let mut servers = Vec::new();
        // The library passes over lines that begin with a blank.
        for line in text.lines().filter(|line| !line.starts_with(char::is_whitespace)) {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") => servers.extend(words.next().map(str::to_owned)),
                // The last line counts alone.
                Some("search" | "domain") => search = words.map(str::to_owned).collect(),
                _ => {}
            }
        }
        self.nameservers.extend(servers.into_iter().take(MAX_SERVERS));
        self.search.extend(search);
        self.places.push(path.into());
    }

    fn resolved(&mut self, files: &Files<'_>) {
        let mut paths: Vec<String> = Vec::new();
        // Of the file itself only the first counts; what adds to it is sorted by name.
        let own = RESOLVED.iter().find(|path| files.exists(path, HIDES));
        paths.extend(own.map(|path| (*path).to_owned()));
        let folders = [
            "/etc/systemd/resolved.conf.d",
            "/run/systemd/resolved.conf.d",
            "/usr/local/lib/systemd/resolved.conf.d",
            "/usr/lib/systemd/resolved.conf.d",
            "/lib/systemd/resolved.conf.d",
        ];
        paths.extend(layered(files, &folders, |name| name.ends_with(".conf")).into_values());
        let (mut servers, mut domains) = (Vec::new(), Vec::new());
        for path in paths {
            let Read::There(text) = files.text(&path, HIDES) else { continue };
            self.places.push(path.into());
            let resolve =
                sections(&text, Style::Systemd).into_iter().filter(|one| one.name == "Resolve");
            for (name, value) in resolve.flat_map(|section| section.settings) {
                let list = match name.as_str() {
                    "DNS" => &mut servers,
                    "Domains" => &mut domains,
                    _ => continue,
                };
                if value.is_empty() {
                    list.clear();
                }
                list.extend(value.split_whitespace().map(str::to_owned));
            }
        }
        self.nameservers.extend(servers);
        self.search.extend(domains.into_iter().filter(|domain| !domain.starts_with('~')));
    }

    /// What is told to NetworkManager for all connections, which then asks no others.
    fn network_manager(&mut self, files: &Files<'_>) {
        let mut settings: BTreeMap<String, String> = BTreeMap::new();
        for path in manager::paths(files) {
            let Read::There(text) = files.text(&path, HIDES) else { continue };
            self.places.push(path.into());
            for section in sections(&text, Style::Keyfile) {
                let is_domain = section.name.starts_with("global-dns-domain-");
                for (name, value) in section.settings {
                    if is_domain && name == "servers"
                        || section.name == "global-dns" && name == "searches"
                    {
                        settings.insert(section.name.clone(), value);
                    }
                }
            }
        }
        for (section, value) in settings {
            let values = value.split([',', ';']).map(str::trim).filter(|one| !one.is_empty());
            let list =
                if section == "global-dns" { &mut self.search } else { &mut self.nameservers };
            list.extend(values.map(str::to_owned));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;

    fn check(files: &[(&str, &[u8])], coverage: Coverage, servers: &[&str], search: &[&str]) {
        let tree = memory::tree(files);
        let files = Files::new(&tree);
        let services = Listing::unknown("not looked");
        let (found, domains) = of(&files, &services, &Connections::new(&files));
        assert_eq!((found.items, domains.items), (strings(servers), strings(search)));
        assert_eq!(found.coverage, coverage);
    }

    fn strings(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn what_is_made_at_run_time_is_not_known() {
        let link: (&str, &[u8]) =
            ("/etc/resolv.conf -> ../run/systemd/resolve/stub-resolv.conf", b"");
        check(&[link], Coverage::Unknown, &[], &[]);
        let conf: (&str, &[u8]) =
            ("/etc/systemd/resolved.conf", b"[Resolve]\nDNS=192.0.2.1\nDomains=a ~b\n");
        let more: (&str, &[u8]) =
            ("/etc/systemd/resolved.conf.d/x.conf", b"[Resolve]\nDNS=\nDNS=192.0.2.2\n");
        check(&[link, conf, more], Coverage::Partial, &["192.0.2.2"], &["a"]);
        check(&[], Coverage::Unknown, &[], &[]);
        check(&[("/etc/resolv.conf -> gone", b"")], Coverage::Unknown, &[], &[]);
    }

    #[test]
    fn a_file_counts_as_it_stands() {
        let text = b"# x\nnameserver 192.0.2.1\nsearch a b\ndomain c\nnameserver 192.0.2.2\n";
        check(
            &[("/etc/resolv.conf", text)],
            Coverage::Complete,
            &["192.0.2.1", "192.0.2.2"],
            &["c"],
        );
        let text = b" nameserver 192.0.2.9\nnameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n";
        check(
            &[("/etc/resolv.conf", text)],
            Coverage::Complete,
            &["192.0.2.1", "192.0.2.2", "192.0.2.3"],
            &[],
        );
        check(&[("/etc/resolv.conf", b"")], Coverage::Complete, &[], &[]);
        let manager =
            b"[global-dns]\nsearches=d\n[global-dns-domain-*]\nservers=192.0.2.3,192.0.2.4\n";
        let files: [(&str, &[u8]); 2] =
            [("/etc/resolv.conf", b""), ("/etc/NetworkManager/conf.d/a.conf", manager)];
        check(&files, Coverage::Complete, &["192.0.2.3", "192.0.2.4"], &["d"]);
    }
}
