//! What holds of the confinement.

use std::fmt;

/// Which layers of the confinement hold, as the child found them when it set them up, before it had
/// read anything that a stranger wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confinement {
    /// All descriptors but the channel and the standard ones are closed.
    pub descriptors: bool,
    /// The limits of resources are set.
    pub limits: bool,
    /// Nothing that it executes could give it privileges.
    pub no_new_privileges: bool,
    /// Processes of the same user cannot trace it, and it leaves no core.
    pub not_dumpable: bool,
    /// The kernel kills it when the thread of its parent that started it ends.
    pub dies_with_parent: bool,
    /// It has no capabilities, even where it is root's.
    pub no_capabilities: bool,
    /// Landlock denies it every file, and by this version of its interface: TCP (4), sockets with
    /// abstract names and signals (6). None where the kernel has no Landlock.
    pub landlock: Option<u32>,
    /// Seccomp denies it every system call but those that compute.
    pub seccomp: bool,
}

impl Confinement {
    /// The layers that are missing, by name. What newer versions of Landlock add is denied by seccomp
    /// as well, so that an old one is no lack.
    pub fn missing(&self) -> Vec<&'static str> {
        [
            (self.descriptors, "closed descriptors"),
            (self.limits, "resource limits"),
            (self.no_new_privileges, "no_new_privs"),
            (self.not_dumpable, "PR_SET_DUMPABLE"),
            (self.dies_with_parent, "PR_SET_PDEATHSIG"),
            (self.no_capabilities, "dropped capabilities"),
            (self.landlock.is_some(), "Landlock"),
            (self.seccomp, "seccomp"),
        ]
        .into_iter()
        .filter_map(|(holds, name)| (!holds).then_some(name))
        .collect()
    }

    /// Whether every layer holds. Nothing less passes for confined.
    pub fn is_complete(&self) -> bool {
        self.missing().is_empty()
    }

    const LENGTH: usize = 8;

    pub(crate) fn encode(&self) -> Vec<u8> {
        vec![
            self.descriptors.into(),
            self.limits.into(),
            self.no_new_privileges.into(),
            self.not_dumpable.into(),
            self.dies_with_parent.into(),
            self.no_capabilities.into(),
            self.landlock.map_or(0, |abi| u8::try_from(abi).unwrap_or(u8::MAX)),
            self.seccomp.into(),
        ]
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::LENGTH] = bytes.try_into().ok()?;
        let [descriptors, limits, privileges, dumpable, parent, capabilities, landlock, seccomp] =
            *bytes;
        Some(Self {
            descriptors: descriptors == 1,
            limits: limits == 1,
            no_new_privileges: privileges == 1,
            not_dumpable: dumpable == 1,
            dies_with_parent: parent == 1,
            no_capabilities: capabilities == 1,
            landlock: (landlock != 0).then_some(landlock.into()),
            seccomp: seccomp == 1,
        })
    }
}

/// `confined: seccomp, Landlock 7`, or what is missing.
impl fmt::Display for Confinement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.missing().as_slice(), self.landlock) {
            ([], Some(abi)) => write!(f, "confined: seccomp, Landlock {abi}"),
            (missing, _) => {
                write!(f, "NOT fully confined: this kernel lacks or refuses {}", missing.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete() -> Confinement {
        Confinement {
            descriptors: true,
            limits: true,
            no_new_privileges: true,
            not_dumpable: true,
            dies_with_parent: true,
            no_capabilities: true,
            landlock: Some(6),
            seccomp: true,
        }
    }

    #[test]
    fn whatever_is_missing_it_is_not_complete() {
        assert!(complete().is_complete());
        for layer in 0..Confinement::LENGTH {
            let mut bytes = complete().encode();
            bytes[layer] = 0;
            let lacking = Confinement::decode(&bytes).unwrap();
            assert_eq!(lacking.missing().len(), 1);
            assert!(!lacking.is_complete());
            assert!(lacking.to_string().starts_with("NOT fully confined"), "{lacking}");
        }
        assert!(!Confinement::default().is_complete());
        assert_eq!(Confinement::decode(&complete().encode()), Some(complete()));
        assert_eq!(Confinement::decode(b"short"), None);
    }
}
