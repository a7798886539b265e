//! What a child may use up.

use std::io;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, setrlimit};

/// What a child may use up, and whether it may run where the kernel cannot confine it fully.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long it may take, by the clock on the wall. Then it is killed.
    pub wall: Duration,
    /// How much of a processor it may use, all its threads together, in whole seconds.
    pub cpu: Duration,
    /// How many bytes of address space it may have (`RLIMIT_AS`): what it allocates, the stacks of
    /// its threads, what the allocator keeps in reserve, and the program itself with its libraries.
    /// What is only reserved counts too, so this is more than what is ever in memory.
    pub memory: u64,
    /// How many descriptors it may have at once.
    pub descriptors: u64,
    /// Lets it run although a layer of the confinement is missing.
    pub allow_degraded: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wall: Duration::from_secs(15 * 60),
            cpu: Duration::from_secs(15 * 60),
            memory: 2 << 30,
            descriptors: 256,
            allow_degraded: false,
        }
    }
}

/// The part of the limits that the child sets itself, and whose child it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Orders {
    pub(crate) parent: i32,
    pub(crate) cpu: u64,
    pub(crate) memory: u64,
    pub(crate) descriptors: u64,
}

impl Orders {
    const LENGTH: usize = 32;

    pub(crate) fn of(limits: &Limits) -> Self {
        Self {
            parent: rustix::process::getpid().as_raw_nonzero().get(),
            cpu: limits.cpu.as_secs().max(1),
            memory: limits.memory,
            descriptors: limits.descriptors,
        }
    }

    pub(crate) fn encode(self) -> Vec<u8> {
        [self.parent as u64, self.cpu, self.memory, self.descriptors]
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect()
    }

    pub(crate) fn decode(bytes: &[u8]) -> io::Result<Self> {
        if bytes.len() != Self::LENGTH {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "these are no limits"));
        }
        let mut numbers = bytes.chunks_exact(8).map(|chunk| {
            let mut number = [0; 8];
            number.copy_from_slice(chunk);
            u64::from_le_bytes(number)
        });
        let mut next = || numbers.next().unwrap_or_default();
        Ok(Self {
            parent: i32::try_from(next()).unwrap_or_default(),
            cpu: next(),
            memory: next(),
            descriptors: next(),
        })
    }

    /// Sets the limits of this process. None of them can be raised again.
    pub(crate) fn apply(self) -> io::Result<()> {
        let both = |resource, limit: u64| {
            setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) })
        };
        both(Resource::Core, 0)?;
        // Whatever it may still write to, it is no file.
        both(Resource::Fsize, 0)?;
        both(Resource::Memlock, 0)?;
        both(Resource::Msgqueue, 0)?;
        both(Resource::Nofile, self.descriptors)?;
        both(Resource::As, self.memory)?;
        // At the first a signal comes that says why; at the second the kernel kills.
        let cpu = Rlimit { current: Some(self.cpu), maximum: Some(self.cpu.saturating_add(1)) };
        setrlimit(Resource::Cpu, cpu)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_survive_the_way() {
        let orders = Orders::of(&Limits::default());
        assert_eq!(Orders::decode(&orders.encode()).unwrap(), orders);
        assert!(Orders::decode(&orders.encode()[1..]).is_err());
        assert!(Orders::decode(&[]).is_err());
    }
}
