//! The Python package: built into `target/venv`, tested, type-checked, its examples run.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{self, Result};
use crate::golden;
use crate::tools;
use crate::workspace::Workspace;

pub(crate) const PACKAGE: &str = "crates/adflow-py";
const MATURIN: &str = "maturin>=1.16,<2";
/// What stubtest may find different between the stub and the module, with the reasons.
const STUBTEST_ALLOWLIST: &str = ".mypy-stubtest-allowlist";

/// Builds the package and runs everything there is in Python.
pub(crate) fn test(workspace: &Workspace) -> Result {
    let venv = develop(workspace)?;
    golden::clear(workspace, "python")?;
    command::run(venv.python(workspace, PACKAGE).args(["-m", "pytest", "--quiet"]))?;
    command::run(venv.python(workspace, PACKAGE).args(["-m", "mypy"]))?;
    let mut stubtest = venv.python(workspace, PACKAGE);
    stubtest.args(["-m", "mypy.stubtest", "adflow._adflow"]);
    if workspace.path(PACKAGE).join(STUBTEST_ALLOWLIST).is_file() {
        stubtest.args(["--allowlist", STUBTEST_ALLOWLIST]);
    }
    command::run(&mut stubtest)?;

    workspace.directory("target/examples")?;
    for file in workspace.files("examples/python", "py")? {
        // The pictures go to files: there may be no screen.
        command::run(venv.python(workspace, "target/examples").arg(file).env("MPLBACKEND", "Agg"))?;
    }
    Ok(())
}

/// Builds the package as it is released and installs it, with what its tests need.
pub(crate) fn develop(workspace: &Workspace) -> Result<Venv> {
    let venv = Venv::with_maturin(workspace)?;
    let mut maturin = venv.python(workspace, PACKAGE);
    maturin.args(["-m", "maturin", "develop", "--release", "--locked", "--extras", "test"]);
    command::run(maturin.env("PIP_QUIET", "1"))?;
    Ok(venv)
}

/// A virtual environment.
pub(crate) struct Venv {
    directory: PathBuf,
}

impl Venv {
    /// The environment in which the package is developed.
    pub(crate) fn with_maturin(workspace: &Workspace) -> Result<Self> {
        Self::open(workspace, "target/venv", &[MATURIN])
    }

    /// Opens an environment; makes it, with packages in it, when it is absent, half made, or its Python is gone.
    pub(crate) fn open(workspace: &Workspace, relative: &str, packages: &[&str]) -> Result<Self> {
        let venv = Self { directory: workspace.path(relative) };
        let complete = venv.directory.join("complete");
        if complete.is_file() && command::output(venv.python(workspace, "").arg("--version")).is_ok() {
            return Ok(venv);
        }
        let python = tools::python(workspace)?;
        command::run(workspace.command(python, "").args(["-m", "venv", "--clear"]).arg(&venv.directory))?;
        if !packages.is_empty() {
            venv.install(workspace, packages)?;
        }
        fs::write(&complete, "").map_err(|error| format!("cannot write {}: {error}", complete.display()))?;
        Ok(venv)
    }

    /// The environment's interpreter, to run in a directory given from the top of the repository.
    pub(crate) fn python(&self, workspace: &Workspace, directory: &str) -> Command {
        let interpreter = if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" };
        let mut command = workspace.command(self.directory.join(Path::new(interpreter)), directory);
        command.env("VIRTUAL_ENV", &self.directory).env_remove("PYTHONHOME").env_remove("PYTHONPATH");
        command.env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
        command
    }

    /// Installs packages, saying no more than what goes wrong.
    pub(crate) fn install(
        &self,
        workspace: &Workspace,
        what: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result {
        command::run(self.python(workspace, "").args(["-m", "pip", "--quiet", "install"]).args(what))
    }
}
