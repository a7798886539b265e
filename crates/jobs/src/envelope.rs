//! Jobs as they are sent.
//!
//! The whole form is guestkit's job protocol v1.0; the short form is an operation and what it is
//! about. Fields that this program does not know are kept as they came. What is known is held to
//! what it may be when it is read, so that a job in the store is one that can be done.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::moment;
use crate::operation::Operation;
use crate::refusal::{Refusal, RefusalCode};
use crate::requirement::hex;

/// The largest job.
pub const LARGEST: usize = 1 << 20;
/// The longest name of anything.
const LONGEST_NAME: usize = 256;
/// The most entries of a list or map of names.
const MOST_NAMES: usize = 64;
/// The longest that a try may take.
const LONGEST_TIMEOUT: u64 = 7 * 24 * 3600;

/// A job as it is sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Envelope {
    /// Of the protocol: `1.0`.
    pub version: String,
    /// What the job is called: 8 to 256 characters of which none needs escaping in an address.
    pub job_id: String,
    /// When it was made.
    pub created_at: String,
    /// `VMOperation`.
    pub kind: String,
    /// What is to be done, such as `fathom.inspect`.
    pub operation: String,
    /// What it is called by people, and whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
    /// How it is tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<Execution>,
    /// What it asks of a worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraints: Option<Constraints>,
    /// Where it is to go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing: Option<Routing>,
    /// What it is about.
    pub payload: Payload,
    /// By which it is followed through logs and traces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observability: Option<Observability>,
    /// Who sent it, in their own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<Audit>,
    /// What else there was.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What a job is called by people, and whose it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Metadata {
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whose it is; nothing: that of whoever sends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// What it is told apart by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Notes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// What else there was.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// How a job is tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Execution {
    /// Whoever sends a job again under this key gets the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// Which try comes first.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 100))]
    pub attempt: u32,
    /// How often it is tried at most.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 100))]
    pub max_attempts: u32,
    /// How long a try may take.
    #[serde(default = "an_hour")]
    #[schemars(range(min = 1, max = 604_800))]
    pub timeout_seconds: u64,
    /// When it has to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
    /// 10 comes first.
    #[serde(default = "five")]
    #[schemars(range(min = 1, max = 10))]
    pub priority: u8,
    /// Whether it may be called off.
    #[serde(default = "yes")]
    pub cancellable: bool,
    /// What else there was.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Default for Execution {
    fn default() -> Self {
        Self {
            idempotency_key: None,
            attempt: one(),
            max_attempts: one(),
            timeout_seconds: an_hour(),
            deadline: None,
            priority: five(),
            cancellable: yes(),
            other: Map::new(),
        }
    }
}

fn one() -> u32 {
    1
}

fn an_hour() -> u64 {
    3600
}

fn five() -> u8 {
    5
}

fn yes() -> bool {
    true
}

