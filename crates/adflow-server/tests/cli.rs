//! The binary as a shell sees it: what it prints, and its exit code.

mod run;

use run::{adflow, file, json};

const PROBLEM: &str = r#"{
    "version": 1,
    "curves": {"version": 1, "names": ["search", "video"], "curves": [
        {"family": "hill", "beta": [120.0, 80.0], "half_saturation": [5.0, 9.0], "slope": [0.8, 2.5]}]},
    "budget": 20.0
}"#;
const TABLE: &str = "\
name,curve,beta,half_saturation,slope,upper,current
search,hill,120,5,0.8,,12
video,hill,80,9,2.5,10,8
";

/// The marginal response of each falls to r at a spend of √(4 beta/r) − 4.
const GROUPS: &str = "\
name,group,curve,beta,half_saturation,upper,current
search,,michaelis_menten,9,4,100,2
video,awareness,michaelis_menten,7,4,100,5
social,awareness,michaelis_menten,5,4,100,5
";

fn total(plan: &serde_json::Value) -> f64 {
    plan["spend"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).sum()
}

#[test]
fn without_arguments_it_gives_a_tour_that_fits_a_screen() {
    let answer = adflow(&[], "");
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert!(answer.out.lines().count() <= 70, "{}", answer.out);
    for line in answer.out.lines() {
        assert!(line.chars().count() <= 110, "{line}");
        assert_eq!(line, line.trim_end());
    }
    for expected in ["true", "search", "Draws: R-hat", "Proof: optimal", "plan: ok", "of the best", "Next"] {
        assert!(answer.out.contains(expected), "{expected} in\n{}", answer.out);
    }
    // What the market says of itself: today is worth less than the plan, and the plan no more than the best.
    let share = |line: &str| {
        let line = answer.out.lines().find(|found| found.starts_with(line)).unwrap();
        let percent = line.split_whitespace().rev().nth(4).unwrap();
        percent.parse::<f64>().unwrap()
    };
    let (today, plan) = (share("today"), share("the plan "));
    assert!(today < plan && plan <= 100.0, "{today} {plan}");
    assert!((share("the best plan of all") - 100.0).abs() < 1e-9);
    assert!(!answer.out.contains('\u{1b}'), "no colours into a pipe");
}

#[test]
fn what_the_tour_says_to_type_next_works() {
    let example = adflow(&["allocate", "--example"], "");
    assert_eq!(example.code, Some(0));
    let plan = adflow(&["allocate", file("tour.csv", &example.out), "--budget", "100000"], "");
    assert_eq!(plan.code, Some(0), "{}", plan.err);
    assert!(plan.out.contains("Performance Max"));
    assert_eq!(adflow(&["allocate", "--help"], "").code, Some(0));
}

#[test]
fn a_json_problem_is_answered_with_a_json_plan() {
    let plan = json(&adflow(&["allocate", file("problem.json", PROBLEM)], ""));
    assert_eq!(plan["status"], "optimal");
    assert!((total(&plan) - 20.0).abs() < 1e-9);
    let smaller = json(&adflow(&["allocate", file("budget.json", PROBLEM), "--budget", "10"], ""));
    assert!((total(&smaller) - 10.0).abs() < 1e-9);
}

#[test]
fn a_table_is_answered_with_a_plan_to_read_or_as_json() {
    let csv = file("table.csv", TABLE);
    let text = adflow(&["allocate", csv, "--budget", "20"], "");
    assert_eq!(text.code, Some(0), "{}", text.err);
    assert!(
        text.out.contains("search") && text.out.contains("proposed") && text.out.contains("Proof: optimal")
    );
    let plan = json(&adflow(&["allocate", csv, "--budget", "20", "--json", "--threads", "2"], ""));
    assert!((total(&plan) - 20.0).abs() < 1e-9);
    assert_eq!(plan["names"][1], "video");
}

