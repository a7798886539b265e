//! GRUB before version 2, as Red Hat Enterprise Linux 5 and 6 start with it.

use fathom_report::Fact;

use super::HIDES;
use super::entry::Entry;
use super::ground::Ground;
use crate::files::Read;

const LOADER: &str = "grub-legacy";

/// Where its menu lies; mostly one is a link to another.
const MENUS: [&str; 3] =
    ["/boot/grub/grub.conf", "/boot/grub/menu.lst", "/boot/boot/grub/menu.lst"];

/// The most entries that are believed.
const MAX_ENTRIES: usize = 1000;

#[derive(Default)]
struct Title {
    title: String,
    kernel: Option<String>,
    initrd: Option<String>,
}

/// Its menu, where there is one.
pub(super) fn menu(ground: &Ground<'_>) -> Option<&'static str> {
    MENUS.into_iter().find(|path| ground.files.exists(path, HIDES))
}

/// What it starts when nobody chooses.
pub(super) fn default(ground: &Ground<'_>, path: &str) -> Fact<Entry> {
    let text = match ground.files.text(path, HIDES) {
        Read::There(text) => text,
        Read::Absent => return Fact::absent([path]),
        Read::Unread(why) => return Fact::unknown(why),
    };
    let mut default = "0".to_owned();
    let mut titles: Vec<Title> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let (key, value) = line.split_once([' ', '\t', '=']).unwrap_or((line, ""));
        let value = value.trim().to_owned();
        let count = titles.len();
        match (key, titles.last_mut()) {
            ("title", _) if count < MAX_ENTRIES => {
                titles.push(Title { title: value, ..Title::default() });
            }
            ("default", None) => default = value,
            ("kernel", Some(title)) => title.kernel = Some(value),
            // A hypervisor comes first, then what it starts.
            ("module", Some(title)) => match title.kernel.as_deref() {
                Some(kernel) if kernel.contains("xen") && title.initrd.is_none() => {
                    title.kernel = Some(value);
                }
                _ => title.initrd = title.initrd.take().or(Some(value)),
            },
            ("initrd", Some(title)) => title.initrd = Some(value),
            _ => {}
        }
    }
    if titles.is_empty() {
        return Fact::absent([path]);
    }
    let Ok(number) = default.parse::<usize>() else {
        return Fact::unknown(format!(
            "{path}: its default is {default:?}, which is kept elsewhere"
        ));
    };
    match titles.get(number) {
        Some(title) => Fact::known(entry(ground, title), path),
        None => Fact::unknown(format!("{path}: there is no entry {number}, which is its default")),
    }
}

fn entry(ground: &Ground<'_>, title: &Title) -> Entry {
    // A path may have the disk before it.
    let on_disk = |path: &str| match path.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        Some((_, path)) => ground.locate(None, path),
        None => ground.locate(None, path),
    };
    let mut words = title.kernel.iter().flat_map(|kernel| kernel.split_whitespace());
    let image = words.find(|word| !word.starts_with("--")).map(on_disk);
    let arguments: Vec<_> = words.collect();
    Entry {
        loader: LOADER,
        title: Some(title.title.clone()),
        image,
        initramfs: title.initrd.iter().flat_map(|it| it.split_whitespace()).map(on_disk).collect(),
        arguments: (!arguments.is_empty()).then(|| arguments.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use fathom_volume::Discovery;

    use super::*;
    use crate::device::Places;
    use crate::files::Files;
    use crate::memory;

    fn started(menu: &str) -> Fact<Entry> {
        let tree = memory::tree(&[
            ("/boot/grub/menu.lst", menu.as_bytes()),
            ("/boot/vmlinuz-2.6.32", b"x"),
            ("/boot/initramfs-2.6.32.img", b"x"),
        ]);
        let discovery = Discovery::default();
        let files = Files::new(&tree);
        let ground = Ground::of(&files, &Places::of(&discovery), &[], &[]);
        default(&ground, menu_of(&ground))
    }

    fn menu_of(ground: &Ground<'_>) -> &'static str {
        menu(ground).unwrap()
    }

    #[test]
    fn titles_by_number() {
        let menu = "# a\ndefault=1\ntimeout=5\ntitle Old one\n\troot (hd0,0)\n\tkernel /vmlinuz-2.6.18 ro\n\
                    title New (2.6.32)\n\troot (hd0,0)\n\tkernel (hd0,0)/vmlinuz-2.6.32 ro root=/dev/x\n\
                    \tinitrd /initramfs-2.6.32.img\n";
        let Fact::Known { value, .. } = started(menu) else { panic!("not known") };
        assert_eq!(value.title.as_deref(), Some("New (2.6.32)"));
        assert_eq!(value.arguments.as_deref(), Some("ro root=/dev/x"));
        let located = crate::boot::ground::Located::Here("/boot/vmlinuz-2.6.32".into());
        assert_eq!((value.image, value.initramfs.len()), (Some(located), 1));
        for (from, to) in [("default=1", "default=7"), ("default=1", "default saved")] {
            assert!(matches!(started(&menu.replace(from, to)), Fact::Unknown { .. }), "{to}");
        }
        assert!(matches!(started("default=0\n"), Fact::Absent { .. }));
    }
}
