//! A plan becomes text: the table, what it brings, its proof, and why.

use std::fmt::Write;

use adflow_core::{ArmExplanation, Binding, Explanation, Objective, Plan, Target};
use comfy_table::{CellAlignment, Table, presets};

use crate::goals::Goals;
use crate::table::Campaigns;

/// Columns of a terminal that text is wrapped to.
const WIDTH: usize = 108;
/// Sentences on single arms: as many as one reads.
const SENTENCES: usize = 5;

/// The whole plan as text; a table of campaigns says where its arms run.
#[must_use]
pub fn plan(plan: &Plan, campaigns: Option<&Campaigns>, goals: &Goals) -> String {
    let explanation = plan.explain();
    let mut text = table(plan, &explanation.arms, campaigns);
    text += "\nmROAS: what the next unit of money brings. Held by: the limit without which the plan would be better.\n\n";
    for sentence in &explanation.summary {
        wrap(&mut text, sentence, 0);
    }
    for sentence in asked(plan, goals) {
        wrap(&mut text, &sentence, 0);
    }
    wrap(&mut text, &proof(plan), 0);
    let shared: Vec<Binding> = plan
        .binding()
        .into_iter()
        .filter(|binding| binding.arm.is_none() && binding.limit != "budget")
        .collect();
    if !shared.is_empty() {
        text += "\nLimits on several\n";
        for binding in &shared {
            wrap(&mut text, &format!("- {}", shared_limit(binding, goals)), 2);
        }
    }
    text += "\nWhy\n";
    for arm in of_interest(&explanation) {
        wrap(&mut text, &format!("- {}", arm.sentence), 2);
    }
    text
}

/// How sure it is that a plan brings more than today, by the draws of its curves.
#[must_use]
pub fn odds(share: f64) -> String {
    let percent = 100.0 * share;
    let percent =
        if percent > 99.0 && percent < 100.0 { "over 99 %".into() } else { format!("{percent:.0} %") };
    format!("\nThe plan brings more than today in {percent} of the draws of the curves.\n")
}

type Cell<'a> = Box<dyn Fn(&ArmExplanation) -> String + 'a>;

/// What a column of the table holds.
struct Column<'a> {
    head: &'a str,
    alignment: CellAlignment,
    cell: Cell<'a>,
    total: String,
}

fn table<'a>(plan: &Plan, arms: &[ArmExplanation], campaigns: Option<&'a Campaigns>) -> String {
    let today: Option<f64> = arms.iter().map(|arm| arm.current).sum();
    let before = today.is_some();
    let money = Digits::of(plan.total_spend.max(today.unwrap_or(0.0)));
    let response = Digits::of(plan.total_response);

    let mut columns = vec![Column {
        head: "\nname",
        alignment: CellAlignment::Left,
        cell: Box::new(|arm| arm.name.clone().unwrap_or_else(|| arm.arm.to_string())),
        total: "total".into(),
    }];
    let mut add =
        |head, alignment, cell: Cell<'a>, total| columns.push(Column { head, alignment, cell, total });
    let (left, right) = (CellAlignment::Left, CellAlignment::Right);
    for (head, texts) in [
        ("\nplatform", campaigns.and_then(|table| table.platforms.as_ref())),
        ("\ngroup", campaigns.and_then(|table| table.groups.as_ref())),
    ] {
        if let Some(texts) = texts {
            add(head, left, Box::new(|arm| texts[arm.arm].clone()), String::new());
        }
    }
    if let Some(today) = today {
        let cell = move |arm: &ArmExplanation| money.show(arm.current.unwrap_or(0.0));
        add("spend\nnow", right, Box::new(cell), money.show(today));
    }
    add("spend\nproposed", right, Box::new(move |arm| money.show(arm.spend)), money.show(plan.total_spend));
    if let Some(today) = today {
        let cell = |arm: &ArmExplanation| change(arm.current.unwrap_or(0.0), arm.spend);
        add("\nchange", right, Box::new(cell), change(today, plan.total_spend));
    }
    let total = response.show(plan.total_response);
    add("\nresponse", right, Box::new(move |arm| response.show(arm.response)), total);
    if before {
        let cell = |arm: &ArmExplanation| rate(arm.current_marginal_roas.unwrap_or(0.0));
        add("mROAS\nnow", right, Box::new(cell), String::new());
    }
    add("mROAS\nproposed", right, Box::new(|arm| rate(arm.marginal_roas)), String::new());
    add("\nheld by", left, Box::new(|arm| held_by(arm).into()), String::new());

    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(columns.iter().map(|column| column.head));
    for arm in arms {
        table.add_row(columns.iter().map(|column| (column.cell)(arm)));
    }
    table.add_row(columns.iter().map(|column| column.total.as_str()));
    for (shown, column) in table.column_iter_mut().zip(&columns) {
        shown.set_cell_alignment(column.alignment);
        shown.set_padding((0, 2));
    }
    table.trim_fmt() + "\n"
}

