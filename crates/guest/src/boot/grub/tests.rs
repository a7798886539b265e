use fathom_volume::Discovery;

use super::*;
use crate::device::Places;
use crate::files::Files;
use crate::memory;

/// The menu's default with these files, all beneath `/boot`.
fn started(script: &str, files: &[(&str, &str)]) -> Fact<Entry> {
    started_by(script, files, &[Firmware::Bios])
}

fn started_by(script: &str, files: &[(&str, &str)], firmware: &[Firmware]) -> Fact<Entry> {
    let mut all: Vec<(&str, &[u8])> = vec![("/boot/grub/grub.cfg", script.as_bytes())];
    all.extend(["/boot/vmlinuz-1", "/boot/vmlinuz-2", "/boot/initrd-2"].map(|it| (it, &b"x"[..])));
    all.extend(files.iter().map(|(path, text)| (*path, text.as_bytes())));
    let tree = memory::tree(&all);
    let discovery = Discovery::default();
    let places = Places::of(&discovery);
    let files = Files::new(&tree);
    let ground = Ground::of(&files, &places, &[], &[]);
    default(&ground, &Located::Here("/boot/grub/grub.cfg".into()), firmware)
}

fn title(fact: &Fact<Entry>) -> &str {
    match fact {
        Fact::Known { value, .. } => value.title.as_deref().unwrap_or("-"),
        Fact::Absent { .. } => "absent",
        Fact::Unknown { reason } => reason,
    }
}

fn environment(lines: &str) -> String {
    format!("# GRUB Environment Block\n{lines}\n######")
}

const MENU: &str = r#"
if [ -s $prefix/grubenv ]; then set have_grubenv=true; load_env; fi
if [ "${next_entry}" ] ; then
   set default="${next_entry}"; set next_entry=; save_env next_entry; set boot_once=true
else
   set default="DEFAULT"
fi
if [ x"${feature_menuentry_id}" = xy ]; then menuentry_id_option="--id"; else menuentry_id_option=""; fi
function savedefault { if [ -z "${boot_once}" ]; then saved_entry="${chosen}"; save_env saved_entry; fi }
if loadfont unicode ; then set gfxmode=auto; fi
menuentry 'One, as it is' --class a --class os $menuentry_id_option 'simple' {
	savedefault
	insmod part_gpt
	if [ x$feature_platform_search_hint = xy ]; then
	  search --no-floppy --file /vmlinuz-1 --set=root
	fi
	echo 'Loading ...'
	linux	/vmlinuz-1 root=/dev/sda1 ro  quiet
}
submenu 'More > of it' --id=more {
	menuentry 'Two' --id two-2 { linux /vmlinuz-2 root=LABEL=x "a b" ; initrd /initrd-2 }
	menuentry 'One again' { linux /boot/vmlinuz-1 single; }
}
if [ "$grub_platform" = "efi" ]; then
	menuentry 'Firmware' { fwsetup }
fi
"#;

#[test]
fn entries_by_number_title_and_id() {
    for (default, expected) in [
        ("0", "One, as it is"),
        ("", "One, as it is"),
        ("simple", "One, as it is"),
        ("1", "Two"),
        ("1>0", "Two"),
        ("1>1", "One again"),
        ("more>two-2", "Two"),
        ("More >> of it>One again", "One again"),
        ("more>no such", "Two"),
        ("no such", "One, as it is"),
        ("17", "One, as it is"),
    ] {
        let fact = started(&MENU.replace("DEFAULT", default), &[]);
        assert_eq!(title(&fact), expected, "{default}");
    }
    let Fact::Known { value, evidence } = started(&MENU.replace("DEFAULT", "1>two-2"), &[]) else {
        panic!("unknown")
    };
    assert_eq!(value.image, Some(Located::Here("/boot/vmlinuz-2".into())));
    assert_eq!(value.initramfs, [Located::Here("/boot/initrd-2".into())]);
    assert_eq!(value.arguments.as_deref(), Some("root=LABEL=x a b"));
    assert_eq!(evidence, ["/boot/grub/grub.cfg".into()]);
}

#[test]
fn the_environment_chooses() {
    let saved = MENU.replace("DEFAULT", "${saved_entry}");
    let env = |lines: &str| [("/boot/grub/grubenv", environment(lines))];
    for (lines, expected) in [
        ("saved_entry=more>two-2", "Two"),
        ("saved_entry=simple\nnext_entry=more>One again", "One again"),
        ("", "One, as it is"),
    ] {
        let env = env(lines);
        let files = env.each_ref().map(|(path, text)| (*path, text.as_str()));
        assert_eq!(title(&started(&saved, &files)), expected, "{lines}");
    }
    // It is no environment, and GRUB takes it for none.
    let fact = started(&saved, &[("/boot/grub/grubenv", "saved_entry=more>two-2")]);
    assert_eq!(title(&fact), "One, as it is");
}

