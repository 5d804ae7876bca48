//! The Rust crates: formatting, lints, tests, examples, documentation.

use std::process::Command;

use crate::command::{self, Result};
use crate::golden;
use crate::workspace::Workspace;

/// Has rustfmt's rules everywhere.
pub(crate) fn format(workspace: &Workspace) -> Result {
    command::run(&mut workspace.cargo("fmt --all --check"))
}

/// Has no warning, in any crate.
pub(crate) fn lint(workspace: &Workspace) -> Result {
    let mut clippy = workspace.cargo("clippy --workspace --all-targets --locked -- --deny warnings");
    command::run(without_python(&mut clippy))
}

/// Runs the tests, the examples in the documentation, and `examples/rust`.
///
/// The bindings are left out: their tests are in their own languages.
pub(crate) fn test(workspace: &Workspace) -> Result {
    golden::clear(workspace, "rust")?;
    let packages = "-p adflow-core -p adflow-server -p adflow-examples -p xtask";
    command::run(&mut workspace.cargo(&format!("test --locked {packages}")))?;
    for file in workspace.files("examples/rust", "rs")? {
        let name = file.file_stem().unwrap_or_default();
        command::run(workspace.cargo("run --quiet --locked -p adflow-examples --example").arg(name))?;
    }
    Ok(())
}

/// Builds the documentation, every link and item of it.
pub(crate) fn document(workspace: &Workspace) -> Result {
    let mut doc = workspace.cargo("doc --no-deps --locked -p adflow-core -p adflow-server");
    command::run(doc.env("RUSTDOCFLAGS", "-Dwarnings"))
}

/// Has the Python crate checked as an extension for any Python, whichever is on the machine, if one is.
fn without_python(command: &mut Command) -> &mut Command {
    command.env("PYO3_NO_PYTHON", "1").env("PYO3_BUILD_EXTENSION_MODULE", "1")
}