#[test]
fn a_dash_reads_either_form_from_standard_input() {
    let from_json = json(&adflow(&["allocate", "-"], PROBLEM));
    assert_eq!(from_json["names"][0], "search");
    let from_csv = json(&adflow(&["allocate", "-", "--budget", "20", "--json"], TABLE));
    assert_eq!(from_csv["names"][0], "search");
}

#[test]
fn a_table_and_the_same_problem_as_json_give_the_same_spends() {
    let problem = PROBLEM.replace("\"budget\"", "\"upper\": [null, 10.0], \"budget\"");
    let from_json = json(&adflow(&["allocate", "-"], &problem));
    let from_csv = json(&adflow(&["allocate", "-", "--budget", "20", "--json"], TABLE));
    assert_eq!(from_json["spend"], from_csv["spend"]);
}

#[test]
fn spend_all_spends_what_brings_nothing() {
    let table = "name,curve,beta,value\na,linear,1,0\n";
    let spent = |arguments: &[&str]| total(&json(&adflow(arguments, table)));
    assert!((spent(&["allocate", "-", "--json", "--budget", "5", "--spend-all"]) - 5.0).abs() < 1e-12);
}

#[test]
fn an_unusable_table_is_refused_with_the_place_and_what_is_accepted() {
    let cases: [(&str, &[&str]); 12] = [
        ("name,curve,beta\na,linear,1\nb,linear,x\n", &["line 3", "`beta`", "a number", "`x`"]),
        ("name,curve,beta\na,linear,nan\n", &["line 2", "`beta`", "`nan`"]),
        ("name,curve,beta\na,linear,-1\n", &["line 2", "`beta`", "1e-60", "-1"]),
        ("name,curve,beta\na,bezier,1\n", &["line 2", "`curve`", "michaelis_menten", "bezier"]),
        ("name,curve,beta\na,hill,1\n", &["line 2", "half_saturation"]),
        ("name,curve,beta,colour\na,linear,1,red\n", &["line 1", "`colour`", "active_lower"]),
        ("name,beta\na,1\n", &["line 1", "`curve`"]),
        ("name,curve,beta\na,linear,1,2\n", &["line 2", "3 cells", "4"]),
        ("name,curve,beta\na,linear,1\na,linear,2\n", &["line 3", "`name`", "line 2"]),
        ("name,curve,beta,lower,upper\na,linear,1,3,2\n", &["line 2", "lower bound 3", "upper bound 2"]),
        ("name,curve,beta,lower\na,linear,1,30\n", &["30", "20"]),
        ("name,curve,beta\n", &["row for every campaign"]),
    ];
    for (table, expected) in cases {
        let answer = adflow(&["allocate", "-", "--budget", "20"], table);
        assert_eq!(answer.code, Some(1), "{table}{}{}", answer.out, answer.err);
        assert!(answer.err.starts_with("adflow: stdin"), "{}", answer.err);
        for part in expected {
            assert!(answer.err.contains(part), "{part} in {}", answer.err);
        }
    }
}

#[test]
fn unusable_json_and_missing_files_are_input_errors() {
    for (arguments, stdin) in [
        (&["allocate", "-"][..], "{"),
        (&["allocate", "-"], "{\"version\": 1}"),
        (&["allocate", "no.csv"], ""),
    ] {
        let answer = adflow(arguments, stdin);
        assert_eq!(answer.code, Some(1), "{}", answer.err);
        assert!(answer.out.is_empty() && answer.err.starts_with("adflow: "), "{}", answer.err);
    }
}

#[test]
fn unusable_arguments_are_usage_errors() {
    for arguments in [
        &["allocate"][..],
        &["alocate"],
        &["allocate", "-", "--budget", "much"],
        &["allocate", "-"],
        &["allocate", "-", "--budget", "-3"],
        &["allocate", "-", "--budget", "inf"],
        &["allocate", "-", "--budget", "20", "--tolerance", "2"],
        &["allocate", "-", "--budget", "20", "--time-limit", "nan"],
    ] {
        let answer = adflow(arguments, "name,curve,beta\na,linear,1\n");
        assert_eq!(answer.code, Some(2), "{arguments:?}: {}{}", answer.out, answer.err);
    }
}

