//! From `LIBRARY[:Type]` to a type.

use crate::support::{built, misbehaving, registry};
use bansuri::plugin::{ExportKind, Registry, SearchPath};
use std::path::Path;
use std::sync::Arc;

fn task(reference: &str) -> Result<String, String> {
    let resolved =
        registry().resolve(ExportKind::Task, reference, Path::new("/"), &[folder().to_owned()], None);
    resolved.map(|resolved| resolved.type_name).map_err(|error| error.to_string())
}

fn notifier(reference: &str) -> Result<String, String> {
    let resolved =
        registry().resolve(ExportKind::Notifier, reference, Path::new("/"), &[folder().to_owned()], None);
    resolved.map(|resolved| resolved.type_name).map_err(|error| error.to_string())
}

fn folder() -> &'static Path {
    built("misbehaving").parent().unwrap()
}

#[test]
fn a_type_may_be_left_unnamed_where_there_is_one() {
    assert_eq!(task("minimal-task"), Ok("FileCount".to_owned()));
    assert_eq!(task("minimal-task:FileCount"), Ok("FileCount".to_owned()));
    assert_eq!(notifier("minimal-notifier"), Ok("Journal".to_owned()));
    let library = built("minimal-task");
    let found = registry().resolve(ExportKind::Task, "./libminimal_task.so", folder(), &[], None).unwrap();
    assert_eq!((&*found.library, &*found.type_name), (library, "FileCount"));
    let found =
        registry().resolve(ExportKind::Task, library.to_str().unwrap(), Path::new("/"), &[], None).unwrap();
    assert_eq!((&*found.library, &*found.type_name), (library, "FileCount"));
}

#[test]
fn a_type_must_be_named_where_there_are_several() {
    let library = built("misbehaving");
    let expected = format!(
        "library {library:?}: exports 6 notifiers, expected one to be named as in \"misbehaving:Writes\": Writes, \
         Fails, Panics, PanicsInNew, Hangs, Crashes"
    );
    assert_eq!(notifier("misbehaving"), Err(expected));
    let expected = format!("library {:?}: exports no notifier", built("minimal-task"));
    assert_eq!(notifier("minimal-task"), Err(expected));
}

#[test]
fn an_unknown_type_is_told_with_what_there_is() {
    let library = built("minimal-task");
    let expected = format!(
        "library {library:?}: exports no task \"filecont\", did you mean \"FileCount\"?; its tasks: FileCount"
    );
    assert_eq!(task("minimal-task:filecont"), Err(expected));
    let expected = format!(
        "library {library:?}: exports no notifier \"FileCount\", but a task of that name; it exports no notifier"
    );
    assert_eq!(notifier("minimal-task:FileCount"), Err(expected));
    let error = task("misbehaving:Nothing").unwrap_err();
    assert!(error.contains("exports no task \"Nothing\"; its tasks: PanicInNew, "), "{error}");
}

#[test]
fn a_reference_that_is_none_says_what_is_expected() {
    let expected = "plugin \"misbehaving:\": expected LIBRARY or LIBRARY:Type";
    assert_eq!(task("misbehaving:"), Err(expected.to_owned()));
}

#[test]
fn a_bare_name_is_looked_for_in_the_search_path() {
    let registry = Registry::with_search_path(SearchPath::new(vec!["/nonexistent".into(), folder().into()]));
    let resolved = registry.resolve(ExportKind::Task, "minimal-task", Path::new("/"), &[], None).unwrap();
    assert_eq!(resolved.library, built("minimal-task"));
    let nowhere = Registry::with_search_path(SearchPath::default());
    let error = nowhere
        .resolve(ExportKind::Task, "minimal-task", Path::new("/"), &["plugins".into()], None)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "library \"minimal-task\": not found; looked for libminimal_task.so and libminimal-task.so in \"/plugins\""
    );
    assert!(nowhere.find("minimal-task", folder()).is_err());
    assert!(registry.find("minimal-task:AnyType", folder()).is_ok());
}

#[test]
fn libraries_lie_side_by_side_and_each_is_loaded_once() {
    let (first, second) = (misbehaving(), registry().library(built("minimal-task")).unwrap());
    assert!(first.names(ExportKind::Task).any(|name| name == "Exits"));
    assert_eq!(second.names(ExportKind::Task).collect::<Vec<_>>(), ["FileCount"]);
    assert_eq!(second.names(ExportKind::Notifier).count(), 0);
    assert!(Arc::ptr_eq(&first, &misbehaving()));

    let home = tempfile::tempdir().unwrap();
    let link = home.path().join("link.so");
    std::os::unix::fs::symlink(built("misbehaving"), &link).unwrap();
    assert!(Arc::ptr_eq(&first, &registry().library(&link).unwrap()));
}

#[test]
fn threads_that_ask_at_once_get_one_library() {
    let registry = Registry::with_search_path(SearchPath::default());
    let libraries: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|_| scope.spawn(|| registry.library(built("minimal-task")))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
    });
    assert!(libraries.iter().all(|library| Arc::ptr_eq(library, &libraries[0])));
}

#[test]
fn a_library_tells_what_it_exports() {
    let library = misbehaving();
    assert_eq!(library.api_version(), env!("CARGO_PKG_VERSION"));
    assert_eq!(library.path(), built("misbehaving").canonicalize().unwrap());
    let exits = library.exports().iter().find(|export| export.name == "Exits").unwrap();
    assert_eq!(exits.kind, ExportKind::Task);
    assert_eq!(exits.description, "exits as its options say");
    let schema: serde_json::Value = serde_json::from_str(exits.options_schema.as_deref().unwrap()).unwrap();
    assert_eq!(schema["required"][0], "code");
    let echo = library.exports().iter().find(|export| export.name == "Echo").unwrap();
    assert_eq!((echo.description.as_str(), &echo.options_schema), ("", &None));
}
