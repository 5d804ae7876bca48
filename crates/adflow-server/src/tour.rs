//! What `adflow` says without arguments: a set of campaigns, its plan, and what to type next.

use std::fmt::Write;

use adflow_core::{Plan, Problem};

use crate::goals::Goals;
use crate::{show, table};

/// Twelve made-up campaigns on four platforms; spend is dollars a week, response conversions, value dollars each.
pub const CAMPAIGNS: &str = include_str!("../campaigns.csv");

/// What the campaigns of the tour spend now, in all (dollars a week).
const BUDGET: f64 = 100_000.0;

/// The tour as text; `program` is how the reader calls this binary, `solve` the engine with a clock.
///
/// # Errors
/// As [`table::read`] and the engine; none, for the bundled campaigns.
pub fn tour(
    program: &str,
    solve: impl FnOnce(Problem) -> adflow_core::Result<Plan>,
) -> Result<String, table::Error> {
    let campaigns = table::read("campaigns.csv", CAMPAIGNS)?;
    let plan = solve(campaigns.problem.clone().budget(BUDGET)).map_err(|error| campaigns.locate(error))?;
    let mut text = String::from(
        "adflow splits an advertising budget, and proves that no split is better.\n\
         Here: twelve campaigns, $100,000 a week; response is conversions, worth $48 to $340 each.\n\n",
    );
    text += &show::plan(&plan, &campaigns, &Goals::default());
    let _ = write!(
        text,
        "\nNext\n  \
         {program} allocate --example > campaigns.csv              this table, to put your own numbers in\n  \
         {program} allocate campaigns.csv --budget 100000          its plan (--json for programs)\n  \
         {program} allocate --help                                 the columns, and all options\n",
    );
    Ok(text)
}
