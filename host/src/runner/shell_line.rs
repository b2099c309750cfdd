//! Command lines that mean the same without a shell. The shell would start one program and wait for it: a process more
//! for the life of the run, and the longer start of two.
//!
//! The rule is narrow on purpose: what it does not take costs a shell, what it took wrongly would run something else.

use crate::process::{self, Environment};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The words of a line that `/bin/sh -c` would do nothing with but execute the first with the others, with `PWD` set in
/// the environment as it would. `None`: it may do more, or something else, or has something to complain of.
pub(super) fn words(line: &str, environment: &mut Environment, directory: &Path) -> Option<Vec<String>> {
    let words = plain(line)?;
    let program = words.first()?;
    // Where it is not found, the shell is to say so: in the log of the task, as it always does.
    if !is_searched_alike(program, environment)
        || !environment.names().all(|name| is_passed_on(name.as_bytes()))
        || !process::is_executable(program, environment, directory)
    {
        return None;
    }
    set_pwd(environment, directory)?;
    Some(words)
}

/// The words of a line in which only the first can mean something to a shell, and does not.
fn plain(line: &str) -> Option<Vec<String>> {
    let words = split(line)?;
    let program = words.first()?;
    let is_plain = !program.is_empty() && !program.starts_with(['-', '+']) && !program.contains('=');
    (is_plain && RESERVED.binary_search(&program.as_str()).is_err()).then_some(words)
}

/// Whether a shell looks where the host does. Without a PATH it has one of its own, and by a relative one it calls
/// scripts by relative names.
fn is_searched_alike(program: &str, environment: &Environment) -> bool {
    let is_absolute =
        |path: &OsStr| path.as_bytes().split(|&byte| byte == b':').all(|folder| folder.starts_with(b"/"));
    program.contains('/') || environment.value("PATH").is_some_and(is_absolute)
}

/// As a shell sets it: what it was given, where that is the working directory, else its physical path.
fn set_pwd(environment: &mut Environment, directory: &Path) -> Option<()> {
    let place = |path: &Path| fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
    let here = place(directory)?;
    let told = environment.value("PWD").map(Path::new);
    if !told.is_some_and(|told| told.is_absolute() && place(told) == Some(here)) {
        environment.set("PWD", fs::canonicalize(directory).ok()?).ok()?;
    }
    Some(())
}

/// As a shell splits. `None`: it would do more than that.
fn split(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' => words.extend(word.take()),
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        end if end == character => break,
                        '$' | '`' | '\\' if character == '"' => return None,
                        inside if inside.is_ascii() && inside != '\0' => word.push(inside),
                        _ => return None,
                    }
                }
            }
            'A'..='Z' | 'a'..='z' | '0'..='9' | '_' | '-' | '.' | '/' | ':' | ',' | '+' | '@' | '%' | '=' => {
                word.get_or_insert_default().push(character);
            }
            // An operator, an expansion, a pattern, a comment, or a character that shells treat differently.
            _ => return None,
        }
    }
    words.extend(word);
    Some(words)
}

/// Whether a shell gives a variable of this name to what it starts, with the value that it was given itself.
fn is_passed_on(name: &[u8]) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let is_name = name.first().is_some_and(|&first| is_letter(first))
        && name.iter().all(|&byte| is_letter(byte) || byte.is_ascii_digit());
    is_name && ![&b"IFS"[..], b"OPTIND", b"PPID"].contains(&name)
}

/// The builtins and keywords of dash and of bash, and the names that POSIX leaves open to a shell (XCU 2.9.1.1). In
/// order.
#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "!", ".", ":", "[", "[[", "]]", "alias", "alloc", "autoload", "bg", "bind", "bindkey", "break",
    "builtin", "bye", "caller", "cap", "case", "cd", "chdir", "clone", "command", "comparguments",
    "compcall", "compctl", "compdescribe", "compfiles", "compgen", "compgroups", "complete", "compopt",
    "compound", "compquote", "comptags", "comptry", "compvalues", "continue", "coproc", "declare", "dirs",
    "disable", "disown", "do", "done", "dosh", "echo", "echotc", "echoti", "elif", "else", "enable",
    "enum", "esac", "eval", "exec", "exit", "export", "false", "fc", "fg", "fi", "float", "for",
    "function", "getopts", "hash", "help", "hist", "history", "if", "in", "integer", "jobs", "kill",
    "let", "local", "login", "logout", "map", "mapfile", "nameref", "namespace", "popd", "print",
    "printf", "pushd", "pwd", "read", "readarray", "readonly", "repeat", "return", "savehistory",
    "select", "set", "shift", "shopt", "source", "stop", "suspend", "test", "then", "time", "times",
    "trap", "true", "type", "typeset", "ulimit", "umask", "unalias", "unset", "until", "wait", "whence",
    "while", "{", "}",
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;
    use std::process::Command;

    #[test]
    fn a_line_of_plain_words_is_split() {
        for (line, expected) in [
            ("backup", &["backup"][..]),
            (" \tbackup  --all\t/srv ", &["backup", "--all", "/srv"]),
            ("a 'b c' \"d  e\" ''", &["a", "b c", "d  e", ""]),
            ("x'y'\"z\"", &["xyz"]),
            ("a '$HOME `b` \\ # ; \n *' \"'#;*\"", &["a", "$HOME `b` \\ # ; \n *", "'#;*"]),
            ("dd if=/dev/zero of=x bs=1k", &["dd", "if=/dev/zero", "of=x", "bs=1k"]),
            ("'my program' -x", &["my program", "-x"]),
        ] {
            assert_eq!(
                plain(line).as_deref(),
                Some(&expected.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()[..]),
                "{line:?}"
            );
        }
    }

    #[test]
    fn the_names_are_in_order() {
        assert!(RESERVED.is_sorted());
    }

    /// Lines of plain pieces, with some among them that mean something to a shell.
    fn lines() -> impl Strategy<Value = String> {
        let plain = select(vec![
            "a", "b/c", "-x", "--y=z", "A=b", " ", "  ", "\t", "''", "\"\"", "'a b'", "\"c  d\"", "'*'",
            "\"#\"", "%", "@", "+", ":", "'$x\n'", "\"'\"",
        ]);
        let odd = select(vec![
            "'", "\"", "\\", "$x", "${x}", "$(a)", "`a`", "*", "?", "[a]", "~", "#", ";", "&", "|", "<", ">",
            "(", ")", "{a,b}", "!", "^", "\n", "\r", "é", "\u{a0}", "\u{7f}", "\u{1}",
        ]);
        vec(prop_oneof![6 => plain, 1 => odd], 0..10).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn what_is_split_is_split_as_the_shell_does(line in lines()) {
            if let Some(words) = split(&line) {
                let script = format!("set -- {line}\n printf '%s\\0' \"$@\"");
                let output = Command::new("/bin/sh").args(["-c", &script, "sh"]).output().unwrap();
                let expected = match words.is_empty() {
                    true => "\0".to_owned(),
                    false => words.iter().map(|word| format!("{word}\0")).collect(),
                };
                prop_assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
                prop_assert_eq!(output.stderr, b"");
            }
        }
    }
}
