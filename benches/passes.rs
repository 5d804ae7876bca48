//! What a solve costs in passes over the arms, against what is promised.
//!
//! The unit is one plain single-threaded pass, measured in the same run:
//!
//! ```text
//! Michaelis-Menten   Σ β k/(k + x)²
//! Hill               Σ β/(1 + (k/x)^s)   with powf
//! ```
//!
//! A solve of a million Michaelis-Menten arms takes at most 10 of the first, one of a million S-shaped Hill arms at most
//! 12 of the second; time grows linearly with the arms; a million problems of five arms take at most 3 s.
#![allow(clippy::print_stdout, reason = "the table is the result")]

mod problems;

use std::hint::black_box;
use std::time::{Duration, Instant};

use adflow_core::{Problem, Status};

use problems::{Arms, Random, is_measured};

const S_SHAPED: (f64, f64) = (1.2, 6.0);
const ARMS_PER_PROBLEM: usize = 5;
/// Small problems stay in the cache, large ones do not: linear means that an arm costs at most this much more.
const LINEAR: f64 = 2.0;

fn main() {
    // In tests only that everything runs: unoptimised code says nothing about time.
    let (most, least, problems) =
        if is_measured() { (1_000_000, 10_000, 1_000_000) } else { (2_000, 200, 200) };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{:<58} {:>11} {:>11} {:>8} {:>8}", "", "solve", "pass", "ratio", "target");

    let arms = Arms::random(most, S_SHAPED);
    // Not the same multiple of k for every arm, which would let the processor guess the branches of `powf`.
    let mut random = Random(0xA55);
    let spend: Vec<f64> = arms.half_saturation.iter().map(|k| k * random.between(0.1, 2.0)).collect();
    let concave = median(|| timed(|| michaelis_menten_pass(&arms, &spend)));
    let s_shaped = median(|| timed(|| hill_pass(&arms, &spend)));
    for threads in if threads > 1 { vec![1, threads] } else { vec![1] } {
        let name = |curves: &str| format!("{most} {curves}, threads: {threads}");
        against_pass(&name("Michaelis-Menten"), &arms.michaelis_menten().threads(threads), concave, 10.0);
        against_pass(&name("Hill, slopes 1.2-6"), &arms.hill().threads(threads), s_shaped, 12.0);
    }

    let few = Arms::random(least, S_SHAPED);
    let growth = most / least;
    for (curves, of) in
        [("Michaelis-Menten", Arms::michaelis_menten as fn(&Arms) -> Problem), ("Hill", Arms::hill)]
    {
        let (small, large) = (solve_time(&of(&few)), solve_time(&of(&arms)));
        let name = format!("{curves}: one arm of {most} against one of {least}");
        row(&name, large / count(growth), small, Some(LINEAR));
    }

    // Five S-shaped arms may need a search, which the promise is not about.
    for (curves, of, problems, target) in [
        ("Michaelis-Menten", Arms::michaelis_menten as fn(&Arms) -> Problem, problems, Some(3.0)),
        ("S-shaped Hill", Arms::hill, problems / 100, None),
    ] {
        let arms = Arms::random(problems * ARMS_PER_PROBLEM, S_SHAPED);
        let time = batch_time(&of(&arms).threads(threads), problems);
        // The promise is in seconds: the unit of this row is one.
        row(&format!("{problems} problems × 5 {curves} arms, in seconds"), time, 1.0, target);
    }
}

fn against_pass(name: &str, problem: &Problem, pass: f64, target: f64) {
    row(name, solve_time(problem), pass, Some(target));
}

fn row(name: &str, solve: f64, pass: f64, target: Option<f64>) {
    let ratio = solve / pass;
    let (bound, verdict) = match target {
        Some(target) => (format!("≤ {target}"), if ratio <= target { "reached" } else { "MISSED" }),
        None => (String::new(), ""),
    };
    let verdict = if is_measured() { verdict } else { "" };
    let time = |seconds: f64| format!("{:.2?}", Duration::from_secs_f64(seconds));
    println!("{name:<58} {:>11} {:>11} {ratio:>8.2} {bound:>8}  {verdict}", time(solve), time(pass));
}

fn michaelis_menten_pass(arms: &Arms, spend: &[f64]) -> f64 {
    let parameters = arms.beta.iter().zip(&arms.half_saturation);
    parameters.zip(spend).map(|((beta, k), x)| beta * k / ((k + x) * (k + x))).sum()
}

fn hill_pass(arms: &Arms, spend: &[f64]) -> f64 {
    let parameters = arms.beta.iter().zip(&arms.half_saturation).zip(&arms.slope);
    parameters.zip(spend).map(|(((beta, k), s), x)| beta / (1.0 + (k / x).powf(*s))).sum()
}

fn solve_time(problem: &Problem) -> f64 {
    median(|| {
        let problem = problem.clone();
        let start = Instant::now();
        let plan = problem.solve().expect("a plan");
        let time = start.elapsed();
        assert_eq!(plan.status, Status::Optimal, "gap {}", plan.gap);
        black_box(plan);
        time
    })
}

fn batch_time(problem: &Problem, problems: usize) -> f64 {
    let offsets: Vec<usize> = (0..=problems).map(|j| j * ARMS_PER_PROBLEM).collect();
    let budgets = vec![5.0; problems];
    let start = Instant::now();
    let batch = problem.solve_batch(&offsets, &budgets).expect("plans");
    let time = start.elapsed();
    assert!(batch.status.iter().all(|status| *status == Status::Optimal));
    time.as_secs_f64()
}

fn timed<T>(run: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    black_box(run());
    start.elapsed()
}

/// Seconds: the median over runs.
fn median(mut run: impl FnMut() -> Duration) -> f64 {
    let runs = if is_measured() { 11 } else { 1 };
    let mut times: Vec<Duration> = (0..runs).map(|_| run()).collect();
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

#[allow(clippy::cast_precision_loss, reason = "a count")]
fn count(n: usize) -> f64 {
    n as f64
}
