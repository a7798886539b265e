//! The field that the second parity of RAID 6 is computed in: 256 elements, whose sum is exclusive
//! or, and in which two generates all others but zero.

/// The polynomial, without its highest power.
const POLYNOMIAL: u8 = 0x1D;

/// How many powers of two there are.
const POWERS: u32 = 255;

/// An element other than zero, as a power of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Power(u32);

impl Power {
    /// Two to the power of this.
    pub(in super::super) fn new(exponent: u64) -> Self {
        Self((exponent % u64::from(POWERS)) as u32)
    }

    /// The power that this element is; `None` of zero.
    fn of(element: u8) -> Option<Self> {
        (0..POWERS).map(Self).find(|power| power.element() == element)
    }

    pub(in super::super) fn element(self) -> u8 {
        (0..self.0).fold(1, |element, _| double(element))
    }

    pub(in super::super) fn inverse(self) -> Self {
        Self((POWERS - self.0) % POWERS)
    }

    /// The sum of two elements; `None` where they are the same.
    pub(in super::super) fn plus(self, other: Self) -> Option<Self> {
        Self::of(self.element() ^ other.element())
    }

    /// The products of this element and all others.
    pub(in super::super) fn table(self) -> [u8; 256] {
        let factor = self.element();
        std::array::from_fn(|element| product(factor, element as u8))
    }
}

fn double(element: u8) -> u8 {
    let carry = if element & 0x80 == 0 { 0 } else { POLYNOMIAL };
    (element << 1) ^ carry
}

fn product(factor: u8, element: u8) -> u8 {
    let mut sum = 0;
    let mut doubled = element;
    for bit in 0..8 {
        if factor >> bit & 1 == 1 {
            sum ^= doubled;
        }
        doubled = double(doubled);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_multiply_as_they_should() {
        assert_eq!(Power::new(0).element(), 1);
        assert_eq!(Power::new(8).element(), 0x1D);
        assert_eq!(Power::new(255), Power::new(0));
        for exponent in 0..255 {
            let power = Power::new(exponent);
            assert_eq!(power.table()[power.inverse().element() as usize], 1);
            assert_eq!(Power::of(power.element()), Some(power));
            assert_eq!(power.plus(power), None);
        }
        let (three, five) = (Power::new(3), Power::new(5));
        assert_eq!(three.table()[five.element() as usize], Power::new(8).element());
        assert_eq!(three.plus(five).map(Power::element), Some(0x28));
    }
}
