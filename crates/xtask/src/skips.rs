//! Nothing is skipped in silence: a check that cannot run appends one line, `name: reason`, to a file that is
//! shown at the end of a run.

use std::env;
use std::fs;
use std::io::ErrorKind;

use crate::command::Result;
use crate::workspace::Workspace;

/// The public data sets that some tests read lie beside the repository, not in it.
const SHARED_DATA: &str = "../shared/data";

/// Forgets the last run.
pub(crate) fn clear(workspace: &Workspace) -> Result {
    workspace.directory("target")?;
    let file = workspace.skipped_file();
    match fs::remove_file(&file) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(format!("cannot remove {}: {error}", file.display()))
        }
        _ => Ok(()),
    }
}

/// The lines of this run, each once.
pub(crate) fn read(workspace: &Workspace) -> Result<Vec<String>> {
    let file = workspace.skipped_file();
    match fs::read_to_string(&file) {
        Ok(text) => Ok(lines(&text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(format!("cannot read {}: {error}", file.display())),
    }
}

/// Refuses skips in CI, except for data that really is absent there.
pub(crate) fn judge(workspace: &Workspace, skipped: &[String]) -> Result {
    let in_ci = env::var("CI").is_ok_and(|value| !["", "0", "false"].contains(&value.as_str()));
    let unexcused = unexcused(skipped, workspace.path(SHARED_DATA).is_dir());
    if in_ci && !unexcused.is_empty() {
        Err(format!("with CI set, these skips are failures: {}", unexcused.join("; ")))
    } else {
        Ok(())
    }
}

fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if lines.iter().all(|known| known != line) {
            lines.push(line.to_string());
        }
    }
    lines
}

fn unexcused(skipped: &[String], shared_data_is_there: bool) -> Vec<&str> {
    let skipped = skipped.iter().map(String::as_str);
    skipped.filter(|line| shared_data_is_there || !line.contains(SHARED_DATA)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skip_noted_twice_counts_once() {
        assert_eq!(lines("a: no x\n\n  b: no y\r\na: no x\n"), ["a: no x", "b: no y"]);
    }

    #[test]
    fn only_absent_shared_data_excuses_a_skip() {
        let skipped = lines("a: no ../shared/data/robyn\nb: too slow");
        assert_eq!(unexcused(&skipped, false), ["b: too slow"]);
        assert_eq!(unexcused(&skipped, true), ["a: no ../shared/data/robyn", "b: too slow"]);
    }
}
