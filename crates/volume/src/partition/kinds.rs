//! What partition types are commonly called.

/// The common name of an MBR partition type.
pub(super) fn mbr(kind: u8) -> Option<&'static str> {
    Some(match kind {
        0x01 => "FAT12",
        0x04 | 0x06 | 0x0E => "FAT16",
        0x05 | 0x0F | 0x85 => "extended",
        0x07 => "NTFS or exFAT",
        0x0B | 0x0C => "FAT32",
        0x11 | 0x14 | 0x16 | 0x17 | 0x1B | 0x1C | 0x1E => "hidden FAT or NTFS",
        0x12 => "vendor diagnostics",
        0x27 => "Windows recovery",
        0x39 => "Plan 9",
        0x41 => "PowerPC PReP boot",
        0x42 => "Windows dynamic disk",
        0x63 => "Unix System V",
        0x80 | 0x81 => "Minix",
        0x82 => "Linux swap",
        0x83 => "Linux",
        0x84 => "hibernation",
        0x8E => "Linux LVM",
        0xA5 => "FreeBSD",
        0xA6 => "OpenBSD",
        0xA8 => "Darwin UFS",
        0xA9 => "NetBSD",
        0xAB => "Darwin boot",
        0xAF => "HFS",
        0xBE => "Solaris boot",
        0xBF => "Solaris",
        0xDA => "non-filesystem data",
        0xE8 => "LUKS",
        0xEA => "Linux extended boot",
        0xEE => "GPT protective",
        0xEF => "EFI system",
        0xFB => "VMware VMFS",
        0xFC => "VMware swap",
        0xFD => "Linux RAID",
        _ => return None,
    })
}

/// The common name of a GPT partition type, which is a GUID in lower case.
pub(super) fn gpt(kind: &str) -> Option<&'static str> {
    GPT.iter().find(|(guid, _)| *guid == kind).map(|(_, name)| *name)
}

/// A member of a Windows dynamic disk.
pub(super) const LDM_DATA: &str = "af9b60a0-1431-4f62-bc68-3311714a69ad";

/// The database of a Windows dynamic disk.
pub(super) const LDM_METADATA: &str = "5808c8aa-7e8f-42e0-85d2-e1e90434cfb3";

/// A member of a Storage Spaces pool.
pub(super) const STORAGE_SPACES: &str = "e75caf8f-f680-4cee-afa3-b001e56efc2d";

