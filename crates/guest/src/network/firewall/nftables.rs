//! nftables: a language of blocks, of which chains and their rules are taken out.

use fathom_report::{Evidence, Firewall, Listing, Service};

use super::super::connections::{Connections, short};
use crate::services::starts;

/// What the service loads, by distribution; mostly one of them is there.
const FILES: [&str; 4] = [
    "/etc/nftables.conf",
    "/etc/sysconfig/nftables.conf",
    "/etc/nftables.nft",
    "/var/lib/nftables/rules-save",
];

/// How deep files include each other, how many there are, and how long they are together.
const MAX_DEPTH: usize = 16;
const MAX_FILES: usize = 256;
const MAX_BYTES: usize = 8 << 20;

/// The rules, if there are any.
pub(super) fn read(
    files: &mut Connections<'_, '_>,
    services: &Listing<Service>,
) -> Option<Firewall> {
    let mut ruleset =
        Ruleset { files, evidence: Vec::new(), bytes: 0, policies: Vec::new(), rules: Vec::new() };
    for path in FILES {
        ruleset.file(path, 0);
    }
    let Ruleset { evidence, policies, rules, .. } = ruleset;
    if evidence.is_empty() {
        return None;
    }
    let policies: Vec<String> =
        policies.into_iter().map(|(chain, policy)| format!("{chain}: {policy}")).collect();
    Some(Firewall {
        kind: "nftables".to_owned(),
        enabled: starts(services, &["nftables"]),
        default: (!policies.is_empty()).then(|| policies.join(", ")),
        rules,
        evidence,
    })
}

struct Ruleset<'c, 'a, 'b> {
    files: &'c mut Connections<'a, 'b>,
    evidence: Vec<Evidence>,
    bytes: usize,
    /// Chains that packets come to by themselves, and what becomes of those that no rule names.
    policies: Vec<(String, String)>,
    rules: Vec<String>,
}

/// One statement: its words, and the block behind them if it has one.
struct Statement<'t> {
    words: String,
    block: Option<&'t str>,
}

impl Ruleset<'_, '_, '_> {
    fn file(&mut self, path: &str, depth: usize) {
        if depth > MAX_DEPTH || self.evidence.len() >= MAX_FILES || self.bytes > MAX_BYTES {
            self.files.odd(path, "the files include each other too deep, or are too many");
            return;
        }
        let Some(text) = self.files.text(path) else { return };
        self.evidence.push(path.into());
        self.bytes += text.len();
        let text = plain(&text);
        for statement in statements(&text, |words| {
            let first = words.split_whitespace().find(|word| !matches!(*word, "add" | "create"));
            matches!(first, Some("table" | "chain" | "set" | "map" | "flowtable"))
        }) {
            match statement {
                Ok(statement) => self.command(&statement, path, depth),
                Err(why) => return self.files.odd(path, why),
            }
        }
    }

    /// A statement outside of all blocks.
    fn command(&mut self, statement: &Statement<'_>, path: &str, depth: usize) {
        let mut words: Vec<&str> = statement.words.split(' ').collect();
        if matches!(words.first(), Some(&"add" | &"create" | &"insert")) {
            words.remove(0);
        }
        match (words.as_slice(), statement.block) {
            (["include", ..], _) => {
                let named = statement.words["include".len()..].trim().trim_matches('"');
                let pattern = if named.starts_with('/') {
                    named.to_owned()
                } else {
                    format!("/etc/{}", named.trim_start_matches("./"))
                };
                let paths = self.files.expand(path, &pattern);
                paths.iter().for_each(|path| self.file(path, depth + 1));
            }
            // All that was there before is gone.
            (["flush", "ruleset", ..], _) => {
                self.policies.clear();
                self.rules.clear();
            }
            (["table", rest @ ..], Some(block)) => {
                let table = named(rest);
                for statement in statements(block, |_| true) {
                    match statement {
                        Ok(Statement { words, block: Some(block) }) => {
                            if let Some(name) = words.strip_prefix("chain ") {
                                self.chain(&format!("{table} {name}"), block, path);
                            }
                        }
                        Ok(_) => {}
                        Err(why) => self.files.odd(path, why),
                    }
                }
            }
            (["chain", rest @ ..], Some(block)) => {
                let name = rest.join(" ");
                let name = if rest.len() < 3 { format!("ip {name}") } else { name };
                self.chain(&name, block, path);
            }
            (["rule", rest @ ..], _) => {
                let families = ["ip", "ip6", "inet", "arp", "bridge", "netdev"];
                let count =
                    if rest.first().is_some_and(|word| families.contains(word)) { 3 } else { 2 };
                if let Some((chain, rule)) = rest.split_at_checked(count) {
                    let chain = chain.join(" ");
                    let family = if count == 2 { "ip " } else { "" };
                    self.rules.push(format!("{family}{chain}: {}", rule.join(" ")));
                }
            }
            _ => {}
        }
    }

    fn chain(&mut self, name: &str, block: &str, path: &str) {
        let name = &short(name);
        for statement in statements(block, |_| false) {
            let words = match statement {
                Ok(statement) => statement.words,
                Err(why) => return self.files.odd(path, why),
            };
            let mut parts = words.splitn(3, ' ');
            match (parts.next(), parts.next()) {
                (Some("type"), Some(_)) if words.contains(" hook ") => {
                    self.policies.push((name.to_owned(), "accept".to_owned()));
                }
                (Some("policy"), Some(policy)) => match self.policies.last_mut() {
                    Some((chain, said)) if chain == name => policy.clone_into(said),
                    _ => self.policies.push((name.to_owned(), policy.to_owned())),
                },
                (Some("comment" | "flags"), _) => {}
                _ => self.rules.push(format!("{name}: {words}")),
            }
        }
    }
}

