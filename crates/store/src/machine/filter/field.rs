//! What can be asked of a machine.

/// What a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::machine) enum Kind {
    Text,
    Number,
    /// What is installed, which is asked for by name.
    Package,
    /// What is wrong with it.
    Flaw,
}

/// Something that can be asked of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::machine) struct Field {
    pub(in crate::machine) name: &'static str,
    pub(in crate::machine) kind: Kind,
    /// What it is in the table, whose rows are `m`.
    pub(in crate::machine) column: &'static str,
}

const fn text(name: &'static str, column: &'static str) -> Field {
    Field { name, kind: Kind::Text, column }
}

const fn number(name: &'static str, column: &'static str) -> Field {
    Field { name, kind: Kind::Number, column }
}

const FIELDS: &[Field] = &[
    text("name", "m.name"),
    text("id", "m.id"),
    text("namespace", "m.namespace"),
    text("source", "m.key"),
    text("hostname", "m.hostname"),
    text("family", "m.family"),
    text("os", "m.os"),
    text("os_version", "m.os_version"),
    text("os_name", "m.os_name"),
    text("architecture", "m.architecture"),
    text("kernel", "m.kernel"),
    number("risk", "m.risk"),
    number("critical", "m.critical"),
    number("high", "m.high"),
    number("medium", "m.medium"),
    number("low", "m.low"),
    number("negligible", "m.negligible"),
    number("unrated", "m.unrated"),
    number("exploited", "m.exploited"),
    number("fixable", "m.fixable"),
    number("excepted", "m.excepted"),
    number("packages", "m.package_count"),
    // In days.
    number("age", "(({now} - m.seen_at) / 86400000000.0)"),
    number("age_of_findings", "(({now} - m.matched_at) / 86400000000.0)"),
    Field { name: "package", kind: Kind::Package, column: "NULLIF(m.packages_known, 0)" },
    Field { name: "cve", kind: Kind::Flaw, column: "NULLIF(m.flaws_known, 0)" },
];

impl Field {
    pub(super) fn named(name: &str) -> Option<Self> {
        FIELDS.iter().find(|field| field.name == name).copied()
    }

    pub(super) fn names() -> String {
        FIELDS.iter().map(|field| field.name).collect::<Vec<_>>().join(", ")
    }
}
