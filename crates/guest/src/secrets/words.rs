//! Commands and other lines of words: what is given a secret name is masked, and so are passwords in
//! addresses.

use super::flags::{self, Next};
use super::{MASK, addresses, is_secret, is_secret_field};

/// What may stand before the name of a program.
const SIGNS: [char; 10] = ['"', '\'', '(', '`', '-', '@', '+', '!', ':', '$'];

/// Ways of logging in that are named before the secret.
const SCHEMES: [&str; 4] = ["Basic", "Bearer", "Digest", "Token"];

/// A line of words: values of secret names, and who logs in at an address.
pub(crate) fn text(line: &str) -> String {
    let mut masked = String::with_capacity(line.len());
    let mut rest = line;
    let mut next = Next::Plain;
    let mut program = "";
    let mut open = None;
    while !rest.is_empty() {
        let blank = rest.find(|it: char| !it.is_whitespace()).unwrap_or(rest.len());
        masked.push_str(&rest[..blank]);
        rest = &rest[blank..];
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let word = &rest[..end];
        if word.is_empty() {
            break;
        }
        let name = word.rsplit('/').next().unwrap_or_default().trim_start_matches(SIGNS);
        if flags::is_program(name) {
            program = name;
        } else if program == flags::STARTER && matches!(next, Next::Plain) && !word.starts_with('-')
        {
            // The flags that follow are those of the program that it starts.
            program = "";
        }
        let start = match (next, flags::flagged(program, word)) {
            (Next::Plain, found) => found.or_else(|| value_in(word)),
            // Another flag: the one before had no value.
            _ if word.starts_with('-') => value_in(word),
            // The way of logging in comes before what one logs in with.
            (Next::Secret, _) if SCHEMES.contains(&word) => {
                masked.push_str(word);
                rest = &rest[end..];
                continue;
            }
            (Next::Secret, _) => Some(0),
            (Next::Behind(sign), _) => word.find(sign).map(|at| at + sign.len_utf8()),
        };
        let Some(start) = start else {
            next = flags::announced(program, word);
            masked.push_str(&addresses(word));
            open = opened(open, word);
            rest = &rest[end..];
            continue;
        };
        masked.push_str(&addresses(&word[..start]));
        open = opened(open, &word[..start]);
        rest = &rest[start..];
        next = if start == end { Next::Secret } else { Next::Plain };
        if start == end {
            continue;
        }
        masked.push_str(MASK);
        // A value in quotes may hold blanks; without the other quote it ends with the word.
        let quote = rest.chars().next().filter(|it| matches!(it, '"' | '\''));
        let from = quote.map_or(0, char::len_utf8);
        let close = quote.or(open).and_then(|quote| rest.get(from..)?.find(quote));
        rest = match close {
            Some(at) => &rest[from + at + 1..],
            None => &rest[end - start..],
        };
        // One that is closed is behind, and one that never is closed is none.
        open = if quote.is_some() && open != quote { open } else { None };
    }
    masked
}

/// The same of words that are parted already.
pub(super) fn parted(words: &mut [String]) {
    let mut next = Next::Plain;
    let mut program = String::new();
    for word in words {
        let name = word.rsplit('/').next().unwrap_or_default();
        if flags::is_program(name) {
            program = name.to_owned();
        }
        let announced = flags::announced(&program, word);
        let start = match next {
            _ if word.starts_with('-') => flags::flagged(&program, word),
            Next::Plain => None,
            Next::Secret => Some(0),
            Next::Behind(sign) => word.find(sign).map(|at| at + sign.len_utf8()),
        };
        *word = match start {
            Some(start) => format!("{}{MASK}", &word[..start]),
            None => text(word),
        };
        next = announced;
    }
}

/// The quote that is open behind the text.
fn opened(open: Option<char>, text: &str) -> Option<char> {
    text.chars().fold(open, |open, letter| match (open, letter) {
        (None, '"' | '\'') => Some(letter),
        (Some(quote), _) if quote == letter => None,
        _ => open,
    })
}

/// What parts a name from what stands before it in a word.
const BEFORE_NAMES: [char; 14] =
    ['=', ':', ',', '&', ';', '?', '/', '{', '(', '[', '"', '\'', '|', '%'];

