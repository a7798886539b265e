//! The report as people read it: a summary of each section, or one section in full.

use fathom_report::{
    Enabled, Fact, Listing, Package, PackageKind, PasswordState, Report, Service, System, User,
};

use crate::args::Section;
use crate::exit::Failure;
use crate::output::{Columns, Out};
use crate::text::{harmless, size};

/// Prints the report: the sections that were asked for in full, or else a summary of all.
pub(super) fn print(report: &Report, sections: &[Section], out: &mut Out) -> Result<(), Failure> {
    for disk in &report.disks {
        let (name, format) = (harmless(&disk.name), &disk.format);
        out.line(format!("{name}: {format}, {}", size(disk.virtual_size)))?;
    }
    if report.systems.is_empty() {
        out.line("\nno operating system found")?;
    }
    for system in &report.systems {
        out.line(format!("\n{} on {}", title(system), harmless(&system.root)))?;
        if sections.is_empty() {
            summary(system, out)?;
        }
        for section in sections {
            out.line("")?;
            match section {
                Section::Identity => identity(system, out)?,
                Section::Packages => packages(&system.packages, out)?,
                Section::Users => users(system, out)?,
                Section::Services => services(&system.services, out)?,
                Section::Storage => mounts(system, out)?,
                Section::Problems => problems(&system.problems, out)?,
            }
        }
    }
    if sections.is_empty() || sections.contains(&Section::Storage) {
        out.line("\nDisks")?;
        storage(report, out)?;
    }
    if sections.contains(&Section::Problems) {
        problems(&report.problems, out)?;
    }
    Ok(())
}

fn title(system: &System) -> String {
    let identity = &system.identity;
    match (&identity.name, &identity.distribution) {
        (Fact::Known { value, .. }, _) | (_, Fact::Known { value, .. }) => harmless(value),
        _ => format!("unknown {:?} system", identity.family),
    }
}

/// A fact in words.
fn shown<T>(fact: &Fact<T>, show: impl Fn(&T) -> String) -> String {
    match fact {
        Fact::Known { value, .. } => harmless(&show(value)),
        Fact::Absent { .. } => "-".to_owned(),
        Fact::Unknown { reason } => format!("unknown: {}", harmless(reason)),
    }
}

fn rows(rows: &[(&str, String)], out: &mut Out) -> Result<(), Failure> {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in rows {
        out.line(format!("  {name:width$}  {value}"))?;
    }
    Ok(())
}

fn summary(system: &System, out: &mut Out) -> Result<(), Failure> {
    let identity = &system.identity;
    let words = |facts: &[&Fact<String>]| {
        let known: Vec<_> = facts.iter().filter_map(|fact| fact.value().cloned()).collect();
        if known.is_empty() { shown(facts[0], Clone::clone) } else { harmless(&known.join(" ")) }
    };
    let users = &system.users;
    let logins = users.accounts.items.iter().filter(|user| may_log_in(user));
    let names: Vec<_> = logins.map(|user| harmless(&user.name)).collect();
    let accounts = match names.len() {
        0 => counted(&users.accounts, "accounts"),
        _ => format!("{}; {} may log in", counted(&users.accounts, "accounts"), names.join(", ")),
    };
    rows(
        &[
            ("system", words(&[&identity.distribution, &identity.version, &identity.codename])),
            ("release", shown(&identity.build, Clone::clone)),
            ("architecture", shown(&identity.architecture, |it| it.0.clone())),
            ("host name", shown(&identity.hostname, Clone::clone)),
            ("machine id", shown(&identity.machine_id, Clone::clone)),
            ("time zone", shown(&identity.time_zone, Clone::clone)),
            ("language", shown(&identity.locale, Clone::clone)),
            ("installed", shown(&identity.installed, Clone::clone)),
            ("packages", package_summary(&system.packages)),
            ("users", accounts),
            ("services", service_summary(&system.services)),
            ("mounts", counted(&system.mounts, "in fstab")),
            ("problems", system.problems.len().to_string()),
        ],
        out,
    )
}

