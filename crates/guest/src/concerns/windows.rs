//! What Windows keeps.

use fathom_report::{Family, Mount, Platform, Setting};

use super::Subject;
use super::answer::{Answer, Search};
use super::start::early_disks;

pub(super) fn no_virtio(subject: &Subject<'_>) -> Answer {
    if !subject.is(Family::Windows) {
        return Answer::No;
    }
    let message = "neither viostor nor vioscsi starts with the loader: on KVM it stops with \
                   INACCESSIBLE_BOOT_DEVICE. Install the virtio drivers before the move, or put them in \
                   with a tool for it";
    let drivers = &subject.system.boot.drivers;
    early_disks(subject, Platform::Virtio).answer_if_none(message, &drivers.evidence)
}

/// The settings whose name begins so.
fn settings(subject: &Subject<'_>, start: &str) -> Search {
    Search::new().of(&subject.system.security.settings, |setting: &Setting| {
        let hit = setting.name.starts_with(start) && !matches!(setting.value.as_str(), "no" | "0");
        Ok(hit.then(|| (setting.name.clone(), setting.evidence.clone().into_iter().collect())))
    })
}

pub(super) fn pending(subject: &Subject<'_>) -> Answer {
    if !subject.is(Family::Windows) {
        return Answer::No;
    }
    settings(subject, "pending-restart.").answer(
        "a restart is pending",
        "Restart it first, so that updates are not finished on other hardware",
    )
}

pub(super) fn hibernated(subject: &Subject<'_>) -> Answer {
    if !subject.is(Family::Windows) {
        return Answer::No;
    }
    let dirty = subject.storage.volumes.iter().filter(|volume| {
        volume.content.contains("NTFS") && volume.health.as_deref() == Some("dirty")
    });
    let search = dirty.fold(settings(subject, "hibernat"), |search, volume| {
        search.with(format!("{} was not unmounted", volume.id), vec![volume.id.clone().into()])
    });
    let told =
        subject.system.security.settings.items.iter().any(|it| it.name.starts_with("hibernat"));
    match search.any() {
        // Without a word on the file of hibernation nothing is known of it.
        Ok(false) if !told => {
            Answer::Unknown("whether it was hibernated is not looked for".to_owned())
        }
        _ => search.answer(
            "it was hibernated, left by fast startup, or not shut down",
            "Start it and shut it down with shutdown /s /t 0",
        ),
    }
}

pub(super) fn activation(subject: &Subject<'_>) -> Answer {
    if !subject.is(Family::Windows) {
        return Answer::No;
    }
    Answer::Yes {
        message: "on other hardware Windows may ask to be activated anew: have the key, or reach the \
                  server that activates it. A licence of the old machine's maker (OEM) does not come \
                  along"
            .to_owned(),
        evidence: Vec::new(),
    }
}

pub(super) fn letters(subject: &Subject<'_>) -> Answer {
    if !subject.is(Family::Windows) {
        return Answer::No;
    }
    let hit = |mount: &Mount| {
        let is_drive = mount.path.len() <= 3 && mount.path.contains(':');
        let device = mount.device.to_lowercase();
        let is_removable = ["cdrom", "floppy", "usbstor"].iter().any(|kind| device.contains(kind));
        let is = is_drive && mount.volume.is_none() && !is_removable;
        Ok(is.then(|| (mount.path.clone(), vec![mount.evidence.clone()])))
    };
    Search::new().of(&subject.system.mounts, hit).answer(
        "letters of drives lead to no volume that was given",
        "Give the disk with --disk, or see that nothing needs it",
    )
}
