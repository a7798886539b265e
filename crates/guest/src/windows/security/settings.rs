//! Settings that matter, each by the value of the registry that it is. What is not set there is not
//! listed: what then holds depends on the release.

use fathom_report::{Listing, Setting};

use super::super::registry::{Name, Node, Registry};
use crate::files::Read;

/// In which hive a setting stands.
#[derive(Clone, Copy)]
enum Hive {
    /// `SOFTWARE`
    Software,
    /// The current control set of `SYSTEM`.
    ControlSet,
    /// `SYSTEM`
    System,
}

use Hive::{ControlSet, Software, System};

/// How a value is told.
#[derive(Clone, Copy)]
enum Tell {
    /// As it is.
    AsIs,
    /// The number turned round: what is "deny" there is "allow" here.
    Inverted,
    /// Only that it is there. The value is a secret.
    Presence,
}

use Tell::{AsIs, Inverted, Presence};

const POLICIES: &str = r"Microsoft\Windows\CurrentVersion\Policies\System";
const LSA: &str = r"Control\Lsa";
const WINLOGON: &str = r"Microsoft\Windows NT\CurrentVersion\Winlogon";
const DEFENDER: &str = r"Microsoft\Windows Defender";
const DEFENDER_POLICY: &str = r"Policies\Microsoft\Windows Defender";
const TERMINAL: &str = r"Control\Terminal Server";
const RDP: &str = r"Control\Terminal Server\WinStations\RDP-Tcp";
const SERVER: &str = r"Services\LanmanServer\Parameters";
const CLIENT: &str = r"Services\LanmanWorkstation\Parameters";
const GUARD: &str = r"Control\DeviceGuard";
const ACTIVATION: &str = r"Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform";
const SCHANNEL: &str = r"Control\SecurityProviders\SCHANNEL\Protocols";

