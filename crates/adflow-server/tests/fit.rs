//! `adflow fit` as a shell sees it: histories in, summaries and files out.

mod run;

use std::fmt::Write;

use run::{adflow, directory, file, json};
use serde_json::Value;

/// Enough to see that an answer is one, in a moment.
const QUICK: [&str; 6] = ["--method", "laplace", "--chains", "2", "--draws", "100"];

/// Sixty weeks of two channels whose effects are known but for a wave of ±2 that nothing explains.
fn history(header: &str, weeks: usize) -> String {
    let mut text = format!("{header}\n");
    for t in 0..weeks {
        let day = adflow_core::Day::parse("2024-01-01").unwrap().plus(7 * t as i64).unwrap();
        let (tv, search) = (((t * 37) % 50) as f64, 20.0 + ((t * 23) % 31) as f64);
        let sale = if t % 13 == 5 { 1.0 } else { 0.0 };
        let noise = ((t * 7) % 5) as f64 - 2.0;
        let y = 200.0 + 90.0 * tv / (20.0 + tv) + 2.0 * search + 40.0 * sale + noise;
        let _ = writeln!(text, "{day},{tv},{search},{sale},{y:.3}");
    }
    text
}

const HEADER: &str = "date,tv_spend,search_spend,promo,revenue";

/// The summary as JSON of a quick fit.
fn fit(arguments: &[&str], stdin: &str) -> Value {
    json(&adflow(&[&["fit", "-", "--json"], &QUICK[..], arguments].concat(), stdin))
}

fn channels(summary: &Value) -> Vec<&str> {
    summary["channels"].as_array().unwrap().iter().map(|row| row["channel"].as_str().unwrap()).collect()
}