/// How many there are, and whether that is all.
fn counted<T>(listing: &Listing<T>, what: &str) -> String {
    let count = listing.items.len();
    match (&listing.coverage, &listing.reason) {
        (fathom_report::Coverage::Unknown, Some(why)) => format!("unknown: {}", harmless(why)),
        (fathom_report::Coverage::Unknown, None) => "unknown".to_owned(),
        (fathom_report::Coverage::Partial, why) => format!(
            "{count} {what}, and perhaps more: {}",
            harmless(why.as_deref().unwrap_or("some could not be read"))
        ),
        (fathom_report::Coverage::Complete, Some(why)) if count == 0 => {
            format!("none: {}", harmless(why))
        }
        (fathom_report::Coverage::Complete, _) => format!("{count} {what}"),
    }
}

fn package_summary(packages: &Listing<Package>) -> String {
    let mut kinds: Vec<(PackageKind, usize)> = Vec::new();
    for package in &packages.items {
        match kinds.iter_mut().find(|(kind, _)| *kind == package.kind) {
            Some((_, count)) => *count += 1,
            None => kinds.push((package.kind, 1)),
        }
    }
    match kinds.as_slice() {
        [(kind, _)] => counted(packages, kind.name()),
        [] => counted(packages, "packages"),
        several => {
            let parts: Vec<_> =
                several.iter().map(|(kind, count)| format!("{count} {}", kind.name())).collect();
            format!("{} ({})", counted(packages, "packages"), parts.join(", "))
        }
    }
}

fn identity(system: &System, out: &mut Out) -> Result<(), Failure> {
    let identity = &system.identity;
    let text = |fact: &Fact<String>| match fact {
        Fact::Known { value, evidence } => {
            let places: Vec<_> = evidence.iter().map(|place| place.0.as_str()).collect();
            format!("{}  [{}]", harmless(value), harmless(&places.join(", ")))
        }
        other => shown(other, Clone::clone),
    };
    rows(
        &[
            ("family", format!("{:?}", identity.family).to_lowercase()),
            ("distribution", text(&identity.distribution)),
            ("name", text(&identity.name)),
            ("version", text(&identity.version)),
            ("codename", text(&identity.codename)),
            ("edition", text(&identity.edition)),
            ("release", text(&identity.build)),
            ("architecture", text(&identity.architecture.clone().map(|it| it.0))),
            ("host name", text(&identity.hostname)),
            ("machine id", text(&identity.machine_id)),
            ("time zone", text(&identity.time_zone)),
            ("language", text(&identity.locale)),
            ("installed", text(&identity.installed)),
            (
                "first boot",
                text(&identity.first_boot.clone().map(|it| format!("{it:?}").to_lowercase())),
            ),
            ("CPE", text(&identity.cpe)),
        ],
        out,
    )
}

fn packages(packages: &Listing<Package>, out: &mut Out) -> Result<(), Failure> {
    out.line(format!("Packages: {}", package_summary(packages)))?;
    let mut columns = Columns::new(&[]);
    for package in &packages.items {
        let cells = [
            package.kind.name(),
            &package.name,
            &package.full_version(),
            package.architecture.as_deref().unwrap_or("-"),
            package.state.as_deref().unwrap_or(""),
        ];
        columns.row(cells.map(harmless).to_vec());
    }
    columns.write(out)
}

/// Whether somebody can be behind it: it has a shell and a password or a key.
fn may_log_in(user: &User) -> bool {
    let shell = user.shell.as_deref().unwrap_or("/bin/sh");
    let has_shell = !["nologin", "false", "sync", "shutdown", "halt"]
        .iter()
        .any(|name| shell.ends_with(&format!("/{name}")));
    let has_password =
        matches!(user.password.value(), Some(PasswordState::Set | PasswordState::Empty));
    has_shell && (has_password || !user.keys.items.is_empty())
}

