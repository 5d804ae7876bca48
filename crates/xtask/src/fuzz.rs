//! `cargo xtask fuzz`: random problems, guided by what they reach, until one breaks the engine.

use crate::command::{self, Result};
use crate::workspace::Workspace;

pub(crate) const DEFAULT_SECONDS: u32 = 60;
const DIRECTORY: &str = "crates/adflow-core";
/// libFuzzer calls a problem hung after this; the targets set a far shorter time limit.
const HANG_SECONDS: u32 = 20;

/// Runs each target of `crates/adflow-core/fuzz` for a time.
pub(crate) fn fuzz(workspace: &Workspace, seconds: u32) -> Result {
    check_tools(workspace)?;
    let targets = workspace.files(&format!("{DIRECTORY}/fuzz/fuzz_targets"), "rs")?;
    if targets.is_empty() {
        return Err(format!("there is no target in {DIRECTORY}/fuzz/fuzz_targets"));
    }
    for target in targets {
        let mut fuzzer = workspace.command("rustup", DIRECTORY);
        fuzzer.args(["run", "nightly", "cargo", "fuzz", "run"]).arg(target.file_stem().unwrap_or_default());
        fuzzer.args(["--", &format!("-max_total_time={seconds}"), &format!("-timeout={HANG_SECONDS}")]);
        command::run(&mut fuzzer)?;
    }
    Ok(())
}

/// A number of seconds as typed.
pub(crate) fn seconds(text: &str) -> Result<u32> {
    match text.parse() {
        Ok(seconds) if seconds > 0 => Ok(seconds),
        _ => Err(format!("`{text}` is not a whole number of seconds above 0")),
    }
}

fn check_tools(workspace: &Workspace) -> Result {
    let nightly = |program: &[&str]| {
        let mut command = workspace.command("rustup", "");
        command::output(command.args(["run", "nightly"]).args(program)).is_ok()
    };
    let mut missing = Vec::new();
    if !nightly(&["rustc", "--version"]) {
        missing.push("`rustup toolchain install nightly`");
    }
    if !nightly(&["cargo-fuzz", "--version"]) {
        missing.push("`cargo install cargo-fuzz --locked`");
    }
    if missing.is_empty() { Ok(()) } else { Err(format!("to install first: {}", missing.join(" and "))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_whole_and_above_zero() {
        assert_eq!(seconds("600"), Ok(600));
        for refused in ["0", "-1", "1.5", "long"] {
            assert!(seconds(refused).is_err(), "{refused}");
        }
    }
}
