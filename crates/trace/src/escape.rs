//! Texts in lines: whatever is in one, it stays in its place on its line.

use std::fmt::Write as _;

/// The longest text of a field, in bytes.
pub(crate) const LONGEST: usize = 4096;

/// Adds a text between quotation marks, as JSON has it. What commands a terminal, ends a line or turns
/// the direction of a text is spelled out.
pub(crate) fn quoted(line: &mut String, text: &str) {
    line.push('"');
    for c in text.chars() {
        match c {
            '"' => line.push_str("\\\""),
            '\\' => line.push_str("\\\\"),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            c if is_harmful(c) => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    // It writes to memory.
                    let _ = write!(line, "\\u{unit:04x}");
                }
            }
            c => line.push(c),
        }
    }
    line.push('"');
}

/// Adds a text to a line that people read: as it is, where that cannot be misread.
pub(crate) fn plain(line: &mut String, text: &str) {
    let simple = |c: char| !is_harmful(c) && !c.is_whitespace() && !"\"\\=".contains(c);
    match !text.is_empty() && text.chars().all(simple) {
        true => line.push_str(text),
        false => quoted(line, text),
    }
}

/// Adds a sentence to such a line, without quotation marks.
pub(crate) fn sentence(line: &mut String, text: &str) {
    match text.chars().any(is_harmful) {
        true => quoted(line, text),
        false => line.push_str(text),
    }
}

/// As much of a text as a field may have.
pub(crate) fn short(mut text: String) -> String {
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push('…');
    }
    text
}

fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_line() {
        for (text, json, shown) in [
            ("ok", "\"ok\"", "ok"),
            ("", "\"\"", "\"\""),
            ("a b", "\"a b\"", "\"a b\""),
            ("a=b", "\"a=b\"", "\"a=b\""),
            ("a\nb", r#""a\nb""#, r#""a\nb""#),
            ("a\r\n\tb", r#""a\r\n\tb""#, r#""a\r\n\tb""#),
            ("\u{1b}[31m", r#""\u001b[31m""#, r#""\u001b[31m""#),
            ("\u{9b}2J", r#""\u009b2J""#, r#""\u009b2J""#),
            ("\u{202e}x", r#""\u202ex""#, r#""\u202ex""#),
            ("\"\\", r#""\"\\""#, r#""\"\\""#),
            ("é日😀", "\"é日😀\"", "é日😀"),
        ] {
            let (mut as_json, mut as_text) = (String::new(), String::new());
            quoted(&mut as_json, text);
            plain(&mut as_text, text);
            assert_eq!((as_json.as_str(), as_text.as_str()), (json, shown));
        }
    }

    #[test]
    fn what_is_long_is_cut_between_characters() {
        let text = short("é".repeat(LONGEST));
        assert_eq!(text.chars().count(), LONGEST / 2 + 1);
        assert_eq!(short("é".to_owned()), "é");
    }
}