/// The name of a table with its family, which is IPv4 where none is named.
fn named(words: &[&str]) -> String {
    match words {
        [name] => format!("ip {name}"),
        words => words.join(" "),
    }
}

/// The text without comments, and with lines joined that a backslash joins.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => quoted = !quoted,
            '#' if !quoted => {
                while letters.next_if(|letter| *letter != '\n').is_some() {}
                continue;
            }
            '\\' if letters.next_if_eq(&'\n').is_some() => {
                plain.push(' ');
                continue;
            }
            // No text in quotes goes on on the next line.
            '\n' => quoted = false,
            _ => {}
        }
        plain.push(letter);
    }
    plain
}

/// The statements of a block. `opens` says whether a brace behind these words opens a block; another
/// one belongs to the words, as sets within a rule do.
fn statements(text: &str, opens: impl Fn(&str) -> bool) -> Vec<Result<Statement<'_>, String>> {
    let mut all = Vec::new();
    let (mut start, mut at, mut depth) = (0, 0, 0_usize);
    let mut quoted = false;
    while let Some(byte) = text.as_bytes().get(at) {
        match byte {
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'\n' | b';' if depth == 0 => {
                all.extend(statement(&text[start..at], None));
                start = at + 1;
            }
            b'{' if depth == 0 && opens(&beginning(&text[start..at])) => {
                let Some(length) = closing(&text[at..]) else {
                    all.push(Err("a block does not end".to_owned()));
                    return all;
                };
                let block = &text[at + 1..at + length];
                all.extend(statement(&text[start..at], Some(block)));
                at += length;
                start = at + 1;
            }
            b'{' | b'(' => depth += 1,
            b'}' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    all.extend(statement(&text[start..], None));
    all
}

/// As much of the words as says what they are about, however long they are.
fn beginning(words: &str) -> String {
    tidied(&words.trim_start().chars().take(256).collect::<String>())
}

fn statement<'t>(words: &str, block: Option<&'t str>) -> Option<Result<Statement<'t>, String>> {
    let words = tidied(words);
    (!words.is_empty()).then_some(Ok(Statement { words, block }))
}

/// Where the brace is that closes the one that the text begins with.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quoted) = (0_usize, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' => depth += 1,
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// The words with one blank between them, but for what stands in quotes.
fn tidied(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    let mut quoted = false;
    for letter in text.trim().chars() {
        quoted ^= letter == '"';
        if quoted || !letter.is_whitespace() {
            words.push(letter);
        } else if !words.ends_with(' ') {
            words.push(' ');
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Files;
    use crate::memory;

    #[test]
    fn tables_chains_and_includes() {
        let tree = memory::tree(&[
            (
                "/etc/nftables.conf",
                b"#!/usr/sbin/nft -f
add rule ip old gone accept
flush ruleset
define ports = { 80, 443 }
table inet filter {
  set bad { type ipv4_addr; elements = { 192.0.2.1,
      192.0.2.2 } }
  chain input {
    type filter hook input priority filter; policy drop;
    iif lo accept # a comment { here
    tcp dport { 22,
       $ports } ct state new log prefix \"a; b  {\" accept
    ip saddr 192.0.2.0/24 \
      drop
  }
  chain mine { counter; }
  chain output { type filter hook output priority 0; }
}
add table ip nat
add chain ip nat post { type nat hook postrouting priority srcnat; policy accept; }
add rule ip nat post masquerade
include \"/etc/nftables.d/*.nft\"
",
            ),
            (
                "/etc/nftables.d/a.nft",
                b"table t { chain c { drop } }
include \"/etc/nftables.d/a.nft\"",
            ),
            ("/etc/nftables.d/b.nft", b"table inet broken { chain c {"),
        ]);
        let files = Files::new(&tree);
        let found = read(&mut Connections::new(&files), &Listing::unknown("x"));
        let rules = found.as_ref().map(|found| found.rules.clone()).unwrap_or_default();
        assert_eq!(
            rules[..5],
            [
                "inet filter input: iif lo accept",
                "inet filter input: tcp dport { 22, $ports } ct state new log prefix \"a; b  {\" accept",
                "inet filter input: ip saddr 192.0.2.0/24 drop",
                "inet filter mine: counter",
                "ip nat post: masquerade",
            ]
        );
        assert!(rules[5..].iter().all(|rule| rule == "ip t c: drop"));
        let default = found.and_then(|found| found.default);
        assert_eq!(
            default.as_deref(),
            Some("inet filter input: drop, inet filter output: accept, ip nat post: accept")
        );
        // One for what includes itself, one for the block that does not end.
        assert_eq!(files.into_problems().len(), 2);
    }
}
