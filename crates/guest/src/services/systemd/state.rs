//! Whether a unit is enabled, by the rules of `systemctl is-enabled`.

use std::collections::HashSet;

use fathom_report::Enabled;

use super::template;
use super::unit::Unit;

/// The links of one folder.
#[derive(Default)]
pub(super) struct Links {
    /// The names in its folders `*.wants` and `*.requires`.
    pub(super) wanted: HashSet<String>,
    /// The links in the folder itself, and where they lead.
    pub(super) aliases: Vec<(String, String)>,
}

/// The state of the unit that is asked for by `name` and is called `own` in truth. `folders` are in
/// their order, the first that of the administrator.
pub(super) fn of(name: &str, own: &str, unit: &Unit, folders: &[Links]) -> Enabled {
    if unit.masked {
        return Enabled::Masked;
    }
    if name != own {
        return Enabled::Alias;
    }
    let Some(config) = folders.first() else { return Enabled::Static };
    if config.wanted.iter().any(|link| fits(link, own) && is_known(link, own, unit)) {
        return Enabled::Enabled;
    }
    // An instance that somebody chose stands for its template only in part, and a name that somebody
    // made for the unit may be in use.
    let mut otherwise = config.wanted.iter().any(|link| fits(link, own));
    let mut linked = false;
    for (link, target) in &config.aliases {
        let leads_here = target.rsplit('/').next() == Some(own);
        if link == own && leads_here {
            linked = true;
        } else if (leads_here || fits(link, own)) && is_known(link, own, unit) {
            return Enabled::Enabled;
        } else if leads_here {
            otherwise = true;
        }
    }
    if otherwise {
        Enabled::Indirect
    } else if linked {
        Enabled::Linked
    } else if !unit.wanted_by.is_empty() || !unit.aliases.is_empty() {
        Enabled::Disabled
    } else if !unit.also.is_empty() {
        Enabled::Indirect
    } else {
        Enabled::Static
    }
}

/// Whether a link of this name is one of the unit, or of an instance of it.
fn fits(link: &str, own: &str) -> bool {
    link == own || template(link).as_deref() == Some(own)
}

/// Whether the unit itself would make a link of this name.
fn is_known(link: &str, own: &str, unit: &Unit) -> bool {
    let instance = || {
        let instance = unit.default_instance.as_deref()?;
        let (prefix, kind) = own.split_once("@.")?;
        Some(format!("{prefix}@{instance}.{kind}"))
    };
    link == own
        || unit.aliases.iter().any(|alias| alias == link)
        || instance().is_some_and(|instance| instance == link)
}
