//! What a job is about: the payload of guestkit's protocol.
//!
//! Members that are not known are passed over, since producers send what other workers understand.
//! What is known is held to its type, and an error names the member.

use std::collections::BTreeMap;

use fathom_diff::saved_report;
use fathom_profile::PROFILES;
use fathom_report::Report;
use serde_json::{Map, Value};

use super::sections::Section;
use crate::image::Image;

/// What is wrong with a payload; it begins with the member.
pub(super) type Wrong = String;

/// An object, and what it is called in errors.
pub(super) struct Fields<'a> {
    at: String,
    members: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// The whole payload.
    pub(super) fn of(data: &'a Value) -> Result<Self, Wrong> {
        match data {
            Value::Object(members) => Ok(Self { at: String::new(), members }),
            other => Err(format!("payload: an object is meant, not {}", kind(other))),
        }
    }

    /// What a member is called in errors.
    pub(super) fn name(&self, member: &str) -> String {
        match self.at.is_empty() {
            true => member.to_owned(),
            false => format!("{}.{member}", self.at),
        }
    }

    /// A member; `null` is as good as none.
    fn get(&self, member: &str) -> Option<&'a Value> {
        self.members.get(member).filter(|value| !value.is_null())
    }

    fn wrong(&self, member: &str, meant: &str, is: &Value) -> Wrong {
        format!("{}: {meant} is meant, not {}", self.name(member), kind(is))
    }

    pub(super) fn object(&self, member: &str) -> Result<Option<Fields<'a>>, Wrong> {
        match self.get(member) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(Self { at: self.name(member), members })),
            Some(other) => Err(self.wrong(member, "an object", other)),
        }
    }

    /// A member that must be there.
    pub(super) fn needed(&self, member: &str) -> Result<Fields<'a>, Wrong> {
        self.object(member)?.ok_or_else(|| format!("{}: it is missing", self.name(member)))
    }

    pub(super) fn text(&self, member: &str) -> Result<Option<&'a str>, Wrong> {
        match self.get(member) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(member, "a text", other)),
        }
    }

    fn flag(&self, member: &str) -> Result<Option<bool>, Wrong> {
        match self.get(member) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(other) => Err(self.wrong(member, "true or false", other)),
        }
    }

    fn list(&self, member: &str) -> Result<Option<&'a [Value]>, Wrong> {
        match self.get(member) {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(other) => Err(self.wrong(member, "a list", other)),
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// What is looked at.
#[derive(Debug)]
pub(super) enum Subject {
    /// The disks of a machine, and the member that names them.
    Images(String, Vec<Image>),
    /// A report that was made before.
    Report(Box<Report>),
}

impl Subject {
    /// `image` or `images`.
    pub(super) fn images(fields: &Fields<'_>) -> Result<(String, Vec<Image>), Wrong> {
        match (fields.object("image")?, fields.list("images")?) {
            (Some(image), None) => Ok((fields.name("image"), vec![self::image(&image)?])),
            (None, Some(list)) => {
                let at = fields.name("images");
                let one = |(index, value): (usize, &Value)| match value {
                    Value::Object(members) => {
                        image(&Fields { at: format!("{at}[{index}]"), members })
                    }
                    other => Err(format!("{at}[{index}]: an object is meant, not {}", kind(other))),
                };
                let images = list.iter().enumerate().map(one).collect::<Result<_, _>>()?;
                Ok((at, images))
            }
            (Some(_), Some(_)) => {
                Err(format!("{}: there is images too; one of them is meant", fields.name("image")))
            }
            (None, None) => Err(format!("{}: it is missing", fields.name("image"))),
        }
    }

    /// `image`, `images` or `report`.
    pub(super) fn of(fields: &Fields<'_>) -> Result<Self, Wrong> {
        let Some(report) = fields.get("report") else {
            let (at, images) = Self::images(fields)?;
            return Ok(Self::Images(at, images));
        };
        let at = fields.name("report");
        if fields.get("image").is_some() || fields.get("images").is_some() {
            return Err(format!("{at}: there is an image too; one of them is meant"));
        }
        if !report.is_object() {
            return Err(fields.wrong("report", "an object", report));
        }
        let report = saved_report(report.to_string().as_bytes());
        report.map(|report| Self::Report(Box::new(report))).map_err(|why| format!("{at}: {why}"))
    }
}

fn image(fields: &Fields<'_>) -> Result<Image, Wrong> {
    let path = fields.text("path")?;
    let path = path.ok_or_else(|| format!("{}: it is missing", fields.name("path")))?;
    if fields.flag("read_only")? == Some(false) {
        return Err(format!(
            "{}: images are never written to; leave it out, or let it be true",
            fields.name("read_only")
        ));
    }
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let mut backing_checksums = BTreeMap::new();
    if let Some(given) = fields.object("backing_checksums")? {
        for name in given.members.keys() {
            if let Some(checksum) = given.text(name)? {
                backing_checksums.insert(name.clone(), checksum.to_owned());
            }
        }
    }
    Ok(Image {
        source: path.to_owned(),
        format: owned(fields.text("format")?),
        snapshot: owned(fields.text("snapshot")?),
        checksum: owned(fields.text("checksum")?),
        backing_checksums,
    })
}

/// What is wanted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// What the report is to go without.
    pub(super) left_out: Vec<Section>,
    /// Whether to walk over every file.
    pub(super) deep: bool,
    /// Whether to look for known flaws too.
    pub(super) vulnerabilities: bool,
    /// The profiles to apply.
    pub(super) profiles: Vec<&'static str>,
}

