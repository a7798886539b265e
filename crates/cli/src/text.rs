//! Numbers, times and names as people read them.

pub(crate) use fathom_document::view::{commands_a_terminal, harmless, size};

/// A name of bytes, harmless: what is not UTF-8 is spelled as `\xNN`, and a backslash as two, so
/// that different names stay different.
pub(crate) fn name(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        shown.push_str(&harmless(&chunk.valid().replace('\\', "\\\\")));
        for byte in chunk.invalid() {
            shown.push_str(&format!("\\x{byte:02x}"));
        }
    }
    shown
}

/// `rwxr-xr-x`, with set-id and sticky bits as `ls` shows them.
pub(crate) fn permissions(mode: u32) -> String {
    let mut shown = String::with_capacity(9);
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = mode >> shift;
        shown.push(if bits & 4 != 0 { 'r' } else { '-' });
        shown.push(if bits & 2 != 0 { 'w' } else { '-' });
        shown.push(match (mode & special != 0, bits & 1 != 0) {
            (true, true) => letter,
            (true, false) => letter.to_ascii_uppercase(),
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_command_a_terminal_and_stay_distinct() {
        assert_eq!(name(b"a\x1b[31m\nb\xff\\"), "a\\u{1b}[31m\\nb\\xff\\\\");
        assert_eq!(name("é日".as_bytes()), "é日");
    }

    #[test]
    fn permission_letters() {
        assert_eq!(permissions(0o4755), "rwsr-xr-x");
        assert_eq!(permissions(0o2604), "rw---Sr--");
        assert_eq!(permissions(0o1777), "rwxrwxrwt");
    }
}
