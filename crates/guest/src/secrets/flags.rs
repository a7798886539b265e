//! Flags of programs that are followed by a password though nothing names it so: `sshpass -p word`,
//! `curl -u joe:word`.

use super::is_secret;

/// A flag that is followed by a secret though its name does not say so.
struct Flag {
    programs: &'static [&'static str],
    names: &'static [&'static str],
    /// The sign behind which the secret begins, where it is not all of the value.
    behind: Option<char>,
    /// Whether the value may be the next word.
    apart: bool,
}

/// It hands its password to another program, which it starts.
pub(super) const STARTER: &str = "sshpass";

const FLAGS: [Flag; 6] = [
    Flag { programs: &[STARTER], names: &["-p"], behind: None, apart: true },
    Flag {
        programs: &[
            "mysql",
            "mysqldump",
            "mysqladmin",
            "mysqlcheck",
            "mysqlimport",
            "mariadb",
            "mariadb-dump",
            "mariadb-admin",
            "mariadb-check",
        ],
        names: &["-p"],
        behind: None,
        apart: false,
    },
    Flag {
        programs: &["curl", "wget"],
        names: &["--proxy-user", "--user", "-u", "-U"],
        behind: Some(':'),
        apart: true,
    },
    Flag {
        programs: &["smbclient", "rpcclient", "net"],
        names: &["--user", "-U"],
        behind: Some('%'),
        apart: true,
    },
    Flag { programs: &["redis-cli"], names: &["-a"], behind: None, apart: true },
    Flag {
        programs: &["ldapsearch", "ldapadd", "ldapmodify", "ldapdelete"],
        names: &["-w"],
        behind: None,
        apart: true,
    },
];

/// What a word says of the one behind it.
#[derive(Clone, Copy)]
pub(super) enum Next {
    /// Nothing.
    Plain,
    /// It is secret.
    Secret,
    /// It is secret from the first such sign on.
    Behind(char),
}

/// Whether it is one of the programs whose flags are known.
pub(super) fn is_program(name: &str) -> bool {
    FLAGS.iter().any(|flag| flag.programs.contains(&name))
}

/// Where in the word a secret begins that is written right behind a flag of the program.
pub(super) fn flagged(program: &str, word: &str) -> Option<usize> {
    let flags = FLAGS.iter().filter(|flag| flag.programs.contains(&program));
    flags.into_iter().find_map(|flag| {
        let name = flag.names.iter().find(|name| word.starts_with(**name))?;
        let value = &word[name.len()..];
        let is_long = name.starts_with("--");
        if value.is_empty() || is_long != value.starts_with('=') {
            return None;
        }
        match flag.behind {
            Some(sign) => value.find(sign).map(|at| name.len() + at + sign.len_utf8()),
            None => Some(name.len()),
        }
    })
}

/// What the word says of the next: `--password`, or a flag of the program.
pub(super) fn announced(program: &str, word: &str) -> Next {
    let flags = FLAGS.iter().filter(|flag| flag.programs.contains(&program) && flag.apart);
    let flag = flags.into_iter().find(|flag| flag.names.contains(&word));
    match flag {
        Some(Flag { behind: Some(sign), .. }) => Next::Behind(*sign),
        Some(_) => Next::Secret,
        None if word.starts_with('-') && !word.contains('=') && is_secret(word) => Next::Secret,
        None => Next::Plain,
    }
}
