//! The three languages give the same bits.
//!
//! The golden tests of each language write `target/golden/<language>.txt` (plans), `<language>_schedule.txt` (schedules) and
//! `<language>_fit.txt` (response models): one line per case, its name and then the bits of every result in hexadecimal. The
//! files must be equal.

use std::fs;
use std::io::ErrorKind;

use crate::command::Result;
use crate::workspace::Workspace;

const DIRECTORY: &str = "target/golden";
/// The files of cases that every language answers, in the order in which each writes them down.
const PLANS: [&str; 12] = [
    "concave",
    "s_shaped",
    "zero_or_minimum",
    "draws",
    "edge",
    "published",
    "goals",
    "groups",
    "activation",
    "moves",
    "steps",
    "risk",
];
const SCHEDULES: [&str; 1] = ["schedule"];
const FITS: [&str; 1] = ["response_models"];
/// What the name of a language's file of results ends with, and the cases in it.
const RESULTS: [(&str, &[&str]); 3] = [("", &PLANS), ("_schedule", &SCHEDULES), ("_fit", &FITS)];
const REFERENCE: &str = "rust";
const OTHERS: [&str; 2] = ["python", "node"];

/// Removes what an earlier run of a language's tests wrote, so that it cannot stand for this run's.
pub(crate) fn clear(workspace: &Workspace, language: &str) -> Result {
    let directory = workspace.directory(DIRECTORY)?;
    for (end, _) in RESULTS {
        let file = directory.join(format!("{language}{end}.txt"));
        match fs::remove_file(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(format!("cannot remove {}: {error}", file.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Compares the results of the last run of each language's tests.
pub(crate) fn compare(workspace: &Workspace) -> Result {
    let mut cases = 0;
    for (end, expected) in RESULTS {
        let reference = results(workspace, REFERENCE, end)?;
        let files = files(&reference);
        if files != expected {
            let (files, expected) = (files.join(", "), expected.join(", "));
            return Err(format!("the cases are those of {files}, instead of {expected}"));
        }
        for language in OTHERS {
            if let Some(difference) = first_difference(&reference, &results(workspace, language, end)?) {
                return Err(format!("{REFERENCE} and {language} differ: {difference}"));
            }
        }
        cases += reference.lines().count();
    }
    eprintln!("{cases} cases, equal to the last bit in {REFERENCE}, {}", OTHERS.join(", "));
    Ok(())
}

fn results(workspace: &Workspace, language: &str, end: &str) -> Result<String> {
    let file = format!("{DIRECTORY}/{language}{end}.txt");
    if !workspace.path(&file).is_file() {
        return Err(format!("{file} is not there: the golden tests write it, `cargo xtask test {language}`"));
    }
    let text = workspace.read(&file)?;
    if text.trim().is_empty() { Err(format!("{file} has no cases")) } else { Ok(text) }
}

/// The files that the cases come from, in order: a line starts with `file/case`.
fn files(results: &str) -> Vec<&str> {
    let mut files: Vec<&str> = results.lines().map(|line| line.split('/').next().unwrap_or(line)).collect();
    files.dedup();
    files
}

/// Describes the first line in which two files differ.
fn first_difference(one: &str, other: &str) -> Option<String> {
    if one == other {
        return None;
    }
    let (mut ones, mut others) = (one.split('\n'), other.split('\n'));
    for number in 1.. {
        match (ones.next(), others.next()) {
            (None, None) => break,
            (left, right) if left == right => {}
            (left, right) => {
                return Some(format!("line {number}\n  {}\n  {}", shown(left), shown(right)));
            }
        }
    }
    None
}

/// A line, or why there is none.
fn shown(line: Option<&str>) -> &str {
    match line {
        None => "(the file ends)",
        Some("") => "(empty)",
        Some(line) => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_tells_its_file() {
        assert_eq!(files("a/one 3ff0\na/1/2 4000\nb/one error infeasible\na/two 0\n"), ["a", "b", "a"]);
    }

    #[test]
    fn equal_files_do_not_differ() {
        assert_eq!(first_difference("a 3ff0\nb 4000\n", "a 3ff0\nb 4000\n"), None);
    }

    #[test]
    fn the_first_line_that_differs_is_shown() {
        let difference =
            first_difference("a 3ff0\nb 4000\nc 0\n", "a 3ff0\nb 4001\nc 1\n").unwrap_or_default();
        assert_eq!(difference, "line 2\n  b 4000\n  b 4001");
    }

    #[test]
    fn a_missing_case_is_a_difference() {
        assert_eq!(first_difference("a 1\n", "a 1\nb 2\n").unwrap_or_default(), "line 2\n  (empty)\n  b 2");
    }

    #[test]
    fn a_missing_last_line_end_is_a_difference() {
        assert_eq!(
            first_difference("a 1\n", "a 1").unwrap_or_default(),
            "line 2\n  (empty)\n  (the file ends)"
        );
    }
}
