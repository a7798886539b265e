//! A scheduled task: a file of XML, in UTF-16 as a rule.

use fathom_block::{Error, Result};
use quick_xml::Reader;
use quick_xml::events::Event;

const WHAT: &str = "scheduled task";

/// More triggers or commands than Windows allows a task to have (48 and 32).
const MAX_PARTS: usize = 64;
/// Elements lie no deeper in a task.
const MAX_DEPTH: usize = 32;

/// What a task says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Task {
    pub(crate) description: Option<String>,
    pub(crate) enabled: bool,
    pub(crate) user: Option<String>,
    pub(crate) triggers: Vec<String>,
    pub(crate) commands: Vec<String>,
}

/// The file as text: UTF-16 with a mark of its order, else UTF-8.
pub(crate) fn text(bytes: &[u8]) -> String {
    let utf16 = |rest: &[u8], from: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = rest.as_chunks::<2>().0.iter().map(|pair| from(*pair)).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        bytes => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// What is being read of a trigger or an action.
#[derive(Default)]
struct Part {
    name: String,
    enabled: Option<bool>,
    start: Option<String>,
    details: Vec<String>,
    command: Option<String>,
    arguments: Option<String>,
}

/// Reads a task.
pub(crate) fn read(text: &str) -> Result<Task> {
    let wrong = |why: String| Error::corrupt(WHAT, 0, why);
    let mut reader = Reader::from_str(text);
    let mut task = Task { enabled: true, ..Task::default() };
    let mut path: Vec<String> = Vec::new();
    let mut part = Part::default();
    let mut content = String::new();
    let mut is_task = false;
    loop {
        let event = reader.read_event().map_err(|error| wrong(error.to_string()))?;
        match event {
            Event::Start(start) => {
                if path.len() >= MAX_DEPTH {
                    return Err(wrong("elements lie too deep".to_owned()));
                }
                path.push(start.local_name().as_ref().to_owned());
                is_task |= path.first().is_some_and(|root| root == "Task");
                content.clear();
                begin(&path, &mut part);
            }
            Event::Empty(empty) => {
                path.push(empty.local_name().as_ref().to_owned());
                content.clear();
                begin(&path, &mut part);
                end(&path, "", &mut part, &mut task)?;
                path.pop();
            }
            Event::Text(text) => content.push_str(&text),
            Event::GeneralRef(name) => match name.resolve_char_ref() {
                Ok(Some(character)) => content.push(character),
                _ => content.push_str(match &*name {
                    "amp" => "&",
                    "lt" => "<",
                    "gt" => ">",
                    "quot" => "\"",
                    "apos" => "'",
                    // Nothing else is defined in a task, and what a task defines is not followed.
                    other => return Err(wrong(format!("it has the entity {other:?}"))),
                }),
            },
            Event::CData(data) => content.push_str(&data),
            Event::End(_) => {
                end(&path, content.trim(), &mut part, &mut task)?;
                path.pop();
                content.clear();
            }
            Event::Eof => break,
            _ => {}
        }
    }
    match (is_task, path.is_empty()) {
        (true, true) => Ok(task),
        (false, _) => Err(wrong("it is no task".to_owned())),
        (true, false) => Err(wrong("it ends too early".to_owned())),
    }
}

fn names(path: &[String]) -> Vec<&str> {
    path.iter().map(String::as_str).collect()
}

/// A trigger or an action begins.
fn begin(path: &[String], part: &mut Part) {
    if let ["Task", "Triggers" | "Actions", name] = *names(path) {
        *part = Part { name: name.to_owned(), ..Part::default() };
    }
}

/// An element has ended that held this text.
fn end(path: &[String], text: &str, part: &mut Part, task: &mut Task) -> Result<()> {
    let some = || (!text.is_empty()).then(|| text.to_owned());
    match *names(path) {
        ["Task", "RegistrationInfo", "Description"] => task.description = some(),
        ["Task", "Settings", "Enabled"] => task.enabled = is_true(text),
        ["Task", "Principals", "Principal", "UserId" | "GroupId"] => {
            task.user = task.user.take().or_else(some);
        }
        ["Task", "Triggers", _, "Enabled"] => part.enabled = Some(is_true(text)),
        ["Task", "Triggers", _, "StartBoundary"] => part.start = some(),
        ["Task", "Triggers", _, "Delay" | "UserId" | "StateChange"]
        | ["Task", "Triggers", _, "Repetition", "Interval"]
        | ["Task", "Triggers", _, _, "DaysInterval" | "WeeksInterval"] => {
            part.details.extend(some());
        }
        ["Task", "Triggers", _, "ScheduleByWeek", "DaysOfWeek", day] => {
            part.details.push(day.to_owned());
        }
        ["Task", "Triggers", _] => {
            task.triggers.push(trigger(std::mem::take(part)));
        }
        ["Task", "Actions", _, "Command"] => part.command = some(),
        ["Task", "Actions", _, "Arguments" | "Data"] => part.arguments = some(),
        ["Task", "Actions", _, "ClassId"] => part.command = Some(format!("COM {text}")),
        ["Task", "Actions", kind] => {
            let part = std::mem::take(part);
            let command = part.command.unwrap_or_else(|| kind.to_owned());
            task.commands.push(match part.arguments {
                Some(arguments) => format!("{command} {arguments}"),
                None => command,
            });
        }
        _ => {}
    }
    if task.triggers.len() > MAX_PARTS || task.commands.len() > MAX_PARTS {
        return Err(Error::corrupt(WHAT, 0, "it has more triggers or actions than Windows allows"));
    }
    Ok(())
}

fn is_true(text: &str) -> bool {
    matches!(text, "true" | "1")
}

/// A trigger in words: `calendar 2024-01-01T03:00:00 1`, `logon`, `boot (off)`.
fn trigger(part: Part) -> String {
    let mut text = part.name.trim_end_matches("Trigger").to_ascii_lowercase();
    for detail in part.start.into_iter().chain(part.details) {
        text.push(' ');
        text.push_str(&detail);
    }
    if part.enabled == Some(false) {
        text.push_str(" (off)");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASK: &str = r#"<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>Cleans &amp; &#x201C;tidies&#8221;</Description></RegistrationInfo>
  <Triggers>
    <CalendarTrigger><StartBoundary>2024-01-01T03:00:00</StartBoundary>
      <ScheduleByDay><DaysInterval>1</DaysInterval></ScheduleByDay></CalendarTrigger>
    <LogonTrigger><Enabled>false</Enabled><UserId>HOST\joe</UserId></LogonTrigger>
    <BootTrigger />
  </Triggers>
  <Principals><Principal id="Author"><UserId>S-1-5-18</UserId></Principal></Principals>
  <Settings><Enabled>false</Enabled></Settings>
  <Actions Context="Author">
    <Exec><Command>C:\a.exe</Command><Arguments>/x "y z"</Arguments></Exec>
    <ComHandler><ClassId>{0}</ClassId></ComHandler>
  </Actions>
</Task>"#;

    #[test]
    fn a_task() {
        let task = read(TASK).unwrap();
        assert_eq!(task.description.as_deref(), Some("Cleans & “tidies”"));
        assert!(!task.enabled);
        assert_eq!(task.user.as_deref(), Some("S-1-5-18"));
        let triggers = ["calendar 2024-01-01T03:00:00 1", r"logon HOST\joe (off)", "boot"];
        assert_eq!(task.triggers, triggers);
        assert_eq!(task.commands, [r#"C:\a.exe /x "y z""#, "COM {0}"]);
    }

    #[test]
    fn texts() {
        let units = |from: fn(u16) -> [u8; 2]| -> Vec<u8> {
            "\u{FEFF}aß".encode_utf16().flat_map(from).collect()
        };
        for bytes in [units(u16::to_le_bytes), units(u16::to_be_bytes), "\u{FEFF}aß".into()] {
            assert_eq!(text(&bytes), "aß");
        }
        assert_eq!(text("aß".as_bytes()), "aß");
    }

    #[test]
    fn what_is_no_task() {
        for no in ["", "<Task>", "<Job/>", "<Task></Job>", "no xml"] {
            assert!(read(no).is_err(), "{no}");
        }
        assert!(read(&"<Task>".repeat(40)).is_err());
        let many = format!("<Task><Triggers>{}</Triggers></Task>", "<BootTrigger/>".repeat(70));
        assert!(read(&many).is_err());
        let bomb = "<!DOCTYPE a [<!ENTITY x \"y\">]><Task><Actions><Exec><Command>&x;</Command>\
                    </Exec></Actions></Task>";
        assert!(read(bomb).unwrap_err().to_string().contains("entity"));
    }
}
