//! The programs that must be on the machine, and what to type when one is not.

use std::env;
use std::process::Command;

use crate::command::{self, Result};
use crate::workspace::Workspace;

/// Something that a stage needs and that nothing here installs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    Rustfmt,
    Clippy,
    Python,
    Node,
}

/// NumPy's current releases and the wheel (`abi3-py311`) start here.
const PYTHON_FLOOR: (u32, u32) = (3, 11);
/// The oldest release that the addon's build tool takes.
const NODE_FLOOR: (u32, u32) = (20, 0);

const PYTHON_CANDIDATES: [&str; 7] =
    ["python3", "python", "python3.15", "python3.14", "python3.13", "python3.12", "python3.11"];

/// Reports every missing tool at once, each with what to install.
pub(crate) fn check(workspace: &Workspace, tools: impl Iterator<Item = Tool>) -> Result {
    let mut wanted: Vec<Tool> = Vec::new();
    for tool in tools {
        if !wanted.contains(&tool) {
            wanted.push(tool);
        }
    }
    let missing: Vec<String> = wanted.into_iter().filter_map(|tool| find(workspace, tool).err()).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("to install first:\n  {}", missing.join("\n  "))) }
}

/// The command that starts npm, which is a script on Windows.
pub(crate) fn npm() -> &'static str {
    if cfg!(windows) { "npm.cmd" } else { "npm" }
}

/// The system's Python: `$PYTHON`, or the first on the path that is new enough.
pub(crate) fn python(workspace: &Workspace) -> Result<String> {
    let chosen = env::var("PYTHON").ok().filter(|name| !name.is_empty());
    let candidates = match &chosen {
        Some(name) => vec![name.as_str()],
        None => PYTHON_CANDIDATES.to_vec(),
    };
    let mut found = Vec::new();
    for name in candidates {
        match probe_python(workspace, name) {
            Some((version, true)) if version >= PYTHON_FLOOR => return Ok(name.to_string()),
            Some(((major, minor), has_venv)) => {
                let lack = if has_venv { "" } else { " without venv" };
                found.push(format!("{name} is {major}.{minor}{lack}"));
            }
            None => {}
        }
    }
    let found = if found.is_empty() { "none found".to_string() } else { found.join(", ") };
    Err(format!(
        "Python >= {}.{} with its venv module ({found}): https://www.python.org/downloads, on Debian or Ubuntu \
         `apt install python3 python3-venv`, on macOS `brew install python`; or set PYTHON to its path",
        PYTHON_FLOOR.0, PYTHON_FLOOR.1
    ))
}

fn find(workspace: &Workspace, tool: Tool) -> Result {
    match tool {
        Tool::Rustfmt => component(workspace.cargo("fmt --version"), "rustfmt"),
        Tool::Clippy => component(workspace.cargo("clippy --version"), "clippy"),
        Tool::Python => python(workspace).map(drop),
        Tool::Node => node(workspace),
    }
}

fn component(mut version: Command, name: &str) -> Result {
    command::output(&mut version).map(drop).map_err(|_| format!("{name}: `rustup component add {name}`"))
}

fn node(workspace: &Workspace) -> Result {
    let install = format!("Node >= {} with npm: https://nodejs.org/en/download", NODE_FLOOR.0);
    let node = command::output(workspace.command("node", "").arg("--version"));
    let version = node.map_err(|_| format!("{install} (no node found)"))?;
    if version_of(&version).is_none_or(|version| version < NODE_FLOOR) {
        return Err(format!("{install} (node is {version})"));
    }
    let npm = command::output(workspace.command(npm(), "").arg("--version"));
    npm.map(drop).map_err(|_| format!("{install} (node is {version}, but there is no npm)"))
}

/// The version of an interpreter, and whether it can make virtual environments (Debian packages that apart).
fn probe_python(workspace: &Workspace, name: &str) -> Option<((u32, u32), bool)> {
    let probe = "import sys, importlib.util as u; v = sys.version_info; \
                 print(f'{v[0]}.{v[1]}', u.find_spec('ensurepip') is not None)";
    let answer = command::output(workspace.command(name, "").args(["-c", probe])).ok()?;
    let (version, has_venv) = answer.split_once(' ')?;
    Some((version_of(version)?, has_venv.trim() == "True"))
}

/// Major and minor of `v20.11.1` or `3.11`.
fn version_of(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().trim_start_matches('v').split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_the_tools_print_them() {
        assert_eq!(version_of("v20.11.1\n"), Some((20, 11)));
        assert_eq!(version_of("3.11"), Some((3, 11)));
        assert_eq!(version_of("Python"), None);
        assert!(version_of("3.9") < Some(PYTHON_FLOOR));
    }
}
