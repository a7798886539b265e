//! Landlock: no file, no TCP, no signal to anybody.

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, LandlockStatus, Ruleset,
    RulesetAttr, RulesetError, RulesetStatus, Scope,
};

/// The newest version of the interface that is made use of.
const NEWEST: ABI = ABI::V6;

/// Denies this process everything that Landlock can deny. Says the version of the kernel's interface;
/// none where it has no Landlock.
pub(crate) fn deny_all() -> Option<u32> {
    try_deny_all().ok().flatten()
}

fn try_deny_all() -> Result<Option<u32>, RulesetError> {
    let restricted = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        // A ruleset without a rule allows nothing of what it handles.
        .create()?
        .restrict_self()?;
    Ok(match (restricted.ruleset, restricted.landlock) {
        (RulesetStatus::NotEnforced, _) => None,
        (_, LandlockStatus::Available { effective_abi, kernel_abi }) => {
            let known = effective_abi as u32;
            Some(kernel_abi.and_then(|abi| u32::try_from(abi).ok()).unwrap_or(known))
        }
        _ => None,
    })
}
