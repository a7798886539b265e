//! `fathom stat`.

use fathom_filesystem::Found;
use serde::Serialize;

use super::entry::{Entry, Look, hex, type_name};
use crate::args::Stat;
use crate::exit::{Each, Failure, Verdict};
use crate::machine::{Machine, guest_path};
use crate::output::Out;
use crate::text;

/// A file and its extended attributes as JSON shows them.
#[derive(Serialize)]
struct Full {
    #[serde(flatten)]
    entry: Entry,
    filesystem: String,
    xattrs: Vec<Attribute>,
}

#[derive(Serialize)]
struct Attribute {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    hex: String,
}

pub(crate) fn run(options: &Stat) -> Result<Verdict, Failure> {
    let machine = Machine::open(&options.paths.source)?;
    let tree = machine.files(&options.paths.on)?;
    let mut out = Out::new();
    let mut all = Vec::new();
    let mut each = Each::of(options.paths.paths.len());
    let mut one = |path: &[u8], first: bool| {
        let found = tree.resolve(path, options.follow)?;
        let look = Look::at(path, &found);
        if options.output.is_json() {
            all.push(full(path, &found, &look)?);
            return Ok(());
        }
        if !first {
            out.line("")?;
        }
        print(path, &found, look, &mut out)
    };
    for (index, path) in options.paths.paths.iter().enumerate() {
        each.note(one(guest_path(path), index == 0))?;
    }
    if options.output.is_json() {
        out.json(&all)?;
    }
    out.finish()?;
    each.verdict(false)
}

fn full(path: &[u8], found: &Found, look: &Look<'_>) -> Result<Full, Failure> {
    if let Err(error) = &look.metadata {
        return Err(error.clone().into());
    }
    let xattrs = found.xattrs()?.into_iter().map(|xattr| Attribute {
        name: String::from_utf8_lossy(&xattr.name).into_owned(),
        value: printable(&xattr.value),
        hex: hex(&xattr.value),
    });
    Ok(Full {
        entry: Entry::new(path, look),
        filesystem: found.filesystem.info().variant,
        xattrs: xattrs.collect(),
    })
}

/// The value as text, if it is text; many attributes end with a zero byte.
fn printable(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value.strip_suffix(&[0]).unwrap_or(value)).ok()?;
    (!text.chars().any(char::is_control)).then(|| text.to_owned())
}

fn print(path: &[u8], found: &Found, look: Look<'_>, out: &mut Out) -> Result<(), Failure> {
    let metadata = look.metadata?;
    let mut line = |name: &str, value: String| out.line(format!("{name:>12}: {value}"));
    line("path", text::name(path))?;
    line("type", type_name(metadata.file_type).to_owned())?;
    if let Some(problem) = look.problem {
        return Err(problem.into());
    }
    if let Some(target) = &look.target {
        line("target", text::name(target))?;
    }
    line("size", format!("{} bytes, {} allocated", metadata.size, metadata.allocated))?;
    line("mode", format!("{:04o} {}", metadata.mode, text::permissions(metadata.mode)))?;
    line("owner", format!("{}:{}", metadata.uid, metadata.gid))?;
    line("links", metadata.links.to_string())?;
    line("inode", format!("{} on {}", found.node.inode, found.filesystem.info().variant))?;
    if let Some((major, minor)) = metadata.device {
        line("device", format!("{major}:{minor}"))?;
    }
    line("modified", metadata.modified.to_string())?;
    let others = [
        ("changed", metadata.changed),
        ("accessed", metadata.accessed),
        ("created", metadata.created),
    ];
    for (name, time) in others {
        if let Some(time) = time {
            line(name, time.to_string())?;
        }
    }
    for xattr in found.xattrs()? {
        let value = printable(&xattr.value).unwrap_or_else(|| format!("0x{}", hex(&xattr.value)));
        line("attribute", format!("{} = {value}", text::name(&xattr.name)))?;
    }
    Ok(())
}
