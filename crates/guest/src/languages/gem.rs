//! Ruby: the specification that is written for every gem that is installed.
//!
//! It is a program in Ruby, which nobody here runs. Its second line, written for loaders in a hurry,
//! says name, version and platform: `# stub: rake 13.0.6 ruby lib`.

use fathom_block::{Error, Result};
use fathom_report::PackageKind;

use super::beginning;
use super::finds::{Finds, told};
use crate::walk::Entry;

/// How much of a specification is read. Most have two KiB; lists of files may make them longer, but
/// come last.
const MAX_SPECIFICATION: usize = 256 << 10;

pub(super) fn recognise(entry: &Entry) -> bool {
    let mut parts = entry.path.rsplit(|&byte| byte == b'/');
    let name = parts.next().unwrap_or_default();
    let folder = match parts.next() {
        Some(b"default") => parts.next(),
        folder => folder,
    };
    name.ends_with(b".gemspec") && folder == Some(b"specifications")
}

pub(super) fn read(entry: &Entry, finds: &mut Finds) -> Result<()> {
    let (bytes, _) = beginning(entry, MAX_SPECIFICATION)?;
    let text = String::from_utf8_lossy(&bytes);
    let stub = text.lines().take(8).find_map(|line| line.strip_prefix("# stub: "));
    let (name, version, platform) = match stub {
        Some(stub) => {
            let mut words = stub.split_whitespace();
            (words.next(), words.next(), words.next())
        }
        None => (
            assigned(&text, "name").first().copied(),
            assigned(&text, "version").first().copied(),
            assigned(&text, "platform").first().copied(),
        ),
    };
    let (Some(name), Some(version)) = (name, version) else {
        let why = "it does not say name and version in the way that is understood";
        return Err(Error::unsupported("specification of a gem", why));
    };
    let place = finds.place().to_owned();
    if let Some(found) = finds.add(PackageKind::Gem, name, version, &place) {
        found.architecture = platform.filter(|it| *it != "ruby").and_then(told);
        let mut licences = assigned(&text, "licenses");
        licences.extend(assigned(&text, "license"));
        found.licence = told(&licences.join(" OR "));
        found.vendor = told(&assigned(&text, "authors").join(", "));
        found.origin = assigned(&text, "homepage").first().copied().and_then(told);
    }
    Ok(())
}

/// The texts that a line `s.NAME = …` assigns: one, or a list of them.
fn assigned<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let value = text.lines().find_map(|line| {
        let line = line.trim_start();
        let (_, rest) = line.split_once('.').filter(|(object, _)| object.len() <= 8)?;
        let rest = rest.strip_prefix(name)?.trim_start().strip_prefix('=')?;
        (!rest.starts_with('=')).then_some(rest)
    });
    let Some(value) = value else { return Vec::new() };
    let mut texts = Vec::new();
    let mut rest = value;
    while let Some(start) = rest.find(['"', '\'']) {
        let quote = &rest[start..=start];
        let Some((inside, after)) = rest[start + 1..].split_once(quote) else { break };
        texts.push(inside);
        rest = after;
        if texts.len() >= 32 {
            break;
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::languages::tests::{check, found};

    const RAKE: &[u8] = b"# -*- encoding: utf-8 -*-
# stub: rake 13.0.6 ruby lib

Gem::Specification.new do |s|
  s.name = \"rake\".freeze
  s.version = \"13.0.6\"
  s.authors = [\"Hiroshi SHIBATA\".freeze, \"Eric Hodel\".freeze]
  s.licenses = [\"MIT\".freeze]
  s.homepage = \"https://github.com/ruby/rake\".freeze
end
";

    #[test]
    fn specifications() {
        let plain = b"Gem::Specification.new do |spec|\n  spec.name = 'plain'\n  spec.version = Gem::Version.new(\"1.2\")\nend\n";
        let computed = b"Gem::Specification.new do |spec|\n  spec.name = 'odd'\n  spec.version = Odd::VERSION\nend\n";
        let native = b"# stub: nokogiri 1.16.0 x86_64-linux lib\n";
        check(
            &[
                ("/g/specifications/rake-13.0.6.gemspec", RAKE),
                ("/g/specifications/default/plain-1.2.gemspec", plain),
                ("/g/specifications/native.gemspec", native),
                ("/g/gems/rake-13.0.6/rake.gemspec", RAKE),
            ],
            &["plain 1.2", "nokogiri 1.16.0", "rake 13.0.6"],
            None,
        );
        check(&[("/specifications/odd.gemspec", computed)], &[], Some("understood"));
        check(&[("/specifications/no.gemspec", b"")], &[], Some("understood"));
        let (listing, _) =
            found(&[("/specifications/a.gemspec", RAKE), ("/specifications/b.gemspec", native)]);
        let package = &listing.items[0];
        assert_eq!(package.licence.as_deref(), Some("MIT"));
        assert_eq!(package.vendor.as_deref(), Some("Hiroshi SHIBATA, Eric Hodel"));
        assert_eq!(listing.items[1].architecture.as_deref(), Some("x86_64-linux"));
    }

    #[test]
    fn assignments() {
        assert_eq!(assigned("s.a == 1\ns.ab = 'x'\ns.a = [\"y\", 'z'", "a"), ["y", "z"]);
        assert!(assigned("s.a = \"open", "a").is_empty());
    }
}
