//! What speaks with the hypervisor or the cloud.

use fathom_report::ApplicationKind::GuestAgent;

use super::States::{After, Line};
use super::{Known, known, named, states, trace};

pub(super) const ALL: &[Known] = &[
    known(
        GuestAgent,
        "open-vm-tools",
        &["open-vm-tools", "portage:app-emulation/open-vm-tools"],
        &["open-vm-tools", "vmtoolsd", "vmware-vmblock-fuse"],
    ),
    known(
        GuestAgent,
        "vmware-tools",
        &["rpm:vmware-tools-core", "rpm:VMwareTools"],
        &["vmware-tools"],
    )
    .at(&[
        states(
            "/etc/vmware-tools:locations",
            After("manifest.txt.shipped", "vmtoolsd.version = \""),
        ),
        trace("/usr/lib/vmware-tools:sbin64/vmtoolsd"),
    ]),
    known(GuestAgent, "qemu-guest-agent", &["qemu-guest-agent"], &["qemu-guest-agent", "qemu-ga"]),
    known(
        GuestAgent,
        "hyperv-daemons",
        &[
            "hyperv-daemons",
            "deb:linux-cloud-tools-common",
            "rpm:hypervkvpd",
            "rpm:hyper-v",
            "apk:hvtools",
            "pacman:hyperv",
        ],
        &[
            "hv-kvp-daemon",
            "hv_kvp_daemon",
            "hypervkvpd",
            "hv-vss-daemon",
            "hv_vss_daemon",
            "hypervvssd",
        ],
    ),
    known(
        GuestAgent,
        "cloud-init",
        &["cloud-init"],
        &["cloud-init", "cloud-init-local", "cloud-init-main"],
    ),
    known(
        GuestAgent,
        "azure-agent",
        &["deb:walinuxagent", "deb:waagent", "rpm:WALinuxAgent", "rpm:python-azure-agent"],
        &["walinuxagent", "waagent"],
    )
    .at(&[trace("/usr/sbin/waagent")]),
    known(
        GuestAgent,
        "amazon-ssm-agent",
        &["amazon-ssm-agent", "snap:amazon-ssm-agent"],
        &["amazon-ssm-agent", "snap.amazon-ssm-agent.amazon-ssm-agent"],
    ),
    known(GuestAgent, "ec2-instance-connect", &["ec2-instance-connect"], &[]),
    known(GuestAgent, "ec2-net-utils", &["amazon-ec2-net-utils", "ec2-net-utils"], &[]),
    known(
        GuestAgent,
        "google-guest-agent",
        &["google-guest-agent", "google-compute-engine"],
        &["google-guest-agent", "google-guest-agent-manager"],
    ),
    known(
        GuestAgent,
        "google-osconfig-agent",
        &["google-osconfig-agent"],
        &["google-osconfig-agent"],
    ),
    known(
        GuestAgent,
        "oracle-cloud-agent",
        &["oracle-cloud-agent", "snap:oracle-cloud-agent"],
        &["oracle-cloud-agent", "snap.oracle-cloud-agent.oracle-cloud-agent"],
    ),
    known(GuestAgent, "aliyun-assist", &["aliyun_assist"], &["aliyun"])
        .at(&[trace("/usr/local/share/aliyun-assist")]),
    known(
        GuestAgent,
        "xe-guest-utilities",
        &[
            "xe-guest-utilities",
            "deb:xen-guest-agent",
            "rpm:xen-guest-agent",
            "apk:xe-guest-utilities",
        ],
        &["xe-linux-distribution", "xe-daemon", "xen-guest-agent"],
    ),
    known(
        GuestAgent,
        "spice-vdagent",
        &["spice-vdagent"],
        &["spice-vdagentd", "spice-vdagent", "spice-vdagentd.socket"],
    ),
    known(
        GuestAgent,
        "ovirt-guest-agent",
        &["deb:ovirt-guest-agent", "rpm:ovirt-guest-agent-common", "rpm:rhevm-guest-agent-common"],
        &["ovirt-guest-agent"],
    ),
    known(
        GuestAgent,
        "virtualbox-guest-additions",
        &[
            "deb:virtualbox-guest-utils",
            "rpm:virtualbox-guest-additions",
            "apk:virtualbox-guest-additions",
            "pacman:virtualbox-guest-utils",
            "pacman:virtualbox-guest-utils-nox",
        ],
        &["vboxadd", "vboxadd-service", "vboxservice", "virtualbox-guest-utils"],
    )
    .at(&[named("/opt/VBoxGuestAdditions-#")]),
    known(GuestAgent, "parallels-tools", &[], &["prltoolsd"])
        .at(&[states("/usr/lib/parallels-tools:version", Line("version"))]),
    known(GuestAgent, "nutanix-guest-tools", &["nutanix-guest-agent"], &["ngt_guest_agent"])
        .at(&[trace("/usr/local/nutanix/ngt")]),
];
