//! What a fit found becomes text: a row per channel, how good the fit is, and what to mind.

use adflow_core::{Holdout, Interval, Summary};
use comfy_table::{CellAlignment, Table, presets};

use crate::show::{Digits, rate, wrap};

/// Channels with their ROAS; beside it the true one, where it is known.
#[must_use]
pub fn table(summary: &Summary, truth: Option<&[f64]>) -> String {
    let money = Digits::of(summary.channels.iter().map(|channel| channel.spend).fold(0.0, f64::max));
    let brought =
        Digits::of(summary.channels.iter().map(|channel| channel.contribution.mean).fold(0.0, f64::max));
    let percent = format!("{:.0} %", 100.0 * summary.level);
    let interval = format!("{percent}\ninterval");
    let mut header =
        vec!["\nchannel", "\nspend", "\nbrought", "share of\noutcome", "\nROAS", interval.as_str()];
    if truth.is_some() {
        header.push("true\nROAS");
    }
    header.extend(["\nmROAS", interval.as_str()]);
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header);
    let range = |interval: &Interval| format!("{} to {}", rate(interval.lower), rate(interval.upper));
    for (i, channel) in summary.channels.iter().enumerate() {
        let mut row = vec![
            channel.channel.clone(),
            money.show(channel.spend),
            brought.show(channel.contribution.mean),
            format!("{:.1} %", 100.0 * channel.share.mean),
            rate(channel.roas.median),
            range(&channel.roas),
        ];
        if let Some(truth) = truth {
            row.push(truth.get(i).map_or_else(String::new, |roas| rate(*roas)));
        }
        row.extend([rate(channel.marginal_roas.median), range(&channel.marginal_roas)]);
        table.add_row(row);
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_cell_alignment(if at == 0 { CellAlignment::Left } else { CellAlignment::Right });
        column.set_padding((0, 2));
    }
    table.trim_fmt() + "\n"
}

/// How near the model comes, and whether its draws can be trusted.
#[must_use]
pub fn quality(summary: &Summary) -> String {
    let (fit, draws) = (&summary.fit, &summary.diagnostics);
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let mut text = String::new();
    let sentence = format!(
        "Fit: the model explains {} of the outcome's variance, with a mean error of {}; {} of the outcomes lie inside \
         their {:.0} % intervals.",
        percent(fit.r_squared),
        percent(fit.mape),
        percent(fit.coverage),
        100.0 * summary.level,
    );
    wrap(&mut text, &sentence, 0);
    let sentence = match draws.pareto_k {
        Some(k) => {
            let how = match draws.method {
                "reweighed" => "those of the last fit, weighed by the rows added",
                _ => "a normal approximation around the mode, weighed by the posterior",
            };
            format!("Draws: {how}; Pareto k {k:.2} (good below 0.7).")
        }
        None => format!(
            "Draws: R-hat at most {:.3}, {:.0} or more effective, {} divergences.",
            draws.r_hat,
            draws.ess_bulk.min(draws.ess_tail),
            if draws.divergences == 0 { "no".into() } else { draws.divergences.to_string() },
        ),
    };
    wrap(&mut text, &sentence, 0);
    text
}

/// How well the last periods were foretold.
#[must_use]
pub fn holdout(holdout: &Holdout) -> String {
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let seasonal = &holdout.seasonal;
    let digits = Digits::of(holdout.crps.max(seasonal.crps));
    let mut text = String::new();
    let sentence = format!(
        "Holdout: the last {} periods, foretold from those before, with a mean error of {} ({} for the season repeated), \
         CRPS {} ({}); {} of the outcomes lie inside their 90 % intervals.",
        holdout.periods,
        percent(holdout.mape),
        percent(seasonal.mape),
        digits.show(holdout.crps),
        digits.show(seasonal.crps),
        percent(holdout.coverage),
    );
    wrap(&mut text, &sentence, 0);
    text
}

/// What to mind, a sentence each; nothing where there is nothing.
#[must_use]
pub fn warnings(summary: &Summary) -> String {
    let mut text = String::new();
    if summary.warnings.is_empty() {
        return text;
    }
    text += "\nMind\n";
    for warning in &summary.warnings {
        wrap(&mut text, &format!("- {}", warning.sentence), 2);
    }
    text
}

/// All of it as JSON.
#[must_use]
pub fn to_json(summary: &Summary, holdout: Option<&Holdout>) -> String {
    let mut document = serde_json::to_value(summary).unwrap_or_default();
    document["version"] = serde_json::json!(1);
    if let Some(holdout) = holdout {
        document["holdout"] = serde_json::to_value(holdout).unwrap_or_default();
    }
    document.to_string()
}
