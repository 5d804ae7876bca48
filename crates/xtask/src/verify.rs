//! `cargo xtask verify`: what takes too long for every change.

use crate::benches;
use crate::command::{self, Result};
use crate::stage::{self, Stage};
use crate::tools::Tool::Python;
use crate::workspace::Workspace;

const STAGES: &[Stage] = &[
    Stage {
        name: "ignored",
        checks: "the long tests of adflow-core, optimised",
        needs: &[],
        run: ignored_tests,
    },
    Stage {
        name: "peers",
        checks: "every peer on every problem, and recipes of fits against known truths, to target/peers",
        needs: &[Python],
        run: peers,
    },
    Stage { name: "benches", checks: "the times of every bench", needs: &[], run: benches::measure },
];

/// Runs the long checks one after the other, so that none disturbs the times of another.
pub(crate) fn verify(workspace: &Workspace) -> Result {
    stage::run(workspace, &stage::select(STAGES, &[])?)
}

fn ignored_tests(workspace: &Workspace) -> Result {
    command::run(&mut workspace.cargo("test --release --locked -p adflow-core -- --ignored --nocapture"))
}

fn peers(workspace: &Workspace) -> Result {
    benches::compare_with_peers(workspace, "--full")?;
    benches::known_truth(workspace)
}
