//! Red Hat, SUSE and their kin: the timers and services that install updates.

use super::Search;
use super::ini::sections;
use super::sources::is_on;
use crate::shell;

impl Search<'_> {
    /// What updates it, and whether by itself.
    pub(super) fn rpm(&mut self) -> Result<(&'static str, bool), String> {
        for (system, timer) in [
            ("dnf-automatic", "dnf-automatic-install.timer"),
            ("transactional-update", "transactional-update.timer"),
            ("zincati", "zincati.service"),
        ] {
            if self.starts(timer)? {
                return Ok((system, true));
            }
        }
        for timer in ["dnf-automatic.timer", "dnf5-automatic.timer"] {
            if self.starts(timer)? {
                let applies = self.applies(&[
                    "/etc/dnf/automatic.conf",
                    "/etc/dnf/dnf5-plugins/automatic.conf",
                    "/usr/share/dnf5/dnf5-plugins/automatic.conf",
                ])?;
                return Ok(("dnf-automatic", applies));
            }
        }
        if self.starts("rpm-ostreed-automatic.timer")? {
            let text = self.text("/etc/rpm-ostreed.conf")?.unwrap_or_default();
            let found = sections(&text);
            let policy = found.iter().find_map(|section| section.get("AutomaticUpdatePolicy"));
            return Ok(("rpm-ostree", matches!(policy, Some("stage" | "apply"))));
        }
        if self.starts("yum-cron.service")? || self.starts("yum-cron")? {
            return Ok(("yum-cron", self.applies(&["/etc/yum/yum-cron.conf"])?));
        }
        if let Some(text) = self.text("/etc/sysconfig/automatic_online_update")? {
            let variables = shell::assignments(&text);
            let on = variables.get("AOU_ENABLE_CRONJOB").is_some_and(|value| value == "true");
            return Ok(("automatic-online-update", on));
        }
        Ok(("none", false))
    }

    /// Whether the first of the files that is there says that updates are installed and not only told
    /// of.
    fn applies(&mut self, paths: &[&str]) -> Result<bool, String> {
        for path in paths {
            if let Some(text) = self.text(path)? {
                let found = sections(&text);
                let says = found.iter().find_map(|section| section.get("apply_updates"));
                if let Some(says) = says {
                    return Ok(is_on(says));
                }
            }
        }
        Ok(false)
    }
}