/// What a job asks of a worker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Constraints {
    /// Operations, features, formats or filesystems that it must have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required_capabilities: Vec<String>,
    /// Features that it must have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required_features: Vec<String>,
    /// The oldest version of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_worker_version: Option<String>,
    /// The largest disk, in GB: a larger one is not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_disk_size_gb: Option<u64>,
    /// Whether it must run as root.
    #[serde(default)]
    pub require_privileged: bool,
    /// The pools that may do it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_worker_pools: Vec<String>,
    /// What else there was.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Where a job is to go.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Routing {
    /// To this worker alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<String>,
    /// To this pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_pool: Option<String>,
    /// Labels that the worker must have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub affinity: BTreeMap<String, String>,
    /// Labels that it must not have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub anti_affinity: BTreeMap<String, Vec<String>>,
    /// What else there was.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What a job is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Payload {
    /// Of which form it is, such as `fathom.inspect.v1`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What the operation needs.
    pub data: Value,
    /// What else there was.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// By which a job is followed through logs and traces.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Observability {
    /// Of the trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// Of the span that sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span_id: Option<String>,
    /// Of the span above that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_span_id: Option<String>,
    /// What the sender follows it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// What else there was.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Who sent a job, in their own words: it decides nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Audit {
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted_by: Option<String>,
    /// From where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted_from: Option<String>,
    /// By what right.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub authorization: Value,
    /// What else there was.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Envelope {
    /// Reads a job in either form and checks it; what the short form leaves out is filled in. One that
    /// has no name gets one that follows from `identity`, where there is any: what comes again has the
    /// same name again.
    pub fn read(bytes: &[u8], now: fathom_store::Time, identity: &str) -> Result<Self, Refusal> {
        if bytes.len() > LARGEST {
            return Err(Refusal::new(
                RefusalCode::TooLarge,
                format!("the job has {} bytes; the largest has {LARGEST}", bytes.len()),
            ));
        }
        let value: Value = serde_json::from_slice(bytes).map_err(|error| {
            Refusal::new(RefusalCode::Malformed, format!("the job is no JSON: {error}"))
        })?;
        Self::of(value, now, identity)
    }

    fn of(value: Value, now: fathom_store::Time, identity: &str) -> Result<Self, Refusal> {
        let Value::Object(mut fields) = value else {
            return Err(Refusal::new(RefusalCode::Malformed, "the job is no object of JSON"));
        };
        if fields.contains_key("version") {
            if fields["version"] != "1.0" {
                return Err(Refusal::new(
                    RefusalCode::UnsupportedVersion,
                    format!(
                        "version: this program speaks \"1.0\", not {}",
                        short(&fields["version"])
                    ),
                ));
            }
        } else {
            fill(&mut fields, now, identity)?;
        }
        let envelope: Self = serde_json::from_value(Value::Object(fields))
            .map_err(|error| Refusal::new(RefusalCode::Malformed, format!("the job: {error}")))?;
        envelope.check()?;
        Ok(envelope)
    }

    /// What is to be done.
    pub fn operation(&self) -> Result<Operation, Refusal> {
        Operation::parse(&self.operation)
    }

    /// How it is tried.
    pub fn execution(&self) -> Execution {
        self.execution.clone().unwrap_or_default()
    }

    /// How long a try may take.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.execution().timeout_seconds)
    }

    /// A digest of what is asked for, whatever it is called and whenever it was made.
    pub(crate) fn fingerprint(&self) -> String {
        let asked = json!([
            self.operation().map(Operation::as_str).unwrap_or_default(),
            self.metadata.as_ref().and_then(|it| it.namespace.as_deref()),
            self.constraints,
            self.routing,
            self.payload.data,
        ]);
        hex(&Sha256::digest(asked.to_string().as_bytes()))
    }

    fn check(&self) -> Result<(), Refusal> {
        let operation = self.operation()?;
        operation.check_payload(&self.payload.kind)?;
        if self.kind != "VMOperation" {
            return Err(Refusal::invalid(format!(
                "kind: \"VMOperation\" is meant, not {:?}",
                self.kind
            )));
        }
        check_id(&self.job_id)?;
        if moment::parse(&self.created_at).is_none() {
            return Err(Refusal::invalid(format!(
                "created_at: {:?} is no time of RFC 3339 such as 2026-02-03T10:00:00Z",
                self.created_at
            )));
        }
        self.execution().check()?;
        if let Some(metadata) = &self.metadata {
            if let Some(namespace) = &metadata.namespace {
                name("metadata.namespace", namespace)?;
            }
            few("metadata.labels", metadata.labels.len())?;
            few("metadata.annotations", metadata.annotations.len())?;
        }
        if let Some(constraints) = &self.constraints {
            names("constraints.required_capabilities", &constraints.required_capabilities)?;
            names("constraints.required_features", &constraints.required_features)?;
            names("constraints.allowed_worker_pools", &constraints.allowed_worker_pools)?;
            if let Some(version) = &constraints.minimum_worker_version {
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-+".contains(&byte);
                if version.len() > 64 || !version.bytes().all(plain) {
                    return Err(Refusal::invalid(format!(
                        "constraints.minimum_worker_version: {version:?} is no version such as 1.2.0"
                    )));
                }
            }
        }
        if let Some(routing) = &self.routing {
            for (field, value) in [
                ("routing.worker_id", &routing.worker_id),
                ("routing.worker_pool", &routing.worker_pool),
            ] {
                if let Some(value) = value {
                    name(field, value)?;
                }
            }
            few("routing.affinity", routing.affinity.len())?;
            few("routing.anti_affinity", routing.anti_affinity.len())?;
        }
        // Databases of text have no place for it.
        if serde_json::to_string(self).is_ok_and(|text| text.contains("\\u0000")) && has_nul(self) {
            return Err(Refusal::invalid("the job has a NUL character in it"));
        }
        Ok(())
    }
}

