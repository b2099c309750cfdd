//! Files that are no usable plugin libraries. Each is refused in one line.

use crate::support::{built, registry};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The error for this file, without its path.
fn refusal(path: &Path) -> String {
    let error = registry().library(path).unwrap_err().to_string();
    assert!(!error.contains('\n'), "{error}");
    let prefix = format!("library {path:?}: ");
    error
        .strip_prefix(&prefix)
        .unwrap_or_else(|| panic!("{error:?} does not begin with {prefix:?}"))
        .to_owned()
}

/// The error for a file of these bytes.
fn refusal_of(bytes: &[u8]) -> String {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("libplugin.so");
    fs::write(&path, bytes).unwrap();
    refusal(&path)
}

#[test]
fn what_is_no_library_is_refused() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(refusal(&home.path().join("libnone.so")), "no such file or directory");
    assert_eq!(refusal(home.path()), "expected a shared library, found a directory");
    assert_eq!(refusal_of(b""), "expected a shared library, found an empty file");
    assert_eq!(refusal_of(b"#!/bin/sh\necho hello\n"), "not a shared library");
    assert_eq!(refusal_of(b"hi"), "not a shared library");
    assert_eq!(refusal(Path::new("relative/lib.so")), "expected an absolute path");
    let fifo = home.path().join("fifo");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RUSR).unwrap();
    assert_eq!(refusal(&fifo), "expected a shared library, found neither a file nor a directory");
    let program = std::env::current_exe().unwrap();
    assert!(refusal(&program.canonicalize().unwrap()).starts_with("cannot be loaded: "));
}

#[test]
fn a_truncated_library_is_refused_wherever_it_ends() {
    let whole = fs::read(built("misbehaving")).unwrap();
    let some = [1, 3, 4, 15, 16, 17, 63, 64, 100, 4096, whole.len() / 2, whole.len() - 1];
    for length in some {
        let found = refusal_of(&whole[..length]);
        assert_eq!(found, "truncated: the file ends before its contents do", "{length} bytes");
    }
}

#[test]
fn a_library_for_another_machine_is_refused() {
    let whole = fs::read(built("no-root-module")).unwrap();
    let patched = |offset: usize, bytes: &[u8]| {
        let mut library = whole.clone();
        library[offset..offset + bytes.len()].copy_from_slice(bytes);
        library
    };
    let host = std::env::consts::ARCH;
    // e_machine, little-endian as every host this is run on.
    assert_eq!(refusal_of(&patched(18, &[22, 0])), format!("built for s390x, this host is {host}"));
    assert_eq!(refusal_of(&patched(18, &[21, 0])), format!("built for powerpc64le, this host is {host}"));
    assert_eq!(refusal_of(&patched(18, &[1, 200])), format!("built for machine 51201, this host is {host}"));
    #[cfg(target_arch = "x86_64")]
    {
        assert_eq!(refusal_of(&patched(18, &[183, 0])), "built for aarch64, this host is x86_64");
        let narrow = "built for x86_64 with 32-bit pointers, this host is x86_64";
        assert_eq!(refusal_of(&patched(4, &[1])), narrow);
    }
    // e_type: an object file.
    assert_eq!(refusal_of(&patched(16, &[1, 0])), "not a shared library");
}

#[test]
fn a_missing_symbol_is_found_before_it_is_called() {
    let home = tempfile::tempdir().unwrap();
    let (source, library) = (home.path().join("lib.c"), home.path().join("libplugin.so"));
    fs::write(&source, "void is_nowhere(void); void call(void) { is_nowhere(); }").unwrap();
    let status =
        Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status().unwrap();
    assert!(status.success());
    assert_eq!(refusal(&library), "cannot be loaded: undefined symbol: is_nowhere");
}

#[test]
fn a_library_that_is_no_plugin_is_refused() {
    let found = refusal(built("no-root-module"));
    assert_eq!(
        found,
        "not a Bansuri plugin: it exports neither a root module (export_plugin! in Rust) nor a function bansuri_plugin (in C)"
    );
}

#[test]
fn a_plugin_of_another_interface_is_refused() {
    let expected = format!(
        "incompatible plugin-api: built with 9.1.0, this host has {} (expected a type of bansuri-plugin-api, found one \
         of incompatible); build it anew",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(refusal(built("incompatible")), expected);
}