/// From the UEFI specification, the Discoverable Partitions Specification and the vendors' own
/// lists.
const GPT: &[(&str, &str)] = &[
    ("c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "EFI system"),
    ("21686148-6449-6e6f-744e-656564454649", "BIOS boot"),
    ("024dee41-33e7-11d3-9d69-0008c781f39f", "MBR partition scheme"),
    ("bc13c2ff-59e6-4262-a352-b275fd6f7172", "Linux extended boot"),
    ("0fc63daf-8483-4772-8e79-3d69d8477de4", "Linux filesystem"),
    ("0657fd6d-a4ab-43c4-84e5-0933c84b4f4f", "Linux swap"),
    ("e6d6d379-f507-44c2-a23c-238f2a3df928", "Linux LVM"),
    ("a19d880f-05fc-4d3b-a006-743f0f84911e", "Linux RAID"),
    ("ca7d7ccb-63ed-4c53-861c-1742536059cc", "LUKS"),
    ("7ffec5c9-2d00-49b7-8941-3ea10a5586b7", "dm-crypt"),
    ("8da63339-0007-60c0-c436-083ac8230908", "Linux reserved"),
    ("933ac7e1-2eb4-4f13-b844-0e14e2aef915", "Linux home"),
    ("3b8f8425-20e0-4f3b-907f-1a25a76f98e8", "Linux server data"),
    ("4d21b016-b534-45c2-a9fb-5c16e091fd2d", "Linux variable data"),
    ("7ec6f557-3bc5-4aca-b293-16ef5df639d1", "Linux temporary data"),
    ("44479540-f297-41b2-9af7-d131d5f0458a", "Linux root (x86)"),
    ("4f68bce3-e8cd-4db1-96e7-fbcaf984b709", "Linux root (x86-64)"),
    ("69dad710-2ce4-4e3c-b16c-21a1d49abed3", "Linux root (ARM)"),
    ("b921b045-1df0-41c3-af44-4c6f280d3fae", "Linux root (ARM64)"),
    ("72ec70a6-cf74-40e6-bd49-4bda08e8f224", "Linux root (RISC-V 64)"),
    ("75250d76-8cc6-458e-bd66-bd47cc81a812", "Linux /usr (x86)"),
    ("8484680c-9521-48c6-9c11-b0720656f69e", "Linux /usr (x86-64)"),
    ("b0e01050-ee5f-4390-949a-9101b17104e9", "Linux /usr (ARM64)"),
    ("2c7357ed-ebd2-46d9-aec1-23d437ec2bf5", "Linux root verity (x86-64)"),
    ("77ff5f63-e7b6-4633-acf4-1565b864c0e6", "Linux /usr verity (x86-64)"),
    ("e3c9e316-0b5c-4db8-817d-f92df00215ae", "Microsoft reserved"),
    ("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7", "Microsoft basic data"),
    ("de94bba4-06d1-4d40-a16a-bfd50179d6ac", "Windows recovery"),
    (LDM_METADATA, "Windows dynamic disk database"),
    (LDM_DATA, "Windows dynamic disk"),
    (STORAGE_SPACES, "Storage Spaces"),
    ("558d43c5-a1ac-43c0-aac8-d1472b2923d1", "Storage replica"),
    ("37affc90-ef7d-4e96-91c3-2d7ae055b174", "IBM GPFS"),
    ("aa31e02a-400f-11db-9590-000c2911d1b8", "VMware VMFS"),
    ("9d275380-40ad-11db-bf97-000c2911d1b8", "VMware diagnostics"),
    ("9198effc-31c0-11db-8f78-000c2911d1b8", "VMware reserved"),
    ("381cfccc-7288-11e0-92ee-000c2911d0b2", "VMware vSAN"),
    ("48465300-0000-11aa-aa11-00306543ecac", "Apple HFS+"),
    ("7c3457ef-0000-11aa-aa11-00306543ecac", "Apple APFS"),
    ("52414944-0000-11aa-aa11-00306543ecac", "Apple RAID"),
    ("426f6f74-0000-11aa-aa11-00306543ecac", "Apple boot"),
    ("53746f72-6167-11aa-aa11-00306543ecac", "Apple Core Storage"),
    ("83bd6b9d-7f41-11dc-be0b-001560b84f0f", "FreeBSD boot"),
    ("516e7cb4-6ecf-11d6-8ff8-00022d09712b", "FreeBSD disklabel"),
    ("516e7cb5-6ecf-11d6-8ff8-00022d09712b", "FreeBSD swap"),
    ("516e7cb6-6ecf-11d6-8ff8-00022d09712b", "FreeBSD UFS"),
    ("516e7cba-6ecf-11d6-8ff8-00022d09712b", "FreeBSD ZFS"),
    ("516e7cb8-6ecf-11d6-8ff8-00022d09712b", "FreeBSD Vinum"),
    ("49f48d5a-b10e-11dc-b99b-0019d1879648", "NetBSD FFS"),
    ("824cc7a0-36a8-11e3-890a-952519ad3f61", "OpenBSD data"),
    ("6a82cb45-1dd2-11b2-99a6-080020736631", "Solaris boot"),
    ("6a898cc3-1dd2-11b2-99a6-080020736631", "ZFS"),
    ("6a945a3b-1dd2-11b2-99a6-080020736631", "Solaris reserved"),
    ("fe3a2a5d-4f32-41a7-b725-accc3285a309", "ChromeOS kernel"),
    ("3cb8e202-3b7e-47dd-8a3c-7ff2a13cfcec", "ChromeOS root"),
    ("5dfbf5f4-2848-4bac-aa5e-0d9a20b745a6", "CoreOS /usr"),
    ("3884dd41-8582-4404-b9a8-e9b84f2df50e", "CoreOS root"),
    ("9e1a2d38-c612-4316-aa26-8b49521e5a8b", "PowerPC PReP boot"),
    ("45b0969e-9b03-4f30-b4c6-b4b80ceff106", "Ceph journal"),
    ("4fbd7e29-9d25-41b8-afd0-062c0ceff05d", "Ceph OSD"),
    ("cafecafe-9b03-4f30-b4c6-b4b80ceff106", "Ceph block"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_names_and_no_type_has_two() {
        assert_eq!(gpt("0fc63daf-8483-4772-8e79-3d69d8477de4"), Some("Linux filesystem"));
        assert_eq!(gpt("00000000-0000-0000-0000-000000000001"), None);
        assert_eq!(mbr(0x83), Some("Linux"));
        assert_eq!(mbr(0x99), None);
        let unique: std::collections::BTreeSet<_> = GPT.iter().map(|(guid, _)| guid).collect();
        assert_eq!(unique.len(), GPT.len());
        assert!(GPT.iter().all(|(guid, _)| guid.len() == 36 && *guid == guid.to_lowercase()));
    }
}
