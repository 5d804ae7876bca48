//! `adflow fit`: a history in, a summary out, and curves for `adflow allocate`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use adflow_core::{Error, FittedModel, ResponseModel};
use clap::Args;

use crate::failure::Failure;
use crate::history_table::{self, Columns, HistoryTable, Refusal};
use crate::model_options::ModelOptions;
use crate::show::{Digits, wrap};
use crate::watch::Watch;
use crate::{curves_file, decomposed, example, input, summary};

/// What `adflow fit` is asked.
#[derive(Debug, Clone, Args)]
#[command(after_help = history_table::HELP)]
pub struct Fit {
    /// History as CSV; `-` reads standard input.
    #[arg(value_name = "FILE", required_unless_present = "example")]
    file: Option<PathBuf>,
    /// Write the response curves here, with today's spends: a file for `adflow allocate`.
    #[arg(long, value_name = "FILE")]
    curves: Option<PathBuf>,
    /// Write the whole fitted model here, for `--refit` and other languages.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// A model that was saved, and takes in the rows added since: a fraction of the time of a new fit.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["model", "holdout"])]
    refit: Option<PathBuf>,
    /// Write where the outcome came from here, period by period, as CSV.
    #[arg(long, value_name = "FILE")]
    decompose: Option<PathBuf>,
    /// Fit without the last periods first, and say how well they are foretold.
    #[arg(long, value_name = "PERIODS")]
    holdout: Option<usize>,
    /// Share of the draws inside each interval.
    #[arg(long, value_name = "SHARE", default_value_t = 0.9, allow_negative_numbers = true)]
    level: f64,
    #[command(flatten)]
    columns: Columns,
    /// Settings of the model as JSON; arguments take their place.
    #[arg(long, value_name = "FILE", help_heading = "The model")]
    model: Option<PathBuf>,
    #[command(flatten)]
    options: ModelOptions,
    /// Threads [default: all]; the draws are the same with any number.
    #[arg(long, value_name = "COUNT")]
    threads: Option<usize>,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
    /// Print two years of weeks of a simulated market, a history to start your own from, and end.
    #[arg(long, exclusive = true)]
    example: bool,
}

