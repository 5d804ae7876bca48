//! What a frontier of a hundred budgets costs, in solves.
//!
//! The unit is the mean of a solve over the same budgets, measured in the same run; a frontier should take at most 20 of them.
#![allow(clippy::print_stdout, reason = "the table is the result")]

mod problems;

use std::hint::black_box;
use std::time::{Duration, Instant};

use adflow_core::Problem;

use problems::{Arms, is_measured};

const CONCAVE: (f64, f64) = (0.3, 1.0);
const S_SHAPED: (f64, f64) = (1.2, 6.0);
const TARGET: f64 = 20.0;

fn main() {
    let (sizes, budgets, runs): (&[usize], u32, usize) =
        if is_measured() { (&[10, 100, 1_000, 10_000], 100, 9) } else { (&[10, 100], 5, 1) };
    println!("{:<34} {:>11} {:>11} {:>8} {:>8}", "", "frontier", "solve", "ratio", "target");
    for (name, slopes, of) in [
        ("Michaelis-Menten", CONCAVE, Arms::michaelis_menten as fn(&Arms) -> Problem),
        ("Hill, slopes 0.3-1", CONCAVE, Arms::hill),
        ("Hill, slopes 1.2-6", S_SHAPED, Arms::hill),
    ] {
        for &n in sizes {
            let arms = Arms::random(n, slopes);
            let problem = of(&arms);
            let share = |j: u32| 0.1 + 1.9 * f64::from(j) / f64::from(budgets - 1);
            let asked: Vec<f64> = (0..budgets).map(|j| arms.budget() * share(j)).collect();
            let solves: f64 = asked
                .iter()
                .map(|&budget| {
                    quartile(runs, || {
                        let problem = problem.clone().budget(budget);
                        let start = Instant::now();
                        black_box(problem.solve().expect("a plan"));
                        start.elapsed()
                    })
                })
                .sum();
            let frontier = quartile(runs, || {
                let problem = problem.clone();
                let start = Instant::now();
                black_box(problem.frontier(&asked).expect("a frontier"));
                start.elapsed()
            });
            let solve = solves / f64::from(budgets);
            let ratio = frontier / solve;
            let verdict = match ratio <= TARGET {
                _ if !is_measured() => "",
                true => "reached",
                false => "MISSED",
            };
            let time = |seconds: f64| format!("{:.2?}", Duration::from_secs_f64(seconds));
            let (frontier, solve) = (time(frontier), time(solve));
            let name = format!("{name}, {n} arms");
            println!("{name:<34} {frontier:>11} {solve:>11} {ratio:>8.1} {TARGET:>8}  {verdict}");
        }
    }
}

/// Seconds: the lower quartile over runs.
fn quartile(runs: usize, mut run: impl FnMut() -> Duration) -> f64 {
    let mut times: Vec<Duration> = (0..runs).map(|_| run()).collect();
    times.sort_unstable();
    times[times.len() / 4].as_secs_f64()
}
