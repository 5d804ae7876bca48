//! What `Cargo.lock` may contain.

use crate::command::Result;
use crate::workspace::Workspace;

/// Crates whose types meet across crates, or that link native code: two versions of one would not fit together.
const AT_MOST_ONE_VERSION: [&str; 8] =
    ["libsqlite3-sys", "napi", "ndarray", "numpy", "pyo3", "rustls", "serde", "sqlx"];

/// linfa, on which scoring is built, takes ndarray 0.16 only, while numpy would also take 0.17.
const PINNED: [(&str, &str, &str); 1] =
    [("ndarray", "0.16.", "cargo update --package ndarray --precise 0.16.1")];

/// A `[[package]]` of the lock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Locked<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
}

/// Refuses two versions where there may be one, and versions other than the pinned ones.
pub(crate) fn check(workspace: &Workspace) -> Result {
    let lock = workspace.read("Cargo.lock")?;
    let faults = faults(&packages(&lock));
    if faults.is_empty() { Ok(()) } else { Err(format!("Cargo.lock: {}", faults.join("; "))) }
}

/// Every package of a lock file.
pub(crate) fn packages(lock: &str) -> Vec<Locked<'_>> {
    let mut packages: Vec<Locked<'_>> = Vec::new();
    for line in lock.lines() {
        if line == "[[package]]" {
            packages.push(Locked::default());
        } else if let (Some(package), Some((key, value))) = (packages.last_mut(), line.split_once(" = ")) {
            match key {
                "name" => package.name = value.trim_matches('"'),
                "version" => package.version = value.trim_matches('"'),
                _ => {}
            }
        }
    }
    packages
}

fn faults(packages: &[Locked<'_>]) -> Vec<String> {
    let versions = |name: &str| -> Vec<&str> {
        packages.iter().filter(|package| package.name == name).map(|package| package.version).collect()
    };
    let mut faults = Vec::new();
    for name in AT_MOST_ONE_VERSION {
        let found = versions(name);
        if found.len() > 1 {
            faults.push(format!("{name} may be there once, not as {}", found.join(" and ")));
        }
    }
    for (name, prefix, remedy) in PINNED {
        for version in versions(name).into_iter().filter(|version| !version.starts_with(prefix)) {
            faults.push(format!("{name} must be {prefix}x, not {version}: {remedy}"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(packages: &[(&str, &str)]) -> String {
        let mut text = "# generated\nversion = 4\n".to_string();
        for (name, version) in packages {
            text += &format!(
                "\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n\
                 source = \"registry\"\ndependencies = [\n \"serde 1.0.0\",\n]\n"
            );
        }
        text
    }

    fn faults_of(locked: &[(&str, &str)]) -> Vec<String> {
        faults(&packages(&lock(locked)))
    }

    #[test]
    fn packages_are_read_with_their_versions() {
        let text = lock(&[("a", "1.2.3"), ("b", "0.1.0-rc.1")]);
        let expected = [Locked { name: "a", version: "1.2.3" }, Locked { name: "b", version: "0.1.0-rc.1" }];
        assert_eq!(packages(&text), expected);
    }

    #[test]
    fn absent_crates_are_no_fault() {
        assert!(faults_of(&[]).is_empty());
        assert!(faults_of(&[("ndarray", "0.16.1"), ("rustls", "0.23.1")]).is_empty());
    }

    #[test]
    fn other_crates_may_be_there_twice() {
        assert!(faults_of(&[("rand", "0.8.5"), ("rand", "0.9.1")]).is_empty());
    }

    #[test]
    fn a_second_version_is_named() {
        assert_eq!(
            faults_of(&[("rustls", "0.22.4"), ("rustls", "0.23.1")]),
            ["rustls may be there once, not as 0.22.4 and 0.23.1"]
        );
    }

    #[test]
    fn a_version_off_the_pin_is_named_with_its_remedy() {
        let faults = faults_of(&[("ndarray", "0.17.2")]);
        assert_eq!(faults.len(), 1);
        assert!(faults[0].contains("0.17.2") && faults[0].contains("--precise 0.16.1"), "{}", faults[0]);
    }
}
