//! Where packages come from, in the files of each family.

use super::ini::sections;
use super::{HIDES, Search, without_secret};
use crate::security::glob;

/// How many sources there are with sense.
pub(super) const MAX_SOURCES: usize = 10_000;

/// The words of options that are kept, since they say that nothing is verified.
const TELLING: [&str; 3] = ["trusted", "allow-insecure", "allow-weak"];

/// Lines of `sources.list`: `deb [OPTIONS] URI SUITE COMPONENT…`, those of binary packages.
pub(super) fn one_line(text: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| {
        let line = line.split('#').next().unwrap_or_default().trim();
        let rest = line.strip_prefix("deb").filter(|rest| rest.starts_with([' ', '\t']))?;
        let rest = rest.trim_start();
        let (options, rest) = match rest.strip_prefix('[') {
            Some(inside) => inside.split_once(']')?,
            None => ("", rest),
        };
        let telling = options.split_whitespace().filter(|option| {
            let name = option.split('=').next().unwrap_or_default();
            TELLING.contains(&name)
        });
        let telling: Vec<_> = telling.collect();
        let options =
            if telling.is_empty() { String::new() } else { format!("[{}] ", telling.join(" ")) };
        let words: Vec<_> = rest.split_whitespace().collect();
        (words.len() >= 2).then(|| format!("deb {options}{}", words.join(" ")))
    });
    lines.take(MAX_SOURCES + 1).collect()
}

/// Paragraphs of a `.sources` file, each address with each suite.
pub(super) fn deb822(text: &str) -> Vec<String> {
    let mut sources = Vec::new();
    for paragraph in paragraphs(text) {
        let field = |name: &str| {
            let found = paragraph.iter().find(|(field, _)| field.eq_ignore_ascii_case(name));
            found.map_or("", |(_, value)| value.as_str())
        };
        let off = ["no", "false", "0", "off", "disable", "without"];
        let enabled = field("Enabled").to_ascii_lowercase();
        if off.contains(&enabled.as_str())
            || !field("Types").split_whitespace().any(|it| it == "deb")
        {
            continue;
        }
        let options = TELLING.iter().filter(|name| !field(name).is_empty());
        let options: Vec<_> = options.map(|name| format!("{name}={}", field(name))).collect();
        let options =
            if options.is_empty() { String::new() } else { format!("[{}] ", options.join(" ")) };
        let components: Vec<_> = field("Components").split_whitespace().collect();
        for address in field("URIs").split_whitespace() {
            for suite in field("Suites").split_whitespace() {
                let source = format!("deb {options}{address} {suite} {}", components.join(" "));
                if sources.len() <= MAX_SOURCES {
                    sources.push(source.trim_end().to_owned());
                }
            }
        }
    }
    sources
}

