//! Jobs: the rows are the truth about them.
//!
//! A job is *pending* while it waits for its time, *queued* when anybody may take it, *assigned* to
//! who has claimed it and *running* from its first heartbeat on; the other states are its ends. Who
//! claims a job gets a lease and a fence, a number that grows with every claim and every rescue; each
//! later statement about the job carries it, and one with an old number is refused. So whoever was
//! taken for dead and is not can do no harm.

mod claim;
mod finish;
mod list;
mod submit;
mod sweep;

pub use claim::{Beat, Beaten, Claim, Claimed};
pub use finish::{Cancelled, Completion, Finish};
pub use list::{Job, JobFilter};
pub use submit::{NewJob, Submitted};
pub use sweep::{Announcement, SweepRules, Swept, Told};

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobState {
    /// It waits for its time.
    Pending,
    /// Anybody may take it.
    Queued,
    /// Somebody has it.
    Assigned,
    /// Somebody works at it.
    Running,
    /// It is done.
    Completed,
    /// It could not be done.
    Failed,
    /// It was called off.
    Cancelled,
    /// It took too long.
    TimedOut,
    /// Whoever took it was lost with it, too often.
    Dead,
}

impl JobState {
    /// All of them, in the order of their numbers in the database.
    pub const ALL: [Self; 9] = [
        Self::Pending,
        Self::Queued,
        Self::Assigned,
        Self::Running,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
        Self::TimedOut,
        Self::Dead,
    ];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Queued => "queued",
            Self::Assigned => "assigned",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timeout",
            Self::Dead => "dead",
        }
    }

    /// The state that is written so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether nothing more will come of it.
    pub fn is_final(self) -> bool {
        self >= Self::Completed
    }

    pub(crate) fn number(self) -> i64 {
        self as i64
    }

    pub(crate) fn of(number: i64) -> crate::error::Result<Self> {
        usize::try_from(number).ok().and_then(|number| Self::ALL.get(number).copied()).ok_or_else(
            || {
                let what = format!("a job is in state {number}, which there is not");
                crate::error::Error::new(crate::error::ErrorKind::Unfit, what)
            },
        )
    }
}