fn held_by(arm: &ArmExplanation) -> &'static str {
    match arm.binding {
        Some("upper") => "upper bound",
        Some("lower") => "lower bound",
        Some("active_lower") => "minimum",
        Some("max_change" | "max_change_amount") => "largest change",
        Some("marginal_roas") => "mROAS target",
        Some("extrapolation") => "observed range",
        Some(other) => other,
        None => "",
    }
}

/// What the arguments asked for and the engine's summary does not say: the objective, the target, steps.
fn asked(plan: &Plan, goals: &Goals) -> Vec<String> {
    let mut sentences = Vec::new();
    let value = Digits::of(plan.objective_value).more(2).show(plan.objective_value);
    match goals.objective() {
        None => {}
        Some(Objective::Response) => sentences.push(format!("Objective: response, {value}.")),
        Some(Objective::Profit) => {
            sentences.push(format!("Objective: profit, the value of the response less the spend, {value}."));
        }
        Some(Objective::Spend) => {
            let spend = Digits::of(plan.total_spend).more(2).show(plan.total_spend);
            sentences.push(format!("Objective: the least spend, {spend}."));
        }
    }
    if let Some(target) = goals.target() {
        sentences.push(format!("Target: {}, reached.", words(target)));
    }
    if let Some(step) = goals.step() {
        let loss = match plan.rounding_loss {
            Some(loss) => format!(", which costs {}", Digits::of(loss).show(loss)),
            None => String::new(),
        };
        sentences
            .push(format!("Rounding: every spend is a whole multiple of {}{loss}.", Digits::short(step)));
    }
    sentences
}

fn words(target: Target) -> String {
    let level = Digits::short(target.level());
    match target {
        Target::Response(_) => format!("a response worth at least {level}"),
        Target::Roas(_) => format!("a ROAS of at least {level}"),
        Target::Cpa(_) => format!("a CPA of at most {level}"),
        Target::MarginalRoas(_) => format!("a marginal ROAS of at least {level}"),
    }
}

/// A limit on several arms, and what relaxing it by one unit would change.
fn shared_limit(binding: &Binding, goals: &Goals) -> String {
    let name = binding.name.as_deref().unwrap_or_default();
    let bound = Digits::short(binding.bound);
    let share = || Digits::short(100.0 * binding.bound);
    let limit = match binding.limit {
        "group_upper" => format!("group {name}, at most {bound}"),
        "group_lower" => format!("group {name}, at least {bound}"),
        "group_share_upper" => format!("group {name}, at most {} % of the total", share()),
        "group_share_lower" => format!("group {name}, at least {} % of the total", share()),
        "target" => goals.target().map_or_else(|| format!("target {name} {bound}"), words),
        "max_active" => format!("at most {bound} campaigns that spend"),
        "max_moves" => format!("at most {bound} campaigns that change"),
        other => format!("{other} {name} {bound}"),
    };
    let verb = if goals.objective() == Some(Objective::Spend) { "save" } else { "bring" };
    format!("{limit}: one unit less strict would {verb} {}", rate(binding.price))
}