/// Where in the word the first value begins that is given a secret name.
fn value_in(word: &str) -> Option<usize> {
    let address = word.find("://");
    let signs = word.char_indices().filter(|(_, sign)| matches!(sign, '=' | ':'));
    for (at, sign) in signs {
        // JSON has the name between quotes.
        let before = word[..at].trim_end_matches(['"', '\'']);
        let name = before.rsplit(BEFORE_NAMES).next().unwrap_or_default();
        let value = &word[at + 1..];
        let found = match sign {
            '=' => is_secret(name) && !value.is_empty(),
            // What logs in at an address is seen to elsewhere, and a path is no secret.
            _ => {
                let in_address = address.is_some_and(|address| address <= at);
                !in_address && !value.starts_with('/') && is_secret_field(name)
            }
        };
        if found {
            return Some(at + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_keep_everything_else() {
        for (written, shown) in [
            ("PGPASSWORD=hunter2 pg_dump  x", "PGPASSWORD=*** pg_dump  x"),
            ("export A_TOKEN='a b' x=1", "export A_TOKEN=*** x=1"),
            ("env \"MYSQL_PWD=a b\" c", "env \"MYSQL_PWD=*** c"),
            ("tool --password=a --password-file=/a", "tool --password=*** --password-file=/a"),
            ("curl https://joe:hunter2@host/x?y", "curl https://joe:***@host/x?y"),
            ("curl -x 'http://joe:a@b@host'", "curl -x 'http://joe:***@host'"),
            ("git clone ssh://git@host/x@y", "git clone ssh://git@host/x@y"),
            (
                "/usr/bin/systemd-tty-ask-password-agent --watch",
                "/usr/bin/systemd-tty-ask-password-agent --watch",
            ),
            ("password=\"open", "password=***"),
            (
                "mount -o username=a,password=b //h/s /m",
                "mount -o username=a,password=*** //h/s /m",
            ),
            ("curl 'https://h/x?a=b&token=c'", "curl 'https://h/x?a=b&token=***"),
            (
                "curl -d '{\"user\":\"a\",\"password\":\"b c\"}' h",
                "curl -d '{\"user\":\"a\",\"password\":***}' h",
            ),
            ("curl -H \"Authorization: Bearer a\" h", "curl -H \"Authorization: Bearer *** h"),
            ("curl -H 'X-Token: a b' h", "curl -H 'X-Token: *** h"),
            ("curl -u joe:hunter2 --user=joe:hunter2 h:80", "curl -u joe:*** --user=joe:*** h:80"),
            (
                "docker run -u 1000:1000 --env=DB_PASSWORD=a b",
                "docker run -u 1000:1000 --env=DB_PASSWORD=*** b",
            ),
            (
                "agent AGENT_TOKEN=a ROOTPW=b PASSWORD_FILE=/c",
                "agent AGENT_TOKEN=*** ROOTPW=*** PASSWORD_FILE=/c",
            ),
            ("tool --password hunter2 --token -v", "tool --password *** --token -v"),
            ("sshpass -p hunter2 ssh -p 22 h", "sshpass -p *** ssh -p 22 h"),
            ("/usr/bin/mysqldump -u a -phunter2 -p db", "/usr/bin/mysqldump -u a -p*** -p db"),
            ("jdbc:mysql://h/d?user=a&password=b", "jdbc:mysql://h/d?user=a&password=***"),
            ("systemd.setenv=A_PASSWORD=b quiet", "systemd.setenv=A_PASSWORD=*** quiet"),
            ("run -v secret:/run/secret -p 80:80", "run -v secret:/run/secret -p 80:80"),
            ("", ""),
        ] {
            assert_eq!(text(written), shown);
        }
    }

    #[test]
    fn words_of_a_container_belong_together() {
        let mut words = ["mysqld", "--password", "a b", "--user", "joe"].map(str::to_owned);
        parted(&mut words);
        assert_eq!(words, ["mysqld", "--password", "***", "--user", "joe"]);
        let mut words = ["sh", "-c", "X_TOKEN=a run --token b"].map(str::to_owned);
        parted(&mut words);
        assert_eq!(words[2], "X_TOKEN=*** run --token ***");
    }
}