fn parameters(summary: &Value) -> Vec<&str> {
    summary["parameters"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect()
}

fn roas(summary: &Value, channel: usize) -> f64 {
    summary["channels"][channel]["roas"]["median"].as_f64().unwrap()
}

#[test]
fn the_example_goes_from_history_to_curves_to_a_plan() {
    let example = adflow(&["fit", "--example"], "");
    assert_eq!(example.code, Some(0), "{}", example.err);
    assert_eq!(example.out.lines().count(), 105);
    let fitted = adflow(
        &[
            "fit",
            file("example.csv", &example.out),
            "--curves",
            "example.json",
            "--chains",
            "2",
            "--draws",
            "200",
            "--tune",
            "200",
        ],
        "",
    );
    assert_eq!(fitted.code, Some(0), "{}", fitted.err);
    assert!(fitted.err.is_empty(), "no progress into a pipe: {}", fitted.err);
    for line in fitted.out.lines() {
        assert!(line.chars().count() <= 110 && line == line.trim_end(), "{line}");
    }
    for part in
        ["104 weeks from 2024-01-01", "holidays promotion", "controls competitor_price", "R-hat", "mROAS"]
    {
        assert!(fitted.out.contains(part), "{part} in\n{}", fitted.out);
    }
    assert!(!fitted.out.contains("Not used"), "{}", fitted.out);
    let next = fitted.out.lines().last().unwrap().trim();
    assert!(next.starts_with("adflow allocate example.json --budget "), "{next}");

    // The last line is what to type next, and it works.
    let plan = adflow(&next.split(' ').skip(1).collect::<Vec<_>>(), "");
    assert_eq!(plan.code, Some(0), "{}", plan.err);
    for part in ["now", "proposed", "search", "Proof: optimal", "of the draws"] {
        assert!(plan.out.contains(part), "{part} in\n{}", plan.out);
    }
    let capped = json(&adflow(&["allocate", "example.json", "--budget", "12000", "--json"], ""));
    let spends: Vec<f64> = capped["spend"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
    assert!(spends.iter().sum::<f64>() <= 12_000.0 + 1e-6);
    let file: Value =
        serde_json::from_str(&std::fs::read_to_string(directory().join("example.json")).unwrap()).unwrap();
    let seen = &file["problem"]["curves"]["observed_spend"];
    for (arm, spend) in spends.iter().enumerate() {
        assert!(*spend <= seen[arm][1].as_f64().unwrap() + 1e-6, "{spend} of {}", seen[arm]);
    }
    // Without that limit there is no less to be had.
    let free =
        json(&adflow(&["allocate", "example.json", "--budget", "12000", "--json", "--extrapolate"], ""));
    assert!(free["objective_value"].as_f64().unwrap() >= capped["objective_value"].as_f64().unwrap() - 1e-6);
    // And it is what `adflow` reads everywhere: a problem.
    let problem = adflow(&["allocate", "-", "--budget", "12000"], &file["problem"].to_string());
    assert_eq!(json(&problem)["spend"], capped["spend"]);
    let frontier = adflow(&["allocate", "example.json", "--budgets", "8000,12000"], "");
    assert!(frontier.out.contains("next unit"), "{}{}", frontier.out, frontier.err);
}

#[test]
fn the_example_market_lies_inside_the_intervals() {
    let example = adflow(&["fit", "--example"], "");
    let summary = json(&adflow(
        &["fit", "-", "--json", "--chains", "2", "--draws", "300", "--tune", "300"],
        &example.out,
    ));
    let truth = adflow_server::example::market().unwrap().truth().unwrap();
    assert_eq!(channels(&summary), truth.channels);
    let inside = (0..5).filter(|&i| {
        let interval = &summary["channels"][i]["roas"];
        let end = |name: &str| interval[name].as_f64().unwrap();
        (end("lower")..=end("upper")).contains(&truth.roas[i])
    });
    assert!(inside.count() >= 4, "{}", summary["channels"]);
}

#[test]
fn columns_are_found_by_their_names_or_by_options() {
    let names = |header: &str, arguments: &[&str]| {
        let summary = fit(arguments, &history(header, 60));
        channels(&summary).join(" ")
    };
    assert_eq!(names(HEADER, &[]), "tv search");
    assert_eq!(names("week,spend_tv,search_S,event,y", &[]), "tv search");
    assert_eq!(names("day,a,b,sale,sold", &["--outcome", "sold", "--channels", "b,a"]), "b a");
    assert_eq!(names(HEADER, &["--channels", "search"]), "search");

    let summary = fit(&[], &history(HEADER, 60));
    assert!(parameters(&summary).iter().any(|name| name.contains("promo")), "{:?}", parameters(&summary));
    let summary = fit(&["--controls", "sale"], &history("date,tv_spend,search_spend,sale,y", 60));
    assert!(parameters(&summary).iter().any(|name| name.contains("sale")), "{:?}", parameters(&summary));
    let text = adflow(&[&["fit", "-"], &QUICK[..]].concat(), &history("date,tv_spend,b_spend,sale,y", 60));
    assert!(text.out.contains("Not used: sale"), "{}{}", text.out, text.err);
}

#[test]
fn a_row_may_be_a_period_of_a_group() {
    let mut panel = String::from("geo,population,date,tv_spend,revenue\n");
    for (geo, people) in [("north", 2.0), ("south", 1.0)] {
        for line in history(HEADER, 40).lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            let y: f64 = people * cells[4].parse::<f64>().unwrap();
            let _ = writeln!(panel, "{geo},{people},{},{},{y}", cells[0], cells[1]);
        }
    }
    let text = adflow(&[&["fit", "-"], &QUICK[..]].concat(), &panel);
    assert_eq!(text.code, Some(0), "{}", text.err);
    assert!(text.out.contains("40 weeks from 2024-01-01 to 2024-09-30 in 2 groups"), "{}", text.out);
    let single = panel.replacen("geo,", "region,", 1);
    let refused = adflow(&[&["fit", "-"], &QUICK[..]].concat(), &single);
    assert_eq!(refused.code, Some(1));
    for part in ["line 42", "`date`", "--group"] {
        assert!(refused.err.contains(part), "{part} in {}", refused.err);
    }
}

#[test]
fn an_outcome_may_be_missing_and_a_spend_may_not() {
    let lines: Vec<String> = history(HEADER, 60).lines().map(String::from).collect();
    let with = |line: usize, text: String| {
        let mut lines = lines.clone();
        lines[line - 1] = text;
        lines.join("\n")
    };
    let cut = |line: usize, column: usize| {
        let mut cells: Vec<&str> = lines[line - 1].split(',').collect();
        cells[column] = "";
        cells.join(",")
    };
    assert_eq!(channels(&fit(&[], &with(7, cut(7, 4)))), ["tv", "search"]);
    let refused = adflow(&["fit", "-"], &with(7, cut(7, 1)));
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("stdin, line 7, column `tv_spend`: must be given"), "{}", refused.err);
}

