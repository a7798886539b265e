//! Versions that are new to every order, and the same in every run.

pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new() -> Self {
        Self(0x9E37_79B9_7F4A_7C15)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    /// Once in so many times.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// At most so many of the pieces, one behind the other.
    pub(crate) fn text(&mut self, pieces: &[&str], most: usize) -> String {
        (0..self.below(most + 1)).map(|_| self.one_of(pieces)).collect()
    }

    /// Two versions, which often begin alike.
    pub(crate) fn pair(&mut self, beginnings: &[&str], pieces: &[&str]) -> (String, String) {
        let mut common = self.one_of(beginnings).to_owned();
        if self.once_in(2) {
            common += &self.text(pieces, 5);
        }
        let one = format!("{common}{}", self.text(pieces, 5));
        if self.once_in(5) {
            common = self.one_of(beginnings).to_owned();
        }
        (one, format!("{common}{}", self.text(pieces, 5)))
    }
}
