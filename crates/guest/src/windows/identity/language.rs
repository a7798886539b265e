//! The language that the system speaks, by the number that Windows gives it.

use fathom_report::Fact;

use super::super::registry::{Name, Registry};

/// Languages by number (MS-LCID), as they are called since Vista.
const LANGUAGES: &[(u32, &str)] = &[
    (0x0401, "ar-SA"),
    (0x0402, "bg-BG"),
    (0x0403, "ca-ES"),
    (0x0404, "zh-TW"),
    (0x0405, "cs-CZ"),
    (0x0406, "da-DK"),
    (0x0407, "de-DE"),
    (0x0408, "el-GR"),
    (0x0409, "en-US"),
    (0x040B, "fi-FI"),
    (0x040C, "fr-FR"),
    (0x040D, "he-IL"),
    (0x040E, "hu-HU"),
    (0x040F, "is-IS"),
    (0x0410, "it-IT"),
    (0x0411, "ja-JP"),
    (0x0412, "ko-KR"),
    (0x0413, "nl-NL"),
    (0x0414, "nb-NO"),
    (0x0415, "pl-PL"),
    (0x0416, "pt-BR"),
    (0x0418, "ro-RO"),
    (0x0419, "ru-RU"),
    (0x041A, "hr-HR"),
    (0x041B, "sk-SK"),
    (0x041D, "sv-SE"),
    (0x041E, "th-TH"),
    (0x041F, "tr-TR"),
    (0x0421, "id-ID"),
    (0x0422, "uk-UA"),
    (0x0424, "sl-SI"),
    (0x0425, "et-EE"),
    (0x0426, "lv-LV"),
    (0x0427, "lt-LT"),
    (0x042A, "vi-VN"),
    (0x0439, "hi-IN"),
    (0x0804, "zh-CN"),
    (0x0807, "de-CH"),
    (0x0809, "en-GB"),
    (0x080A, "es-MX"),
    (0x080C, "fr-BE"),
    (0x0813, "nl-BE"),
    (0x0816, "pt-PT"),
    (0x0C04, "zh-HK"),
    (0x0C07, "de-AT"),
    (0x0C09, "en-AU"),
    (0x0C0A, "es-ES"),
    (0x0C0C, "fr-CA"),
    (0x1009, "en-CA"),
    (0x100C, "fr-CH"),
    (0x1409, "en-NZ"),
    (0x1809, "en-IE"),
    (0x241A, "sr-Latn-RS"),
    (0x4009, "en-IN"),
    (0x4809, "en-SG"),
];

/// The language of programs that know no Unicode; where the system does not say it, that of those
/// who have not logged in yet.
pub(super) fn of(registry: &Registry<'_>) -> Fact<String> {
    const LANGUAGE: &str = r"Control\Nls\Language";
    const INTERNATIONAL: &str = r"Control Panel\International";
    match registry.said_of_control_set(LANGUAGE).text(&["Default"]) {
        Fact::Known { value, evidence } => {
            let number = u32::from_str_radix(value.trim(), 16).ok();
            let name = LANGUAGES.iter().find(|(known, _)| Some(*known) == number);
            match name {
                Some((_, name)) => Fact::Known { value: (*name).to_owned(), evidence },
                None => of_default_user(registry, INTERNATIONAL).unwrap_or_else(|| {
                    Fact::unknown(format!("no language has the number {value}"))
                }),
            }
        }
        Fact::Absent { evidence } => {
            of_default_user(registry, INTERNATIONAL).unwrap_or(Fact::Absent { evidence })
        }
        unknown @ Fact::Unknown { .. } => unknown,
    }
}

fn of_default_user(registry: &Registry<'_>, path: &str) -> Option<Fact<String>> {
    let fact = registry.said(Name::Default, path).text(&["LocaleName"]);
    matches!(fact, Fact::Known { .. }).then_some(fact)
}
