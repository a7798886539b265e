//! Which system it is, and until when it is mended.

use fathom_report::{EndOfLife, Family};

use super::Subject;
use super::answer::{Answer, evidence_of, known, or_unknown};

/// Windows 7 and Server 2008 R2: virtio has no drivers for what is older.
const OLDEST_WINDOWS: [u32; 2] = [6, 1];

pub(super) fn unsupported(subject: &Subject<'_>) -> Answer {
    let identity = &subject.system.identity;
    or_unknown((|| match identity.family {
        Family::Linux => Ok(Answer::No),
        Family::Windows => {
            let version = known(&identity.version)?.ok_or("the version of Windows is not said")?;
            let numbers: Vec<u32> =
                version.split('.').map_while(|part| part.parse().ok()).take(2).collect();
            if numbers.len() < 2 {
                return Err(format!("{version} is not understood as a version of Windows"));
            }
            if numbers.as_slice() >= OLDEST_WINDOWS.as_slice() {
                return Ok(Answer::No);
            }
            let message = format!(
                "Windows {version} has no virtio drivers that are kept up. Give the new machine \
                 emulated disks and cards, or upgrade it first"
            );
            Ok(Answer::Yes { message, evidence: evidence_of(&identity.version) })
        }
        Family::Bsd | Family::Other => Ok(Answer::Yes {
            message:
                "it is neither Linux nor Windows: what it needs to start elsewhere is not known \
                      here. Try it on a copy"
                    .to_owned(),
            evidence: evidence_of(&identity.distribution),
        }),
    })())
}

/// The last day on which anybody gets mends.
fn last(end: &EndOfLife) -> &str {
    end.extended.as_deref().filter(|day| *day > end.support.as_str()).unwrap_or(&end.support)
}

fn ends(subject: &Subject<'_>, judge: impl FnOnce(&EndOfLife) -> Option<String>) -> Answer {
    let fact = &subject.system.identity.end_of_life;
    or_unknown((|| {
        let message = known(fact)?.and_then(judge);
        Ok(message
            .map_or(Answer::No, |message| Answer::Yes { message, evidence: evidence_of(fact) }))
    })())
}

pub(super) fn over(subject: &Subject<'_>) -> Answer {
    ends(subject, |end| {
        (last(end) < subject.today).then(|| {
            format!("the last mends came on {}. Upgrade it, before or after the move", last(end))
        })
    })
}

pub(super) fn soon(subject: &Subject<'_>) -> Answer {
    ends(subject, |end| {
        if last(end) < subject.today || end.support.as_str() >= subject.in_half_a_year {
            return None;
        }
        let word = if end.support.as_str() < subject.today { "ended" } else { "end" };
        let extended = match &end.extended {
            Some(day) if day.as_str() >= subject.today => {
                format!("; those who pay or ask get them until {day}")
            }
            _ => String::new(),
        };
        Some(format!("mends for everybody {word} on {}{extended}", end.support))
    })
}