/// Fields and their values; lines that begin with a blank go on with the one before.
fn paragraphs(text: &str) -> Vec<Vec<(String, String)>> {
    let mut paragraphs: Vec<Vec<(String, String)>> = vec![Vec::new()];
    for line in text.lines() {
        if line.starts_with('#') {
            continue;
        }
        if line.trim().is_empty() {
            paragraphs.push(Vec::new());
            continue;
        }
        let Some(paragraph) = paragraphs.last_mut() else { continue };
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = paragraph.last_mut() {
                *value = format!("{value} {}", line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            paragraph.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    paragraphs
}

impl Search<'_> {
    /// Repositories that are not turned off: `ID ADDRESS`.
    pub(super) fn rpm_sources(&mut self) -> Result<Vec<String>, String> {
        let mut sources = Vec::new();
        let (mut unverified, mut silent) = (Vec::new(), Vec::new());
        let main = self.text("/etc/dnf/dnf.conf")?.or(self.text("/etc/yum.conf")?);
        let main = main.map(|text| sections(&text)).unwrap_or_default();
        let main = main.iter().find(|section| section.name == "main");
        let by_default = main.and_then(|main| main.get("gpgcheck")).map(is_on);
        let mut place = None;
        for pattern in ["/etc/yum.repos.d/*.repo", "/etc/zypp/repos.d/*.repo"] {
            let zypp = pattern.contains("zypp");
            for path in glob::expand(self.files, pattern, HIDES)? {
                let Some(text) = self.text(&path)? else { continue };
                for section in sections(&text) {
                    if section.get("enabled").is_some_and(|value| !is_on(value)) {
                        continue;
                    }
                    let address = ["baseurl", "metalink", "mirrorlist"].into_iter();
                    let address = address.filter_map(|key| section.get(key)).next();
                    let address = address.and_then(|it| it.split_whitespace().next());
                    let Some(address) = address else { continue };
                    // zypp verifies unless it is told not to; what dnf does depends on its release.
                    let by_default = if zypp { Some(true) } else { by_default };
                    match section.get("gpgcheck").map(is_on).or(by_default) {
                        Some(true) => {}
                        Some(false) => {
                            unverified.push(section.name.clone());
                            place.get_or_insert_with(|| path.clone());
                        }
                        None => silent.push(section.name.clone()),
                    }
                    if sources.len() <= MAX_SOURCES {
                        sources.push(format!("{} {}", section.name, without_secret(address)));
                    }
                }
            }
        }
        self.setting("repositories-not-verified", unverified.join(" "), place.map(Into::into));
        if !silent.is_empty() {
            self.setting("repositories-verification-not-said", silent.join(" "), None);
        }
        Ok(sources)
    }

    /// The lines of apk's file.
    pub(super) fn apk_sources(&mut self) -> Result<Vec<String>, String> {
        let mut sources = Vec::new();
        let paths = glob::expand(self.files, "/etc/apk/repositories.d/*.list", HIDES)?;
        for path in ["/etc/apk/repositories".to_owned()].into_iter().chain(paths) {
            let Some(text) = self.text(&path)? else { continue };
            let lines = text.lines().map(str::trim);
            let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
            sources.extend(lines.take(MAX_SOURCES + 1).map(without_secret));
        }
        Ok(sources)
    }

    /// The repositories of pacman, each with where its servers stand.
    pub(super) fn pacman_sources(&mut self) -> Result<Vec<String>, String> {
        let Some(text) = self.text("/etc/pacman.conf")? else { return Ok(Vec::new()) };
        let found = sections(&text);
        let repositories = found.iter().filter(|section| section.name != "options");
        let shown = repositories.map(|section| {
            let from = section.get("Server").or_else(|| section.get("Include")).unwrap_or_default();
            format!("{} {}", section.name, without_secret(from)).trim_end().to_owned()
        });
        Ok(shown.take(MAX_SOURCES + 1).collect())
    }
}

/// How the tools of Red Hat write that something is on.
pub(super) fn is_on(value: &str) -> bool {
    ["1", "yes", "true", "on", "always"].contains(&value.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_of_both_kinds_come_to_the_same_lines() {
        let old = "# deb http://no x y\ndeb [signed-by=/k trusted=yes] http://a/debian  stable main contrib # b\n\
                   deb-src http://a/debian stable main\ndeb http://b/ ./\ndebx y z\n";
        assert_eq!(
            one_line(old),
            ["deb [trusted=yes] http://a/debian stable main contrib", "deb http://b/ ./"]
        );
        let new = "Types: deb deb-src\nURIs: http://a http://b\nSuites: s s-updates\nComponents: main\n\
                   # no\n non-free\nSigned-By:\n -----BEGIN\n\nTypes: deb\nURIs: http://c\nSuites: x/\n\
                   Enabled: no\n\nTypes: deb\nuris: http://d\nSuites: y/\nTrusted: yes\n";
        assert_eq!(
            deb822(new),
            [
                "deb http://a s main non-free",
                "deb http://a s-updates main non-free",
                "deb http://b s main non-free",
                "deb http://b s-updates main non-free",
                "deb [trusted=yes] http://d y/",
            ]
        );
    }
}
