//! Damage that follows from a seed.

/// SplitMix64: small, fast, and the same everywhere.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

/// The sectors of an image that hold anything.
pub(crate) fn written_sectors(image: &[u8]) -> Vec<usize> {
    image
        .chunks(512)
        .enumerate()
        .filter(|(_, sector)| sector.iter().any(|byte| *byte != 0))
        .map(|(index, _)| index * 512)
        .collect()
}

/// Damages the image in one to eight places and returns where.
pub(crate) fn damage(image: &mut [u8], sectors: &[usize], random: &mut Random) -> Vec<usize> {
    let edits = 1 + random.below(8);
    let mut places = Vec::with_capacity(edits);
    // Most edits of one image hit the same structure: damage that agrees with itself goes deepest.
    let mut base = sectors.get(random.below(sectors.len())).copied().unwrap_or(0);
    for _ in 0..edits {
        if random.below(3) == 0 {
            base = sectors.get(random.below(sectors.len())).copied().unwrap_or(0);
        }
        let at = (base + random.below(512)).min(image.len().saturating_sub(1));
        edit(image, at, random);
        places.push(at);
    }
    places
}

fn edit(image: &mut [u8], at: usize, random: &mut Random) {
    let interesting: [u64; 16] = [
        0,
        1,
        2,
        0x7F,
        0x80,
        0xFF,
        0x7FFF,
        0x8000,
        0xFFFF,
        0x7FFF_FFFF,
        0x8000_0000,
        0xFFFF_FFFF,
        i64::MAX as u64,
        1 << 63,
        u64::MAX,
        image.len() as u64,
    ];
    match random.below(6) {
        0 => image[at] ^= 1 << random.below(8),
        1 => image[at] = random.next() as u8,
        2 | 3 => {
            let value = match random.below(3) {
                0 => random.next() >> random.below(64),
                _ => interesting[random.below(interesting.len())],
            };
            let width = [1, 2, 4, 8][random.below(4)];
            let at = at & !(width - 1);
            let bytes = match random.below(2) {
                0 => value.to_le_bytes()[..width].to_vec(),
                _ => value.to_be_bytes()[8 - width..].to_vec(),
            };
            if let Some(place) = image.get_mut(at..at + width) {
                place.copy_from_slice(&bytes);
            }
        }
        4 => {
            // A piece of the same image in the wrong place: pointers that lead in circles.
            let length = [4, 8, 16, 64, 512][random.below(5)];
            let from = random.below(image.len());
            if from + length <= image.len() && at + length <= image.len() {
                image.copy_within(from..from + length, at);
            }
        }
        _ => {
            let width = 4.min(image.len() - at);
            let mut small = [0; 4];
            small[..width].copy_from_slice(&image[at..at + width]);
            let step = random.below(64) as u32;
            let value = u32::from_le_bytes(small).wrapping_add(step.wrapping_sub(32));
            image[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
        }
    }
}
