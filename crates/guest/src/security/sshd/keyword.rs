//! The keywords of sshd: what values each takes, and what of several lines with it counts.

/// What stands behind a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `yes` or `no`.
    Flag,
    /// One of several words; each with the word that sshd shows for it.
    Choice(&'static [(&'static str, &'static str)]),
    /// A whole number.
    Number,
    /// A span of time, in seconds.
    Time,
    /// The same, or `none`.
    TimeOrNone,
    /// A mask of permissions in octal.
    Mask,
    /// One word. Where it is `none` in any case, that is shown in lower case.
    Word,
    /// All of the line as it is written.
    Rest,
    /// Several words that are shown together.
    Words,
    /// Several words, of which each is shown for itself, and which, but of `setenv`, add up over the
    /// lines.
    Each,
    /// One word, which adds up over the lines.
    Another,
    /// A name, a command and its arguments, which add up over the lines.
    Subsystem,
    /// A list of algorithms, or a change of the default.
    Algorithms,
    /// How much is sent before new keys are made, and how long.
    RekeyLimit,
    /// How many connections may be without a login.
    MaxStartups,
    /// The sizes of a block of addresses.
    NetBlockSize,
    /// The names of two classes of service.
    Qos,
    /// An address to listen at.
    Listen,
    /// What may be forwarded to: addresses with ports, or ports.
    Permitted,
    /// How much is logged, or where to.
    Upper,
    /// Taken, and without effect.
    Ignored,
}

/// A keyword.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keyword {
    /// Its name in lower case.
    pub(super) name: &'static str,
    /// What stands behind it.
    pub(super) kind: Kind,
    /// Whether it may stand under a condition.
    pub(super) conditional: bool,
}

impl Keyword {
    /// Whether lines add up.
    pub(super) fn adds_up(&self) -> bool {
        matches!(self.kind, Kind::Each | Kind::Another | Kind::Subsystem | Kind::Listen)
            && self.name != "setenv"
    }

    /// Whether of several lines the last counted in the releases that this was compared with. Others
    /// may take the first, as they do of all other keywords.
    pub(super) fn last_counts(&self) -> bool {
        const LAST: [&str; 6] = [
            "fingerprinthash",
            "ipqos",
            "maxstartups",
            "persourcemaxstartups",
            "persourcenetblocksize",
            "streamlocalbindmask",
        ];
        LAST.contains(&self.name)
    }
}

/// The names that a keyword had before, or has besides.
const ALIASES: &[(&str, &str)] = &[
    ("hostdsakey", "hostkey"),
    ("hostbasedacceptedkeytypes", "hostbasedacceptedalgorithms"),
    ("pubkeyacceptedkeytypes", "pubkeyacceptedalgorithms"),
    ("dsaauthentication", "pubkeyauthentication"),
    ("gssapicleanupcreds", "gssapicleanupcredentials"),
    ("skeyauthentication", "kbdinteractiveauthentication"),
    (CHALLENGE, "kbdinteractiveauthentication"),
    ("keepalive", "tcpkeepalive"),
    ("rsaminsize", "requiredrsasize"),
];

/// Before release 8.7 this was a setting of its own, which turned the other on.
pub(super) const CHALLENGE: &str = "challengeresponseauthentication";

/// The keyword of the name in lower case. `challenge` says whether [`CHALLENGE`] is one of its own.
pub(super) fn find(name: &str, challenge: bool) -> Option<&'static Keyword> {
    if challenge && (name == CHALLENGE || name == "skeyauthentication") {
        return Some(&CHALLENGE_KEYWORD);
    }
    let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, own)| *own);
    KEYWORDS.iter().find(|keyword| keyword.name == name)
}

static CHALLENGE_KEYWORD: Keyword = everywhere(CHALLENGE, Kind::Flag);

const fn everywhere(name: &'static str, kind: Kind) -> Keyword {
    Keyword { name, kind, conditional: true }
}

const fn global(name: &'static str, kind: Kind) -> Keyword {
    Keyword { name, kind, conditional: false }
}

