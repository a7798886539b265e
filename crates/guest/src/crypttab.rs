//! `/etc/crypttab`: what the guest calls its unlocked volumes.

/// A line: the name under `/dev/mapper`, and the encrypted device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) device: String,
}

/// The lines of the file.
pub(crate) fn parse(text: &str) -> Vec<Entry> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let mut fields = line.split_whitespace();
            let (name, device) = (fields.next()?, fields.next()?);
            Some(Entry { name: name.to_owned(), device: device.replace('"', "") })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let entries = parse(
            "# name device\nhome UUID=\"1-2\" none luks\n\nswap /dev/sda2 /dev/urandom swap\nbad",
        );
        let entry = |name: &str, device: &str| Entry { name: name.into(), device: device.into() };
        assert_eq!(entries, [entry("home", "UUID=1-2"), entry("swap", "/dev/sda2")]);
    }
}
