//! What can be asked for.

use crate::refusal::{Refusal, RefusalCode};

/// What a job does. Each has several names, since producers of other systems know it by theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// Says what a machine is and what is on it.
    Inspect,
    /// Says what is known to be wrong with it.
    Scan,
    /// Applies rules to it.
    Profile,
    /// Computes or compares the checksum of an image.
    Checksum,
    /// Says what differs between two machines.
    Diff,
    /// Gives back what it was given.
    Echo,
}

/// The families of names, each of which has every operation.
const FAMILIES: [&str; 3] = ["fathom", "guestkit", "system"];

impl Operation {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Inspect, Self::Scan, Self::Profile, Self::Checksum, Self::Diff, Self::Echo];

    /// Its name without a family.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inspect => "inspect",
            Self::Scan => "scan",
            Self::Profile => "profile",
            Self::Checksum => "checksum",
            Self::Diff => "diff",
            Self::Echo => "echo",
        }
    }

    /// The operation of this name: `fathom.inspect`, `guestkit.inspect`, `system.echo`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let found = text.split_once('.').and_then(|(family, name)| {
            // `test.echo` is what guestkit calls its own.
            let known = FAMILIES.contains(&family) || text == "test.echo";
            known.then(|| Self::ALL.into_iter().find(|it| it.as_str() == name)).flatten()
        });
        found.ok_or_else(|| {
            let hint = match Self::ALL.into_iter().find(|it| text.ends_with(it.as_str())) {
                Some(near) => format!("; did you mean \"fathom.{}\"?", near.as_str()),
                None => format!(
                    "; there are {}",
                    Self::ALL.map(|it| format!("fathom.{}", it.as_str())).join(", ")
                ),
            };
            let text: String = text.chars().take(64).collect();
            Refusal::new(
                RefusalCode::UnknownOperation,
                format!("operation: there is no {text:?}{hint}"),
            )
        })
    }

    /// Whether `kind`, such as `guestkit.inspect.v1`, is a payload of this operation that this program
    /// reads.
    pub(crate) fn check_payload(self, kind: &str) -> Result<(), Refusal> {
        let Some((name, version)) = kind.rsplit_once('.') else {
            return Err(Refusal::invalid(format!(
                "payload.type: {kind:?} is not of the form fathom.{}.v1",
                self.as_str()
            )));
        };
        match Self::parse(name) {
            Ok(operation) if operation == self && version == "v1" => Ok(()),
            Ok(operation) if operation == self => Err(Refusal::new(
                RefusalCode::UnsupportedVersion,
                format!("payload.type: of {name} there is v1 alone, not {version:?}"),
            )),
            _ => Err(Refusal::invalid(format!(
                "payload.type: {kind:?} is no payload of the operation fathom.{}",
                self.as_str()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Operation;

    #[test]
    fn families_name_the_same() {
        for family in ["fathom", "guestkit", "system"] {
            for operation in Operation::ALL {
                let name = format!("{family}.{}", operation.as_str());
                assert_eq!(Operation::parse(&name).unwrap(), operation);
                operation.check_payload(&format!("{name}.v1")).unwrap();
            }
        }
        Operation::Inspect.check_payload("guestkit.inspect.v1").unwrap();
        for name in ["inspect", "", "fathom.", "fathom.Inspect", "other.inspect", "fathom.repair"] {
            Operation::parse(name).unwrap_err();
        }
        let refusal = Operation::parse("inspect").unwrap_err();
        assert!(refusal.message.contains("did you mean \"fathom.inspect\"?"), "{refusal}");
        for kind in ["fathom.inspect.v2", "fathom.scan.v1", "inspect", "v1", "fathom.inspect"] {
            Operation::Inspect.check_payload(kind).unwrap_err();
        }
    }
}