fn proof(plan: &Plan) -> String {
    let verification = plan.verify();
    let (passed, all) =
        (verification.checks.iter().filter(|check| check.ok).count(), verification.checks.len());
    let verdict = if verification.ok { "ok" } else { "FAILED" };
    let mut line = format!(
        "Proof: {}, upper bound {}, gap {:.0e}; recomputed from problem and plan: {verdict} ({passed} of {all} \
         checks); {:.1?}.",
        plan.status,
        Digits::of(plan.upper_bound).more(2).show(plan.upper_bound),
        plan.gap.max(0.0),
        plan.elapsed,
    );
    for check in verification.checks.iter().filter(|check| !check.ok) {
        let _ = write!(line, " {}: {}.", check.name, check.detail);
    }
    line
}

/// Arms that a limit holds or that get nothing, then those that move most; in the order of the table.
fn of_interest(explanation: &Explanation) -> Vec<&ArmExplanation> {
    let mut arms: Vec<&ArmExplanation> = explanation.arms.iter().collect();
    let special = |arm: &ArmExplanation| arm.binding.is_some() || arm.spend <= 0.0;
    let moved = |arm: &ArmExplanation| arm.change.unwrap_or(arm.spend).abs();
    arms.sort_by(|a, b| special(b).cmp(&special(a)).then(moved(b).total_cmp(&moved(a))));
    arms.truncate(SENTENCES);
    arms.sort_by_key(|arm| arm.arm);
    arms
}

/// Decimals that a column of numbers is shown with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Digits(usize);

impl Digits {
    /// Five significant digits of the largest number of the column, none after the point from 10,000 on.
    pub(crate) fn of(largest: f64) -> Self {
        let decimals = (0..=12).find(|&decimals| largest.abs() * 10_f64.powi(decimals) >= 1e4).unwrap_or(0);
        Self(usize::try_from(decimals).unwrap_or(0))
    }

    /// A number as somebody would type it: no zeros at its end.
    pub(crate) fn short(number: f64) -> String {
        let text = Self::of(number).more(2).show(number);
        if text.contains('.') && !text.contains('e') {
            text.trim_end_matches('0').trim_end_matches('.').into()
        } else {
            text
        }
    }

    pub(crate) fn more(self, decimals: usize) -> Self {
        Self(self.0 + decimals)
    }

    /// With thousands separated; what would not fit a column as powers of ten.
    pub(crate) fn show(self, number: f64) -> String {
        if number.abs() >= 1e15 || !number.is_finite() {
            return format!("{number:.4e}");
        }
        let text = format!("{:.*}", self.0, number);
        let (whole, decimals) = text.split_at(text.find('.').unwrap_or(text.len()));
        let (sign, whole) = whole.split_at(usize::from(whole.starts_with('-')));
        let groups: Vec<&str> =
            whole.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
        format!("{sign}{}{decimals}", groups.join(","))
    }
}

/// The move from one spend to another in percent.
fn change(from: f64, to: f64) -> String {
    let percent = 100.0 * (to - from) / from;
    match percent {
        _ if from <= 0.0 && to <= 0.0 => String::new(),
        _ if from <= 0.0 => "new".into(),
        _ if percent.abs() < 0.5 => "0 %".into(),
        _ if percent.abs() < 1e5 => format!("{percent:+.0} %"),
        _ => format!("{percent:+.0e} %"),
    }
}

pub(crate) fn rate(rate: f64) -> String {
    if rate.abs() < 1e5 && (rate.abs() >= 5e-3 || rate.abs() <= 0.0) {
        format!("{rate:.2}")
    } else if rate.is_finite() {
        format!("{rate:.0e}")
    } else {
        "∞".into()
    }
}

/// Adds a paragraph; its lines after the first start with `indent` spaces.
pub(crate) fn wrap(text: &mut String, paragraph: &str, indent: usize) {
    let mut column = 0;
    for word in paragraph.split(' ') {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > WIDTH {
            let _ = write!(text, "\n{:indent$}", "");
            column = indent;
        } else if column > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
    }
    text.push('\n');
}
