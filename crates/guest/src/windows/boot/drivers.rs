//! Drivers for the hardware of hypervisors.

use fathom_report::{Driver, DriverPlace, DriverPurpose, Listing, Platform};

use super::super::paths;
use super::super::registry::{Node, Registry};
use super::super::users::profiles::system_drive;
use crate::files::Read;

use DriverPurpose::{Bus, Disk, Network, Other};
use Platform::{Hyperv, Virtio, Vmware, Xen};

/// Services of drivers, in small letters.
const DRIVERS: &[(&str, Platform, DriverPurpose)] = &[
    ("viostor", Virtio, Disk),
    ("vioscsi", Virtio, Disk),
    ("netkvm", Virtio, Network),
    ("balloon", Virtio, Other),
    ("vioser", Virtio, Other),
    ("virtioserial", Virtio, Other),
    ("viorng", Virtio, Other),
    ("vioinput", Virtio, Other),
    ("viogpudo", Virtio, Other),
    ("viofs", Virtio, Other),
    ("viomem", Virtio, Other),
    ("pvpanic", Virtio, Other),
    ("fwcfg", Virtio, Other),
    ("pvscsi", Vmware, Disk),
    ("vmxnet3ndis6", Vmware, Network),
    ("vmxnet3", Vmware, Network),
    ("vmxnet", Vmware, Network),
    ("vm3dmp", Vmware, Other),
    ("vm3dmp_loader", Vmware, Other),
    ("vmci", Vmware, Bus),
    ("vsock", Vmware, Other),
    ("vmhgfs", Vmware, Other),
    ("vmmemctl", Vmware, Other),
    ("vmmouse", Vmware, Other),
    ("vmusbmouse", Vmware, Other),
    ("vmrawdsk", Vmware, Other),
    ("vmbus", Hyperv, Bus),
    ("storvsc", Hyperv, Disk),
    ("netvsc", Hyperv, Network),
    ("hyperkbd", Hyperv, Other),
    ("hypervideo", Hyperv, Other),
    ("vmbushid", Hyperv, Other),
    ("dmvsc", Hyperv, Other),
    ("vpci", Hyperv, Bus),
    ("xenbus", Xen, Bus),
    ("xenvbd", Xen, Disk),
    ("xennet", Xen, Network),
    ("xenvif", Xen, Network),
    ("xenfilt", Xen, Other),
    ("xeniface", Xen, Other),
    ("xendisk", Xen, Disk),
];

/// The drivers that are installed, their file too. A driver whose service starts with the loader is
/// there early, whatever the hardware; others are loaded when the hardware is found.
pub(super) fn all(registry: &Registry<'_>) -> Listing<Driver> {
    let services = match registry.control_set("Services") {
        Read::There(services) => services,
        Read::Absent => return Listing::unknown("there is no list of services"),
        Read::Unread(why) => return Listing::unknown(why),
    };
    let drive = system_drive(registry);
    let mut drivers = Vec::new();
    for (name, platform, purpose) in DRIVERS {
        let Read::There(service) = services.child(name) else {
            continue;
        };
        if let Some(place) = place(registry, &service, name, drive) {
            drivers.push(Driver {
                platform: *platform,
                purpose: *purpose,
                name: (*name).to_owned(),
                place,
                evidence: service.place().into(),
            });
        }
    }
    Listing::complete(drivers, vec![services.place().into()])
}

/// When the driver is there; nothing where it is disabled, or is a service without a file.
fn place(
    registry: &Registry<'_>,
    service: &Node<'_>,
    name: &str,
    drive: Option<char>,
) -> Option<DriverPlace> {
    let values = service.values();
    let image = match values.text("ImagePath") {
        Read::There(image) => paths::on_system_drive(&image, drive),
        Read::Absent => Some(format!("/Windows/System32/drivers/{name}.sys")),
        Read::Unread(_) => None,
    }?;
    if !registry.files.exists(&image, super::HIDES) {
        return None;
    }
    match values.number("Start").there()? {
        0 => Some(DriverPlace::Early),
        1..=3 => Some(DriverPlace::Installed),
        _ => None,
    }
}