impl Fit {
    /// Does what was asked; the answer is what to print. `program` is how the reader calls this binary.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn run(&self, program: &str) -> Result<String, Failure> {
        if self.example {
            let history = example::market().and_then(|market| market.history());
            return history
                .map(|history| example::csv(&history, "revenue"))
                .map_err(|error| Failure::Input(error.to_string()));
        }
        let Some(path) = &self.file else {
            return Err(Failure::Usage("a file is needed, or --example".into()));
        };
        let before = self.refit.as_deref().map(|path| self.saved(path)).transpose()?;
        let (name, text) = input::read(path)?;
        let table =
            history_table::read(&name, &text, &self.columns, before.as_ref()).map_err(
                |refusal| match refusal {
                    Refusal::Option(reason) => Failure::Usage(reason),
                    Refusal::File(error) => Failure::Input(error.to_string()),
                },
            )?;
        // Checked before the work, not after it.
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(Failure::Usage(format!("`--level` must be between 0 and 1, got {}", self.level)));
        }
        let complain = |error: Error| self.complain(&table, &error);
        let (fitted, holdout) = match &before {
            Some(before) => {
                (before.refit_with(&table.history, &Watch::new("fitting")).map_err(complain)?, None)
            }
            None => {
                let model = self.model(&table)?;
                let holdout = self
                    .holdout
                    .map(|periods| model.holdout_with(&table.history, periods, &Watch::new("holding out")));
                let holdout = holdout.transpose().map_err(complain)?;
                (model.fit_with(&table.history, &Watch::new("fitting")).map_err(complain)?, holdout)
            }
        };
        let found = fitted.summary(self.level).map_err(complain)?;
        let problem = curves_file::problem(&fitted).map_err(complain)?;
        if let Some(path) = &self.curves {
            write(path, &curves_file::write(&problem, &fitted, &table.outcome))?;
        }
        if let Some(path) = &self.save {
            write(path, &fitted.to_json())?;
        }
        if let Some(path) = &self.decompose {
            write(path, &decomposed::csv(&fitted, &table.outcome, self.level).map_err(complain)?)?;
        }
        if self.json {
            return Ok(summary::to_json(&found, holdout.as_ref()));
        }
        let mut text = what_was_read(&table, &name);
        text.push('\n');
        text += &summary::table(&found, None);
        let _ = write!(
            text,
            "\nROAS: {outcome} per unit of money spent; mROAS: of the next unit, at the mean spend per period.\n",
            outcome = table.outcome
        );
        text += &summary::quality(&found);
        if let Some(holdout) = &holdout {
            text += &summary::holdout(holdout);
        }
        text += &summary::warnings(&found);
        text += &self.next(program, &fitted);
        Ok(text)
    }

    fn saved(&self, path: &Path) -> Result<FittedModel, Failure> {
        if let Some(flag) = self.options.given().first() {
            return Err(Failure::Usage(format!("{flag} is not for --refit: the model keeps its settings")));
        }
        let (name, text) = input::read(path)?;
        FittedModel::from_json(&text).map_err(|error| Failure::Input(format!("{name}: {error}")))
    }

    fn model(&self, table: &HistoryTable) -> Result<ResponseModel, Failure> {
        let model = match &self.model {
            None => ResponseModel::new(),
            Some(path) => {
                let (name, text) = input::read(path)?;
                ResponseModel::from_json(&text).map_err(|error| Failure::Input(format!("{name}: {error}")))?
            }
        };
        let threads = self.threads.unwrap_or_else(input::all_threads);
        let history = &table.history;
        let model = self.options.apply(model, history.channels(), history.periods());
        Ok(model.map_err(Failure::Usage)?.threads(threads))
    }

    /// What the engine refuses is a matter of usage where it came as an argument, and of the file elsewhere.
    fn complain(&self, table: &HistoryTable, error: &Error) -> Failure {
        let argument = |field: &str| match field {
            "periods" if self.holdout.is_some() => Some("--holdout"),
            "threads" if self.threads.is_some() => Some("--threads"),
            _ => self.options.argument(field),
        };
        let usage = match error {
            Error::NotFinite { field, .. } | Error::OutOfDomain { field, .. } => {
                argument(field).map(|flag| {
                    let part = field.find(['.', '[']).map_or("", |at| &field[at..]);
                    error
                        .to_string()
                        .replacen(
                            &format!("`{field}`"),
                            &format!("`{flag}` ({})", part.trim_start_matches('.')),
                            1,
                        )
                        .replacen(" ()", "", 1)
                })
            }
            Error::UnknownName { field, name } => {
                argument(field).map(|flag| format!("{flag}: the model has no `{name}`"))
            }
            _ => None,
        };
        match usage {
            Some(message) => Failure::Usage(message),
            None => Failure::Input(table.locate(error).to_string()),
        }
    }

    /// What was written, and what to type next.
    fn next(&self, program: &str, fitted: &FittedModel) -> String {
        let written = [
            (&self.curves, "the response curves"),
            (&self.save, "the fitted model"),
            (&self.decompose, "where the outcome came from"),
        ];
        let mut text = String::new();
        for (path, what) in written {
            if let Some(path) = path {
                let _ = write!(text, "\nWritten: {}, {what}.", path.display());
            }
        }
        let budget: f64 = fitted.mean_spend().iter().sum();
        let budget = Digits::of(budget).show(budget).replace(',', "");
        let (fit, curves) = match &self.curves {
            Some(path) => (String::new(), path.display().to_string()),
            None => {
                let file = self.file.as_deref().map_or_else(String::new, |path| path.display().to_string());
                (format!("  {program} fit {file} --curves curves.json\n"), "curves.json".into())
            }
        };
        if !text.is_empty() {
            text.push('\n');
        }
        let _ = write!(text, "\nNext\n{fit}  {program} allocate {curves} --budget {budget}\n");
        text
    }
}

/// What the history is, and what of the file is not in it.
fn what_was_read(table: &HistoryTable, name: &str) -> String {
    let history = &table.history;
    let periods = match history.days_per_period() {
        Some(1) => "days".into(),
        Some(7) => "weeks".into(),
        Some(days) => format!("periods of {days} days"),
        None => "periods".into(),
    };
    let last = history.periods() - 1;
    let dates = match (history.day(0), history.day(last)) {
        (Some(first), Some(last)) => format!(" from {first} to {last}"),
        _ => String::new(),
    };
    let groups = match history.groups().len() {
        1 => String::new(),
        groups => format!(" in {groups} groups"),
    };
    let mut sentence = format!(
        "{name}: {} {periods}{dates}{groups}; {} by {}",
        history.periods(),
        table.outcome,
        history.channels().join(", ")
    );
    let lists = [
        ("; holidays", history.holidays().collect::<Vec<_>>()),
        ("; controls", history.controls().collect()),
    ];
    for (what, names) in lists {
        if !names.is_empty() {
            let _ = write!(sentence, "{what} {}", names.join(", "));
        }
    }
    sentence.push('.');
    if !table.unused.is_empty() {
        let _ = write!(sentence, " Not used: {} (see --controls and --holidays).", table.unused.join(", "));
    }
    let mut text = String::new();
    wrap(&mut text, &sentence, 0);
    text
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|error| Failure::Input(format!("{}: {error}", path.display())))
}
