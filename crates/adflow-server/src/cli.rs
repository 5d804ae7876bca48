//! Arguments: what was asked, and which file it is asked of.

use std::path::{Path, PathBuf};
use std::time::Instant;

use adflow_core::{Frontier, Plan, Problem, Schedule};
use adflow_server::failure::Failure;
use adflow_server::fit::Fit;
use adflow_server::goals::Goals;
use adflow_server::table::Campaigns;
use adflow_server::{curves_file, frontier, input, show, table, tour};
use clap::{Args, Parser, Subcommand};

/// Certified budget allocation: every plan carries a proof.
///
/// Without a command: a short tour, from a history to its response curves to a plan.
#[derive(Debug, Parser)]
#[command(version, after_help = "Exit codes: 0 a plan, 1 unusable input, 2 unusable arguments.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Learns response curves from a history of spends and outcomes.
    // Its options are many; a command is parsed once.
    Fit(Box<Fit>),
    /// Splits a budget over response curves.
    Allocate(Box<Allocate>),
}

#[derive(Debug, Args)]
#[command(after_help = table::HELP)]
struct Allocate {
    /// The curves that `adflow fit` wrote, campaigns as CSV, or a problem as JSON; `-` reads standard input. A problem is
    /// answered with JSON, and is a schedule where it has `periods`.
    #[arg(value_name = "FILE", required_unless_present = "example")]
    file: Option<PathBuf>,
    /// Total that may be spent (money); needed where nothing else bounds what an arm may spend.
    #[arg(long, value_name = "MONEY", allow_negative_numbers = true)]
    budget: Option<f64>,
    /// Several budgets, separated by commas: the best plan for each, and where campaigns enter or reach their limit.
    #[arg(
        long,
        value_name = "MONEY,…",
        value_delimiter = ',',
        allow_negative_numbers = true,
        conflicts_with = "budget"
    )]
    budgets: Vec<f64>,
    /// Spend the whole budget, even where less of it is worth more.
    #[arg(long)]
    spend_all: bool,
    /// Let spends go beyond those that the curves of `adflow fit` were fitted on, where they are a guess.
    #[arg(long)]
    extrapolate: bool,
    #[command(flatten)]
    goals: Goals,
    /// Seconds after which the best plan so far is shown, with its true gap.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    time_limit: Option<f64>,
    /// Largest relative gap that is called optimal [default: 1e-6].
    #[arg(long, value_name = "GAP", allow_negative_numbers = true)]
    tolerance: Option<f64>,
    /// Threads for passes over many arms [default: all]; the plan is the same with any number.
    #[arg(long, value_name = "COUNT")]
    threads: Option<usize>,
    /// Print the plan as JSON.
    #[arg(long)]
    json: bool,
    /// Print twelve campaigns, a table to start your own from, and end.
    #[arg(long, exclusive = true)]
    example: bool,
}

/// What the arguments ask for, as text.
pub(crate) fn run(cli: Cli) -> Result<String, Failure> {
    match cli.command {
        None => tour::tour(&program(), solve).map_err(|error| Failure::Input(error.to_string())),
        Some(Command::Fit(ask)) => ask.run(&program()),
        Some(Command::Allocate(ask)) if ask.example => Ok(table::EXAMPLE.into()),
        Some(Command::Allocate(ask)) => allocate(&ask),
    }
}

fn allocate(ask: &Allocate) -> Result<String, Failure> {
    let Some(path) = &ask.file else { return Err(Failure::Usage("a file is needed, or --example".into())) };
    let (name, text) = input::read(path)?;
    if !is_json(path, &text) {
        return ask.campaigns(&name, &text);
    }
    // What cannot be read is none of these, and refused as a problem.
    let document = serde_json::from_str::<serde_json::Value>(&text).unwrap_or_default();
    if document.get("periods").is_some() {
        return ask.schedule(&name, &text);
    }
    match curves_file::problem_of(document, ask.extrapolate) {
        Some(problem) => {
            let problem = problem.map_err(|reason| Failure::Input(format!("{name}: {reason}")))?;
            ask.problem(&name, &problem, ask.json)
        }
        None => ask.problem(&name, &text, true),
    }
}

impl Allocate {
    /// The arguments take the place of what the file says.
    fn apply(&self, mut problem: Problem) -> Problem {
        if let Some(budget) = self.budget {
            problem = problem.budget(budget);
        }
        if self.spend_all {
            problem = problem.spend_all(true);
        }
        if let Some(seconds) = self.time_limit {
            problem = problem.time_limit(seconds);
        }
        if let Some(tolerance) = self.tolerance {
            problem = problem.tolerance(tolerance);
        }
        problem.threads(self.threads.unwrap_or_else(input::all_threads))
    }

    /// Solves the problem of a table.
    fn campaigns(&self, name: &str, text: &str) -> Result<String, Failure> {
        let campaigns = table::read(name, text).map_err(|error| Failure::Input(error.to_string()))?;
        let problem = self.goals.apply_to(&campaigns, campaigns.problem.clone()).map_err(Failure::Usage)?;
        let complain =
            |error| self.complain(error, Some(&campaigns), |error| campaigns.locate(error).to_string());
        if !self.budgets.is_empty() {
            let frontier = sweep(self.apply(problem), &self.budgets).map_err(complain)?;
            return Ok(told(&frontier, campaigns.problem.curves().names(), self.json));
        }
        let plan = solve(self.apply(problem)).map_err(complain)?;
        Ok(if self.json { plan.to_json() } else { show::plan(&plan, Some(&campaigns), &self.goals) })
    }