impl Options {
    /// `options`.
    pub(super) fn of(fields: &Fields<'_>) -> Result<Self, Wrong> {
        let Some(options) = fields.object("options")? else { return Ok(Self::default()) };
        let mut left_out = Vec::new();
        for section in Section::ALL {
            if options.flag(&format!("include_{}", section.name()))? == Some(false) {
                left_out.push(section);
            }
        }
        Ok(Self {
            left_out,
            deep: options.flag("deep_scan")?.unwrap_or(false),
            vulnerabilities: options.flag("scan_vulnerabilities")?.unwrap_or(false),
            profiles: profiles(&options)?,
        })
    }
}

/// The names in `profiles`, each once.
pub(super) fn profiles(fields: &Fields<'_>) -> Result<Vec<&'static str>, Wrong> {
    let mut named = Vec::new();
    for value in fields.list("profiles")?.unwrap_or_default() {
        let Value::String(name) = value else {
            return Err(fields.wrong("profiles", "a list of texts", value));
        };
        let Some((name, _)) = PROFILES.iter().find(|(known, _)| known == name) else {
            let known: Vec<_> = PROFILES.iter().map(|(name, _)| *name).collect();
            let name: String = name.chars().take(64).collect();
            let (at, known) = (fields.name("profiles"), known.join(", "));
            return Err(format!("{at}: there is no {name:?}; there are {known}"));
        };
        if !named.contains(name) {
            named.push(*name);
        }
    }
    Ok(named)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::machine::check_form;
    use fathom_jobs::Operation;

    #[test]
    fn all_of_guestkits_payload_is_read() {
        let data = json!({
            "image": {
                "path": "/vms/a.qcow2", "format": "qcow2", "checksum": "sha256:00", "read_only": true,
                "snapshot": "s1", "backing_checksums": { "base.qcow2": "sha256:11" }, "other": 1,
            },
            "options": {
                "include_packages": true, "include_users": false, "include_databases": false,
                "deep_scan": true, "scan_vulnerabilities": true,
                "profiles": ["migration", "security", "migration"], "other": {},
            },
            "output": { "format": "json", "destination": null, "compression": "none", "other": 1 },
            "other": [],
        });
        let fields = Fields::of(&data).unwrap();
        let (at, images) = Subject::images(&fields).unwrap();
        assert_eq!(at, "image");
        assert_eq!(images.len(), 1);
        assert_eq!(images[0].source, "/vms/a.qcow2");
        assert_eq!(images[0].snapshot.as_deref(), Some("s1"));
        assert_eq!(images[0].backing_checksums["base.qcow2"], "sha256:11");
        let options = Options {
            left_out: vec![Section::Users, Section::Databases],
            deep: true,
            vulnerabilities: true,
            profiles: vec!["migration", "security"],
        };
        assert_eq!(Options::of(&fields).unwrap(), options);
        let data = json!({ "images": [{ "path": "/a" }, { "path": "/b" }] });
        let fields = Fields::of(&data).unwrap();
        assert_eq!(Subject::images(&fields).unwrap().1.len(), 2);
        assert_eq!(Options::of(&fields).unwrap(), Options::default());
    }

    /// Every member that is known, wrong once, and what is said of it.
    #[test]
    fn what_is_wrong_is_named() {
        let image = |member: &str, value: Value| {
            let mut image = json!({ "path": "/vms/a.qcow2" });
            image[member] = value;
            json!({ "image": image })
        };
        let with = |member: &str, inner: &str, value: Value| {
            let mut all = json!({ "image": { "path": "/vms/a.qcow2" } });
            all[member] = json!({});
            all[member][inner] = value;
            all
        };
        let mut cases = vec![
            (json!([]), "payload: an object is meant, not a list"),
            (json!({}), "image: it is missing"),
            (json!({ "image": "/vms/a.qcow2" }), "image: an object is meant, not a text"),
            (json!({ "images": {} }), "images: a list is meant, not an object"),
            (json!({ "images": [1] }), "images[0]: an object is meant, not a number"),
            (json!({ "images": [] }), "images: a machine has 1 to 64 images, not 0"),
            (json!({ "image": {}, "images": [] }), "image: there is images too"),
            (json!({ "image": {} }), "image.path: it is missing"),
            (json!({ "images": [{}] }), "images[0].path: it is missing"),
            (image("path", json!(1)), "image.path: a text is meant, not a number"),
            (image("format", json!(true)), "image.format: a text is meant"),
            (image("format", json!("floppy")), "image: format \"floppy\" is none of raw"),
            (image("checksum", json!({})), "image.checksum: a text is meant, not an object"),
            (image("checksum", json!("md5:00")), "image: \"md5:00\" is no checksum"),
            (image("read_only", json!("yes")), "image.read_only: true or false is meant"),
            (image("read_only", json!(false)), "image.read_only: images are never written to"),
            (image("snapshot", json!(1)), "image.snapshot: a text is meant"),
            (image("backing_checksums", json!([])), "image.backing_checksums: an object is meant"),
            (
                image("backing_checksums", json!({ "base": 1 })),
                "image.backing_checksums.base: a text is meant",
            ),
            (
                image("backing_checksums", json!({ "base": "sha256:00" })),
                "image: backing_checksums without the checksum",
            ),
            (json!({ "image": { "path": "/a" }, "options": 1 }), "options: an object is meant"),
            (json!({ "image": { "path": "/a" }, "output": 1 }), "output: an object is meant"),
            (with("options", "deep_scan", json!(1)), "options.deep_scan: true or false is meant"),
            (
                with("options", "scan_vulnerabilities", json!("no")),
                "options.scan_vulnerabilities: true or false is meant, not a text",
            ),
            (with("options", "profiles", json!("all")), "options.profiles: a list is meant"),
            (with("options", "profiles", json!([1])), "options.profiles: a list of texts is meant"),
            (
                with("options", "profiles", json!(["x"])),
                "options.profiles: there is no \"x\"; there are security, ",
            ),
        ];
        let names: Vec<_> =
            Section::ALL.iter().map(|section| format!("include_{}", section.name())).collect();
        let texts: Vec<_> =
            names.iter().map(|name| format!("options.{name}: true or false is meant")).collect();
        for (name, text) in names.iter().zip(&texts) {
            cases.push((with("options", name, json!("x")), text));
        }
        for (data, part) in cases {
            let refusal = check_form(Operation::Inspect, &data).unwrap_err();
            assert!(refusal.message.starts_with(part), "{data}: {refusal}");
        }
    }

    #[test]
    fn what_is_wrong_with_other_operations_is_named() {
        let image = json!({ "path": "/a" });
        for (operation, data, part) in [
            (Operation::Scan, json!({ "report": 1 }), "report: an object is meant"),
            (Operation::Scan, json!({ "report": {} }), "report: it is no fathom.report/v1"),
            (
                Operation::Scan,
                json!({ "report": {}, "image": image }),
                "report: there is an image too",
            ),
            (Operation::Inspect, json!({ "report": {} }), "image: it is missing"),
            (
                Operation::Profile,
                json!({ "image": image, "profiles": ["x"] }),
                "profiles: there is no \"x\"",
            ),
            (
                Operation::Profile,
                json!({ "image": image, "profiles": [], "options": { "profiles": [] } }),
                "profiles: there is options.profiles too",
            ),
            (Operation::Checksum, json!({ "images": [image] }), "image: it is missing"),
            (
                Operation::Checksum,
                json!({ "image": image, "content": "all" }),
                "content: file or disk is meant, not \"all\"",
            ),
            (
                Operation::Checksum,
                json!({ "image": image, "algorithm": "md5" }),
                "algorithm: sha256 is meant, not \"md5\"",
            ),
            (Operation::Diff, json!({ "before": { "image": image } }), "after: it is missing"),
            (
                Operation::Diff,
                json!({ "before": { "image": image }, "after": { "image": { "path": 1 } } }),
                "after.image.path: a text is meant",
            ),
        ] {
            let refusal = check_form(operation, &data).unwrap_err();
            assert!(refusal.message.starts_with(part), "{data}: {refusal}");
        }
        check_form(Operation::Echo, &json!([1])).unwrap();
        check_form(Operation::Checksum, &json!({ "image": image, "content": "disk" })).unwrap();
    }
}