#[test]
fn what_depends_on_the_machine_is_not_known() {
    let menu = "if [ \"$grub_platform\" = efi ]; then\n menuentry A { linux /vmlinuz-1; }\nfi\n\
                menuentry B --id b { linux /vmlinuz-2; }\n";
    assert_eq!(title(&started_by(menu, &[], &[Firmware::Uefi])), "A");
    assert_eq!(title(&started_by(menu, &[], &[Firmware::Bios])), "B");
    let both = [Firmware::Bios, Firmware::Uefi];
    assert!(title(&started_by(menu, &[], &both)).contains("not sure"));
    // By its id it is the one, wherever it stands.
    assert_eq!(title(&started_by(&format!("set default=b\n{menu}"), &[], &both)), "B");
    for (line, expected) in [
        ("if cpuid -l; then set default=1; fi", "$default"),
        ("for i in 1 2; do set default=$i; done", "$default"),
        ("probe --set=default --fs-uuid $root", "$default"),
        ("load_env -f (hd0)256+1 default\nset default=$other", "$default"),
        ("eval \"set default=1\"", "a part of the menu"),
    ] {
        let script =
            format!("{line}\nmenuentry X {{ linux /vmlinuz-1; }}\nmenuentry Y {{ true; }}");
        let fact = started(&script, &[]);
        assert!(matches!(&fact, Fact::Unknown { .. }), "{line}: {fact:?}");
        let _ = expected;
    }
    // An entry of which the kernel depends on it.
    let fact = started(
        "menuentry X { if cpuid -l; then linux /vmlinuz-1; else linux /vmlinuz-2; fi; }",
        &[],
    );
    assert!(title(&fact).contains("not sure"), "{fact:?}");
}

#[test]
fn functions_have_parameters() {
    let script = "function f { set a=\"$1+$2+$#\"; }\nfunction g { f x \"y z\"; set b=$1; }\n\
                  g outer\nmenuentry X { linux /vmlinuz-1 $a $b $1; }";
    let fact = started(script, &[]);
    assert_eq!(fact.value().unwrap().arguments.as_deref(), Some("x+y z+2 outer"));
}

#[test]
fn other_files_are_read() {
    let script = "set prefix=/grub\nif [ -f $prefix/custom.cfg ]; then source $prefix/custom.cfg; fi\n\
                  source /grub/none.cfg\nmenuentry Z { true; }";
    let custom = ("/boot/grub/custom.cfg", "menuentry C { linux /vmlinuz-1; }");
    assert_eq!(title(&started(script, &[custom])), "C");
    assert_eq!(title(&started(script, &[])), "Z");
    let stub = "search.file /vmlinuz-1 root\nset prefix=($root)'/grub'\nconfigfile $prefix/main.cfg\n\
                menuentry never { true; }";
    assert_eq!(title(&started(stub, &[("/boot/grub/main.cfg", custom.1)])), "C");
    // It leads to itself.
    let fact = started("source /grub/grub.cfg", &[]);
    assert!(matches!(fact, Fact::Unknown { .. }), "{fact:?}");
}

#[test]
fn entries_of_the_boot_loader_specification() {
    let entry = |version: &str, kernel: &str| {
        format!(
            "title T ({version})\nversion {version}\nlinux /vmlinuz-{kernel}\ninitrd /initrd-2 $more\noptions $kernelopts x\n"
        )
    };
    let (old, new) = (entry("5.9", "1"), entry("5.14", "2"));
    let env = environment("saved_entry=0123-5.9.conf\nkernelopts=root=/dev/x ro");
    let files = [
        ("/boot/loader/entries/0123-5.9.conf", old.as_str()),
        ("/boot/loader/entries/0123-5.14.conf", new.as_str()),
        ("/boot/grub/grubenv", env.as_str()),
    ];
    let script = "load_env\nset default=DEFAULT\ninsmod blscfg\nblscfg\nmenuentry last { true; }";
    for (default, expected) in
        [("0", "T (5.14)"), ("1", "T (5.9)"), ("2", "last"), ("0123-5.9", "T (5.9)")]
    {
        let fact = started(&script.replace("DEFAULT", default), &files);
        assert_eq!(title(&fact), expected, "{default}");
    }
    let fact = started(&script.replace("DEFAULT", "0"), &files);
    let value = fact.value().unwrap();
    assert_eq!(value.arguments.as_deref(), Some("root=/dev/x ro x"));
    assert_eq!(value.image, Some(Located::Here("/boot/vmlinuz-2".into())));
    assert_eq!(value.initramfs, [Located::Here("/boot/initrd-2".into())]);
    // A number, as old versions read it, or the beginning of a name, as later ones do.
    let fact = started(&script.replace("DEFAULT", "0123-gone"), &files);
    assert!(title(&fact).contains("begins as a number"), "{fact:?}");
}

#[test]
fn scripts_of_an_enemy_end() {
    let doubling = "a".repeat(1000);
    for script in [
        format!("set a={doubling}\n{}menuentry X {{ linux $a; }}", "set a=$a$a\n".repeat(64)),
        "function f { f; f; }\nf\nmenuentry X { true; }".to_owned(),
        format!("{}{}", "submenu X {\n".repeat(40), "}\n".repeat(40)),
        "if [ ".to_owned() + &"( ".repeat(10_000) + "]; then true; fi",
        "menuentry X { configfile /grub/grub.cfg; }".to_owned(),
        "}".to_owned(),
    ] {
        let fact = started(&script, &[]);
        assert!(!matches!(&fact, Fact::Known { value, .. } if value.image.is_some()), "{fact:?}");
    }
}
