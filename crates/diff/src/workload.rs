//! What a system starts and is there for.

use fathom_report::{Part, ServiceKind, System};

use crate::context::{Context, word};
use crate::keyed::{Item, Known, Names, lists};

pub(crate) fn compare(before: &System, after: &System, context: &mut Context) {
    let names = Names { part: Part::Services, list: "services", item: "service" };
    lists(
        names,
        (&before.services, &after.services),
        |service| {
            let fields = vec![
                ("enabled", Known::fact(&service.enabled, word)),
                ("start", Known::maybe(service.start.as_deref())),
                ("commands", Known::list(&service.commands)),
                ("further commands", Known::list(&service.further_commands)),
                ("user", Known::maybe(service.user.as_deref())),
                ("triggers", Known::set(&service.triggers)),
            ];
            // Several accounts may keep a unit of one name.
            let of = match (&service.kind, &service.user) {
                (ServiceKind::UserUnit, Some(user)) => format!(" of {user}"),
                _ => String::new(),
            };
            let name = format!("{}{of} ({})", service.name, word(&service.kind));
            (name, Item { fields, evidence: service.evidence.clone() })
        },
        context,
    );
    let names = Names { part: Part::Applications, list: "applications", item: "application" };
    lists(
        names,
        (&before.applications, &after.applications),
        |one| {
            let fields = vec![
                ("version", Known::fact(&one.version, Clone::clone)),
                ("started", Known::fact(&one.started, ToString::to_string)),
                ("location", Known::maybe(one.location.as_deref())),
            ];
            (one.name.clone(), Item { fields, evidence: one.evidence.clone() })
        },
        context,
    );
    let names = Names { part: Part::Containers, list: "images", item: "image" };
    lists(
        names,
        (&before.containers.images, &after.containers.images),
        |image| {
            let fields = vec![
                ("names", Known::set(&image.names)),
                ("architecture", Known::maybe(image.architecture.as_deref())),
            ];
            let evidence = vec![image.evidence.clone()];
            (format!("{} {}", image.engine, image.id), Item { fields, evidence })
        },
        context,
    );
    let names = Names { part: Part::Containers, list: "containers", item: "container" };
    lists(
        names,
        (&before.containers.containers, &after.containers.containers),
        |one| {
            let fields = vec![
                ("id", Known::Is(one.id.clone())),
                ("image", Known::maybe(one.image.as_deref())),
                ("image id", Known::maybe(one.image_id.as_deref())),
                ("state", Known::maybe(one.state.as_deref())),
                ("command", Known::list(&one.command)),
                ("restart", Known::maybe(one.restart.as_deref())),
                ("privileged", Known::maybe(one.privileged)),
                ("mounts", Known::set(&one.mounts)),
                ("ports", Known::set(&one.ports)),
            ];
            let name = one.name.as_deref().unwrap_or(&one.id);
            let evidence = vec![one.evidence.clone()];
            (format!("{} {name}", one.engine), Item { fields, evidence })
        },
        context,
    );
}
