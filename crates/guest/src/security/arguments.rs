//! What the kernel is told when it starts by itself.

use fathom_report::{Boot, Evidence, Fact};

/// The arguments of the kernel.
pub(super) struct Arguments<'a> {
    pub(super) text: &'a str,
    /// Where they stand.
    pub(super) place: Option<Evidence>,
    /// The version of the kernel that is told.
    pub(super) kernel: Option<&'a str>,
}

impl<'a> Arguments<'a> {
    /// Those of the entry that starts when nobody chooses; nothing if that is not known.
    pub(super) fn of(boot: &'a Boot) -> Option<Self> {
        let Fact::Known { value, evidence } = &boot.default else { return None };
        let text = value.arguments.as_deref()?;
        let kernel = value.version.as_deref();
        Some(Self { text, place: evidence.first().cloned(), kernel })
    }

    /// What the last argument of the name says; nothing behind it if it has no value.
    pub(super) fn value(&self, name: &str) -> Option<&'a str> {
        let mut values = self.text.split_whitespace().filter_map(|argument| {
            let (its, value) = argument.split_once('=').unwrap_or((argument, ""));
            (its == name).then(|| value.trim_matches('"'))
        });
        values.next_back()
    }

    /// The arguments that begin so, without that beginning, and what they say.
    pub(super) fn starting(&self, start: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let arguments = self.text.split_whitespace();
        let behind = arguments.filter_map(move |argument| argument.strip_prefix(start));
        let parts = behind.filter_map(|argument| argument.split_once('='));
        parts.map(|(name, value)| (name, value.trim_matches('"')))
    }

    /// Whether the kernel is told to have the module for security, or not to; nothing if it is not
    /// told.
    pub(super) fn chooses(&self, module: &str) -> Option<bool> {
        if self.value(module) == Some("0") {
            return Some(false);
        }
        if let Some(list) = self.value("lsm") {
            return Some(list.split(',').any(|name| name == module));
        }
        if let Some(one) = self.value("security") {
            return Some(one == module);
        }
        (self.value(module) == Some("1")).then_some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_an_argument_counts() {
        let arguments = Arguments {
            text: "ro quiet selinux=1 selinux=0 lsm=apparmor,bpf",
            place: None,
            kernel: None,
        };
        assert_eq!(arguments.value("selinux"), Some("0"));
        assert_eq!(arguments.value("quiet"), Some(""));
        assert_eq!(arguments.value("root"), None);
        assert_eq!(arguments.chooses("selinux"), Some(false));
        assert_eq!(arguments.chooses("apparmor"), Some(true));
        assert_eq!(arguments.chooses("tomoyo"), Some(false));
        let arguments = Arguments { text: "security=selinux", place: None, kernel: None };
        assert_eq!(arguments.chooses("apparmor"), Some(false));
    }
}
