//! A command line that is executed without a shell means what `/bin/sh -c` makes of it.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use bansuri_tests::Sandbox;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

/// Lines that need no shell.
const PLAIN: &[&str] = &[
    "show",
    " show\t a  b\t",
    "show -x --long=value /path/to.file a:b,c+d@e%f",
    "show if=/dev/null of=x then do",
    "show '' \"\" ''\"\"",
    "show 'a b' \"c  d\" e' 'f\" \"g",
    "show '$HOME' '`x`' '\\' '*' '?' '[a]' '~' '#' ';' '&' '|' '<' '>' '(' ')' '{a,b}' '!'",
    "show \"*\" \"?\" \"[a]\" \"~\" \"#\" \";\" \"&\" \"|\" \"<\" \">\" \"(\" \")\" \"{a,b}\" \"'\" '\"'",
    "show 'two\nlines' \"tab\tand\rreturn\" '\u{1}\u{7f}'",
    "show - -- -c + +x . :",
    "'show' a",
    "sh\"ow\" a",
    "'my program' a",
    "./bin/show a",
    "bin/show a",
    "\"./bin/my program\" a",
    "script a 'b c'",
    "bare a 'b c'",
    "exits",
    "killed",
    "show echo x",
    "show exec cd if",
    "show-2 =",
    "show a=b=c ==",
    "10 a",
    "_ a",
    "a,b:c@d%e a",
];

/// Lines in which a shell has something to do, or to say.
const FOR_THE_SHELL: &[&str] = &[
    "# show",
    "show # comment",
    "show a#b",
    "show #",
    "show\n",
    "\nshow",
    "show\nshow a",
    "show\r",
    "show \u{a0}a",
    "show é",
    "show 'é'",
    "show $HOME",
    "show ${HOME}",
    "show $NOTHING a",
    "show \"$HOME\"",
    "show \"a$\"",
    "show $",
    "show $((1+2))",
    "show $(exits; echo y)",
    "show `echo y`",
    "show \"`echo y`\"",
    "$NOTHING show a",
    "show b*",
    "show bin/*",
    "show ?in",
    "show [b]in",
    "show []",
    "show [",
    "show ]",
    "show no-such*",
    "show ~",
    "show ~/x",
    "show ~root",
    "show a=~",
    "show a~",
    "show {a,b}",
    "show {a..c}",
    "show {}",
    "show }",
    "show ^a",
    "show a!b",
    "! show",
    "!",
    "show !",
    "show a\\ b",
    "show \\$HOME",
    "show \\",
    "show a\\\nb",
    "show \"a\\\"b\"",
    "show \"a\\b\"",
    "\\show a",
    "show 'a",
    "show \"a",
    "show a'",
    "show a; show b",
    "show a;",
    ";",
    "show a & wait",
    "show a && show b",
    "exits || show b",
    "show a | cat",
    "show a > file; cat file",
    "show a >&2",
    "show <bin/script",
    "show 2>&1",
    "(show a)",
    "show (a)",
    "{ show a; }",
    "{",
    "A=b show",
    "A=b",
    "A= show",
    "A=b B=c show a",
    "'A=b' show",
    "A+=b show",
    "1=b show",
    "PATH=/nowhere show",
    "=a",
    "a=",
    "echo",
    "echo a  b",
    "echo 'a\\tb'",
    "echo -n a",
    "'echo' a",
    "printf %s-%s a b",
    "printf",
    "test a = b",
    "test",
    "[ a = a ]",
    "'[' a = a ']'",
    "true",
    "false",
    "true a",
    ":",
    ": a",
    ".",
    ". bin/sourced",
    "source bin/sourced",
    "cd /",
    "cd",
    "pwd",
    "exec show a",
    "exec",
    "exit 3",
    "exit",
    "return 4",
    "eval show a",
    "command show a",
    "command -v show",
    "type show",
    "hash show",
    "kill -0 1",
    "kill -TERM",
    "umask",
    "umask 077",
    "ulimit -n",
    "set -- a",
    "shift",
    "unset A",
    "export A=b",
    "readonly A=b",
    "local A=b",
    "read x",
    "trap",
    "wait",
    "jobs",
    "bg",
    "fg",
    "alias x=y",
    "unalias x",
    "getopts a b",
    "let a=1",
    "declare a=1",
    "break",
    "continue",
    "if true; then show a; fi",
    "if",
    "then",
    "fi",
    "for i in a b; do show $i; done",
    "for",
    "while false; do show; done",
    "while",
    "until",
    "case a in a) show b;; esac",
    "case",
    "esac",
    "do",
    "done",
    "else",
    "elif",
    "in",
    "function f",
    "f() { show a; }; f",
    "select",
    "time show",
    "[[ a ]]",
    "]] a",
    "-show a",
    "- a",
    "--",
    "+show a",
    "+x",
    "''",
    "'' a",
    "\"\"",
    "no-such-program a",
    "./no-such-program",
    "/no/such/program",
    "plain a",
    "bin/plain a",
    "bin",
    "./bin a",
    "/",
    "folder",
    "stop",
    "history",
    "login",
    "repeat",
];