#[test]
fn an_argument_is_refused_as_such_and_the_same_number_in_a_file_as_input() {
    let argument = adflow(&["allocate", "-", "--budget", "-3"], PROBLEM);
    assert_eq!(argument.code, Some(2));
    assert!(argument.err.contains("`--budget`"), "{}", argument.err);
    let file = adflow(&["allocate", "-"], &PROBLEM.replace("\"budget\": 20.0", "\"budget\": -3"));
    assert_eq!(file.code, Some(1));
    assert!(file.err.contains("stdin: `budget`"), "{}", file.err);
}

#[test]
fn a_budget_is_needed_only_where_nothing_else_bounds_a_campaign() {
    let unbounded = GROUPS.replace(",100,", ",,");
    let refused = adflow(&["allocate", "-"], &unbounded);
    assert_eq!(refused.code, Some(2), "{}", refused.out);
    assert!(refused.err.contains("--budget is needed") && refused.err.contains("`upper`"), "{}", refused.err);
    for goal in [&["--objective", "spend", "--target-response", "10"][..], &["--target-roas", "1.25"]] {
        let plan = json(&adflow(&[&["allocate", "-", "--json"], goal].concat(), &unbounded));
        assert!(total(&plan) < 100.0, "{plan}");
    }

    let plan = json(&adflow(&["allocate", "-", "--json"], "name,curve,beta,upper\na,linear,1,4\n"));
    assert!((total(&plan) - 4.0).abs() < 1e-12);
}

/// The plan for the table of groups, as JSON.
fn grouped(arguments: &[&str]) -> serde_json::Value {
    json(&adflow(&[&["allocate", "-", "--json"], arguments].concat(), GROUPS))
}

