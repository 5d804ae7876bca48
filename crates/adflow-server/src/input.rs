//! What the machine gives: files, standard input, threads.

use std::io::Read;
use std::path::Path;

use crate::failure::Failure;

/// What errors call a file, and its text; `-` is standard input.
///
/// # Errors
/// [`Failure::Input`] for a file that cannot be read.
pub fn read(path: &Path) -> Result<(String, String), Failure> {
    let stdin = path == Path::new("-");
    let name = if stdin { "stdin".into() } else { path.display().to_string() };
    let mut text = String::new();
    let read = if stdin {
        std::io::stdin().lock().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    };
    match read {
        Ok(text) => Ok((name, text)),
        Err(error) => Err(Failure::Input(format!("{name}: {error}"))),
    }
}

/// As many threads as the machine runs at once.
#[must_use]
pub fn all_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
