//! Code page 437, the character set of the first PC, in which short names and labels are kept.
//!
//! Which page a volume was written with stands nowhere on it. 437 is what Linux takes by default;
//! a name from a machine that used another page is shown with other letters, but always the same.

/// What the bytes from 0x80 on mean.
const UPPER: &str = "\
ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ\
áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{A0}";

/// The bytes as text.
pub(super) fn decode(bytes: &[u8]) -> String {
    let upper = |byte: u8| UPPER.chars().nth(usize::from(byte) - 0x80).unwrap_or('\u{FFFD}');
    bytes
        .iter()
        .map(|byte| if byte.is_ascii() { char::from(*byte) } else { upper(*byte) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_a_character() {
        assert_eq!(UPPER.chars().count(), 128);
        assert_eq!(decode(b"A\x80\x9A\xE1\xFF"), "AÇÜß\u{A0}");
    }
}
