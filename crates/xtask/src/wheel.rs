//! The wheel: small, quick to import, and complete with NumPy and narwhals alone.

use std::fs;
use std::path::PathBuf;

use crate::command::{self, Result};
use crate::python::{PACKAGE, Venv};
use crate::workspace::Workspace;

const SIZE_LIMIT_BYTES: u64 = 3_000_000;
const IMPORT_LIMIT_SECONDS: f64 = 0.15;
/// The fastest import counts: the others waited for the disk or for another program.
const IMPORT_RUNS: usize = 5;
/// What a fresh environment holds once the wheel is installed, besides pip's own packages.
const PACKAGES: [&str; 3] = ["adflow", "narwhals", "numpy"];
/// Prints the seconds that `import adflow` takes once NumPy is there.
const TIMED_IMPORT: &str = "import time, numpy; start = time.perf_counter(); import adflow; \
                            print(time.perf_counter() - start)";

/// Builds the wheel and tries it in an environment of its own.
pub(crate) fn check(workspace: &Workspace) -> Result {
    let wheel = build(workspace)?;
    let size =
        fs::metadata(&wheel).map_err(|error| format!("cannot read {}: {error}", wheel.display()))?.len();
    eprintln!("{size} bytes, limit {SIZE_LIMIT_BYTES}");
    if size >= SIZE_LIMIT_BYTES {
        return Err(format!("the wheel has {size} bytes, the limit is {SIZE_LIMIT_BYTES}"));
    }

    let venv = Venv::open(workspace, "target/wheel/venv", &[])?;
    venv.install(workspace, [&wheel])?;
    let mut list = venv.python(workspace, "");
    list.args(["-m", "pip", "list", "--format", "freeze", "--exclude", "pip", "--exclude", "setuptools"]);
    let installed = installed(&command::output(&mut list)?);
    if installed != PACKAGES {
        return Err(format!("the wheel brings {}, not {}", installed.join(", "), PACKAGES.join(", ")));
    }
    check_import_time(workspace, &venv)
}

fn build(workspace: &Workspace) -> Result<PathBuf> {
    // A new directory, and with it a new environment: the wheel of today and nothing else.
    let directory = workspace.directory("target/wheel")?;
    fs::remove_dir_all(&directory)
        .map_err(|error| format!("cannot clear {}: {error}", directory.display()))?;
    let mut maturin = Venv::with_maturin(workspace)?.python(workspace, PACKAGE);
    command::run(maturin.args(["-m", "maturin", "build", "--release", "--locked", "--out"]).arg(&directory))?;
    match workspace.files("target/wheel", "whl")?.as_slice() {
        [wheel] => Ok(wheel.clone()),
        wheels => Err(format!("maturin wrote {} wheels to {}", wheels.len(), directory.display())),
    }
}

fn check_import_time(workspace: &Workspace, venv: &Venv) -> Result {
    let mut fastest = f64::INFINITY;
    for _ in 0..IMPORT_RUNS {
        let printed = command::output(venv.python(workspace, "target/wheel").args(["-c", TIMED_IMPORT]))?;
        let seconds: f64 =
            printed.parse().map_err(|_| format!("an import time, but it printed `{printed}`"))?;
        fastest = fastest.min(seconds);
    }
    eprintln!("import adflow takes {fastest:.3} s beyond numpy, limit {IMPORT_LIMIT_SECONDS} s");
    if fastest < IMPORT_LIMIT_SECONDS {
        Ok(())
    } else {
        Err(format!(
            "`import adflow` takes {fastest:.3} s beyond numpy, the limit is {IMPORT_LIMIT_SECONDS} s"
        ))
    }
}

/// The packages of a `pip list --format freeze`, in the order of their names.
fn installed(freeze: &str) -> Vec<String> {
    let names = freeze.lines().filter_map(|line| line.split(['=', ' ']).next());
    let mut names: Vec<String> = names.map(str::to_lowercase).filter(|name| !name.is_empty()).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_listed_by_name() {
        assert_eq!(
            installed(
                "numpy==2.4.6
adflow==0.1.0
narwhals==2.29.0
"
            ),
            PACKAGES
        );
    }

    #[test]
    fn a_wheel_installed_from_a_file_is_recognised() {
        assert_eq!(
            installed(
                "adflow @ file:///x/adflow-0.1.0.whl
"
            ),
            ["adflow"]
        );
    }
}
