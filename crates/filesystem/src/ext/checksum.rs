//! The checksums ext uses, spelt the way the kernel does: a running value without the inversion at
//! the start and the end that the published CRCs have, so that seeds can be chained.

/// CRC-32C of `bytes`, continued from `seed`. Everything that `metadata_csum` protects.
pub(super) fn crc32c(seed: u32, bytes: &[u8]) -> u32 {
    !::crc32c::crc32c_append(!seed, bytes)
}

/// CRC-16 (polynomial 0x8005, reflected) of `bytes`, continued from `seed`: the group descriptors
/// of `uninit_bg`.
pub(super) fn crc16(seed: u16, bytes: &[u8]) -> u16 {
    bytes.iter().fold(seed, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte), |sum, _| {
            if sum & 1 == 1 { (sum >> 1) ^ 0xA001 } else { sum >> 1 }
        })
    })
}

/// CRC-32 with the most significant bit first (polynomial 0x04C11DB7) of `bytes`, continued from
/// `seed`: what the journal's first kind of transaction checksum is.
pub(super) fn crc32_be(seed: u32, bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut index = 0;
        while index < 256 {
            let mut sum = (index as u32) << 24;
            let mut bit = 0;
            while bit < 8 {
                sum = if sum >> 31 == 1 { (sum << 1) ^ 0x04C1_1DB7 } else { sum << 1 };
                bit += 1;
            }
            table[index] = sum;
            index += 1;
        }
        table
    };
    bytes.iter().fold(seed, |sum, byte| (sum << 8) ^ TABLE[(sum >> 24) as usize ^ *byte as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_check_values() {
        // The check values of the catalogue of CRCs, for "123456789".
        let text = b"123456789";
        assert_eq!(!crc32c(!0, text), 0xE306_9283);
        assert_eq!(crc16(0, text), 0xBB3D); // CRC-16/ARC
        assert_eq!(crc16(0xFFFF, text), 0x4B37); // CRC-16/MODBUS
        assert_eq!(crc32_be(!0, text), 0x0376_E6E7); // CRC-32/MPEG-2
        assert_eq!(crc32c(crc32c(7, b"1234"), b"56789"), crc32c(7, text));
    }
}