impl Execution {
    fn check(&self) -> Result<(), Refusal> {
        let within = |field: &str, value: u64, most: u64| {
            if (1..=most).contains(&value) {
                Ok(())
            } else {
                Err(Refusal::invalid(format!(
                    "execution.{field}: it is from 1 to {most}, not {value}"
                )))
            }
        };
        within("priority", self.priority.into(), 10)?;
        within("max_attempts", self.max_attempts.into(), 100)?;
        within("attempt", self.attempt.into(), self.max_attempts.into())?;
        within("timeout_seconds", self.timeout_seconds, LONGEST_TIMEOUT)?;
        if let Some(key) = &self.idempotency_key {
            name("execution.idempotency_key", key)?;
        }
        match &self.deadline {
            Some(text) if moment::parse(text).is_none() => Err(Refusal::invalid(format!(
                "execution.deadline: {text:?} is no time of RFC 3339 such as 2026-02-03T10:00:00Z"
            ))),
            _ => Ok(()),
        }
    }

    /// When it has to be done.
    pub(crate) fn deadline(&self) -> Option<fathom_store::Time> {
        self.deadline.as_deref().and_then(moment::parse)
    }
}

/// Fills in what the short form leaves out.
fn fill(
    fields: &mut Map<String, Value>,
    now: fathom_store::Time,
    identity: &str,
) -> Result<(), Refusal> {
    let operation = match fields.get("operation") {
        Some(Value::String(operation)) => operation.clone(),
        Some(_) => return Err(Refusal::new(RefusalCode::Malformed, "operation: it is a text")),
        None => {
            return Err(Refusal::new(
                RefusalCode::Malformed,
                "the job has neither a version nor an operation",
            ));
        }
    };
    Operation::parse(&operation)?;
    let payload = fields.remove("payload").unwrap_or_else(|| json!({}));
    let whole = payload.get("type").is_some_and(Value::is_string) && payload.get("data").is_some();
    let payload =
        if whole { payload } else { json!({ "type": format!("{operation}.v1"), "data": payload }) };
    fields.insert("payload".to_owned(), payload);
    let id = match identity {
        "" => format!("job-{}", uuid::Uuid::now_v7()),
        identity => format!("job-{}", &hex(&Sha256::digest(identity.as_bytes()))[..32]),
    };
    for (field, value) in [
        ("version", json!("1.0")),
        ("job_id", json!(id)),
        ("created_at", json!(moment::rfc3339(now))),
        ("kind", json!("VMOperation")),
    ] {
        fields.entry(field).or_insert(value);
    }
    Ok(())
}

/// A name that stands in addresses and file names as it is.
pub(crate) fn check_id(id: &str) -> Result<(), Refusal> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:@+~=".contains(&byte);
    if (8..=LONGEST_NAME).contains(&id.len()) && id.bytes().all(plain) && !id.starts_with('.') {
        return Ok(());
    }
    Err(Refusal::invalid(
        "job_id: it has 8 to 256 letters, digits and -_.:@+~=, and does not begin with a full stop",
    ))
}

fn name(field: &str, value: &str) -> Result<(), Refusal> {
    if value.is_empty() || value.len() > LONGEST_NAME || value.chars().any(char::is_control) {
        let what = format!("{field}: it has 1 to {LONGEST_NAME} bytes and no control characters");
        return Err(Refusal::invalid(what));
    }
    Ok(())
}

fn names(field: &str, values: &[String]) -> Result<(), Refusal> {
    few(field, values.len())?;
    values.iter().try_for_each(|value| name(field, value))
}

