//! Registry hives as hivex reads them, and as others replay their transaction logs.
//!
//! hivex makes the hives where it can. What it cannot make (data in pieces, lists of lists, every
//! version) is made by a writer of our own, `hive.py`, and read by hivex.
//!
//! No tool here writes transaction logs, so `log.py` does, of what hivex changed in a hive. It is
//! our reading of the format, as the reader is; that both fit each other proves little. So others
//! replay the same logs: python-registry those of the new format, regipy those of both; what they
//! make of them, hivex reads. That proves the layout of logs, the order that two logs are applied
//! in, and where a log ends whose last entry is torn. It does not prove what Windows writes into
//! logs besides: no log that Windows wrote was read.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use fathom_block::ReadAt;
use fathom_registry::{Hive, Key, State};
use sha2::{Digest as _, Sha256};

use super::{Case, Work};
use crate::shell::project;
use crate::tools;

/// Cases of logs: who else replays them, which state they lead to, and how many problems are told.
const LOGS: &[(&str, &str, &str, usize)] = &[
    ("one", "python-registry", "state3", 0),
    ("pair", "python-registry", "state3", 0),
    ("pair-reversed", "python-registry", "state3", 0),
    ("overflow", "python-registry", "state3", 0),
    ("remnants", "python-registry", "state3", 0),
    ("torn-entry", "python-registry", "state2", 1),
    ("gap", "python-registry", "state2", 1),
    ("header", "python-registry", "state3", 1),
    ("padded", "regipy", "state3", 0),
    ("old", "regipy", "state3", 0),
];

/// Keys and values of every kind, as `regedit` exports them.
const EXPORT: &str = r#"Windows Registry Editor Version 5.00

[\Software]
@="default"
"text"="with \"quotes\" and \\ backslashes"
"dword"=dword:deadbeef
"binary"=hex:00,01,02,ff
"none"=hex(0):
"expand"=hex(2):25,00,41,00,25,00,00,00
"many"=hex(7):61,00,00,00,62,00,00,00,00,00
"qword"=hex(b):01,02,03,04,05,06,07,08

[\Software\Vendor]
"Größe"="ünïcode"

[\Software\Vendor\Deep]

[\Software\Vendor\Deep\Deeper]

[\Software\Vendor\Deep\Deeper\Deepest]
"here"=dword:00000001
"#;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for minor in 1..=6 {
        cases.push(Case::new(format!("registry/version-1.{minor}"), move |work| {
            let written = lines(&python(work, &format!("hive.py {minor} hive"))?);
            let hive = open(work, "hive", 0)?;
            ensure!(hive.minor_version() == minor && hive.state() == State::Clean);
            same("what was written", &written, &ours(&hive)?)?;
            lookups(&hive)?;
            // The cells of version 1.1 are of another form, which hivex does not know.
            if minor > 1 {
                let beyond = hex(b"beyond hivex");
                let known = |set: BTreeSet<String>| -> BTreeSet<String> {
                    set.into_iter()
                        .filter(|line| !line.starts_with(&format!("V {beyond}")))
                        .collect()
                };
                same("hivex", &known(hivex(work, "hive")?), &known(ours(&hive)?))?;
            }
            Ok(())
        }));
    }
    cases.push(Case::new("registry/hivex", |work| {
        states(work, 3, 2000)?;
        let hive = open(work, "state3", 0)?;
        same("hivex", &hivex(work, "state3")?, &ours(&hive)?)?;
        lookups(&hive)
    }));
    cases.push(Case::new("registry/hivexregedit", |work| {
        states(work, 0, 0)?;
        std::fs::write(work.path("export.reg"), EXPORT)?;
        work.bash("hivexregedit --merge state0 export.reg")?;
        let hive = open(work, "state0", 0)?;
        same("hivex", &hivex(work, "state0")?, &ours(&hive)?)?;
        let key = hive.lookup(r"software\vendor\DEEP\deeper\deepest")?.context("no key")?;
        ensure!(key.value("HERE")?.context("no value")?.dword()? == 1);
        let software = hive.lookup("Software")?.context("no key")?;
        let value = |name: &str| software.value(name)?.with_context(|| format!("no {name}"));
        ensure!(value("")?.string()? == "default");
        ensure!(value("text")?.string()? == r#"with "quotes" and \ backslashes"#);
        ensure!(value("expand")?.string()? == "%A%");
        ensure!(value("many")?.strings()? == ["a", "b"]);
        ensure!(value("dword")?.dword()? == 0xDEAD_BEEF);
        ensure!(value("qword")?.qword()? == 0x0807_0605_0403_0201);
        ensure!(value("binary")?.binary()? == [0, 1, 2, 255]);
        Ok(())
    }));
    for (name, tool, state, problems) in LOGS {
        cases.push(Case::new(format!("registry/log-{name}"), move |work| {
            states(work, 3, 60)?;
            python(work, &format!("log.py {name} state1 state2 state3"))?;
            python(work, &format!("replay.py {tool} theirs hive.LOG*"))?;
            let expected = hivex(work, state)?;
            same(tool, &expected, &hivex(work, "theirs")?)?;
            let hive = open(work, "hive", *problems)?;
            ensure!(hive.state() == State::Recovered, "it is {:?}", hive.state());
            same("the state that was logged", &expected, &ours(&hive)?)
        }));
    }
    cases.push(Case::new("registry/log-lost", |work| {
        states(work, 2, 60)?;
        python(work, "log.py one state1 state2; rm hive.LOG1")?;
        let hive = open(work, "hive", 1)?;
        ensure!(hive.state() == State::Dirty, "it is {:?}", hive.state());
        Ok(())
    }));
    cases
}

