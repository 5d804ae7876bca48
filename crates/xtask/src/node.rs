//! The Node package: built, its generated files up to date, tested, its examples run.

use std::process::Command;

use crate::command::{self, Result};
use crate::golden;
use crate::tools;
use crate::workspace::Workspace;

const PACKAGE: &str = "crates/adflow-node";
const EXAMPLES: &str = "examples/node";
/// Written by the build and committed: what is reviewed is what is published.
const GENERATED: [&str; 2] = ["index.js", "index.d.ts"];

/// Builds the addon as it is released and runs everything there is in JavaScript.
pub(crate) fn test(workspace: &Workspace) -> Result {
    command::run(npm(workspace, PACKAGE).args(["install", "--no-audit", "--no-fund"]))?;
    build(workspace)?;
    if workspace.path(PACKAGE).join("tsconfig.json").is_file() {
        command::run(npm(workspace, PACKAGE).args([
            "exec",
            "--no",
            "--",
            "tsc",
            "--noEmit",
            "--project",
            ".",
        ]))?;
    }
    golden::clear(workspace, "node")?;
    command::run(npm(workspace, PACKAGE).arg("test"))?;

    if workspace.path(EXAMPLES).join("package.json").is_file() {
        command::run(npm(workspace, EXAMPLES).args(["install", "--no-audit", "--no-fund"]))?;
    }
    for file in workspace.files(EXAMPLES, "mjs")? {
        command::run(workspace.command("node", EXAMPLES).arg(file))?;
    }
    Ok(())
}

fn build(workspace: &Workspace) -> Result {
    let before = generated(workspace);
    command::run(npm(workspace, PACKAGE).args(["run", "build"]))?;
    let after = generated(workspace);
    let stale: Vec<&str> =
        (0..GENERATED.len()).filter(|&i| before[i] != after[i]).map(|i| GENERATED[i]).collect();
    if stale.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "{} in {PACKAGE} was out of date; it is written anew, to be committed",
            stale.join(" and ")
        ))
    }
}

/// The generated files as they are; one that is absent is not equal to any build of it.
fn generated(workspace: &Workspace) -> [Option<String>; 2] {
    GENERATED.map(|name| workspace.read(&format!("{PACKAGE}/{name}")).ok())
}

fn npm(workspace: &Workspace, directory: &str) -> Command {
    workspace.command(tools::npm(), directory)
}
