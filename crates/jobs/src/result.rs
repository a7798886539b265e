//! What comes of a job.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What came of a job, as guestkit writes it; `data` is what the operation gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResultDocument {
    /// The job.
    pub job_id: String,
    /// How it ended.
    pub status: Status,
    /// When.
    pub completed_at: String,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<String>,
    /// How it went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_summary: Option<ExecutionSummary>,
    /// What it wrote elsewhere.
    #[serde(default, skip_serializing_if = "Outputs::is_empty")]
    pub outputs: Outputs,
    /// What it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Metrics>,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorReport>,
    /// By which the job is followed through logs and traces: as it was sent, and where it brought no
    /// trace, with the ids of where it was taken in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observability: Option<Value>,
    /// What the operation gives.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub data: Value,
}

/// How a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
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
    Timeout,
    /// Whoever took it was lost with it, too often.
    Dead,
}

impl From<fathom_store::JobState> for Status {
    fn from(state: fathom_store::JobState) -> Self {
        use fathom_store::JobState;
        match state {
            JobState::Pending => Self::Pending,
            JobState::Queued => Self::Queued,
            JobState::Assigned => Self::Assigned,
            JobState::Running => Self::Running,
            JobState::Completed => Self::Completed,
            JobState::Failed => Self::Failed,
            JobState::Cancelled => Self::Cancelled,
            JobState::TimedOut => Self::Timeout,
            JobState::Dead => Self::Dead,
        }
    }
}

/// How a job went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExecutionSummary {
    /// When the last try began.
    pub started_at: String,
    /// How long it took.
    pub duration_seconds: f64,
    /// Which try it was.
    pub attempt: u32,
    /// Under which key it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// What a job wrote elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outputs {
    /// The main thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary: Option<String>,
    /// What else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<String>,
    /// Each of them in full.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub written: Vec<Written>,
}

/// Something that a job wrote elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Written {
    /// Where: a path, or `s3://BUCKET/…`.
    pub location: String,
    /// As which document.
    pub format: String,
    /// How it is packed.
    pub compression: String,
    /// How many bytes it has, as it lies there.
    pub bytes: u64,
    /// `sha256:` and the checksum of these bytes.
    pub sha256: String,
}

impl Outputs {
    fn is_empty(&self) -> bool {
        self.primary.is_none() && self.artifacts.is_empty()
    }
}

/// What a job took.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Metrics {
    /// Bytes that were read of images.
    pub disk_read_bytes: u64,
    /// Bytes that were written.
    pub disk_write_bytes: u64,
    /// The most memory that the child had.
    pub peak_memory_mb: u64,
    /// Processor time of the child.
    pub cpu_seconds: f64,
}

/// What went wrong with a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorReport {
    /// For programs.
    pub code: String,
    /// For people.
    pub message: String,
    /// What was being done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// What else there is to say.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub details: Value,
    /// Whether it might be done by other means.
    pub recoverable: bool,
    /// Whether the same may well succeed later.
    pub retry_recommended: bool,
}

/// How far a job has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// What is being done.
    pub phase: String,
    /// How much of it all is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress_percent: Option<u8>,
    /// In words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

impl ResultDocument {
    /// The result of a job that ended without anybody doing it.
    pub(crate) fn without_worker(
        job: &str,
        status: Status,
        at: String,
        error: ErrorReport,
    ) -> Self {
        Self {
            job_id: job.to_owned(),
            status,
            completed_at: at,
            worker_id: None,
            execution_summary: None,
            outputs: Outputs::default(),
            metrics: None,
            error: Some(error),
            observability: None,
            data: Value::Null,
        }
    }

    /// As it is kept.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
