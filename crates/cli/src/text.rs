//! Numbers, times and names as people read them.

/// Text that a terminal does not obey: control characters are spelled out.
pub(crate) fn harmless(text: &str) -> String {
    text.chars()
        .flat_map(|c| match c {
            '\n' => "\\n".chars().collect::<Vec<_>>(),
            '\t' => "\\t".chars().collect(),
            '\r' => "\\r".chars().collect(),
            c if c.is_control()
                || is_direction_override(c)
                || matches!(c, '\u{2028}' | '\u{2029}') =>
            {
                format!("\\u{{{:x}}}", c as u32).chars().collect()
            }
            c => vec![c],
        })
        .collect()
}

/// Characters that make a terminal show text in another order than it is in.
fn is_direction_override(c: char) -> bool {
    matches!(
        c,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}'
    )
}

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

/// A size in binary units with three digits or so: `1.5 GiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
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
    fn sizes() {
        for (bytes, shown) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            ((1 << 20) - 1, "1.0 MiB"),
            (3 << 29, "1.5 GiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(size(bytes), shown);
        }
    }

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
