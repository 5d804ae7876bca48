//! Arguments: what was asked, and which file it is asked of.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use adflow_core::{Frontier, Plan, Problem, Schedule};
use adflow_server::goals::Goals;
use adflow_server::table::Campaigns;
use adflow_server::{frontier, show, table, tour};
use clap::{Args, Parser, Subcommand};

/// Certified budget allocation: every plan carries a proof.
///
/// Without a command: a short tour on a bundled set of campaigns.
#[derive(Debug, Parser)]
#[command(version, after_help = "Exit codes: 0 a plan, 1 unusable input, 2 unusable arguments.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Splits a budget over response curves.
    Allocate(Allocate),
}

#[derive(Debug, Args)]
#[command(after_help = table::HELP)]
struct Allocate {
    /// Problem as JSON, or campaigns as CSV; `-` reads standard input. JSON is answered with JSON; a problem with `periods`
    /// is a schedule.
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
    /// Print the campaigns of the tour, a table to start your own from, and end.
    #[arg(long, exclusive = true)]
    example: bool,
}

/// Why there is no plan.
pub(crate) enum Failure {
    Usage(String),
    Input(String),
}

/// What the arguments ask for, as text.
pub(crate) fn run(cli: Cli) -> Result<String, Failure> {
    match cli.command {
        None => tour::tour(&program(), solve).map_err(|error| Failure::Input(error.to_string())),
        Some(Command::Allocate(ask)) if ask.example => Ok(tour::CAMPAIGNS.into()),
        Some(Command::Allocate(ask)) => allocate(&ask),
    }
}

fn allocate(ask: &Allocate) -> Result<String, Failure> {
    let Some(path) = &ask.file else { return Err(Failure::Usage("a file is needed, or --example".into())) };
    let name = if path == Path::new("-") { "stdin".into() } else { path.display().to_string() };
    let text = read(path).map_err(|error| Failure::Input(format!("{name}: {error}")))?;
    if is_json(path, &text) {
        if is_schedule(&text) {
            if !ask.budgets.is_empty() {
                return Err(Failure::Usage(format!(
                    "--budgets is not for schedules, and {name} has `periods`"
                )));
            }
            return ask.schedule(&name, &text);
        }
        if let Some(flag) = ask.goals.group_argument() {
            return Err(Failure::Usage(format!(
                "{flag} is for tables: a problem in JSON has its own `groups`"
            )));
        }
        let in_file = |error: adflow_core::Error| format!("{name}: {error}");
        let problem = Problem::from_json(&text).map_err(|error| Failure::Input(in_file(error)))?;
        let problem = ask.apply(ask.goals.apply(problem));
        if !ask.budgets.is_empty() {
            let frontier =
                sweep(problem, &ask.budgets).map_err(|error| ask.complain(error, None, in_file))?;
            return Ok(frontier::to_json(&frontier));
        }
        let plan = solve(problem).map_err(|error| ask.complain(error, None, in_file))?;
        return Ok(plan.to_json());
    }
    let campaigns = table::read(&name, &text).map_err(|error| Failure::Input(error.to_string()))?;
    let problem = ask.goals.apply_to(&campaigns, campaigns.problem.clone()).map_err(Failure::Usage)?;
    if !ask.budgets.is_empty() {
        let frontier = sweep(ask.apply(problem), &ask.budgets).map_err(|error| {
            ask.complain(error, Some(&campaigns), |error| campaigns.locate(error).to_string())
        })?;
        let text = || frontier::table(&frontier, campaigns.problem.curves().names());
        return Ok(if ask.json { frontier::to_json(&frontier) } else { text() });
    }
    let plan = solve(ask.apply(problem)).map_err(|error| {
        ask.complain(error, Some(&campaigns), |error| campaigns.locate(error).to_string())
    })?;
    Ok(if ask.json { plan.to_json() } else { show::plan(&plan, &campaigns, &ask.goals) })
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
        problem.threads(self.threads.unwrap_or_else(all_threads))
    }

    /// Solves a problem with periods.
    fn schedule(&self, name: &str, text: &str) -> Result<String, Failure> {
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

fn read(path: &Path) -> std::io::Result<String> {
    if path != Path::new("-") {
        return std::fs::read_to_string(path);
    }
    let mut text = String::new();
    std::io::stdin().lock().read_to_string(&mut text)?;
    Ok(text)
}

/// By the file's name, or where that says nothing by its first character: no column's name starts with a brace.
fn is_json(path: &Path, text: &str) -> bool {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some(extension) if extension.eq_ignore_ascii_case("json") => true,
        Some(extension) if extension.eq_ignore_ascii_case("csv") => false,
        _ => text.trim_start_matches('\u{feff}').trim_start().starts_with('{'),
    }
}

/// A problem over periods; what cannot be read is none, and refused as a problem.
fn is_schedule(text: &str) -> bool {
    let document = serde_json::from_str::<serde_json::Value>(text);
    document.is_ok_and(|document| document.get("periods").is_some())
}

fn all_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// How this program is called where it runs: from the repository through cargo, or by its name.
fn program() -> String {
    let through_cargo = std::env::var_os("CARGO_MANIFEST_DIR").is_some();
    if through_cargo { "cargo run --quiet --release --" } else { "adflow" }.into()
}