#[test]
fn an_unusable_history_is_refused_with_the_place_and_what_is_accepted() {
    let good = history(HEADER, 30);
    let cases: [(String, &[&str]); 9] = [
        (good.replace("2024-01-15,", "15/01/2024,"), &["line 4", "`date`", "2026-11-23", "15/01/2024"]),
        (good.replace("2024-01-15,24,", "2024-01-15,-24,"), &["line 4", "`tv_spend`", "from 0", "-24"]),
        (good.replace("2024-01-15,24,", "2024-01-15,much,"), &["line 4", "`tv_spend`", "a number", "`much`"]),
        (good.replace("2024-01-15,", "2024-01-08,"), &["line 4", "`date`", "one row per date"]),
        (good.replace("2024-01-15,", "2024-01-16,"), &["`date`", "is missing"]),
        (good.replace("revenue", "promo"), &["line 1", "`promo`", "twice"]),
        (format!("{HEADER}\n"), &["row for every period"]),
        (good.lines().take(4).collect::<Vec<_>>().join("\n"), &["outcome", "3"]),
        (good.replacen("\n2024-01-08,", "\n2024-01-08,1,", 1), &["line 3", "5 cells", "6"]),
    ];
    for (table, expected) in cases {
        let answer = adflow(&["fit", "-"], &table);
        assert_eq!(answer.code, Some(1), "{table}{}{}", answer.out, answer.err);
        assert!(answer.err.starts_with("adflow: stdin"), "{}", answer.err);
        for part in expected {
            assert!(answer.err.contains(part), "{part} in {}", answer.err);
        }
    }
}

#[test]
fn arguments_are_refused_by_their_names() {
    let cases: [(&[&str], &[&str]); 17] = [
        (&["--outcome", "sales"], &["--outcome", "`sales`", "tv_spend"]),
        (&["--channels", "radio"], &["--channels", "`radio`", "tv_spend"]),
        (&["--exposures", "radio=promo"], &["--exposures", "`radio`", "tv, search"]),
        (&["--controls", "promo", "--holidays", "promo"], &["`promo`", "twice"]),
        (&["--curve", "bezier"], &["--curve", "bezier", "michaelis_menten"]),
        (&["--curve", "radio=hill"], &["--curve", "`radio`", "tv, search"]),
        (&["--likelihood", "cauchy"], &["--likelihood", "student_t"]),
        (&["--trend", "wavy"], &["--trend", "linear"]),
        (&["--prior", "roas[tv]=log_normal(2)"], &["--prior", "log_normal(median,sigma)"]),
        (&["--prior", "roas[tv]=log_normal(-2,1)"], &["--prior", "median", "-2"]),
        (&["--prior", "colour=beta(1,1)"], &["--prior", "colour"]),
        (&["--lift-test", "tv:spend=100"], &["--lift-test", "std=5"]),
        (&["--lift-test", "tv:spend=100,change=50,lift=20,std=-5"], &["--lift-test", "std", "-5"]),
        (&["--chains", "0"], &["--chains", "64"]),
        (&["--max-lag", "900"], &["--max-lag", "400"]),
        (&["--holdout", "58"], &["--holdout", "52"]),
        (&["--level", "2"], &["--level", "between 0 and 1"]),
    ];
    for (arguments, expected) in cases {
        let answer = adflow(&[&["fit", "-"], arguments].concat(), &history(HEADER, 60));
        assert_eq!(answer.code, Some(2), "{arguments:?}: {}{}", answer.out, answer.err);
        for part in expected {
            assert!(answer.err.contains(part), "{part} in {}", answer.err);
        }
    }
    let nameless = adflow(&["fit", "-"], &history("date,a,b,c,revenue", 60));
    assert_eq!(nameless.code, Some(2));
    assert!(nameless.err.contains("--channels") && nameless.err.contains("a, b, c"), "{}", nameless.err);
}

