//! One version: `[workspace.package]` states it, and every package that is published has it.

use crate::command::Result;
use crate::lock;
use crate::workspace::Workspace;

const PUBLISHED_CRATES: [&str; 4] = ["adflow-core", "adflow-node", "adflow-py", "adflow-server"];
const NODE_MANIFESTS: [&str; 2] = ["crates/adflow-node/package.json", "crates/adflow-node/package-lock.json"];
const PYTHON_MANIFEST: &str = "crates/adflow-py/pyproject.toml";

/// Compares the versions of all packages with the workspace's.
pub(crate) fn check(workspace: &Workspace) -> Result {
    let manifest = workspace.read("Cargo.toml")?;
    let version = toml_string(&manifest, "[workspace.package]", "version")
        .ok_or("Cargo.toml: no version in [workspace.package]")?;

    let mut found: Vec<(String, String)> = Vec::new();
    let lock_file = workspace.read("Cargo.lock")?;
    for package in lock::packages(&lock_file) {
        if PUBLISHED_CRATES.contains(&package.name) {
            found.push((format!("{} in Cargo.lock", package.name), package.version.to_string()));
        }
    }
    for file in NODE_MANIFESTS.into_iter().filter(|file| workspace.path(file).is_file()) {
        let json = workspace.read(file)?;
        found.push((file.to_string(), first_json_version(&json).unwrap_or("absent").to_string()));
    }
    // maturin takes the crate's version when pyproject.toml states none.
    if let Some(stated) = toml_string(&workspace.read(PYTHON_MANIFEST)?, "[project]", "version") {
        found.push((PYTHON_MANIFEST.to_string(), stated.to_string()));
    }

    let different: Vec<String> = found
        .into_iter()
        .filter(|(_, stated)| stated != version)
        .map(|(place, stated)| format!("{place}: {stated}"))
        .collect();
    if different.is_empty() {
        Ok(())
    } else {
        Err(format!("the version in Cargo.toml is {version}, but {}", different.join(", ")))
    }
}

/// The value of `key = "value"` in a table of a TOML file.
fn toml_string<'t>(toml: &'t str, table: &str, key: &str) -> Option<&'t str> {
    toml.lines()
        .map(str::trim)
        .skip_while(|line| *line != table)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once('='))
        .find(|(name, _)| name.trim() == key)
        .and_then(|(_, value)| value.split('"').nth(1))
}

/// The first `"version"` of a file that npm writes: the package's own.
fn first_json_version(json: &str) -> Option<&str> {
    json.lines().find_map(|line| line.trim().strip_prefix("\"version\":")?.split('"').nth(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_looked_up_in_its_own_table() {
        let toml = "[a]\nversion = \"1\"\n\n[workspace.package]\nedition = \"2024\"\nversion = \"0.2.0\" # next\n\
                    [b]\nname = \"x\"\n";
        assert_eq!(toml_string(toml, "[workspace.package]", "version"), Some("0.2.0"));
        assert_eq!(toml_string(toml, "[b]", "version"), None);
        assert_eq!(toml_string(toml, "[c]", "version"), None);
    }

    #[test]
    fn the_package_comes_before_its_dependencies() {
        let json = "{\n  \"name\": \"adflow\",\n  \"version\": \"0.1.0\",\n  \"packages\": {\n    \"\": {\n      \
                    \"version\": \"9.9.9\"\n    }\n  }\n}\n";
        assert_eq!(first_json_version(json), Some("0.1.0"));
        assert_eq!(first_json_version("{}"), None);
    }
}
