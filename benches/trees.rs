//! What groups that form a tree cost, against the same problem without them.
//!
//! A million arms in ten thousand groups with limits in money take at most 5 times as long as one budget over the same arms,
//! measured in the same run.
#![allow(clippy::print_stdout, reason = "the table is the result")]

mod problems;

use std::hint::black_box;
use std::time::{Duration, Instant};

use adflow_core::{Group, Problem};

use problems::{Arms, is_measured};

const ARMS_PER_GROUP: usize = 100;
const TARGET: f64 = 5.0;

fn main() {
    let n = if is_measured() { 1_000_000 } else { 6_000 };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(2);
    let arms = Arms::random(n, (1.2, 6.0));
    println!("{n} arms in {} groups, threads: {threads}", n / ARMS_PER_GROUP);
    for (curves, problem) in
        [("Michaelis-Menten", arms.michaelis_menten()), ("Hill, slopes 1.2-6", arms.hill())]
    {
        let problem = problem.threads(threads);
        let spend = problem.clone().solve().expect("a plan").spend;
        let one = median(&problem);
        for (limits, lower, upper) in
            [("no limit binds", 0.1, 10.0), ("some bind", 0.9, 1.1), ("all bind", 1.3, 0.7)]
        {
            let groups = spend.chunks(ARMS_PER_GROUP).enumerate().map(|(g, own)| {
                let first = g * ARMS_PER_GROUP;
                let total: f64 = own.iter().sum();
                let group = Group::new(format!("group {g}"), first..first + own.len());
                // Limits lie up to a fifth of their distance apart; where all bind, every other group has a lower one.
                let spread = 0.9 + 0.2 * f64::from(u32::try_from(g * 7919 % 1000).unwrap_or(0)) / 1000.0;
                match (lower > upper, g.is_multiple_of(2)) {
                    (true, true) => group.lower(lower * spread * total),
                    (true, false) => group.upper(upper * spread * total),
                    _ => group.lower(lower * spread * total).upper(upper * spread * total),
                }
            });
            let time = median(&problem.clone().groups(groups));
            let verdict = match time <= TARGET * one {
                _ if !is_measured() => "",
                true => "reached",
                false => "MISSED",
            };
            println!(
                "{:<40} {:>11.2?} {:>11.2?} {:>8.2} ≤ {TARGET} {verdict}",
                format!("{curves}, {limits}"),
                Duration::from_secs_f64(time),
                Duration::from_secs_f64(one),
                time / one
            );
        }
    }
}

/// Seconds of a solve: the median over runs.
fn median(problem: &Problem) -> f64 {
    let runs = if is_measured() { 7 } else { 1 };
    let mut times: Vec<f64> = (0..runs)
        .map(|_| {
            let problem = problem.clone();
            let start = Instant::now();
            let plan = problem.solve().expect("a plan");
            let time = start.elapsed().as_secs_f64();
            black_box(plan);
            time
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
