//! What the disks are made of, what is mounted and where it swaps.

use std::io;

use fathom_report::{Coverage, Report, System};

use super::{Column, List, Sink, Value, detail, key, listing, main, number, spare};

const MOUNTS: &[Column] = &[
    key("path"),
    key("device"),
    main("kind"),
    spare("volume"),
    spare("options"),
    detail("evidence"),
];
const SWAP: &[Column] = &[key("device"), detail("evidence")];
const VOLUMES: &[Column] = &[
    key("volume"),
    number(key("size")),
    key("content"),
    number(main("use")),
    number(main("used")),
    main("health"),
    spare("label"),
    main("encrypted"),
    detail("layer"),
    detail("uuid"),
    detail("parents"),
];

/// The columns of its lists.
pub(super) const LISTS: &[&[Column]] = &[VOLUMES, MOUNTS, SWAP];

pub(super) fn mounts(system: &System, sink: &mut dyn Sink) -> io::Result<()> {
    listing("Mounts", MOUNTS, &system.mounts, sink, |mount, sink| {
        sink.row(&[
            Value::text(mount.path.as_str()),
            Value::text(mount.device.as_str()),
            Value::text(mount.kind.as_str()),
            Value::maybe(mount.volume.as_deref()),
            Value::texts(&mount.options),
            Value::text(mount.evidence.0.as_str()),
        ])
    })?;
    listing("Swap", SWAP, &system.swap, sink, |swap, sink| {
        let evidence = Value::text(swap.evidence.0.as_str());
        sink.row(&[Value::text(swap.device.as_str()), evidence])
    })
}

/// How much of the whole a part is, in percent. A part that is more than the whole is damage, and
/// nothing to draw.
pub fn percent(used: u64, size: u64) -> Option<u8> {
    let percent = u128::from(used) * 100 / u128::from(std::num::NonZero::new(size)?.get());
    u8::try_from(percent).ok().filter(|percent| *percent <= 100)
}

pub(super) fn volumes(report: &Report, sink: &mut dyn Sink) -> io::Result<()> {
    let (coverage, reason) = (Coverage::Complete, None);
    sink.begin(&List { title: "Volumes", columns: VOLUMES, facts: false, coverage, reason })?;
    for volume in &report.storage.volumes {
        let percent = volume.used.and_then(|used| percent(used, volume.size));
        sink.row(&[
            Value::text(volume.id.as_str()),
            Value::Size(volume.size),
            Value::text(volume.content.as_str()),
            percent.map_or(Value::Absent, |percent| Value::text(format!("{percent}%"))),
            volume.used.map_or(Value::Absent, Value::Size),
            Value::maybe(volume.health.as_deref()),
            Value::maybe(volume.label.as_deref()),
            if volume.encrypted { Value::Flag(true) } else { Value::Absent },
            Value::text(volume.layer.as_str()),
            Value::maybe(volume.uuid.as_deref()),
            Value::texts(&volume.parents),
        ])?;
    }
    sink.end()
}
