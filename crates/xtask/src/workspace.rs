//! Where things are, and commands that know it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::Result;

/// The repository on disk.
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// Finds the repository this program was built from.
    pub(crate) fn locate() -> Result<Self> {
        let crate_directory = Path::new(env!("CARGO_MANIFEST_DIR"));
        match crate_directory.ancestors().nth(2) {
            Some(root) if root.join("Cargo.lock").is_file() => Ok(Self { root: root.to_path_buf() }),
            _ => {
                Err(format!("no workspace with a Cargo.lock two levels above {}", crate_directory.display()))
            }
        }
    }

    /// A path given from the top of the repository.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// A directory given from the top of the repository, made when absent.
    pub(crate) fn directory(&self, relative: &str) -> Result<PathBuf> {
        let path = self.path(relative);
        fs::create_dir_all(&path).map_err(|error| format!("cannot make {}: {error}", path.display()))?;
        Ok(path)
    }

    /// The text of a file given from the top of the repository.
    pub(crate) fn read(&self, relative: &str) -> Result<String> {
        let path = self.path(relative);
        fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))
    }

    /// The files with an extension directly in a directory, in the order of their names; none when it is absent.
    pub(crate) fn files(&self, directory: &str, extension: &str) -> Result<Vec<PathBuf>> {
        let path = self.path(directory);
        if !path.is_dir() {
            return Ok(Vec::new());
        }
        let entries =
            fs::read_dir(&path).map_err(|error| format!("cannot list {}: {error}", path.display()))?;
        let mut files: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|file| file.is_file() && file.extension() == Some(OsStr::new(extension)))
            .collect();
        files.sort();
        Ok(files)
    }

    /// Where tests note what they skip; every command gets it as `ADFLOW_SKIPPED_FILE`.
    pub(crate) fn skipped_file(&self) -> PathBuf {
        self.path("target/skipped.txt")
    }

    /// A program, to run in a directory given from the top of the repository (`""` for the top itself).
    pub(crate) fn command(&self, program: impl AsRef<OsStr>, directory: &str) -> Command {
        let directory = if directory.is_empty() { self.root.clone() } else { self.path(directory) };
        let mut command = Command::new(program);
        command.current_dir(directory).env("ADFLOW_SKIPPED_FILE", self.skipped_file());
        command
    }

    /// Cargo, at the top of the repository.
    pub(crate) fn cargo(&self, arguments: &str) -> Command {
        let mut command = self.command("cargo", "");
        command.args(arguments.split_whitespace());
        command
    }
}