    /// Solves a problem in JSON; the answer is JSON, or to be read.
    fn problem(&self, name: &str, text: &str, json: bool) -> Result<String, Failure> {
        if let Some(flag) = self.goals.group_argument() {
            return Err(Failure::Usage(format!(
                "{flag} is for tables: a problem in JSON has its own `groups`"
            )));
        }
        let in_file = |error: adflow_core::Error| format!("{name}: {error}");
        let problem = Problem::from_json(text).map_err(|error| Failure::Input(in_file(error)))?;
        let curves = problem.curves().clone();
        let problem = self.apply(self.goals.apply(problem));
        if !self.budgets.is_empty() {
            let frontier =
                sweep(problem, &self.budgets).map_err(|error| self.complain(error, None, in_file))?;
            return Ok(told(&frontier, curves.names(), json));
        }
        let plan = solve(problem).map_err(|error| self.complain(error, None, in_file))?;
        if json {
            return Ok(plan.to_json());
        }
        let odds = curves_file::odds(&curves, &plan).map_err(|error| Failure::Input(in_file(error)))?;
        Ok(show::plan(&plan, None, &self.goals) + &odds.map_or_else(String::new, show::odds))
    }

    /// Solves a problem with periods.
    fn schedule(&self, name: &str, text: &str) -> Result<String, Failure> {
        if !self.budgets.is_empty() {
            let reason = format!("--budgets is not for schedules, and {name} has `periods`");
            return Err(Failure::Usage(reason));
        }
        if let Some(flag) = self.goals.any_argument() {
            return Err(Failure::Usage(format!("{flag} is not for schedules, and {name} has `periods`")));
        }
        let in_file = |error: adflow_core::Error| format!("{name}: {error}");
        let mut schedule = Schedule::from_json(text).map_err(|error| Failure::Input(in_file(error)))?;
        if let Some(budget) = self.budget {
            schedule = schedule.budget(budget);
        }
        if self.spend_all {
            schedule = schedule.spend_all(true);
        }
        if let Some(seconds) = self.time_limit {
            schedule = schedule.time_limit(seconds);
        }
        if let Some(tolerance) = self.tolerance {
            schedule = schedule.tolerance(tolerance);
        }
        let start = Instant::now();
        let plan = schedule.solve_with(&move || start.elapsed());
        Ok(plan.map_err(|error| self.complain(error, None, in_file))?.to_json())
    }

    /// What the engine refuses is a matter of usage where it came as an argument, and of the file elsewhere.
    fn complain(
        &self,
        error: adflow_core::Error,
        campaigns: Option<&Campaigns>,
        of_file: impl FnOnce(adflow_core::Error) -> String,
    ) -> Failure {
        use adflow_core::Error::{NotFinite, OutOfDomain};
        if let NotFinite { field, .. } | OutOfDomain { field, .. } = &error
            && let Some(option) = self.argument(field, campaigns)
        {
            return Failure::Usage(error.to_string().replacen(
                &format!("`{field}`"),
                &format!("`{option}`"),
                1,
            ));
        }
        // A table holds no infinity: what is infinite is the bound that is not there.
        if let OutOfDomain { field, value, .. } = &error
            && campaigns.is_some()
            && field.starts_with("upper[")
            && value == "inf"
        {
            let reason = "nothing else bounds what a campaign without an `upper` bound may spend";
            return Failure::Usage(format!("--budget is needed: {reason}"));
        }
        Failure::Input(of_file(error))
    }

    /// The argument that a field of the problem came from, where it came from one.
    fn argument(&self, field: &str, campaigns: Option<&Campaigns>) -> Option<String> {
        let given = match field {
            "budget" => self.budget.is_some(),
            field if field.starts_with("budgets") => return Some("--budgets".into()),
            "spend_all" => self.spend_all,
            "time_limit" => self.time_limit.is_some(),
            "tolerance" => self.tolerance.is_some(),
            _ => return self.goals.argument(field, campaigns),
        };
        given.then(|| format!("--{}", field.replace('_', "-")))
    }
}

fn solve(problem: Problem) -> adflow_core::Result<Plan> {
    let start = Instant::now();
    problem.solve_with(&move || start.elapsed())
}

fn sweep(problem: Problem, budgets: &[f64]) -> adflow_core::Result<Frontier> {
    let start = Instant::now();
    problem.frontier_with(budgets, &move || start.elapsed())
}

fn told(frontier: &Frontier, names: Option<&[String]>, json: bool) -> String {
    if json { frontier::to_json(frontier) } else { frontier::table(frontier, names) }
}

/// By the file's name, or where that says nothing by its first character: no column's name starts with a brace.
fn is_json(path: &Path, text: &str) -> bool {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some(extension) if extension.eq_ignore_ascii_case("json") => true,
        Some(extension) if extension.eq_ignore_ascii_case("csv") => false,
        _ => text.trim_start_matches('\u{feff}').trim_start().starts_with('{'),
    }
}

/// How this program is called where it runs: from the repository through cargo, or by its name.
fn program() -> String {
    let through_cargo = std::env::var_os("CARGO_MANIFEST_DIR").is_some();
    if through_cargo { "cargo run --quiet --release --" } else { "adflow" }.into()
}
