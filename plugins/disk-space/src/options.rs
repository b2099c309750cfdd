//! The options of a check.

use crate::limit::{InodeLimit, SpaceLimit};
use bansuri_plugin_kit::{Several, Span};
use schemars::JsonSchema;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What `options` holds in the configuration; README.md has the table.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(title = "disk-space")]
pub(crate) struct Options {
    /// What is looked at: a path on each file system, or a path with limits of its own.
    paths: Several<WatchedPath>,
    /// The least space that must be free.
    min_free: Option<SpaceLimit>,
    /// The least inodes that must be free.
    min_free_inodes: Option<InodeLimit>,
    /// When a file system that gives no answer is given up.
    #[serde(default = "default_timeout")]
    #[schemars(extend("default" = "10s"))]
    pub(crate) timeout: Span,
}

fn default_timeout() -> Span {
    const { Span::new(Duration::from_secs(10)).expect("10 is not 0") }
}

/// One of `paths`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a path, or an object with path, min-free and min-free-inodes")]
#[schemars(inline)]
enum WatchedPath {
    Plain(#[schemars(length(min = 1))] PathBuf),
    WithLimits(PathWithLimits),
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(inline)]
struct PathWithLimits {
    /// A path on the file system.
    #[schemars(length(min = 1))]
    path: PathBuf,
    /// The least space that must be free there.
    min_free: Option<SpaceLimit>,
    /// The least inodes that must be free there.
    min_free_inodes: Option<InodeLimit>,
}

/// One path and what has to be free there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Demand {
    pub(crate) path: PathBuf,
    pub(crate) space: Option<SpaceLimit>,
    pub(crate) inodes: Option<InodeLimit>,
}

impl Options {
    /// All that is demanded, relative paths resolved against the task's working directory.
    ///
    /// # Errors
    /// A path has no limit, or is none.
    pub(crate) fn demands(&self, working_directory: &Path) -> Result<Vec<Demand>, String> {
        let demand = |watched: &WatchedPath| {
            let (path, space, inodes) = match watched {
                WatchedPath::Plain(path) => (path, None, None),
                WatchedPath::WithLimits(own) => (&own.path, own.min_free, own.min_free_inodes),
            };
            // A path's own limit takes the place of the same one for all.
            let (space, inodes) = (space.or(self.min_free), inodes.or(self.min_free_inodes));
            if path.as_os_str().is_empty() {
                return Err("options.paths: an empty path".to_owned());
            }
            if space.is_none() && inodes.is_none() {
                return Err(format!("options: {path:?}: no limit, expected min-free or min-free-inodes"));
            }
            Ok(Demand { path: working_directory.join(path), space, inodes })
        };
        self.paths.all().iter().map(demand).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bansuri_plugin_test::{documented, example, option_names, read};
    use serde_json::{Value, json};

    fn demands(options: Value) -> Result<Vec<Demand>, String> {
        read::<Options>(&options)?.demands(Path::new("/srv"))
    }

    fn space(text: &str) -> Option<SpaceLimit> {
        Some(serde_json::from_value(json!(text)).unwrap())
    }

    #[test]
    fn ways_to_write_paths() {
        let one = demands(json!({ "paths": "data", "min-free": "10%" })).unwrap();
        assert_eq!(one, [Demand { path: "/srv/data".into(), space: space("10%"), inodes: None }]);
        let paths = json!(["/", { "path": "/var", "min-free": "5G", "min-free-inodes": 7 }]);
        let several = demands(json!({ "paths": paths, "min-free": "10%", "timeout": 5 })).unwrap();
        let own = Demand { path: "/var".into(), space: space("5G"), inodes: Some(InodeLimit::Number(7)) };
        assert_eq!(several, [Demand { path: "/".into(), space: space("10%"), inodes: None }, own]);
    }

    #[test]
    fn errors_name_the_value_and_what_is_valid() {
        let check = |options: Value, expect: &str| {
            let error = demands(options.clone()).unwrap_err();
            assert!(error.contains(expect), "{options}: {error}");
        };
        check(json!({ "min-free": "10%" }), "missing field `paths`");
        check(json!({ "paths": [], "min-free": "10%" }), "an empty list, expected at least one");
        check(json!({ "paths": [1], "min-free": "10%" }), "expected a path, or an object with path");
        check(json!({ "paths": "/", "min-free": "10" , "min-fre": 1 }), "unknown field `min-fre`");
        check(json!({ "paths": "/", "min-free": "ten" }), "\"ten\": expected a share or a size");
    }

    #[test]
    fn every_path_needs_a_limit() {
        let paths = json!(["/", { "path": "/var", "min-free": "5G" }]);
        let read = serde_json::from_value::<Options>(json!({ "paths": paths })).unwrap();
        let error = read.demands(Path::new("/srv")).unwrap_err();
        assert_eq!(error, "options: \"/\": no limit, expected min-free or min-free-inodes");
    }

    /// The schema, the table in the README and the options are one list.
    #[test]
    fn schema_readme_and_options_agree() {
        assert_eq!(documented(include_str!("../README.md")), option_names::<Options>());
    }

    #[test]
    fn the_example_in_the_readme_is_valid() {
        demands(example(include_str!("../README.md"), "/scripts/0/options")).unwrap();
    }
}