/// Runs one of our scripts, with whatever Python packages there are.
pub(crate) fn python(work: &Work, script: &str) -> Result<String> {
    let folder = project().join("xtask/src/oracle/registry");
    let python = tools::python_with(&folder.join("requirements.txt"))?;
    work.bash(&format!(
        "export PYTHONPATH='{folder}' PYTHONDONTWRITEBYTECODE=1; '{python}' '{folder}'/{script}",
        folder = folder.display(),
        python = python.display()
    ))
}

/// A hive without keys, and then as many more states of it as hivex made.
pub(crate) fn states(work: &Work, count: u32, keys: u32) -> Result<()> {
    python(work, "hive.py empty state0")?;
    for stage in 0..count {
        work.bash(&format!("cp state{stage} state{}", stage + 1))?;
        python(work, &format!("edit.py state{} {stage} {keys}", stage + 1))?;
    }
    Ok(())
}

/// Opens a hive with the logs beside it; it is to have that many problems.
fn open(work: &Work, name: &str, problems: usize) -> Result<Hive> {
    let read = |path: &Path| -> Result<Arc<dyn ReadAt>> { Ok(Arc::new(std::fs::read(path)?)) };
    let mut logs = Vec::new();
    for number in 1..=2 {
        let path = work.path(&format!("{name}.LOG{number}"));
        if path.exists() {
            logs.push(read(&path)?);
        }
    }
    let hive = Hive::open(read(&work.path(name))?, &logs)?;
    let said = hive.problems();
    ensure!(said.len() == problems, "{said:?}");
    Ok(hive)
}

fn lines(text: &str) -> BTreeSet<String> {
    text.lines().map(str::to_owned).collect()
}

fn hivex(work: &Work, name: &str) -> Result<BTreeSet<String>> {
    python(work, &format!("walk.py {name}")).map(|text| lines(&text))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Visits every key, its path in hexadecimal beside it.
fn walk(hive: &Hive, mut visit: impl FnMut(&str, &Key) -> Result<()>) -> Result<()> {
    let mut keys = vec![(String::new(), hive.root()?)];
    while let Some((path, key)) = keys.pop() {
        visit(&path, &key)?;
        for subkey in key.subkeys() {
            let subkey = subkey?;
            let separator = if path.is_empty() { "" } else { "/" };
            keys.push((format!("{path}{separator}{}", hex(subkey.name().as_bytes())), subkey));
        }
    }
    Ok(())
}

/// What we read, in the form that the scripts print.
fn ours(hive: &Hive) -> Result<BTreeSet<String>> {
    let mut lines = BTreeSet::new();
    walk(hive, |path, key| {
        lines.insert(format!("K {path} {}", key.last_written().0));
        for value in key.values() {
            let value = value?;
            let data = value.data()?;
            let name =
                if value.name().is_empty() { "-".into() } else { hex(value.name().as_bytes()) };
            lines.insert(format!(
                "V {path} {name} {} {} {}",
                value.value_type().number(),
                data.len(),
                hex(&Sha256::digest(&data))
            ));
        }
        Ok(())
    })?;
    ensure!(hive.problems().len() < 2, "{:?}", hive.problems());
    Ok(lines)
}

/// Every seventh key and value is found by its name in capitals.
fn lookups(hive: &Hive) -> Result<()> {
    walk(hive, |_, key| {
        for subkey in key.subkeys().step_by(7) {
            let name = subkey?.name().to_owned();
            let found = key.subkey(&capitals(&name))?;
            ensure!(found.is_some_and(|found| found.name() == name), "{name} is not found");
        }
        for value in key.values().step_by(7) {
            let name = value?.name().to_owned();
            let found = key.value(&capitals(&name))?;
            ensure!(found.is_some_and(|found| found.name() == name), "{name} is not found");
        }
        ensure!(key.subkey("no such key")?.is_none() && key.value("no such value")?.is_none());
        Ok(())
    })
}

/// The name in capitals, where a letter has one that is a single letter.
fn capitals(name: &str) -> String {
    name.chars()
        .map(|letter| {
            let mut capitals = letter.to_uppercase();
            capitals.next().filter(|_| capitals.next().is_none()).unwrap_or(letter)
        })
        .collect()
}

fn same(whose: &str, theirs: &BTreeSet<String>, ours: &BTreeSet<String>) -> Result<()> {
    ensure!(theirs.len() > 10, "{whose}: there is next to nothing: {theirs:?}");
    let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| -> Vec<String> {
        a.difference(b).take(5).cloned().collect()
    };
    ensure!(
        theirs == ours,
        "{whose} differs: only theirs {:#?}, only ours {:#?}",
        only(theirs, ours),
        only(ours, theirs)
    );
    Ok(())
}
