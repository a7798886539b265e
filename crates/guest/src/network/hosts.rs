//! Names that the hosts file gives addresses.

use fathom_report::{HostEntry, Listing};

use super::address::is_address;
use super::connections::HIDES;
use crate::files::{Files, Read};

const HOSTS: &str = "/etc/hosts";

/// The lines of the file.
pub(super) fn of(files: &Files<'_>) -> Listing<HostEntry> {
    match files.text(HOSTS, HIDES) {
        Read::There(text) => {
            Listing::complete(text.lines().filter_map(entry).collect(), vec![HOSTS.into()])
        }
        Read::Absent => Listing::empty(format!("there is no {HOSTS}"), vec![HOSTS.into()]),
        Read::Unread(why) => Listing::unknown(why),
    }
}

fn entry(line: &str) -> Option<HostEntry> {
    let line = line.split('#').next().unwrap_or_default();
    let mut words = line.split_whitespace().map(str::to_owned);
    // A line that begins otherwise is passed over when names are looked up.
    let address = words.next().filter(|word| is_address(word))?;
    Some(HostEntry { address, names: words.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;

    #[test]
    fn lines() {
        let text = b"# no\n127.0.0.1\tlocalhost  me # here\n\n::1 localhost\nbad host\n";
        let tree = memory::tree(&[(HOSTS, text)]);
        let hosts = of(&Files::new(&tree));
        assert_eq!(hosts.items.len(), 2);
        assert_eq!(hosts.items[0].names, ["localhost", "me"]);
    }
}
