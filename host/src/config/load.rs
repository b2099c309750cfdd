//! Reading the file.

use super::catalog::PluginCatalog;
use super::check::{CheckOptions, check_text, search_paths};
use super::diagnostic::{Diagnostic, Severity};
use super::machine::Machine;
use super::model::Configuration;
use super::render::render_human;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// More than any configuration has, and little enough to be read at once.
const LARGEST: u64 = 64 << 20;

/// What came of reading a configuration file.
#[derive(Debug)]
pub struct Report {
    /// The configuration; `None` if there is an error among the findings.
    pub configuration: Option<Configuration>,
    /// Errors and warnings, in the order of the file.
    pub findings: Vec<Diagnostic>,
    source: String,
}

impl Report {
    /// How many findings are errors.
    pub fn errors(&self) -> usize {
        self.findings.iter().filter(|finding| finding.severity == Severity::Error).count()
    }

    /// The findings for people, each with the line it is about.
    pub fn render(&self, colour: bool) -> String {
        render_human(&self.findings, &self.source, colour)
    }
}

/// Reads and checks a configuration file. A relative `file` is seen from the current folder; links in it are not
/// followed to find the folder that relative paths start from.
pub fn load(
    file: &Path,
    catalog: &mut dyn PluginCatalog,
    machine: &dyn Machine,
    options: CheckOptions,
) -> Report {
    let (text, folder) = match text_and_folder(file) {
        Ok(read) => read,
        Err(report) => return *report,
    };
    let (configuration, findings) = match check_text(&text, file, &folder, catalog, machine, options) {
        Ok((configuration, warnings)) => (Some(configuration), warnings),
        Err(findings) => (None, findings),
    };
    Report { configuration, findings, source: String::from_utf8_lossy(&text).into_owned() }
}

/// Reads the `plugins.search-paths` of a configuration file, absolute. What else is wrong with the file is not looked at.
pub fn load_search_paths(file: &Path) -> Result<Vec<PathBuf>, Box<Report>> {
    let (text, folder) = text_and_folder(file)?;
    search_paths(&text, file, &folder).map_err(|findings| {
        let source = String::from_utf8_lossy(&text).into_owned();
        Box::new(Report { configuration: None, findings, source })
    })
}

/// The text of a file, and the absolute folder where its relative paths start.
fn text_and_folder(file: &Path) -> Result<(Vec<u8>, PathBuf), Box<Report>> {
    let absolute = std::path::absolute(file);
    let (text, path) = read(file).and_then(|text| Ok((text, absolute?))).map_err(|error| {
        let findings = vec![unreadable(file, &error)];
        Box::new(Report { configuration: None, findings, source: String::new() })
    })?;
    Ok((text, path.parent().unwrap_or(Path::new("/")).to_owned()))
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(file)?.take(LARGEST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 64 MiB"));
    }
    Ok(text)
}

/// A finding about the file as a whole: it has no place in it.
fn unreadable(file: &Path, error: &io::Error) -> Diagnostic {
    let (reason, help) = match error.kind() {
        io::ErrorKind::NotFound => ("no such file".to_owned(), Some("name another with -c FILE".to_owned())),
        io::ErrorKind::IsADirectory => ("it is a directory".to_owned(), None),
        io::ErrorKind::PermissionDenied => ("permission denied".to_owned(), None),
        _ => (error.to_string(), None),
    };
    Diagnostic {
        severity: Severity::Error,
        code: "file",
        message: format!("cannot read {:?}: {reason}", file.to_string_lossy()),
        file: file.to_string_lossy().into_owned(),
        line: 0,
        column: 0,
        length: 0,
        help,
    }
}
