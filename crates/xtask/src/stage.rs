//! Stages: named steps, run in order, timed, and summed up at the end.

use std::time::{Duration, Instant};

use crate::command::Result;
use crate::skips;
use crate::tools::{self, Tool};
use crate::workspace::Workspace;

/// One step of a task.
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    /// What it checks, for the heading and the usage.
    pub(crate) checks: &'static str,
    pub(crate) needs: &'static [Tool],
    pub(crate) run: fn(&Workspace) -> Result,
}

/// One line per stage, for the usage.
pub(crate) fn table(stages: &[Stage]) -> String {
    stages
        .iter()
        .map(|stage| format!("    {:<8} {}", stage.name, stage.checks))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The stages with these names, in their own order; all of them when there are no names.
pub(crate) fn select<'s>(stages: &'s [Stage], names: &[String]) -> Result<Vec<&'s Stage>> {
    if let Some(unknown) = names.iter().find(|name| stages.iter().all(|stage| stage.name != **name)) {
        return Err(format!("there is no stage `{unknown}`; the stages are:\n{}", table(stages)));
    }
    Ok(stages
        .iter()
        .filter(|stage| names.is_empty() || names.iter().any(|name| stage.name == name))
        .collect())
}

/// Runs stages until one fails, then sums up: what passed and in which time, and what was skipped and why.
pub(crate) fn run(workspace: &Workspace, stages: &[&Stage]) -> Result {
    tools::check(workspace, stages.iter().flat_map(|stage| stage.needs.iter().copied()))?;
    skips::clear(workspace)?;

    let mut passed: Vec<(&str, Duration)> = Vec::new();
    let mut outcome = Ok(());
    for stage in stages {
        eprintln!("\n== {}: {}", stage.name, stage.checks);
        let start = Instant::now();
        outcome = (stage.run)(workspace).map_err(|message| format!("stage `{}`: {message}", stage.name));
        eprintln!(
            "== {}: {}{}",
            stage.name,
            show(start.elapsed()),
            if outcome.is_ok() { "" } else { ", failed" }
        );
        if outcome.is_err() {
            break;
        }
        passed.push((stage.name, start.elapsed()));
    }

    let skipped = skips::read(workspace)?;
    eprintln!("\npassed in {}: {}", show(passed.iter().map(|(_, time)| *time).sum()), list(&passed));
    if let Some([_, rest @ ..]) = stages.get(passed.len()..).filter(|rest| rest.len() > 1) {
        eprintln!("not run: {}", rest.iter().map(|stage| stage.name).collect::<Vec<_>>().join(", "));
    }
    eprintln!("skipped: {}", if skipped.is_empty() { "nothing".to_string() } else { skipped.join("; ") });
    outcome.and_then(|()| skips::judge(workspace, &skipped))
}

fn list(passed: &[(&str, Duration)]) -> String {
    if passed.is_empty() {
        return "nothing".to_string();
    }
    passed.iter().map(|(name, time)| format!("{name} {}", show(*time))).collect::<Vec<_>>().join(", ")
}

/// `0.3 s`, or from a minute on `2 min 5 s`.
fn show(time: Duration) -> String {
    if time < Duration::from_secs(60) {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} min {} s", time.as_secs() / 60, time.as_secs() % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAGES: &[Stage] = &[
        Stage { name: "first", checks: "one", needs: &[], run: |_| Ok(()) },
        Stage { name: "second", checks: "two", needs: &[], run: |_| Ok(()) },
    ];

    fn selected(names: &[&str]) -> Result<Vec<&'static str>> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        Ok(select(STAGES, &names)?.iter().map(|stage| stage.name).collect())
    }

    #[test]
    fn no_names_select_every_stage() {
        assert_eq!(selected(&[]), Ok(vec!["first", "second"]));
    }

    #[test]
    fn stages_keep_their_order_whatever_the_order_of_the_names() {
        assert_eq!(selected(&["second", "first"]), Ok(vec!["first", "second"]));
        assert_eq!(selected(&["second"]), Ok(vec!["second"]));
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_names_there_are() {
        let message = selected(&["third"]).unwrap_err();
        assert!(message.contains("`third`") && message.contains("second"), "{message}");
    }

    #[test]
    fn times_read_well() {
        assert_eq!(show(Duration::from_millis(340)), "0.3 s");
        assert_eq!(show(Duration::from_secs(125)), "2 min 5 s");
    }
}