#[test]
fn settings_may_stand_in_a_file_and_arguments_take_their_place() {
    let text = history(HEADER, 60);
    let settings = r#"{"curve": "logistic", "trend": {"knots": 3}, "seed": 4, "method": "laplace"}"#;
    let settings = file("settings.json", settings);
    let arguments = ["--curve", "logistic", "--trend", "3", "--seed", "4"];
    assert_eq!(fit(&["--model", settings], &text), fit(&arguments, &text));
    let other = fit(&["--model", settings, "--seed", "5"], &text);
    assert_ne!(other, fit(&arguments, &text));
    let each = fit(&["--curve", "tv=logistic,exponential"], &text);
    assert_eq!(channels(&each), ["tv", "search"]);
    assert!(!parameters(&each).contains(&"slope[search]"), "{:?}", parameters(&each));
    let broken = adflow(&["fit", "-", "--model", file("broken.json", "{\"curves\": 1}")], &text);
    assert_eq!(broken.code, Some(1));
    assert!(broken.err.contains("broken.json") && broken.err.contains("curves"), "{}", broken.err);
}

#[test]
fn experiments_and_priors_move_what_is_found() {
    let text = history(HEADER, 60);
    let before = roas(&fit(&[], &text), 1);
    let prior = roas(&fit(&["--prior", "roas[search]=log_normal(0.2,0.05)"], &text), 1);
    assert!(prior < before, "{prior} < {before}");
    // 50 in place of 35 a week brought 3 a week and no more.
    let test = "search:spend=35,change=15,lift=3,std=0.1";
    let lifted = fit(&["--lift-test", test], &text);
    let marginal = |summary: &Value| summary["channels"][1]["marginal_roas"]["median"].as_f64().unwrap();
    assert!((marginal(&lifted) - 0.2).abs() < 0.5 * (marginal(&fit(&[], &text)) - 0.2).abs(), "{lifted}");
    let measured = roas(&fit(&["--roas-test", "search:roas=0.5,std=0.01"], &text), 1);
    assert!((measured - 0.5).abs() < 0.1, "{measured}");
}

#[test]
fn the_same_seed_gives_the_same_answer_on_any_number_of_threads() {
    let text = history(HEADER, 60);
    let with = |threads: &str| {
        let arguments =
            ["fit", "-", "--json", "--chains", "3", "--draws", "50", "--tune", "50", "--threads", threads];
        adflow(&arguments, &text).out
    };
    let one = with("1");
    assert!(one.starts_with('{'), "{one}");
    assert_eq!(one, with("3"));
}

