//! How long one solve takes, by size and kind of curve, on one thread.
//!
//! Sizes: 10 to 1,000,000 arms; with draws 10 to 1,000 arms in 100 and in 1,000 draws. The problems are those of
//! `problems.rs`, the same in every run; the problem is built outside the clock.
#![allow(missing_docs, reason = "criterion's macros make public functions")]

mod problems;

use std::hint::black_box;
use std::time::Duration;

use adflow_core::{Parameter, Problem, ResponseCurves};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

use problems::{Arms, Random, is_measured};

const CONCAVE: (f64, f64) = (0.3, 1.0);
const S_SHAPED: (f64, f64) = (1.2, 6.0);
const MIXED: (f64, f64) = (0.4, 4.0);

/// In tests every case runs once, unoptimised: the small sizes are enough.
fn sizes() -> &'static [usize] {
    if is_measured() { &[10, 100, 1_000, 100_000, 1_000_000] } else { &[10, 100] }
}

fn suite(criterion: &mut Criterion, name: &str, problem: impl Fn(usize) -> Problem) {
    let mut group = criterion.benchmark_group(name);
    for &n in sizes() {
        if n >= 100_000 {
            group.sample_size(10).measurement_time(Duration::from_secs(8));
        }
        group.throughput(Throughput::Elements(n as u64));
        solve(&mut group, BenchmarkId::from_parameter(n), &problem(n));
    }
}

fn solve(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    id: BenchmarkId,
    problem: &Problem,
) {
    group.bench_function(id, |bencher| {
        bencher.iter_batched(
            || problem.clone(),
            |problem| black_box(problem).solve().expect("a plan"),
            BatchSize::LargeInput,
        );
    });
}

fn concave(criterion: &mut Criterion) {
    suite(criterion, "michaelis_menten", |n| Arms::random(n, CONCAVE).michaelis_menten());
    suite(criterion, "hill, slopes 0.3-1", |n| Arms::random(n, CONCAVE).hill());
}

fn s_shaped(criterion: &mut Criterion) {
    suite(criterion, "hill, slopes 1.2-6", |n| Arms::random(n, S_SHAPED).hill());
}

fn mixed(criterion: &mut Criterion) {
    suite(criterion, "hill, slopes 0.4-4", |n| Arms::random(n, MIXED).hill());
}

fn draws(criterion: &mut Criterion) {
    let (sizes, draws): (&[usize], &[usize]) =
        if is_measured() { (&[10, 100, 1_000], &[100, 1_000]) } else { (&[10], &[100]) };
    for (name, slopes) in [("draws, slopes 0.3-1", CONCAVE), ("draws, slopes 1.2-6", S_SHAPED)] {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10);
        for &n in sizes {
            for &draws in draws {
                let id = BenchmarkId::new(format!("{draws} draws"), n);
                group.throughput(Throughput::Elements((n * draws) as u64));
                solve(&mut group, id, &hill_draws(&Arms::random(n, slopes), draws));
            }
        }
    }
}

/// The arms in each of `draws` draws, every parameter moved by up to a fifth.
fn hill_draws(arms: &Arms, draws: usize) -> Problem {
    let (n, mut random) = (arms.beta.len(), Random(0xD4A5));
    let mut around = |centre: &[f64]| {
        let values: Vec<f64> =
            (0..draws).flat_map(|_| centre.iter()).map(|x| x * random.between(0.8, 1.2)).collect();
        Parameter::draws(draws, n, values).expect("as many values as draws and arms")
    };
    let (beta, k, s) = (around(&arms.beta), around(&arms.half_saturation), around(&arms.slope));
    let curves = ResponseCurves::hill(beta, k, s).expect("inside the domain");
    Problem::new(curves).budget(arms.budget())
}

criterion_group!(benches, concave, s_shaped, mixed, draws);
criterion_main!(benches);
