//! $LogFile: NTFS's journal. It is not replayed; but whether it was closed is told.
//!
//! Its first two pages are restart pages, the later of which says whether anybody has the log open.
//! After an orderly shutdown nobody has, or the area is marked clean.

use fathom_block::{Error, Fields, ReadAt, Result, read_vec};

use super::fixup;

/// The volume is marked as clean.
const RESTART_VOLUME_IS_CLEAN: u16 = 2;
/// No client.
const LOGFILE_NO_CLIENT: u16 = 0xFFFF;

/// What the log says of how the volume was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LogState {
    /// Closed, or never used.
    Clean,
    /// Open: what it promises may not be in its place.
    Open,
}

/// One restart page: when it was written, and what it says.
fn restart_page(log: &dyn ReadAt, at: u64, size: u64) -> Result<(u64, LogState)> {
    let mut page = read_vec(log, "$LogFile", at, size.min(4096))?;
    let fields = Fields::new("restart page", at, &page);
    match &fields.array::<4>(0)? {
        // chkdsk leaves its own mark, and an empty log behind it.
        b"CHKD" => return Ok((fields.le_u64(8)?, LogState::Clean)),
        b"RSTR" => {}
        other => {
            return Err(fields.corrupt(0, format!("it begins {}, not RSTR", other.escape_ascii())));
        }
    }
    let system_page_size = u64::from(fields.le_u32(16)?);
    if !system_page_size.is_power_of_two() || !(512..=64 << 10).contains(&system_page_size) {
        return Err(fields.corrupt(16, format!("system pages of {system_page_size} bytes")));
    }
    let (minor, major) = (fields.le_u16(26)?, fields.le_u16(28)?);
    if !matches!((major, minor), (0, 0) | (1, 0) | (1, 1) | (2, 0)) {
        return Err(Error::unsupported("$LogFile", format!("version {major}.{minor}")));
    }
    page = read_vec(log, "$LogFile", at, system_page_size)?;
    fixup::undo("restart page", at, &mut page)?;
    let fields = Fields::new("restart page", at, &page);
    let area = usize::from(fields.le_u16(24)?);
    let current_lsn = fields.le_u64(area)?;
    let client_in_use_list = fields.le_u16(area + 12)?;
    let flags = fields.le_u16(area + 14)?;
    let closed = client_in_use_list == LOGFILE_NO_CLIENT || flags & RESTART_VOLUME_IS_CLEAN != 0;
    Ok((current_lsn, if closed { LogState::Clean } else { LogState::Open }))
}

/// How the log was left.
pub(super) fn state(log: &dyn ReadAt) -> Result<LogState> {
    // Formatting fills the log with ones, and so does ntfs-3g when it empties it.
    let first = read_vec(log, "$LogFile", 0, log.len().min(4096))?;
    if first.iter().all(|byte| *byte == 0xFF) {
        return Ok(LogState::Clean);
    }
    let pages: Vec<_> = [0, 4096]
        .into_iter()
        .map(|at| restart_page(log, at, log.len().saturating_sub(at)))
        .collect();
    let latest = pages.iter().flatten().max_by_key(|(lsn, _)| *lsn);
    match (latest, pages.first()) {
        (Some((_, state)), _) => Ok(state.clone()),
        (None, Some(Err(error))) => Err(error.clone()),
        (None, _) => Ok(LogState::Clean),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(lsn: u64, client: u16, flags: u16) -> Vec<u8> {
        let mut page = vec![0; 4096];
        page[..4].copy_from_slice(b"RSTR");
        page[16..20].copy_from_slice(&4096u32.to_le_bytes());
        page[20..24].copy_from_slice(&4096u32.to_le_bytes());
        page[24..26].copy_from_slice(&64u16.to_le_bytes());
        page[26..28].copy_from_slice(&1u16.to_le_bytes());
        page[28..30].copy_from_slice(&1u16.to_le_bytes());
        page[64..72].copy_from_slice(&lsn.to_le_bytes());
        page[76..78].copy_from_slice(&client.to_le_bytes());
        page[78..80].copy_from_slice(&flags.to_le_bytes());
        fixup::tests::apply(&mut page, 30);
        page
    }

    #[test]
    fn the_later_page_counts() {
        let log = |a: Vec<u8>, b: Vec<u8>| state(&[a, b].concat());
        let clean = || page(5, 0xFFFF, 0);
        assert_eq!(log(clean(), page(4, 0, 0)).unwrap(), LogState::Clean);
        assert_eq!(log(clean(), page(6, 0, 0)).unwrap(), LogState::Open);
        assert_eq!(log(clean(), page(6, 0, 2)).unwrap(), LogState::Clean);
        let mut torn = page(9, 0, 0);
        torn[511] ^= 1;
        assert_eq!(log(clean(), torn).unwrap(), LogState::Clean);
    }

    #[test]
    fn an_empty_log_is_clean_and_a_strange_one_an_error() {
        assert_eq!(state(&vec![0xFF; 8192]).unwrap(), LogState::Clean);
        assert!(state(&vec![0; 8192]).is_err());
        let mut new = page(1, 0, 0);
        new[28] = 3;
        let error = state(&[new.clone(), new].concat()).unwrap_err();
        assert_eq!(error.kind(), fathom_block::ErrorKind::Unsupported);
        let mut checked = page(1, 0, 0);
        checked[..4].copy_from_slice(b"CHKD");
        assert_eq!(state(&[checked.clone(), checked].concat()).unwrap(), LogState::Clean);
    }
}