/// Name, hive, key, value, how it is told.
const SETTINGS: &[(&str, Hive, &str, &str, Tell)] = &[
    ("uac.enabled", Software, POLICIES, "EnableLUA", AsIs),
    ("uac.consent-of-administrators", Software, POLICIES, "ConsentPromptBehaviorAdmin", AsIs),
    ("uac.consent-of-users", Software, POLICIES, "ConsentPromptBehaviorUser", AsIs),
    ("uac.secure-desktop", Software, POLICIES, "PromptOnSecureDesktop", AsIs),
    ("uac.filter-administrator", Software, POLICIES, "FilterAdministratorToken", AsIs),
    ("uac.remote-unfiltered", Software, POLICIES, "LocalAccountTokenFilterPolicy", AsIs),
    ("logon.hide-last-user", Software, POLICIES, "DontDisplayLastUserName", AsIs),
    ("logon.inactivity-seconds", Software, POLICIES, "InactivityTimeoutSecs", AsIs),
    ("logon.legal-notice", Software, POLICIES, "LegalNoticeCaption", AsIs),
    ("logon.cached", Software, WINLOGON, "CachedLogonsCount", AsIs),
    ("logon.automatic", Software, WINLOGON, "AutoAdminLogon", AsIs),
    ("logon.automatic-user", Software, WINLOGON, "DefaultUserName", AsIs),
    ("logon.automatic-password-in-clear", Software, WINLOGON, "DefaultPassword", Presence),
    ("logon.shell", Software, WINLOGON, "Shell", AsIs),
    ("logon.userinit", Software, WINLOGON, "Userinit", AsIs),
    ("lsa.run-as-ppl", ControlSet, LSA, "RunAsPPL", AsIs),
    ("lsa.credential-guard", ControlSet, LSA, "LsaCfgFlags", AsIs),
    ("lsa.lm-compatibility-level", ControlSet, LSA, "LmCompatibilityLevel", AsIs),
    ("lsa.no-lm-hash", ControlSet, LSA, "NoLMHash", AsIs),
    ("lsa.restrict-anonymous", ControlSet, LSA, "RestrictAnonymous", AsIs),
    ("lsa.restrict-anonymous-sam", ControlSet, LSA, "RestrictAnonymousSAM", AsIs),
    ("lsa.everyone-includes-anonymous", ControlSet, LSA, "EveryoneIncludesAnonymous", AsIs),
    ("lsa.limit-blank-passwords", ControlSet, LSA, "LimitBlankPasswordUse", AsIs),
    ("lsa.fips", ControlSet, r"Control\Lsa\FipsAlgorithmPolicy", "Enabled", AsIs),
    (
        "lsa.ntlm-restrict-outgoing",
        ControlSet,
        r"Control\Lsa\MSV1_0",
        "RestrictSendingNTLMTraffic",
        AsIs,
    ),
    (
        "lsa.wdigest-clear-passwords",
        ControlSet,
        r"Control\SecurityProviders\WDigest",
        "UseLogonCredential",
        AsIs,
    ),
    ("smb1.server", ControlSet, SERVER, "SMB1", AsIs),
    ("smb1.client-driver-start", ControlSet, r"Services\mrxsmb10", "Start", AsIs),
    ("smb.server-signing-required", ControlSet, SERVER, "RequireSecuritySignature", AsIs),
    ("smb.server-signing-enabled", ControlSet, SERVER, "EnableSecuritySignature", AsIs),
    ("smb.server-encryption", ControlSet, SERVER, "EncryptData", AsIs),
    ("smb.server-null-session-shares", ControlSet, SERVER, "RestrictNullSessAccess", AsIs),
    ("smb.client-signing-required", ControlSet, CLIENT, "RequireSecuritySignature", AsIs),
    ("smb.client-plain-passwords", ControlSet, CLIENT, "EnablePlainTextPassword", AsIs),
    ("smb.client-insecure-guests", ControlSet, CLIENT, "AllowInsecureGuestAuth", AsIs),
    ("rdp.enabled", ControlSet, TERMINAL, "fDenyTSConnections", Inverted),
    ("rdp.network-level-authentication", ControlSet, RDP, "UserAuthentication", AsIs),
    ("rdp.security-layer", ControlSet, RDP, "SecurityLayer", AsIs),
    ("rdp.encryption-level", ControlSet, RDP, "MinEncryptionLevel", AsIs),
    ("rdp.port", ControlSet, RDP, "PortNumber", AsIs),
    ("remote-registry.start", ControlSet, r"Services\RemoteRegistry", "Start", AsIs),
    ("spooler.start", ControlSet, r"Services\Spooler", "Start", AsIs),
    (
        "winrm.allow-unencrypted",
        Software,
        r"Policies\Microsoft\Windows\WinRM\Service",
        "AllowUnencryptedTraffic",
        AsIs,
    ),
    (
        "winrm.allow-basic",
        Software,
        r"Policies\Microsoft\Windows\WinRM\Service",
        "AllowBasic",
        AsIs,
    ),
    (
        "llmnr.enabled",
        Software,
        r"Policies\Microsoft\Windows NT\DNSClient",
        "EnableMulticast",
        AsIs,
    ),
    (
        "laps.backup-directory",
        Software,
        r"Microsoft\Windows\CurrentVersion\Policies\LAPS",
        "BackupDirectory",
        AsIs,
    ),
    ("laps.legacy", Software, r"Policies\Microsoft Services\AdmPwd", "AdmPwdEnabled", AsIs),
    (
        "device-guard.virtualization-based-security",
        ControlSet,
        GUARD,
        "EnableVirtualizationBasedSecurity",
        AsIs,
    ),
    (
        "device-guard.code-integrity",
        ControlSet,
        r"Control\DeviceGuard\Scenarios\HypervisorEnforcedCodeIntegrity",
        "Enabled",
        AsIs,
    ),
    ("defender.disabled", Software, DEFENDER, "DisableAntiSpyware", AsIs),
    ("defender.disabled-by-policy", Software, DEFENDER_POLICY, "DisableAntiSpyware", AsIs),
    (
        "defender.real-time-disabled",
        Software,
        r"Microsoft\Windows Defender\Real-Time Protection",
        "DisableRealtimeMonitoring",
        AsIs,
    ),
    (
        "defender.real-time-disabled-by-policy",
        Software,
        r"Policies\Microsoft\Windows Defender\Real-Time Protection",
        "DisableRealtimeMonitoring",
        AsIs,
    ),
    (
        "defender.tamper-protection",
        Software,
        r"Microsoft\Windows Defender\Features",
        "TamperProtection",
        AsIs,
    ),
    (
        "defender.signatures",
        Software,
        r"Microsoft\Windows Defender\Signature Updates",
        "AVSignatureVersion",
        AsIs,
    ),
    (
        "defender.engine",
        Software,
        r"Microsoft\Windows Defender\Signature Updates",
        "EngineVersion",
        AsIs,
    ),
    (
        "smartscreen.enabled",
        Software,
        r"Policies\Microsoft\Windows\System",
        "EnableSmartScreen",
        AsIs,
    ),
    (
        "powershell.script-block-logging",
        Software,
        r"Policies\Microsoft\Windows\PowerShell\ScriptBlockLogging",
        "EnableScriptBlockLogging",
        AsIs,
    ),
    (
        "powershell.module-logging",
        Software,
        r"Policies\Microsoft\Windows\PowerShell\ModuleLogging",
        "EnableModuleLogging",
        AsIs,
    ),
    (
        "powershell.transcription",
        Software,
        r"Policies\Microsoft\Windows\PowerShell\Transcription",
        "EnableTranscripting",
        AsIs,
    ),
    (
        "powershell.execution-policy",
        Software,
        r"Microsoft\PowerShell\1\ShellIds\Microsoft.PowerShell",
        "ExecutionPolicy",
        AsIs,
    ),
    (
        "audit.process-command-line",
        Software,
        r"Microsoft\Windows\CurrentVersion\Policies\System\Audit",
        "ProcessCreationIncludeCmdLine_Enabled",
        AsIs,
    ),
    ("audit.subcategories-win", ControlSet, LSA, "SCENoApplyLegacyAuditPolicy", AsIs),
    ("audit.stop-when-full", ControlSet, LSA, "CrashOnAuditFail", AsIs),
    ("eventlog.security-size", ControlSet, r"Services\EventLog\Security", "MaxSize", AsIs),
    ("eventlog.system-size", ControlSet, r"Services\EventLog\System", "MaxSize", AsIs),
    ("eventlog.application-size", ControlSet, r"Services\EventLog\Application", "MaxSize", AsIs),
    (
        "autorun.disabled-drives",
        Software,
        r"Microsoft\Windows\CurrentVersion\Policies\Explorer",
        "NoDriveTypeAutoRun",
        AsIs,
    ),
    (
        "installer.always-elevated",
        Software,
        r"Policies\Microsoft\Windows\Installer",
        "AlwaysInstallElevated",
        AsIs,
    ),
    (
        "printer.drivers-by-administrators-only",
        Software,
        r"Policies\Microsoft\Windows NT\Printers\PointAndPrint",
        "RestrictDriverInstallationToAdministrators",
        AsIs,
    ),
    ("tls.1-0-server", ControlSet, SCHANNEL, r"TLS 1.0\Server\Enabled", AsIs),
    ("tls.1-1-server", ControlSet, SCHANNEL, r"TLS 1.1\Server\Enabled", AsIs),
    ("tls.1-2-server", ControlSet, SCHANNEL, r"TLS 1.2\Server\Enabled", AsIs),
    ("tls.ssl-3-server", ControlSet, SCHANNEL, r"SSL 3.0\Server\Enabled", AsIs),
    ("crash.dump", ControlSet, r"Control\CrashControl", "CrashDumpEnabled", AsIs),
    (
        "memory.clear-page-file",
        ControlSet,
        r"Control\Session Manager\Memory Management",
        "ClearPageFileAtShutdown",
        AsIs,
    ),
    ("kernel.safe-dll-search", ControlSet, r"Control\Session Manager", "SafeDllSearchMode", AsIs),
    (
        "kernel.exception-chain-validation-disabled",
        ControlSet,
        r"Control\Session Manager\kernel",
        "DisableExceptionChainValidation",
        AsIs,
    ),
    (
        "network.ip-source-routing",
        ControlSet,
        r"Services\Tcpip\Parameters",
        "DisableIPSourceRouting",
        AsIs,
    ),
    (
        "network.icmp-redirects",
        ControlSet,
        r"Services\Tcpip\Parameters",
        "EnableICMPRedirect",
        AsIs,
    ),
    ("network.domain", ControlSet, r"Services\Tcpip\Parameters", "Domain", AsIs),
    ("system.product-type", ControlSet, r"Control\ProductOptions", "ProductType", AsIs),
    ("setup.command-line", System, "Setup", "CmdLine", AsIs),
    ("setup.answer-file", System, "Setup", "UnattendFile", AsIs),
    ("activation.kms-host", Software, ACTIVATION, "KeyManagementServiceName", AsIs),
    ("activation.kms-port", Software, ACTIVATION, "KeyManagementServicePort", AsIs),
    ("activation.product-id", Software, r"Microsoft\Windows NT\CurrentVersion", "ProductId", AsIs),
];