fn few(field: &str, count: usize) -> Result<(), Refusal> {
    if count > MOST_NAMES {
        return Err(Refusal::invalid(format!(
            "{field}: there are {count}; the most is {MOST_NAMES}"
        )));
    }
    Ok(())
}

fn has_nul(envelope: &Envelope) -> bool {
    fn within(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(list) => list.iter().any(within),
            Value::Object(fields) => {
                fields.iter().any(|(name, value)| name.contains('\0') || within(value))
            }
            _ => false,
        }
    }
    serde_json::to_value(envelope).is_ok_and(|value| within(&value))
}

/// A value as a message shows it.
fn short(value: &Value) -> String {
    let text: String = value.to_string().chars().take(40).collect();
    text
}

#[cfg(test)]
mod tests {
    use fathom_store::Time;
    use serde_json::{Value, json};

    use super::{Envelope, LARGEST};
    use crate::refusal::RefusalCode;

    const NOW: Time = Time(1_770_112_800_000_000);

    fn whole() -> Value {
        json!({
            "version": "1.0",
            "job_id": "job-abc123",
            "created_at": "2026-02-03T10:00:00Z",
            "kind": "VMOperation",
            "operation": "guestkit.inspect",
            "metadata": { "name": "web", "namespace": "prod", "labels": { "a": "b" }, "x": 1 },
            "execution": { "idempotency_key": "k", "max_attempts": 3, "priority": 8, "y": [2] },
            "constraints": { "required_features": ["https"], "z": {} },
            "routing": { "worker_pool": "gold", "affinity": { "site": "north" } },
            "payload": {
                "type": "guestkit.inspect.v1",
                "data": { "image": { "path": "/vms/a.qcow2" }, "options": {} },
            },
            "observability": { "trace_id": "t", "correlation_id": "c" },
            "audit": { "submitted_by": "somebody", "authorization": { "method": "jwt" } },
            "$schema": "https://example.org/job",
            "unknown": { "kept": true },
        })
    }

    fn with(change: impl FnOnce(&mut Value)) -> Result<Envelope, crate::Refusal> {
        let mut value = whole();
        change(&mut value);
        Envelope::read(value.to_string().as_bytes(), NOW, "")
    }

    #[test]
    fn the_whole_form_is_kept_as_it_came() {
        let read = with(|_| {}).unwrap();
        assert_eq!(read.execution().timeout_seconds, 3600);
        let mut written = serde_json::to_value(&read).unwrap();
        let mut sent = whole();
        // What was left out is filled in where it stands beside what was not.
        for (field, value) in
            [("attempt", json!(1)), ("timeout_seconds", json!(3600)), ("cancellable", json!(true))]
        {
            sent["execution"][field] = value;
        }
        sent["constraints"]["require_privileged"] = json!(false);
        written.sort_all_objects();
        sent.sort_all_objects();
        assert_eq!(written, sent);
    }