#[test]
fn a_saved_model_takes_in_rows_that_were_added() {
    let first = history(HEADER, 60);
    let fitted = fit(&["--save", "model.json"], &first);
    let longer = history(HEADER, 64);
    let refitted = json(&adflow(&["fit", "-", "--json", "--refit", "model.json"], &longer));
    assert_eq!(channels(&refitted), channels(&fitted));
    let whole = fit(&[], &longer);
    for channel in 0..2 {
        assert!((roas(&refitted, channel) / roas(&whole, channel) - 1.0).abs() < 0.25, "{refitted}");
    }
    let refused = adflow(&["fit", "-", "--refit", "model.json", "--curve", "hill"], &longer);
    assert_eq!(refused.code, Some(2));
    assert!(refused.err.contains("--curve is not for --refit"), "{}", refused.err);
    let lacking = adflow(&["fit", "-", "--refit", "model.json"], &longer.replace("tv_spend", "radio_spend"));
    assert_eq!(lacking.code, Some(2));
    assert!(lacking.err.contains("`tv`") && lacking.err.contains("radio_spend"), "{}", lacking.err);
    let other = adflow(&["fit", "-", "--refit", file("other.json", "{}")], &longer);
    assert_eq!(other.code, Some(1));
    assert!(other.err.contains("other.json"), "{}", other.err);
}

#[test]
fn the_parts_of_the_outcome_add_up() {
    fit(&["--decompose", "parts.csv"], &history(HEADER, 60));
    let text = std::fs::read_to_string(directory().join("parts.csv")).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    let header = &rows[0];
    assert_eq!((rows.len(), header[0], header[1], header[2]), (61, "date", "revenue", "fitted"));
    assert!(
        header.contains(&"tv") && header.contains(&"tv_lower") && header.contains(&"holiday"),
        "{header:?}"
    );
    for row in &rows[1..] {
        let at = |column: usize| row[column].parse::<f64>().unwrap();
        let parts: f64 = (3..row.len()).step_by(3).map(at).sum();
        assert!((parts - at(2)).abs() < 1e-2 && (at(2) - at(1)).abs() < 30.0, "{row:?}");
        assert!((3..row.len()).step_by(3).all(|column| at(column + 1) <= at(column + 2)), "{row:?}");
    }
}

#[test]
fn periods_may_be_held_out() {
    let summary = fit(&["--holdout", "13"], &history(HEADER, 78));
    assert_eq!(summary["holdout"]["periods"], 13);
    let (model, season) = (&summary["holdout"]["crps"], &summary["holdout"]["seasonal"]["crps"]);
    assert!(model.as_f64().unwrap() < season.as_f64().unwrap(), "{}", summary["holdout"]);
    let text = adflow(&[&["fit", "-", "--holdout", "13"], &QUICK[..]].concat(), &history(HEADER, 78));
    assert!(text.out.contains("Holdout: the last 13 periods"), "{}", text.out);
}

#[test]
fn a_curves_file_of_another_version_is_refused() {
    let answer = adflow(&["allocate", "-"], r#"{"format": "adflow.curves", "version": 2, "problem": {}}"#);
    assert_eq!(answer.code, Some(1));
    assert!(answer.err.contains("version") && answer.err.contains('2'), "{}", answer.err);
}

#[cfg(unix)]
#[test]
fn an_interrupted_fit_ends_at_once_and_writes_nothing() {
    use std::process::{Command, Stdio};
    let text = history(HEADER, 60);
    let long = ["fit", file("long.csv", &text), "--draws", "1000000", "--curves", "never.json"];
    let mut child = Command::new(env!("CARGO_BIN_EXE_adflow"))
        .args(long)
        .current_dir(directory())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none(), "it takes long");
    let asked = std::time::Instant::now();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert!(!child.wait().unwrap().success());
    assert!(asked.elapsed().as_secs() < 5);
    assert!(!directory().join("never.json").exists());
}

#[test]
fn its_help_tells_how_columns_are_found() {
    let help = adflow(&["fit", "--help"], "");
    assert_eq!(help.code, Some(0));
    for part in ["tv_spend", "--example", "--lift-test", "--refit", "--holdout"] {
        assert!(help.out.contains(part), "{part} in\n{}", help.out);
    }
}
