//! Whom a certificate is about, in one line: `C=DE, O=Example, CN=example.org`.

use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// The short names of the kinds of parts; others are shown as their numbers.
const KINDS: [(&str, &str); 20] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "street"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.12", "title"),
    ("2.5.4.13", "description"),
    ("2.5.4.15", "businessCategory"),
    ("2.5.4.17", "postalCode"),
    ("2.5.4.42", "GN"),
    ("2.5.4.46", "dnQualifier"),
    ("2.5.4.97", "organizationIdentifier"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
    ("1.2.840.113549.1.9.2", "unstructuredName"),
];

/// The name in the order in which it is written.
pub(super) fn line(name: &X509Name<'_>) -> String {
    let parts = name.iter_rdn().map(|rdn| {
        let parts = rdn.iter().map(part);
        parts.collect::<Vec<_>>().join(" + ")
    });
    parts.collect::<Vec<_>>().join(", ")
}

fn part(part: &AttributeTypeAndValue<'_>) -> String {
    let number = part.attr_type().to_id_string();
    let kind = KINDS.iter().find(|(its, _)| *its == number).map_or(&*number, |(_, name)| name);
    format!("{kind}={}", escaped(&value(part)))
}

/// The text, whatever its alphabet.
fn value(part: &AttributeTypeAndValue<'_>) -> String {
    let value = part.attr_value();
    let data = value.data;
    match value.header.tag().0 {
        // BMPString and UniversalString: two and four bytes a character.
        30 => {
            let units = data.chunks_exact(2).map(|two| u16::from_be_bytes([two[0], two[1]]));
            char::decode_utf16(units).map(|it| it.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        28 => data
            .chunks_exact(4)
            .map(|four| u32::from_be_bytes([four[0], four[1], four[2], four[3]]))
            .map(|it| char::from_u32(it).unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect(),
        // T61String is taken for Latin-1, as everybody does.
        20 => data.iter().map(|byte| char::from(*byte)).collect(),
        _ => String::from_utf8_lossy(data).into_owned(),
    }
}

/// The text with what parts names marked, as RFC 2253 has it, and without control characters.
fn escaped(text: &str) -> String {
    let mut shown = String::new();
    let last = text.chars().count().saturating_sub(1);
    for (index, character) in text.chars().enumerate() {
        let edge =
            (index == 0 && matches!(character, ' ' | '#')) || (index == last && character == ' ');
        match character {
            ',' | '+' | '"' | '<' | '>' | ';' | '\\' => shown.extend(['\\', character]),
            _ if edge => shown.extend(['\\', character]),
            _ if character.is_ascii_control() => {
                shown.push_str(&format!("\\{:02X}", u32::from(character)));
            }
            _ => shown.push(character),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_parts_names_is_marked() {
        assert_eq!(escaped("a, b"), "a\\, b");
        assert_eq!(escaped(" #x "), "\\ #x\\ ");
        assert_eq!(escaped("#x\n"), "\\#x\\0A");
        assert_eq!(escaped(""), "");
    }
}
