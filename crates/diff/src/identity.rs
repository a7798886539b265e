//! What a system is.

use fathom_report::{Fact, Part, System};

use crate::context::{Context, word};

pub(crate) fn compare(before: &System, after: &System, context: &mut Context) {
    let (one, other) = (&before.identity, &after.identity);
    let mut text = |what: &str, pair: (&Fact<String>, &Fact<String>)| {
        context.fact(Part::Identity, what, pair, Clone::clone);
    };
    text("distribution", (&one.distribution, &other.distribution));
    text("name", (&one.name, &other.name));
    text("version", (&one.version, &other.version));
    text("codename", (&one.codename, &other.codename));
    text("edition", (&one.edition, &other.edition));
    text("release", (&one.build, &other.build));
    text("host name", (&one.hostname, &other.hostname));
    text("machine id", (&one.machine_id, &other.machine_id));
    text("time zone", (&one.time_zone, &other.time_zone));
    text("language", (&one.locale, &other.locale));
    text("installed", (&one.installed, &other.installed));
    text("CPE", (&one.cpe, &other.cpe));
    let pair = (&one.architecture, &other.architecture);
    context.fact(Part::Identity, "architecture", pair, |it| it.0.clone());
    let pair = (&one.first_boot, &other.first_boot);
    context.fact(Part::Identity, "first boot", pair, word);
    let pair = (&one.end_of_life, &other.end_of_life);
    context.fact(Part::Identity, "end of life", pair, |it| match &it.extended {
        Some(extended) => format!("{}, extended until {extended}", it.support),
        None => it.support.clone(),
    });
}
