//! The best plans of several budgets, to read or for programs.

use adflow_core::Frontier;
use comfy_table::{CellAlignment, Table, presets};

/// One row per budget: what it brings, what the next unit brings, and what every campaign gets; then where campaigns enter,
/// leave, or reach their limit.
#[must_use]
pub fn table(frontier: &Frontier, names: Option<&[String]>) -> String {
    let arms = frontier.spend.len() / frontier.budgets.len().max(1);
    let name = |arm: usize| names.map_or_else(|| format!("arm {arm}"), |names| names[arm].clone());
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let fixed = ["budget", "brings", "next unit"].map(String::from);
    table.set_header(fixed.into_iter().chain((0..arms).map(name)));
    for (j, budget) in frontier.budgets.iter().enumerate() {
        let spend = &frontier.spend[j * arms..(j + 1) * arms];
        let cells = [
            format!("{budget:.0}"),
            format!("{:.1}", frontier.objective_value[j]),
            format!("{:.3}", frontier.shadow_price[j]),
        ];
        table.add_row(cells.into_iter().chain(spend.iter().map(|x| format!("{x:.0}"))));
    }
    table.column_iter_mut().for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    let mut text = table.trim_fmt();
    text.push('\n');
    for change in &frontier.changes {
        text.push_str(&format!("\n{} {} at {:.0}", name(change.arm), change.change, change.budget));
    }
    let worst = frontier.gap.iter().fold(0.0_f64, |worst, &gap| worst.max(gap));
    text.push_str(&format!("\nNo budget can bring more than its plan by a share of {worst:.0e}.\n"));
    text
}

/// All of it, as JSON.
#[must_use]
pub fn to_json(frontier: &Frontier) -> String {
    let mut document = serde_json::to_value(frontier).unwrap_or_default();
    document["version"] = serde_json::json!(1);
    document.to_string()
}
