//! Fits of simulated weekly markets: four chains of a thousand draws, and a refit after four more weeks.

use std::hint::black_box;

use adflow_core::{Market, ResponseModel};
use criterion::{Criterion, criterion_group, criterion_main};

fn fits(criterion: &mut Criterion) {
    let market = Market::realistic(1, 5, 104).expect("a market");
    let history = market.history().expect("its history");
    let model = ResponseModel::new().threads(2).seed(1);
    let mut group = criterion.benchmark_group("fit of 104 weeks by 5 channels");
    group.sample_size(10);
    group.bench_function("4 x 1,000 draws", |bench| {
        bench.iter(|| model.fit(black_box(&history)).expect("a fit"))
    });
    let before = model.fit(&history.first(100).expect("100 weeks")).expect("a fit");
    group.bench_function("refit after 4 weeks", |bench| {
        bench.iter(|| before.refit(black_box(&history)).expect("a refit"));
    });
    group.finish();
}

criterion_group!(benches, fits);
criterion_main!(benches);