fn users(system: &System, out: &mut Out) -> Result<(), Failure> {
    let users = &system.users;
    out.line(format!("Accounts: {}", counted(&users.accounts, "")))?;
    let mut columns = Columns::new(&[1]);
    for user in &users.accounts.items {
        let password = shown(&user.password, |state| match state {
            PasswordState::Set => user.algorithm.clone().unwrap_or_else(|| "set".to_owned()),
            PasswordState::Empty => "EMPTY".to_owned(),
            PasswordState::Locked => "locked".to_owned(),
        });
        let keys = match user.keys.items.len() {
            0 => String::new(),
            count => format!("{count} keys"),
        };
        columns.row(vec![
            harmless(&user.name),
            harmless(&user.id),
            harmless(user.shell.as_deref().unwrap_or("-")),
            password,
            keys,
            harmless(&user.groups.join(",")),
        ]);
    }
    columns.write(out)?;
    for user in &users.accounts.items {
        for key in &user.keys.items {
            let comment = key.comment.as_deref().unwrap_or("");
            let line = format!("{}: {} {} {comment}", user.name, key.kind, key.fingerprint);
            out.line(harmless(line.trim_end()))?;
        }
    }
    out.line(format!("\nsudo: {}", counted(&users.sudo, "rules")))?;
    users.sudo.items.iter().try_for_each(|rule| out.line(format!("  {}", harmless(rule))))
}

fn service_summary(services: &Listing<Service>) -> String {
    let enabled = services.items.iter().filter(|it| it.enabled.value() == Some(&Enabled::Enabled));
    match enabled.count() {
        0 => counted(services, "services"),
        enabled => format!("{}; {enabled} enabled", counted(services, "services")),
    }
}

fn services(services: &Listing<Service>, out: &mut Out) -> Result<(), Failure> {
    out.line(format!("Services: {}", service_summary(services)))?;
    let mut columns = Columns::new(&[]);
    for service in &services.items {
        let state = shown(&service.enabled, |state| format!("{state:?}").to_lowercase());
        let what = match (service.triggers.as_slice(), service.commands.as_slice()) {
            ([], []) => service.description.clone().unwrap_or_default(),
            ([], commands) => commands.join("; "),
            (triggers, _) => triggers.join(", "),
        };
        columns.row(vec![
            format!("{:?}", service.kind).to_lowercase(),
            harmless(&service.name),
            state,
            harmless(&what),
        ]);
    }
    columns.write(out)
}

fn mounts(system: &System, out: &mut Out) -> Result<(), Failure> {
    out.line(format!("Mounts: {}", counted(&system.mounts, "in fstab")))?;
    let mut columns = Columns::new(&[]);
    for mount in &system.mounts.items {
        columns.row(vec![
            format!("  {}", harmless(&mount.path)),
            harmless(&mount.device),
            harmless(&mount.kind),
            harmless(mount.volume.as_deref().unwrap_or("")),
        ]);
    }
    columns.write(out)?;
    out.line(format!("Swap: {}", counted(&system.swap, "in fstab")))?;
    system.swap.items.iter().try_for_each(|swap| out.line(format!("  {}", harmless(&swap.device))))
}

fn storage(report: &Report, out: &mut Out) -> Result<(), Failure> {
    let mut columns = Columns::new(&[1, 3]);
    for volume in &report.storage.volumes {
        columns.row(vec![
            format!("  {}", harmless(&volume.id)),
            size(volume.size),
            harmless(&volume.content),
            volume.used.map(|used| format!("{} used", size(used))).unwrap_or_default(),
            volume.health.clone().unwrap_or_default(),
        ]);
    }
    columns.write(out)
}

fn problems(problems: &[fathom_report::Problem], out: &mut Out) -> Result<(), Failure> {
    for problem in problems {
        let hides = problem.hides.as_deref().map_or(String::new(), |it| format!(" [hides {it}]"));
        out.line(harmless(&format!("  {}{hides}", problem.message)))?;
    }
    Ok(())
}