    #[test]
    fn the_short_form_is_filled_in() {
        let text = r#"{"operation":"guestkit.inspect","payload":{"image":{"path":"/vms/a.qcow2",
            "format":"qcow2","checksum":"sha256:00"},"options":{"include_security":true}}}"#;
        let read = Envelope::read(text.as_bytes(), NOW, "").unwrap();
        assert_eq!(read.version, "1.0");
        assert!(read.job_id.starts_with("job-"));
        assert_eq!(read.created_at, "2026-02-03T10:00:00Z");
        assert_eq!(read.payload.kind, "guestkit.inspect.v1");
        assert_eq!(read.payload.data["image"]["path"], "/vms/a.qcow2");
        let named = |identity| Envelope::read(text.as_bytes(), NOW, identity).unwrap().job_id;
        assert_ne!(named(""), named(""));
        assert_eq!(named("topic/0/17"), named("topic/0/17"));
        assert_ne!(named("topic/0/17"), named("topic/0/18"));
        let text = r#"{"operation":"system.echo","execution":{"priority":9},"job_id":"my-own-id"}"#;
        let read = Envelope::read(text.as_bytes(), NOW, "").unwrap();
        assert_eq!((read.job_id.as_str(), read.execution().priority), ("my-own-id", 9));
        let text = r#"{"operation":"fathom.echo","payload":{"type":"fathom.echo.v1","data":7}}"#;
        assert_eq!(Envelope::read(text.as_bytes(), NOW, "").unwrap().payload.data, json!(7));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_field() {
        let long = "x".repeat(300);
        let cases: &[(&str, Value, &str)] = &[
            ("/version", json!("2.0"), "version"),
            ("/version", json!(1), "version"),
            ("/kind", json!("Other"), "kind"),
            ("/operation", json!("guestkit.repair"), "operation"),
            ("/operation", json!("guestkit.scan"), "payload.type"),
            ("/job_id", json!("short"), "job_id"),
            ("/job_id", json!("../../etc/passwd"), "job_id"),
            ("/job_id", json!("job with spaces"), "job_id"),
            ("/job_id", json!(long), "job_id"),
            ("/created_at", json!("yesterday"), "created_at"),
            ("/execution/priority", json!(0), "execution.priority"),
            ("/execution/priority", json!(11), "execution.priority"),
            ("/execution/priority", json!("high"), "job"),
            ("/execution/max_attempts", json!(101), "execution.max_attempts"),
            ("/execution/max_attempts", json!(-1), "job"),
            ("/execution/idempotency_key", json!(""), "execution.idempotency_key"),
            ("/execution/idempotency_key", json!("a\nb"), "execution.idempotency_key"),
            ("/metadata/namespace", json!(""), "metadata.namespace"),
            ("/payload/type", json!("guestkit.inspect.v2"), "payload.type"),
            ("/payload/data/image/path", json!("/vms/\0"), "NUL"),
        ];
        for (field, value, said) in cases {
            let refusal = with(|job| *job.pointer_mut(field).unwrap() = value.clone()).unwrap_err();
            assert!(refusal.message.contains(said), "{field} {value}: {refusal}");
        }
        for (field, value) in [
            ("attempt", json!(4)),
            ("timeout_seconds", json!(0)),
            ("timeout_seconds", json!(700_000)),
            ("deadline", json!("tomorrow")),
        ] {
            let refusal = with(|job| job["execution"][field] = value.clone()).unwrap_err();
            assert!(refusal.message.contains(field), "{field} {value}: {refusal}");
        }
        for field in ["job_id", "created_at", "kind", "operation", "payload"] {
            let refusal = with(|job| {
                job.as_object_mut().unwrap().remove(field);
            });
            assert!(refusal.unwrap_err().message.contains(field), "{field}");
        }
    }

    #[test]
    fn what_is_no_job_is_refused() {
        for text in ["", "{", "[]", "null", "7", "{}", "{\"operation\":7}", "\u{feff}{}"] {
            let refusal = Envelope::read(text.as_bytes(), NOW, "").unwrap_err();
            assert_eq!(refusal.code, RefusalCode::Malformed, "{text}: {refusal}");
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(
            Envelope::read(deep.as_bytes(), NOW, "").unwrap_err().code,
            RefusalCode::Malformed
        );
        let large = vec![b' '; LARGEST + 1];
        assert_eq!(Envelope::read(&large, NOW, "").unwrap_err().code, RefusalCode::TooLarge);
        let twice = r#"{"operation":"fathom.echo","operation":"fathom.scan"}"#;
        Envelope::read(twice.as_bytes(), NOW, "").unwrap();
    }

    #[test]
    fn a_fingerprint_is_of_what_is_asked_for() {
        let first = with(|_| {}).unwrap().fingerprint();
        let renamed = with(|job| {
            job["job_id"] = json!("job-another");
            job["created_at"] = json!("2027-01-01T00:00:00Z");
            job["operation"] = json!("fathom.inspect");
            job["execution"]["priority"] = json!(1);
        });
        assert_eq!(renamed.unwrap().fingerprint(), first);
        let other = with(|job| job["payload"]["data"]["image"]["path"] = json!("/vms/b.qcow2"));
        assert_ne!(other.unwrap().fingerprint(), first);
    }
}
