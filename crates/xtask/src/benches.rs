//! Benches: every one runs once in tests; the times themselves are taken by `cargo xtask verify`.

use std::ffi::OsStr;

use crate::command::{self, Result};
use crate::python;
use crate::workspace::Workspace;

const PEERS: &str = "benches/peers";

/// Runs each bench once, unoptimised, and a small comparison with the peers.
pub(crate) fn smoke(workspace: &Workspace) -> Result {
    // Without `--bench` criterion runs each function once; the test profile is already built.
    command::run(&mut workspace.cargo("test --locked -p adflow-benches --benches"))?;
    compare_with_peers(workspace, "--quick")
}

/// Takes the times of every bench.
pub(crate) fn measure(workspace: &Workspace) -> Result {
    command::run(&mut workspace.cargo("bench --locked -p adflow-benches"))
}

/// Solves the same problems with other people's solvers; the tables go to `target/peers`.
pub(crate) fn compare_with_peers(workspace: &Workspace, extent: &str) -> Result {
    let venv = python::develop(workspace)?;
    let requirements = workspace.path(PEERS).join("requirements.txt");
    venv.install(workspace, [OsStr::new("--requirement"), requirements.as_os_str()])?;
    let table = workspace.directory("target/peers")?.join(format!("{}.md", extent.trim_start_matches('-')));
    command::run(venv.python(workspace, PEERS).args(["compare.py", extent, "--out"]).arg(table))
}

/// Fits simulated markets by other recipes too, and compares all with the truth.
pub(crate) fn known_truth(workspace: &Workspace) -> Result {
    let venv = python::develop(workspace)?;
    let table = workspace.directory("target/peers")?.join("known_truth.md");
    command::run(venv.python(workspace, PEERS).args(["known_truth.py", "--out"]).arg(table))
}
