//! What `adflow` says without arguments: a history, what it tells, the plan that follows, and what the plan is truly worth.

use std::fmt::Write;

use adflow_core::{Clock, Market, Plan, Problem, ResponseModel, Result};

use crate::goals::Goals;
use crate::show::{Digits, wrap};
use crate::watch::Watch;
use crate::{curves_file, example, input, show, summary};

/// Enough for two digits of an interval, in a moment.
const DRAWS: usize = 500;
const LEVEL: f64 = 0.9;

/// The tour as text; `program` is how the reader calls this binary, `solve` the engine with a clock.
///
/// # Errors
/// Those of the engine; none, for the bundled market.
pub fn tour(program: &str, solve: impl Fn(Problem) -> Result<Plan>) -> Result<String> {
    let market = example::market()?;
    let history = market.history()?;
    let mut text = String::new();
    let media = market.spend().iter().sum::<f64>() / count(history.periods());
    let opening = format!(
        "adflow learns from a history what advertising brings, splits the budget, and proves that no split is better.\n\
         Here: a simulated market, {} weeks, {} channels, {} a week. Its truth is known, but not to the model.",
        history.periods(),
        history.channels().len(),
        Digits::of(media).show(media),
    );
    text += &opening;
    text += "\n\n1  What the history tells\n\n";

    let watch = Watch::new("fitting");
    let model = ResponseModel::new().draws(DRAWS).threads(input::all_threads());
    let fitted = model.fit_with(&history, &watch)?;
    let elapsed = watch.elapsed();
    drop(watch);
    let found = fitted.summary(LEVEL)?;
    let truth = market.truth()?;
    text += &summary::table(&found, Some(&truth.roas));
    let inside = (found.channels.iter().zip(&truth.roas))
        .filter(|(channel, roas)| (channel.roas.lower..=channel.roas.upper).contains(roas))
        .count();
    let sentence = format!(
        "ROAS: revenue per dollar; mROAS: of the next dollar a week. {inside} of {} true ROAS lie inside their intervals. \
         {} draws in {elapsed:.1?}.",
        truth.roas.len(),
        fitted.chains() * fitted.draws(),
    );
    text.push('\n');
    wrap(&mut text, &sentence, 0);
    text += &summary::quality(&found);
    text += &summary::warnings(&found);

    text += "\n2  The best plan for the same budget, within the spends that were seen\n\n";
    let problem = curves_file::problem(&fitted)?;
    let today = fitted.mean_spend();
    let plan = solve(problem)?;
    text += &show::plan(&plan, None, &Goals::default());
    if let Some(share) = curves_file::odds(&fitted.curves()?, &plan)? {
        text += &show::odds(share);
    }

    text += "\n3  What it is truly worth: revenue a week from advertising, on the true curves\n\n";
    text += &worth(&market, &today, &plan, &solve)?;
    let _ = write!(
        text,
        "\nNext\n  \
         {program} fit --example > history.csv                  this history, to put your own numbers in\n  \
         {program} fit history.csv --curves curves.json         what it tells, and the curves\n  \
         {program} allocate curves.json --budget {:<13}  the plan (--json for programs)\n  \
         {program} allocate --example > campaigns.csv           for curves and limits of your own: a table\n",
        plan.total_spend.round(),
    );
    Ok(text)
}

/// Today, the plan, and the best plan of all on the true curves.
fn worth(
    market: &Market,
    today: &[f64],
    plan: &Plan,
    solve: &impl Fn(Problem) -> Result<Plan>,
) -> Result<String> {
    let truth = market.truth()?;
    let best = solve(Problem::new(truth.curves.clone()).budget(today.iter().sum()))?.total_response;
    let brings = |spend: &[f64]| Ok(truth.curves.response(spend)?.iter().sum::<f64>());
    let (now, then) = (brings(today)?, brings(&plan.spend)?);
    let digits = Digits::of(best);
    let row = |what: &str, value: f64| {
        let share = format!("{:.1} % of the best", 100.0 * value / best);
        format!("{what:<28}{:>10}   {share}\n", digits.show(value))
    };
    Ok(row("today", now) + &row("the plan", then) + &row("the best plan of all", best))
}

#[allow(clippy::cast_precision_loss, reason = "a count of weeks")]
fn count(periods: usize) -> f64 {
    periods as f64
}