fn spend(plan: &serde_json::Value) -> Vec<f64> {
    plan["spend"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

#[test]
fn a_group_holds_what_its_campaigns_spend() {
    let upper = spend(&grouped(&["--budget", "30", "--group-upper", "awareness=4"]));
    assert!((upper[1] + upper[2] - 4.0).abs() < 1e-6 && (upper[0] - 26.0).abs() < 1e-6, "{upper:?}");
    let lower = spend(&grouped(&["--budget", "10", "--group-lower", "awareness=9"]));
    assert!((lower[1] + lower[2] - 9.0).abs() < 1e-6, "{lower:?}");
    let share = spend(&grouped(&["--budget", "10", "--group-share-upper", "awareness=0.25"]));
    assert!(share[1] + share[2] <= 2.5 + 1e-6, "{share:?}");
    let least = spend(&grouped(&["--budget", "10", "--group-share-lower=awareness = 0.9"]));
    assert!((least[1] + least[2] - 9.0).abs() < 1e-6, "{least:?}");
}

#[test]
fn the_objective_and_the_targets_are_arguments() {
    let profit = spend(&grouped(&["--objective", "profit"]));
    for (x, beta) in profit.iter().zip([9.0_f64, 7.0, 5.0]) {
        assert!((x - ((4.0 * beta).sqrt() - 4.0)).abs() < 1e-2, "{profit:?}");
    }
    let least = grouped(&["--objective", "spend", "--target-response", "10"]);
    assert!((least["total_response"].as_f64().unwrap() - 10.0).abs() < 1e-4, "{least}");
    assert!((least["objective_value"].as_f64().unwrap() + total(&least)).abs() < 1e-9);
    let per_money = |plan: &serde_json::Value| plan["total_response"].as_f64().unwrap() / total(plan);
    assert!((per_money(&grouped(&["--target-roas", "1.25"])) - 1.25).abs() < 1e-4);
    assert!((per_money(&grouped(&["--target-cpa", "0.8"])) - 1.25).abs() < 1e-4);
    let marginal = spend(&grouped(&["--target-marginal-roas", "0.5"]));
    for (x, beta) in marginal.iter().zip([9.0_f64, 7.0, 5.0]) {
        assert!((x - ((4.0 * beta / 0.5).sqrt() - 4.0)).abs() < 1e-2, "{marginal:?}");
    }
}

#[test]
fn changes_active_campaigns_and_steps_are_arguments() {
    let current = [2.0, 5.0, 5.0];
    let change = spend(&grouped(&["--budget", "12", "--max-change", "0.2"]));
    assert!(change.iter().zip(current).all(|(x, now)| (x - now).abs() <= 0.2 * now + 1e-9), "{change:?}");
    let moved = spend(&grouped(&["--budget", "12", "--max-moves", "2"]));
    assert!(moved.iter().zip(current).filter(|(x, now)| (*x - now).abs() > 0.0).count() <= 2, "{moved:?}");
    assert_eq!(spend(&grouped(&["--budget", "10", "--max-active", "1"])), [10.0, 0.0, 0.0]);
    let steps = spend(&grouped(&["--budget", "12", "--step", "2.5"]));
    assert!(steps.iter().all(|x| (x % 2.5).abs() < 1e-12), "{steps:?}");
}

#[test]
fn the_printed_plan_names_objective_groups_targets_and_rounding() {
    let printed = |arguments: &[&str]| {
        let answer = adflow(&[&["allocate", "-"], arguments].concat(), GROUPS);
        assert_eq!(answer.code, Some(0), "{}", answer.err);
        for line in answer.out.lines() {
            assert!(line.chars().count() <= 110 && line == line.trim_end(), "{line}");
        }
        answer.out
    };
    let plain = printed(&["--budget", "30"]);
    assert!(plain.contains("awareness") && !plain.contains("Objective"), "{plain}");
    let group = printed(&["--budget", "30", "--group-upper", "awareness=4", "--objective", "response"]);
    assert!(group.contains("Objective: response"), "{group}");
    // One more unit there is one less for search: 28/(4 + x)² with x₁ + x₂ = 4, less 36/30².
    assert!(group.contains("- group awareness, at most 4: one unit less strict would bring 0.6"), "{group}");
    let share = printed(&["--budget", "10", "--group-share-upper", "awareness=0.255"]);
    assert!(share.contains("- group awareness, at most 25.5 % of the total: "), "{share}");
    let least = printed(&["--objective", "spend", "--target-response", "10", "--step", "0.5"]);
    for part in
        ["Objective: the least spend", "Rounding: every spend is a whole multiple of 0.5, which costs "]
    {
        assert!(least.contains(part), "{part} in\n{least}");
    }
    let target = printed(&["--objective", "spend", "--target-response", "10"]);
    assert!(target.contains("- a response worth at least 10: one unit less strict would save "), "{target}");
    let profit = printed(&["--objective", "profit", "--target-roas", "0.01"]);
    assert!(profit.contains("Objective: profit"), "{profit}");
    assert!(profit.contains("Target: a ROAS of at least 0.01, reached."), "{profit}");
}

#[test]
fn goals_take_the_place_of_what_a_json_problem_says() {
    let problem = PROBLEM.replace("\"budget\"", "\"max_active\": 2, \"budget\"");
    let both = json(&adflow(&["allocate", "-"], &problem));
    assert!(spend(&both).iter().all(|x| *x > 0.0), "{both}");
    let one = json(&adflow(&["allocate", "-", "--max-active", "1"], &problem));
    assert_eq!(spend(&one).iter().filter(|x| **x > 0.0).count(), 1, "{one}");
    let group = adflow(&["allocate", "-", "--group-upper", "a=1"], PROBLEM);
    assert_eq!(group.code, Some(2));
    assert!(group.err.contains("--group-upper is for tables"), "{}", group.err);
}

#[test]
fn arguments_on_goals_and_groups_are_refused_by_their_names() {
    let cases: [(&[&str], &[&str]); 15] = [
        (&["--objective", "sales"], &["--objective", "profit"]),
        (&["--target-roas", "2", "--target-cpa", "3"], &["--target-roas", "--target-cpa"]),
        (&["--target-roas=-2"], &["`--target-roas`"]),
        (&["--target-marginal-roas", "nan"], &["`--target-marginal-roas`"]),
        (&["--max-change=-0.2"], &["`--max-change`"]),
        (&["--max-moves", "1.5"], &["--max-moves"]),
        (&["--step", "-1"], &["`--step`"]),
        (&["--group-upper", "awareness"], &["--group-upper", "video=4000"]),
        (&["--group-upper", "=3"], &["--group-upper", "video=4000"]),
        (&["--group-upper", "awareness=much"], &["--group-upper", "much"]),
        (&["--group-upper", "radio=3"], &["--group-upper", "`radio`", "awareness"]),
        (&["--group-upper", "awareness=3", "--group-upper", "awareness=4"], &["--group-upper", "twice"]),
        (&["--group-upper", "awareness=-3"], &["`--group-upper awareness`", "1e60"]),
        (&["--group-share-lower", "awareness=1.5"], &["`--group-share-lower awareness`", "from 0 to 1"]),
        (
            &["--group-lower", "awareness=5", "--group-share-upper", "awareness=40"],
            &["`--group-share-upper awareness`", "40"],
        ),
    ];
    for (arguments, expected) in cases {
        let answer = adflow(&[&["allocate", "-", "--budget", "12"], arguments].concat(), GROUPS);
        assert_eq!(answer.code, Some(2), "{arguments:?}: {}{}", answer.out, answer.err);
        for part in expected {
            assert!(answer.err.contains(part), "{part} in {}", answer.err);
        }
    }
}

#[test]
fn an_argument_that_needs_a_column_says_so() {
    let table = "name,curve,beta,upper\na,linear,1,4\n";
    for (arguments, column) in [
        (&["--max-change", "0.2"][..], "`current`"),
        (&["--max-moves", "0"], "`current`"),
        (&["--group-lower", "a=1"], "`group`"),
    ] {
        let answer = adflow(&[&["allocate", "-"], arguments].concat(), table);
        assert_eq!(answer.code, Some(2), "{}{}", answer.out, answer.err);
        assert!(answer.err.contains(arguments[0]) && answer.err.contains(column), "{}", answer.err);
    }
}

#[test]
fn limits_that_cannot_hold_together_are_named() {
    let arguments = ["allocate", "-", "--budget", "12", "--spend-all", "--group-upper", "awareness=4"];
    let answer = adflow(&arguments, &GROUPS.replace("9,4,100", "9,4,5"));
    assert_eq!(answer.code, Some(1), "{}{}", answer.out, answer.err);
    for part in ["budget", "awareness", "search", "9", "12"] {
        assert!(answer.err.contains(part), "{part} in {}", answer.err);
    }
}

const SCHEDULE: &str = r#"{
    "version": 1,
    "curves": {"version": 1, "names": ["search", "video"], "curves": [
        {"family": "michaelis_menten", "beta": [120.0, 80.0], "half_saturation": [5.0, 9.0]}]},
    "adstock": {"kind": "geometric", "retention": [0.5, 0.8]}, "periods": 4, "budget": 40.0
}"#;

/// The spends of a schedule, one row of arms per period.
fn rows(plan: &serde_json::Value) -> Vec<Vec<f64>> {
    let row = |row: &serde_json::Value| row.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
    plan["spend"].as_array().unwrap().iter().map(row).collect()
}

#[test]
fn a_problem_with_periods_is_a_schedule() {
    for (path, stdin) in [(file("schedule.json", SCHEDULE), ""), ("-", SCHEDULE)] {
        let plan = json(&adflow(&["allocate", path], stdin));
        assert_eq!(plan["status"], "optimal");
        assert_eq!(plan["periods"], 4);
        assert_eq!(plan["names"][1], "video");
        let rows = rows(&plan);
        assert_eq!((rows.len(), rows[0].len()), (4, 2));
        assert!((rows.iter().flatten().sum::<f64>() - 40.0).abs() < 1e-6, "{rows:?}");
        // The last spends have the least time to work.
        assert!(rows[0][0] > rows[3][0] && rows[0][1] > rows[3][1], "{rows:?}");
    }
}

#[test]
fn arguments_take_the_place_of_what_a_schedule_says() {
    let plan = json(&adflow(
        &["allocate", "-", "--budget", "10", "--tolerance", "1e-4", "--threads", "1"],
        SCHEDULE,
    ));
    assert!((plan["total_spend"].as_f64().unwrap() - 10.0).abs() < 1e-6, "{plan}");
    let idle = SCHEDULE.replace("\"periods\"", "\"value\": 0, \"periods\"");
    let all = json(&adflow(&["allocate", "-", "--spend-all"], &idle));
    assert!((all["total_spend"].as_f64().unwrap() - 40.0).abs() < 1e-6, "{all}");
}

#[test]
fn what_a_schedule_cannot_be_is_refused_at_its_place() {
    let cases: [(&[&str], String, i32, &[&str]); 7] = [
        (&["--target-roas", "2"], SCHEDULE.into(), 2, &["--target-roas", "not for schedules", "periods"]),
        (&["--max-active", "1"], SCHEDULE.into(), 2, &["--max-active"]),
        (&["--group-upper", "a=1"], SCHEDULE.into(), 2, &["--group-upper"]),
        (&["--budget", "-3"], SCHEDULE.into(), 2, &["`--budget`"]),
        (&[], SCHEDULE.replace("40.0", "-3"), 1, &["stdin", "`budget`", "-3"]),
        (&[], SCHEDULE.replace("\"periods\"", "\"max_active\": 1, \"periods\""), 1, &["stdin", "max_active"]),
        (
            &["--budget", "40"],
            SCHEDULE.replace("\"periods\"", "\"period_lower\": 11, \"periods\""),
            1,
            &["stdin", "budget", "period", "44"],
        ),
    ];
    for (arguments, problem, code, expected) in cases {
        let answer = adflow(&[&["allocate", "-"], arguments].concat(), &problem);
        assert_eq!(answer.code, Some(code), "{arguments:?}: {}{}", answer.out, answer.err);
        assert!(answer.out.is_empty(), "{}", answer.out);
        for part in expected {
            assert!(answer.err.contains(part), "{part} in {}", answer.err);
        }
    }
}

#[test]
fn the_price_of_a_campaign_may_rise_with_what_it_buys() {
    let table = "name,curve,beta,cost_per_unit,price_power,upper\na,linear,1,2,0.5,54\nb,linear,1,2,,54\n";
    let plan = json(&adflow(&["allocate", "-", "--json"], table));
    let response: Vec<f64> =
        plan["response"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
    // u units cost 2 u^1.5 and 2 u: 54 buys 9 and 27.
    assert!((response[0] - 9.0).abs() < 1e-9 && (response[1] - 27.0).abs() < 1e-9, "{plan}");
    let refused = adflow(&["allocate", "-"], &table.replace(",0.5,", ",-1,"));
    assert_eq!(refused.code, Some(1), "{}", refused.out);
    for part in ["line 2", "`price_power`", "-1"] {
        assert!(refused.err.contains(part), "{part} in {}", refused.err);
    }
}

#[test]
fn several_budgets_give_the_frontier() {
    let answer = adflow(&["allocate", "-", "--budgets", "10,20,15"], TABLE);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    for word in ["budget", "brings", "search", "video"] {
        assert!(answer.out.contains(word), "{}", answer.out);
    }
    let answer = adflow(&["allocate", "-", "--budgets", "10,20", "--json"], PROBLEM);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let frontier: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
    let alone = adflow(&["allocate", "-", "--budget", "20"], PROBLEM);
    let alone: serde_json::Value = serde_json::from_str(&alone.out).unwrap();
    let (swept, alone) = (&frontier["objective_value"][1], &alone["objective_value"]);
    assert!((swept.as_f64().unwrap() / alone.as_f64().unwrap() - 1.0).abs() < 1e-6);
    let answer = adflow(&["allocate", "-", "--budgets", "10,-1"], TABLE);
    assert_eq!(answer.code, Some(2), "{} {}", answer.out, answer.err);
    assert!(answer.err.contains("--budgets"), "{}", answer.err);
}
