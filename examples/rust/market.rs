//! A market with a known truth: its history, what each channel really brings, and what switching one off would cost.
//!
//! `cargo run --release -p adflow-examples --example market`
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use adflow_core::{
    Adstock, Auction, BudgetChange, Flighting, Intervention, Learning, Market, MarketChannel, MarketSettings,
    MediaEffect, Problem, Result,
};

fn main() -> Result<()> {
    // Search buys impressions in an auction: the more it buys, the dearer the next.
    let mut search = MarketChannel::new("search", 6_000.0);
    search.effect = MediaEffect::Share(0.12);
    search.auction = Some(Auction { impressions: 2e6, median_cpm: 6.0, spread: 0.8 });
    search.price_drift = 0.10;
    // TV works for weeks, in flights.
    let mut tv = MarketChannel::new("tv", 5_000.0);
    tv.effect = MediaEffect::Share(0.08);
    tv.adstock = Adstock::geometric(0.6, 12, true);
    tv.slope = 1.6;
    tv.spend.flighting = Some(Flighting { on: 6, off: 3, shift: 0 });
    // Social learns anew after a large change of budget.
    let mut social = MarketChannel::new("social", 2_500.0);
    social.effect = MediaEffect::Roas(2.0);
    social.learning = Some(Learning { threshold: 0.5, drop: 0.2, retention: 0.5 });

    let mut settings = MarketSettings::new([search, tv, social]);
    settings.seed = 7;
    settings.baseline.yearly = 0.15;
    settings.baseline.trend = 0.04;
    settings.conversion_lag = vec![0.7, 0.3];
    let market = Market::new(settings)?;

    let history = market.history()?;
    println!("week        search      tv  social   outcome");
    for week in 0..6 {
        let spend = &history.spend()[week * 3..week * 3 + 3];
        let day = history.day(week).map_or_else(String::new, |day| day.to_string());
        println!(
            "{day}  {:>6.0}  {:>6.0}  {:>6.0}  {:>8.0}",
            spend[0],
            spend[1],
            spend[2],
            history.outcome()[week]
        );
    }

    let truth = market.truth()?;
    println!("\nthe truth behind {} weeks", history.periods());
    for (i, channel) in truth.channels.iter().enumerate() {
        println!(
            "{channel:<7} spent {:>8.0}, brought {:>9.0}: ROAS {:.2}, the next unit of money {:.2}",
            truth.spend[i], truth.contribution[i], truth.roas[i], truth.marginal_roas[i],
        );
    }

    let off = Intervention::new(1, BudgetChange::To(0.0)).during(52..65);
    let effect = market.effect(&[off])?;
    println!(
        "\ntv off for a quarter of a year: {:.0} less spent, {:.0} less expected, of which {:.0} in the weeks after",
        -effect.spend,
        -effect.expected,
        -effect.by_period[65..].iter().sum::<f64>(),
    );

    // The best split of last year's money, known only here, and what going on as before loses against it.
    let weekly: f64 = truth.spend.iter().sum::<f64>() / 104.0;
    let plan = Problem::new(truth.curves).budget(weekly).solve()?;
    let usual = market.usual_spend(130)?.split_off(104 * 3);
    let regret = market.regret(&usual, &plan.spend.repeat(26))?;
    println!(
        "\nthe best {weekly:.0} a week: {:.0?}; going on as before loses {regret:.0} in half a year",
        plan.spend
    );
    Ok(())
}
