//! Starting other programs: each is shown before it runs, and a failure names the command and its directory.

use std::path::Path;
use std::process::{Command, Stdio};

/// What a task comes to: nothing left to say, or a message for whoever typed the command.
pub(crate) type Result<T = ()> = std::result::Result<T, String>;

/// Runs a command whose output goes straight to the terminal.
pub(crate) fn run(command: &mut Command) -> Result {
    eprintln!("> {}", line(command));
    let status = command.status().map_err(|error| unstartable(command, &error))?;
    if status.success() { Ok(()) } else { Err(failed(command, &status.to_string())) }
}

/// Runs a command quietly and returns what it prints.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| unstartable(command, &error))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
    } else {
        let complaint = String::from_utf8_lossy(&output.stderr);
        Err(format!("{}\n{}", failed(command, &output.status.to_string()), complaint.trim()))
    }
}

/// The command as one would type it.
fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn directory(command: &Command) -> String {
    command.get_current_dir().unwrap_or(Path::new(".")).display().to_string()
}

fn unstartable(command: &Command, error: &std::io::Error) -> String {
    format!("cannot start `{}` in {}: {error}", line(command), directory(command))
}

fn failed(command: &Command, status: &str) -> String {
    format!("`{}` failed in {} ({status})", line(command), directory(command))
}