/// The longest value that is told.
const MAX_SHOWN: usize = 1024;

/// Every setting that is set.
pub(super) fn all(registry: &Registry<'_>) -> Listing<Setting> {
    let mut settings = Vec::new();
    let mut hidden: Option<String> = None;
    for (name, hive, key, value, tell) in SETTINGS {
        // Where the value's name is a path, its key lies deeper.
        let (key, value) = match value.rsplit_once('\\') {
            Some((deeper, value)) => (format!(r"{key}\{deeper}"), value),
            None => ((*key).to_owned(), *value),
        };
        let node = match hive {
            Software => registry.key(Name::Software, &key),
            ControlSet => registry.control_set(&key),
            System => registry.key(Name::System, &key),
        };
        match node {
            Read::There(node) => settings.extend(setting(&node, name, value, *tell)),
            Read::Absent => {}
            Read::Unread(why) => {
                hidden.get_or_insert(why);
            }
        }
    }
    let mut listing = match (&hidden, settings.is_empty()) {
        (Some(why), true) => return Listing::unknown(why.clone()),
        _ => Listing::complete(settings, Vec::new()),
    };
    if let Some(why) = hidden {
        listing.hide(why);
    }
    listing
}

fn setting(node: &Node<'_>, name: &str, value: &str, tell: Tell) -> Option<Setting> {
    let values = node.values();
    let said = match tell {
        AsIs => values.text(value).there()?,
        Inverted => u32::from(values.number(value).there()? == 0).to_string(),
        Presence => {
            values.has(value).there()?;
            "set".to_owned()
        }
    };
    let said = said.chars().take(MAX_SHOWN).collect();
    let evidence = Some(values.place(value).into());
    Some(Setting { name: name.to_owned(), value: said, evidence })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let names: std::collections::BTreeSet<_> = SETTINGS.iter().map(|it| it.0).collect();
        assert_eq!(names.len(), SETTINGS.len());
    }
}