/// A folder with what the lines name.
fn folder(lines: &[&str], directory: &str, more: &Value) -> Sandbox {
    let task = |(index, line): (usize, &&str)| {
        json!({
            "name": index.to_string(), "command": line, "working-directory": directory,
            "stdout": format!("{index}.out"), "stderr": format!("{index}.err"),
        })
    };
    let tasks: Vec<Value> = lines.iter().enumerate().map(task).collect();
    let configuration = json!({ "version": "1.0", "max-running": 8, "defaults": more, "scripts": tasks });
    let sandbox = Sandbox::new(&configuration);
    let bin = sandbox.file("bin");
    std::fs::create_dir_all(bin.join("folder")).unwrap();
    let names = lines.iter().filter_map(|line| line.split_whitespace().next());
    for name in names.chain(["show", "show-2", "my program"]).filter(|name| !name.contains('/')) {
        // Named as builtins and keywords are, too: whoever executes it instead of them is caught.
        let _ = symlink(env!("CARGO_BIN_EXE_showcall"), bin.join(name));
    }
    for missing in ["no-such-program", "-show", "+show", "bin"] {
        let _ = std::fs::remove_file(bin.join(missing));
    }
    for (name, text, mode) in [
        ("script", "#!/bin/sh\nexec show \"$0\" \"$@\"\n", 0o755),
        ("bare", "exec show \"$0\" \"$@\"\n", 0o755),
        ("exits", "#!/bin/sh\nexit 77\n", 0o755),
        ("killed", "#!/bin/sh\nkill -KILL $$\n", 0o755),
        ("sourced", "exit 5\n", 0o644),
        ("plain", "exit 6\n", 0o644),
    ] {
        let _ = std::fs::remove_file(bin.join(name));
        std::fs::write(bin.join(name), text).unwrap();
        std::fs::set_permissions(bin.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    symlink(".", sandbox.file("here")).unwrap();
    sandbox
}

fn path(sandbox: &Sandbox) -> String {
    format!("{}:{}", sandbox.file("bin").display(), std::env::var("PATH").unwrap())
}

/// What came of a line.
#[derive(PartialEq, Debug)]
struct Seen {
    code: Option<i64>,
    stdout: Vec<String>,
    stderr: Vec<String>,
}

/// Less what says which way it was started, and what a shell counts about itself.
fn parts(written: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(written);
    let own = ["parent ", "variable BANSURI_", "variable _=", "variable SHLVL="];
    text.split('\0')
        .filter(|part| !own.iter().any(|word| part.starts_with(word)))
        .map(str::to_owned)
        .collect()
}

fn by_shell(sandbox: &Sandbox, line: &str, directory: &Path, more: &Value) -> Seen {
    let mut command = Command::new("/bin/sh");
    command.arg("-c");
    if line.starts_with(['-', '+']) {
        command.arg("--");
    }
    command.arg(line).current_dir(directory).stdin(Stdio::null());
    command.env("PATH", path(sandbox)).env("PWD", sandbox.path()).env_remove("BANSURI_STATE_DIR");
    for (name, value) in more["environment"].as_object().into_iter().flatten() {
        command.env(name, value.as_str().unwrap());
    }
    let output = command.output().unwrap();
    Seen {
        code: output.status.code().map(i64::from),
        stdout: parts(&output.stdout),
        stderr: parts(&output.stderr),
    }
}

/// By one host: what came of each line, and whether a shell was there.
fn by_host(sandbox: &Sandbox, count: usize, directory: &Path) -> Vec<(Seen, bool)> {
    let mut command = sandbox.command(&["run", "--events", "-", "--exit-when-done"]);
    command.env("PATH", path(sandbox)).env("PWD", sandbox.path());
    let mut host = bansuri_tests::Host::start(command);
    let parent = format!("parent {}", host.pid());
    host.wait();
    let ended = |event: &&Value| event["event"] == "task-state" && event["from"] == "RUNNING";
    let codes: BTreeMap<&str, Option<i64>> = host
        .seen()
        .iter()
        .filter(ended)
        // A shell would tell of a signal by its code.
        .map(|event| {
            let killed = (event["signal"] == "SIGKILL").then_some(128 + 9);
            (event["task"].as_str().unwrap(), event["exit_code"].as_i64().or(killed))
        })
        .collect();
    let seen = |index: usize| {
        let read = |end: &str| std::fs::read(directory.join(format!("{index}.{end}"))).unwrap_or_default();
        let stdout = read("out");
        let direct = stdout.split(|&byte| byte == 0).any(|part| part == parent.as_bytes());
        let stderr = parts(&read("err"));
        (Seen { code: codes[index.to_string().as_str()], stdout: parts(&stdout), stderr }, direct)
    };
    (0..count).map(seen).collect()
}

/// Whether each line was executed without a shell, once it is seen to have meant the same.
fn compare(lines: &[&str], directory: &str, more: &Value) -> Vec<bool> {
    let sandbox = folder(lines, directory, more);
    let directory = sandbox.file(directory);
    let found = by_host(&sandbox, lines.len(), &directory);
    for (line, (seen, _)) in lines.iter().zip(&found) {
        let mut expected = by_shell(&sandbox, line, &directory, more);
        if *line == "killed" {
            // A shell that waits says so.
            expected.stderr = vec![String::new()];
        }
        assert_eq!(*seen, expected, "{line:?}");
    }
    found.into_iter().map(|(_, direct)| direct).collect()
}

#[test]
fn a_line_that_needs_no_shell_means_the_same_without_one() {
    // The helper that starts it under another mask looks no further than its words either.
    for more in [json!({}), json!({ "umask": "022" })] {
        let direct = compare(PLAIN, ".", &more);
        for (line, direct) in PLAIN.iter().zip(direct) {
            let shows = !["exits", "killed"].contains(line);
            assert_eq!(direct, shows, "{line:?}: whether it was executed directly");
        }
    }
}

#[test]
fn a_line_that_needs_a_shell_has_one() {
    let direct = compare(FOR_THE_SHELL, ".", &json!({}));
    for (line, direct) in FOR_THE_SHELL.iter().zip(direct) {
        // A shell that is told to puts the program in its own place.
        assert_eq!(direct, line.starts_with("exec "), "{line:?}: whether it was executed directly");
    }
}

#[test]
fn the_environment_is_the_one_that_a_shell_gives() {
    // By two names of the folder: one that the host's PWD is right about, one that it is not.
    for directory in ["here", "bin"] {
        assert_eq!(compare(&["show a"], directory, &json!({})), [true]);
    }
    // Names that a shell keeps to itself, and places to look that it takes for its own.
    for environment in [
        json!({ "no.name": "x" }),
        json!({ "1st": "x" }),
        json!({ "IFS": "a" }),
        json!({ "OPTIND": "7" }),
        json!({ "PATH": "bin:/usr/bin" }),
    ] {
        assert_eq!(compare(&["show a"], ".", &json!({ "environment": environment })), [false]);
    }
}

#[test]
fn a_program_that_the_system_refuses_is_told_of_by_the_host() {
    let sandbox =
        Sandbox::new(&json!({ "version": "1.0", "scripts": [{ "name": "a", "command": "./orphan x" }] }));
    std::fs::write(sandbox.file("orphan"), "#!/no/such/interpreter\n").unwrap();
    std::fs::set_permissions(sandbox.file("orphan"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let (code, events) = sandbox.run();
    assert_eq!(code, 1);
    let failed = events.iter().find(|event| event["to"] == "FAILED").unwrap();
    assert_eq!(failed["exit_code"], 126);
    assert_eq!(
        failed["reason"],
        "command \"./orphan\": its interpreter \"/no/such/interpreter\" was not found"
    );
}