const FORWARDING: Kind = Kind::Choice(&[
    ("yes", "yes"),
    ("all", "yes"),
    ("no", "no"),
    ("remote", "remote"),
    ("local", "local"),
]);

/// Every keyword, those without effect too.
const KEYWORDS: &[Keyword] = &[
    everywhere("acceptenv", Kind::Each),
    global("addressfamily", Kind::Choice(&[("inet", "inet"), ("inet6", "inet6"), ("any", "any")])),
    everywhere("allowagentforwarding", Kind::Flag),
    everywhere("allowgroups", Kind::Each),
    everywhere("allowstreamlocalforwarding", FORWARDING),
    everywhere("allowtcpforwarding", FORWARDING),
    everywhere("allowusers", Kind::Each),
    everywhere("authenticationmethods", Kind::Words),
    everywhere("authorizedkeyscommand", Kind::Rest),
    everywhere("authorizedkeyscommanduser", Kind::Word),
    everywhere("authorizedkeysfile", Kind::Words),
    everywhere("authorizedkeysfile2", Kind::Ignored),
    everywhere("authorizedprincipalscommand", Kind::Rest),
    everywhere("authorizedprincipalscommanduser", Kind::Word),
    everywhere("authorizedprincipalsfile", Kind::Word),
    everywhere("banner", Kind::Word),
    everywhere("casignaturealgorithms", Kind::Algorithms),
    everywhere("channeltimeout", Kind::Words),
    global("checkmail", Kind::Ignored),
    everywhere("chrootdirectory", Kind::Word),
    global("ciphers", Kind::Algorithms),
    everywhere("clientalivecountmax", Kind::Number),
    everywhere("clientaliveinterval", Kind::Time),
    global("compression", Kind::Choice(&[("yes", "yes"), ("delayed", "yes"), ("no", "no")])),
    global("debianbanner", Kind::Flag),
    everywhere("denygroups", Kind::Each),
    everywhere("denyusers", Kind::Each),
    everywhere("disableforwarding", Kind::Flag),
    everywhere("exposeauthinfo", Kind::Flag),
    global("fingerprinthash", Kind::Upper),
    everywhere("forcecommand", Kind::Rest),
    everywhere(
        "gatewayports",
        Kind::Choice(&[("clientspecified", "clientspecified"), ("yes", "yes"), ("no", "no")]),
    ),
    everywhere("gssapiauthentication", Kind::Flag),
    global("gssapicleanupcredentials", Kind::Flag),
    everywhere("gssapienablek5users", Kind::Flag),
    global("gssapikexalgorithms", Kind::Word),
    global("gssapikeyexchange", Kind::Flag),
    global("gssapistorecredentialsonrekey", Kind::Flag),
    global("gssapistrictacceptorcheck", Kind::Flag),
    global("gssapiusesessioncredcache", Kind::Ignored),
    global("gssusesessionccache", Kind::Ignored),
    everywhere("hostbasedacceptedalgorithms", Kind::Algorithms),
    everywhere("hostbasedauthentication", Kind::Flag),
    everywhere("hostbasedusesnamefrompacketonly", Kind::Flag),
    global("hostcertificate", Kind::Another),
    global("hostkey", Kind::Another),
    global("hostkeyagent", Kind::Word),
    global("hostkeyalgorithms", Kind::Algorithms),
    everywhere(
        "ignorerhosts",
        Kind::Choice(&[("yes", "yes"), ("no", "no"), ("shosts-only", "shosts-only")]),
    ),
    global("ignoreuserknownhosts", Kind::Flag),
    everywhere("ipqos", Kind::Qos),
    everywhere("kbdinteractiveauthentication", Kind::Flag),
    everywhere("kerberosauthentication", Kind::Flag),
    global("kerberosgetafstoken", Kind::Flag),
    global("kerberosorlocalpasswd", Kind::Flag),
    global("kerberostgtpassing", Kind::Ignored),
    global("kerberosticketcleanup", Kind::Flag),
    everywhere("kerberosusekuserok", Kind::Flag),
    global("kexalgorithms", Kind::Algorithms),
    global("keyregenerationinterval", Kind::Ignored),
    global("listenaddress", Kind::Listen),
    global("logingracetime", Kind::Time),
    everywhere("loglevel", Kind::Upper),
    everywhere("logverbose", Kind::Words),
    global("macs", Kind::Algorithms),
    everywhere("maxauthtries", Kind::Number),
    everywhere("maxsessions", Kind::Number),
    global("maxstartups", Kind::MaxStartups),
    global("modulifile", Kind::Word),
    global("pamauthenticationviakbdint", Kind::Ignored),
    everywhere("passwordauthentication", Kind::Flag),
    global("permitblacklistedkeys", Kind::Ignored),
    everywhere("permitemptypasswords", Kind::Flag),
    everywhere("permitlisten", Kind::Permitted),
    everywhere("permitopen", Kind::Permitted),
    everywhere(
        "permitrootlogin",
        Kind::Choice(&[
            ("without-password", "without-password"),
            ("prohibit-password", "without-password"),
            ("forced-commands-only", "forced-commands-only"),
            ("yes", "yes"),
            ("no", "no"),
        ]),
    ),
    everywhere("permittty", Kind::Flag),
    everywhere(
        "permittunnel",
        Kind::Choice(&[
            ("no", "no"),
            ("point-to-point", "point-to-point"),
            ("ethernet", "ethernet"),
            ("yes", "yes"),
        ]),
    ),
    global("permituserenvironment", Kind::Word),
    everywhere("permituserrc", Kind::Flag),
    global("persourcemaxstartups", Kind::Word),
    global("persourcenetblocksize", Kind::NetBlockSize),
    global("persourcepenalties", Kind::Words),
    global("persourcepenaltyexemptlist", Kind::Word),
    global("pidfile", Kind::Word),
    global("port", Kind::Another),
    global("printlastlog", Kind::Flag),
    global("printmotd", Kind::Flag),
    global("protocol", Kind::Ignored),
    everywhere("pubkeyacceptedalgorithms", Kind::Algorithms),
    everywhere("pubkeyauthentication", Kind::Flag),
    everywhere("pubkeyauthoptions", Kind::Words),
    everywhere("rdomain", Kind::Word),
    everywhere("refuseconnection", Kind::Flag),
    everywhere("rekeylimit", Kind::RekeyLimit),
    everywhere("requiredrsasize", Kind::Number),
    global("reversemappingcheck", Kind::Ignored),
    everywhere("revokedkeys", Kind::Word),
    global("rhostsauthentication", Kind::Ignored),
    everywhere("rhostsrsaauthentication", Kind::Ignored),
    everywhere("rsaauthentication", Kind::Ignored),
    global("securitykeyprovider", Kind::Word),
    global("serverkeybits", Kind::Ignored),
    everywhere("setenv", Kind::Each),
    global("sshdauthpath", Kind::Word),
    global("sshdsessionpath", Kind::Word),
    everywhere("streamlocalbindmask", Kind::Mask),
    everywhere("streamlocalbindunlink", Kind::Flag),
    global("strictmodes", Kind::Flag),
    global("subsystem", Kind::Subsystem),
    global("syslogfacility", Kind::Upper),
    global("tcpkeepalive", Kind::Flag),
    everywhere("trustedusercakeys", Kind::Word),
    everywhere("unusedconnectiontimeout", Kind::TimeOrNone),
    global("usedns", Kind::Flag),
    global("uselogin", Kind::Ignored),
    global("usepam", Kind::Flag),
    global("useprivilegeseparation", Kind::Ignored),
    global("verifyreversemapping", Kind::Ignored),
    global("versionaddendum", Kind::Rest),
    everywhere("x11displayoffset", Kind::Number),
    everywhere("x11forwarding", Kind::Flag),
    everywhere("x11uselocalhost", Kind::Flag),
    global("xauthlocation", Kind::Word),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_aliases_lead_to_them() {
        assert!(KEYWORDS.is_sorted_by_key(|keyword| keyword.name));
        for (alias, name) in ALIASES {
            assert_eq!(find(alias, false).unwrap().name, *name);
        }
        assert_eq!(find(CHALLENGE, true).unwrap().name, CHALLENGE);
        assert!(find("nosuchthing", false).is_none());
    }
}
