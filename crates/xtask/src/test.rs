//! `cargo xtask test`: everything that must hold before a change goes in.

use crate::command::Result;
use crate::stage::{self, Stage};
use crate::tools::Tool::{Clippy, Node, Python, Rustfmt};
use crate::workspace::Workspace;
use crate::{benches, golden, lock, node, python, rust, version, wheel};

/// In the order in which they run: what fails fastest comes first.
pub(crate) const STAGES: &[Stage] = &[
    Stage {
        name: "guards",
        checks: "one version of adflow, one of each pinned crate",
        needs: &[],
        run: guards,
    },
    Stage { name: "format", checks: "cargo fmt", needs: &[Rustfmt], run: rust::format },
    Stage { name: "lint", checks: "clippy without a warning", needs: &[Clippy], run: rust::lint },
    Stage { name: "rust", checks: "tests, doc tests, examples/rust", needs: &[], run: rust::test },
    Stage {
        name: "python",
        checks: "build, pytest, mypy, stubtest, examples/python",
        needs: &[Python],
        run: python::test,
    },
    Stage { name: "node", checks: "build, node --test, examples/node", needs: &[Node], run: node::test },
    Stage {
        name: "golden",
        checks: "the three languages agree to the last bit",
        needs: &[],
        run: golden::compare,
    },
    Stage { name: "docs", checks: "cargo doc without a warning", needs: &[], run: rust::document },
    Stage {
        name: "benches",
        checks: "every bench and the peers, once",
        needs: &[Python],
        run: benches::smoke,
    },
    Stage { name: "wheel", checks: "size, dependencies, import time", needs: &[Python], run: wheel::check },
];

/// Runs all stages, or the named ones.
pub(crate) fn test(workspace: &Workspace, names: &[String]) -> Result {
    stage::run(workspace, &stage::select(STAGES, names)?)
}

fn guards(workspace: &Workspace) -> Result {
    lock::check(workspace)?;
    version::check(workspace)
}
