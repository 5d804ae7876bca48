//! A simulated market is what it says: the same from the same seed, and true to its own formulae.
#![allow(clippy::disallowed_methods, reason = "the platform's functions are the reference here")]

use adflow_core::{
    Adstock, Auction, BudgetChange, Day, Error, Flighting, Intervention, Learning, Market, MarketChannel,
    MarketControl, MarketGroup, MarketNoise, MarketSettings, MediaEffect, Promotion, Result,
};

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * (1.0 + a.abs().max(b.abs()))
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn quiet(channels: Vec<MarketChannel>) -> MarketSettings {
    let mut settings = MarketSettings::new(channels);
    settings.noise = MarketNoise::Gaussian { share: 0.0 };
    settings
}

/// Two channels with everything that stands between a budget and an outcome.
fn full() -> MarketSettings {
    let mut search = MarketChannel::new("search", 3_000.0);
    search.effect = MediaEffect::Share(0.1);
    search.adstock = Adstock::delayed(0.6, 1.0, 6, true);
    search.slope = 1.4;
    search.auction = Some(Auction { impressions: 2e6, median_cpm: 5.0, spread: 0.7 });
    search.price_drift = 0.15;
    search.price_variation = 0.1;
    let mut tv = MarketChannel::new("tv", 2_000.0);
    tv.effect = MediaEffect::Roas(2.5);
    tv.adstock = Adstock::geometric(0.5, None, false);
    tv.spend.flighting = Some(Flighting { on: 5, off: 3, shift: 2 });
    tv.spend.seasonal = 0.3;
    tv.learning = Some(Learning { threshold: 0.5, drop: 0.4, retention: 0.6 });
    let mut settings = MarketSettings::new([search, tv]);
    settings.seed = 11;
    settings.synergy = 0.2;
    settings.conversion_lag = vec![0.6, 0.3, 0.1];
    settings.baseline.yearly = 0.1;
    settings.baseline.trend = 0.05;
    settings.baseline.promotions = vec![Promotion {
        name: "sale".into(),
        first: Day::parse("2024-03-06").unwrap(),
        days: 5,
        every: Some(182),
        lift: 0.4,
    }];
    settings.baseline.controls =
        vec![MarketControl { name: "weather".into(), effect: 0.05, persistence: 0.6 }];
    settings
}

fn geos(settings: &mut MarketSettings) {
    let group = |(name, population): (&str, f64)| MarketGroup { name: name.into(), population };
    settings.groups = [("north", 4e6), ("south", 1e6), ("west", 2.5e6)].map(group).to_vec();
    settings.effect_spread = 0.3;
    settings.level_spread = 0.1;
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_seed_another_market() -> Result<()> {
    let market = Market::realistic(5, 5, 104)?;
    let history = market.history()?;
    assert_eq!(history, Market::realistic(5, 5, 104)?.history()?);
    assert!(bits(history.outcome()) != bits(Market::realistic(6, 5, 104)?.history()?.outcome()));
    Ok(())
}

#[test]
fn a_change_of_one_channel_changes_nothing_else() -> Result<()> {
    let mut settings = full();
    settings.synergy = 0.0;
    let market = Market::new(settings)?;
    let usual = market.simulate(market.spend())?;
    let more = market.simulate(&market.spend_after(&[Intervention::new(1, BudgetChange::Times(1.7))])?)?;
    let first = |values: &[f64]| values.iter().copied().step_by(2).collect::<Vec<_>>();
    assert_eq!(bits(&first(&usual.contributions)), bits(&first(&more.contributions)));
    assert_eq!(bits(&usual.baseline), bits(&more.baseline));
    assert_eq!(usual.exposures, more.exposures);
    // Normal noise is the same number on top.
    for t in 0..usual.periods {
        assert!(close(usual.outcome[t] - usual.expected[t], more.outcome[t] - more.expected[t], 1e-9));
    }
    Ok(())
}

#[test]
fn a_longer_horizon_leaves_the_past_as_it_was() -> Result<()> {
    let market = Market::new(full())?;
    let usual = market.simulate(market.spend())?;
    let longer = market.simulate(&market.usual_spend(130)?)?;
    assert_eq!(bits(&usual.outcome), bits(&longer.outcome[..104]));
    assert_eq!(bits(&usual.spend), bits(&longer.spend[..208]));
    Ok(())
}

#[test]
fn the_parts_add_up_to_what_is_expected() -> Result<()> {
    let mut settings = full();
    geos(&mut settings);
    let simulation = Market::new(settings)?.truth()?.simulation;
    for row in 0..simulation.expected.len() {
        let media: f64 = simulation.contributions[row * 2..row * 2 + 2].iter().sum();
        let sum = simulation.baseline[row] + media + simulation.interaction[row];
        assert!(close(sum, simulation.expected[row], 1e-12));
    }
    Ok(())
}

#[test]
fn effects_are_what_was_asked_for() -> Result<()> {
    let mut settings = full();
    settings.synergy = 0.0;
    let truth = Market::new(settings)?.truth()?;
    let whole: f64 = truth.simulation.expected.iter().sum();
    assert!(close(truth.contribution[0] / whole, 0.1, 1e-12));
    assert!(close(truth.contribution[1] / truth.spend[1], 2.5, 1e-12));
    assert!(close(truth.roas[1], 2.5, 1e-9));
    Ok(())
}

#[test]
fn switching_a_channel_off_takes_its_contribution_and_its_interactions_along() -> Result<()> {
    let market = Market::new(full())?;
    let truth = market.truth()?;
    let together: f64 = truth.simulation.interaction.iter().sum();
    assert!(together > 0.0);
    for channel in 0..2 {
        let off = market.effect(&[Intervention::new(channel, BudgetChange::To(0.0))])?;
        // With two channels all that they bring together needs both.
        assert!(close(-off.expected, truth.contribution[channel] + together, 1e-9));
        assert!(close(off.spend, -truth.spend[channel], 1e-12));
        assert!(close(off.realised, off.expected, 1e-9));
        assert!(close(truth.roas[channel], off.expected / off.spend, 1e-12));
    }
    Ok(())
}

#[test]
fn an_intervention_in_a_window_acts_from_its_start_and_dies_out_after_it() -> Result<()> {
    let mut settings = full();
    geos(&mut settings);
    settings.channels[1].learning = None;
    let market = Market::new(settings)?;
    let effect =
        market.effect(&[Intervention::new(0, BudgetChange::By(500.0)).during(20..24).in_group(1)])?;
    let (before, rest) = effect.by_period[104..208].split_at(20);
    assert!(before.iter().all(|&change| change.abs() < 1e-9));
    // 6 weights and 3 lags reach 7 periods beyond the last of the window.
    assert!(rest[..11].iter().all(|&change| change > 0.0));
    assert!(rest[11..].iter().all(|&change| change.abs() < 1e-9));
    assert!(
        effect.by_period[..104].iter().chain(&effect.by_period[208..]).all(|&change| change.abs() < 1e-9)
    );
    assert!(close(effect.spend, 2_000.0, 1e-9));
    Ok(())
}

#[test]
fn without_lag_a_market_is_adstock_then_hill() -> Result<()> {
    let mut tv = MarketChannel::new("tv", 100.0);
    (tv.effect, tv.half_saturation, tv.slope) = (MediaEffect::Maximum(400.0), 0.5, 2.0);
    tv.adstock = Adstock::kernel([[3.0, 1.0]]);
    let market = Market::new(quiet(vec![tv]))?;
    let spend = [100.0, 0.0, 40.0];
    let brought = market.simulate(&spend)?.contributions;
    // ¾ of a spend works at once and ¼ a period later; half saturation is at 50.
    for (brought, carried) in brought.iter().zip([75.0_f64, 25.0, 30.0]) {
        assert!(close(*brought, 400.0 * carried * carried / (2_500.0 + carried * carried), 1e-12));
    }
    Ok(())
}

#[test]
fn a_lag_conserves_what_was_caused() -> Result<()> {
    let mut at_once = full();
    at_once.synergy = 0.0;
    // Of the same height, with and without.
    at_once.channels[0].effect = MediaEffect::Maximum(9_000.0);
    at_once.channels[1].effect = MediaEffect::Maximum(5_000.0);
    let mut later = at_once.clone();
    at_once.conversion_lag = vec![1.0];
    later.conversion_lag = vec![0.2, 0.5, 0.0, 0.3];
    let (at_once, later) = (Market::new(at_once)?.truth()?, Market::new(later)?.truth()?);
    for channel in 0..2 {
        let pending = later.simulation.pending[channel];
        assert!(pending > 0.0 && at_once.simulation.pending[channel] < 1e-9);
        assert!(close(later.contribution[channel] + pending, at_once.contribution[channel], 1e-12));
    }
    // By hand: the fourth period counts these shares of the first four.
    let caused: Vec<f64> = at_once.simulation.contributions.iter().copied().step_by(2).take(4).collect();
    let counted = 0.2 * caused[3] + 0.5 * caused[2] + 0.3 * caused[0];
    assert!(close(later.simulation.contributions[6], counted, 1e-12));
    Ok(())
}

#[test]
fn learning_costs_after_a_large_change_and_wears_off() -> Result<()> {
    let mut social = MarketChannel::new("social", 100.0);
    (social.effect, social.half_saturation) = (MediaEffect::Maximum(1_000.0), 1.0);
    social.learning = Some(Learning { threshold: 0.2, drop: 0.4, retention: 0.5 });
    let market = Market::new(quiet(vec![social]))?;
    let brought = market.simulate(&[100.0, 119.0, 150.0, 150.0, 150.0, 0.0, 90.0])?.contributions;
    let media = [100.0, 119.0, 150.0 * 0.6, 150.0 * 0.8, 150.0 * 0.9, 0.0, 90.0 * 0.6];
    for (brought, media) in brought.iter().zip(media) {
        assert!(close(*brought, 1_000.0 * media / (100.0 + media), 1e-12));
    }
    Ok(())
}

#[test]
fn a_curve_is_what_constant_spend_brings_in_the_long_run() -> Result<()> {
    let mut settings = quiet(full().channels);
    settings.synergy = 0.0;
    settings.conversion_lag = vec![0.5, 0.5];
    for channel in &mut settings.channels {
        (channel.price_drift, channel.price_variation) = (0.0, 0.0);
    }
    geos(&mut settings);
    let market = Market::new(settings)?;
    let curves = market.curves(0)?;
    let people = [4.0 / 7.5, 1.0 / 7.5, 2.5 / 7.5];
    for spend in [[3_000.0, 1_000.0], [9_000.0, 6_000.0], [20_000.0, 400.0]] {
        let row = |share: &f64| spend.map(|x| x * share).repeat(80);
        let simulation = market.simulate(&people.iter().flat_map(row).collect::<Vec<_>>())?;
        let curve = curves.response(&spend)?;
        for (channel, &curve) in curve.iter().enumerate() {
            let last = |group: usize| simulation.contributions[(group * 80 + 79) * 2 + channel];
            let brought: f64 = (0..3).map(last).sum();
            // Straight lines stand for a curve behind an auction.
            let tolerance = if channel == 0 { 1e-4 } else { 1e-9 };
            assert!(close(brought, curve, tolerance), "{brought} {curve}");
        }
    }
    Ok(())
}

#[test]
fn marginal_roas_is_the_slope_of_the_curve_at_the_mean_spend() -> Result<()> {
    let mut settings = full();
    geos(&mut settings);
    let truth = Market::new(settings)?.truth()?;
    for channel in 0..2 {
        let mean = truth.spend[channel] / 104.0;
        let h = 0.02 * mean;
        let at = |x: f64| -> Result<f64> {
            let mut spend = [mean; 2];
            spend[channel] = x;
            Ok(truth.curves.response(&spend)?[channel])
        };
        let slope = (at(mean + h)? - at(mean - h)?) / (2.0 * h);
        assert!((slope / truth.marginal_roas[channel] - 1.0).abs() < 5e-3, "{slope}");
    }
    Ok(())
}

#[test]
fn prices_drift_and_money_buys_less() -> Result<()> {
    let mut search = MarketChannel::new("search", 3_000.0);
    search.auction = Some(Auction { impressions: 2e6, median_cpm: 5.0, spread: 0.7 });
    search.price_drift = 0.2;
    let mut settings = quiet(vec![search]);
    settings.periods = 210;
    let market = Market::new(settings)?;
    let simulation = market.simulate(&[3_000.0; 210])?;
    let units = simulation.exposures[0].as_ref().unwrap();
    assert!(units.windows(2).all(|pair| pair[1] < pair[0]));
    // Prices are 1.2 times as high a year later: the same money buys what a 1.2th of it bought.
    let less = market.simulate(&[3_000.0 / 1.2_f64.powf(364.0 / 365.25)])?;
    assert!(close(units[52], less.exposures[0].as_ref().unwrap()[0], 1e-10));
    // No more can be spent than there is to buy: 2e6 impressions at m e^{σ²/2}.
    let all = 2e6 * 0.005 * (0.245_f64).exp();
    let sold_out = market.simulate(&[1e9])?;
    assert!(
        close(sold_out.spend[0], all, 1e-12) && close(sold_out.exposures[0].as_ref().unwrap()[0], 2e6, 1e-9)
    );
    Ok(())
}

#[test]
fn spends_have_their_mean_their_variation_and_their_correlation() -> Result<()> {
    let mut channels = vec![MarketChannel::new("a", 1_000.0), MarketChannel::new("b", 500.0)];
    for channel in &mut channels {
        (channel.spend.variation, channel.spend.correlation, channel.spend.persistence) = (0.5, 0.4, 0.2);
    }
    channels[1].spend.flighting = Some(Flighting { on: 3, off: 1, shift: 0 });
    let mut settings = quiet(channels);
    (settings.periods, settings.days_per_period) = (12_000, 1);
    let market = Market::new(settings)?;
    let column = |i: usize| market.spend().iter().copied().skip(i).step_by(2).collect::<Vec<_>>();
    let (a, b) = (column(0), column(1));
    let mean = |values: &[f64]| values.iter().sum::<f64>() / f64::from(u32::try_from(values.len()).unwrap());
    // Standard errors are about 0.6 %.
    assert!((mean(&a) / 1_000.0 - 1.0).abs() < 0.03 && (mean(&b) / 500.0 - 1.0).abs() < 0.03);
    assert!(b.iter().skip(3).step_by(4).all(|&spend| spend < 1e-12));
    let logs = |values: &[f64]| values.iter().map(|spend| spend.ln()).collect::<Vec<_>>();
    let on: Vec<usize> = (0..12_000).filter(|t| t % 4 != 3).collect();
    let pick = |values: &[f64]| logs(&on.iter().map(|&t| values[t]).collect::<Vec<_>>());
    let (a, b) = (pick(&a), pick(&b));
    let moment = |x: &[f64], y: &[f64]| {
        let (mx, my) = (mean(x), mean(y));
        mean(&x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).collect::<Vec<_>>())
    };
    assert!((moment(&a, &a).sqrt() - 0.5).abs() < 0.02);
    assert!((moment(&a, &b) / (moment(&a, &a) * moment(&b, &b)).sqrt() - 0.4).abs() < 0.04);
    Ok(())
}

#[test]
fn noise_has_the_size_it_should() -> Result<()> {
    let mut settings = MarketSettings::new([MarketChannel::new("a", 100.0)]);
    (settings.periods, settings.days_per_period) = (12_000, 1);
    settings.baseline.level = 40.0;
    let deviations = |settings: MarketSettings| -> Result<(f64, f64, f64)> {
        let simulation = Market::new(settings)?.truth()?.simulation;
        let n = 12_000.0;
        let noise = simulation.outcome.iter().zip(&simulation.expected).map(|(y, mean)| y - mean);
        let expected: f64 = simulation.expected.iter().sum::<f64>() / n;
        Ok((expected, noise.clone().sum::<f64>() / n, noise.map(|e| e * e).sum::<f64>() / n))
    };
    settings.noise = MarketNoise::Gaussian { share: 0.2 };
    let (mean, bias, variance) = deviations(settings.clone())?;
    assert!(bias.abs() < 0.4 && (variance.sqrt() / (0.2 * mean) - 1.0).abs() < 0.03);
    settings.noise = MarketNoise::Count { dispersion: 0.1 };
    let (mean, bias, variance) = deviations(settings.clone())?;
    // Media move the mean a little, so its square's mean is a little more.
    assert!(bias.abs() < 0.6 && (variance / (mean + 0.1 * mean * mean) - 1.0).abs() < 0.08);
    settings.noise = MarketNoise::Count { dispersion: 0.0 };
    let outcome = Market::new(settings)?.history()?.outcome().to_vec();
    assert!(outcome.iter().all(|count| count.fract() < 1e-12 && *count >= 0.0));
    Ok(())
}

#[test]
fn more_media_never_count_less_under_count_noise() -> Result<()> {
    let mut settings = full();
    (settings.baseline.level, settings.channels[1].learning) = (300.0, None);
    settings.channels[1].effect = MediaEffect::Share(0.2);
    settings.noise = MarketNoise::Count { dispersion: 0.05 };
    let market = Market::new(settings)?;
    let effect = market.effect(&[Intervention::new(1, BudgetChange::Times(2.0))])?;
    assert!(effect.realised_by_period.iter().all(|&change| change >= 0.0) && effect.realised > 0.0);
    Ok(())
}

#[test]
fn the_calendar_shows_in_the_baseline() -> Result<()> {
    let mut settings = quiet(vec![MarketChannel::new("a", 100.0)]);
    (settings.periods, settings.days_per_period) = (366, 1);
    settings.baseline.level = 100.0;
    settings.baseline.yearly = 0.2;
    settings.baseline.peak = 0.5;
    settings.baseline.weekday = [0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.0];
    let sale = |first: &str, days, every| Promotion {
        name: first.into(),
        first: Day::parse(first).unwrap(),
        days,
        every,
        lift: 0.3,
    };
    settings.baseline.promotions = vec![sale("2024-02-01", 2, Some(30))];
    let market = Market::new(settings.clone())?;
    let baseline = market.truth()?.simulation.baseline;
    let wave = |t: f64| 100.0 + 20.0 * (std::f64::consts::TAU * (t / 366.0 - 0.5)).cos();
    assert!(close(baseline[1], wave(1.0), 1e-12)); // a Tuesday
    assert!(close(baseline[5], wave(5.0) + 50.0, 1e-12)); // a Saturday
    assert!(close(baseline[31], wave(31.0) + 30.0, 1e-12)); // 1 February
    assert!(close(baseline[62], wave(62.0) + 30.0, 1e-12)); // 3 March, a Sunday, the second day of the next
    // A week has the mean of its days.
    (settings.periods, settings.days_per_period) = (52, 7);
    let weekly = Market::new(settings)?;
    let week: f64 = baseline[28..35].iter().sum::<f64>() / 7.0;
    assert!(close(weekly.truth()?.simulation.baseline[4], week, 1e-12));
    let history = weekly.history()?;
    assert!(close(history.column("2024-02-01").unwrap()[4], 2.0 / 7.0, 1e-12));
    assert_eq!(history.day(4).unwrap().to_string(), "2024-01-29");
    Ok(())
}

#[test]
fn a_history_has_all_that_an_analyst_would_know() -> Result<()> {
    let mut settings = full();
    geos(&mut settings);
    let market = Market::new(settings)?;
    let history = market.history()?;
    assert_eq!(history.channels(), ["search", "tv"]);
    assert_eq!((history.groups().len(), history.periods()), (3, 104));
    assert_eq!(history.population(), Some(&[4e6, 1e6, 2.5e6][..]));
    assert!(history.exposures(0).is_some() && history.exposures(1).is_none());
    assert_eq!(history.holidays().collect::<Vec<_>>(), ["sale"]);
    assert_eq!(history.controls().collect::<Vec<_>>(), ["weather"]);
    assert_eq!(history.days_per_period(), Some(7));
    assert_eq!(bits(history.spend()), bits(market.spend()));
    Ok(())
}

#[test]
fn a_replay_is_one_long_simulation_and_sees_only_the_past() -> Result<()> {
    let mut settings = full();
    geos(&mut settings);
    let market = Market::new(settings)?;
    let mut seen = Vec::new();
    let replay = market.replay(6, |past| {
        seen.push(past.periods());
        let last = past.outcome()[past.periods() - 1];
        // Spends that follow from what was seen.
        Ok([1_000.0 + 0.01 * last, 500.0].repeat(3))
    })?;
    assert_eq!(seen, [104, 105, 106, 107, 108, 109]);
    let again = market.simulate_after(&replay.spend)?;
    for group in 0..3 {
        let own = group * 110 + 104..(group + 1) * 110;
        assert_eq!(bits(&again.outcome[own.clone()]), bits(&replay.outcome[group * 6..(group + 1) * 6]));
        assert_eq!(bits(&again.expected[own]), bits(&replay.expected[group * 6..(group + 1) * 6]));
    }
    assert!(close(market.regret(&replay.spend, &replay.spend)?, 0.0, 1e-12));
    let nothing = vec![0.0; replay.spend.len()];
    let idle = market.simulate_after(&nothing)?;
    let after = |values: &[f64]| values.chunks(110).flat_map(|own| &own[104..]).sum::<f64>();
    let lost = after(&again.expected) - after(&idle.expected);
    assert!(lost > 0.0 && close(market.regret(&nothing, &replay.spend)?, lost, 1e-9));
    Ok(())
}

#[test]
fn the_best_constant_split_has_no_regret_against_others() -> Result<()> {
    let mut settings = quiet(full().channels);
    for channel in &mut settings.channels {
        (channel.price_drift, channel.price_variation, channel.learning) = (0.0, 0.0, None);
        (channel.slope, channel.half_saturation) = (1.0, 1.0);
    }
    let market = Market::new(settings)?;
    let plan = adflow_core::Problem::new(market.curves(103)?).budget(5_000.0).solve()?;
    // Long after the change only the steady state counts.
    let weeks = |first: f64| [first, 5_000.0 - first].repeat(400);
    for first in [500.0, 1_500.0, 2_500.0, 3_500.0, 4_500.0] {
        assert!(market.regret(&weeks(first), &weeks(plan.spend[0]))? > -1e-3 * plan.objective_value * 400.0);
    }
    assert!(market.regret(&weeks(500.0), &weeks(plan.spend[0]))? > 0.0);
    Ok(())
}

#[test]
fn realistic_markets_are_realistic() -> Result<()> {
    for seed in 0..20 {
        let market = Market::realistic(seed, 5, 104)?;
        let truth = market.truth()?;
        let whole: f64 = truth.simulation.expected.iter().sum();
        let share = truth.contribution.iter().sum::<f64>() / whole;
        assert!((0.15..=0.40).contains(&share), "{seed}: {share}");
        assert!(truth.roas.iter().all(|roas| (0.2..12.0).contains(roas)), "{seed}: {:?}", truth.roas);
        assert!(truth.simulation.outcome.iter().all(|&y| y > 0.0));
        // No interaction: a counterfactual is the contribution.
        for channel in 0..5 {
            assert!(close(truth.roas[channel], truth.contribution[channel] / truth.spend[channel], 1e-9));
        }
    }
    Ok(())
}

#[test]
fn settings_survive_json_bit_by_bit() -> Result<()> {
    let mut settings = full();
    geos(&mut settings);
    settings.channels[0].spend.variation = 0.1 + 0.2;
    for adstock in [
        Adstock::none(),
        Adstock::geometric(0.4, 5, true),
        Adstock::delayed(0.3, 1.5, 4, false),
        Adstock::weibull_cdf(1.2, 2.0, 8),
        Adstock::weibull_pdf(2.2, 3.0, 8),
        Adstock::binomial(0.4, 6),
        Adstock::kernel([[0.5, 0.3, 0.2]]),
    ] {
        settings.channels[0].adstock = adstock;
        assert_eq!(MarketSettings::from_json(&settings.to_json())?, settings);
    }
    settings.noise = MarketNoise::Count { dispersion: 0.3 };
    assert_eq!(MarketSettings::from_json(&settings.to_json())?, settings);
    // What has a default may be left out.
    let short = r#"{"version": 1, "channels": [{"name": "a", "spend": {"mean": 50}}]}"#;
    assert_eq!(MarketSettings::from_json(short)?, MarketSettings::new([MarketChannel::new("a", 50.0)]));
    Ok(())
}

#[test]
fn a_document_that_is_none_is_refused_with_the_path() {
    let path = |json: &str| match MarketSettings::from_json(json) {
        Err(Error::Malformed { path, .. }) => path,
        Err(Error::LengthMismatch { field, .. }) => field,
        other => format!("{other:?}"),
    };
    assert_eq!(path("nonsense"), "$");
    assert_eq!(path(r#"{"version": 2}"#), "market.version");
    assert_eq!(path(r#"{"version": 1, "sead": 3}"#), "market.sead");
    assert_eq!(path(r#"{"version": 1, "seed": -3}"#), "market.seed");
    assert_eq!(path(r#"{"version": 1, "start": "soon"}"#), "market.start");
    assert_eq!(path(r#"{"version": 1, "channels": [{}]}"#), "market.channels[0].name");
    assert_eq!(
        path(r#"{"version": 1, "channels": [{"name": "a", "effect": {"rose": 1}}]}"#),
        "market.channels[0].effect"
    );
    assert_eq!(
        path(r#"{"version": 1, "channels": [{"name": "a", "auction": {"spread": 1}}]}"#),
        "market.channels[0].auction.impressions"
    );
    assert_eq!(
        path(r#"{"version": 1, "channels": [{"name": "a", "adstock": {"kind": "magic"}}]}"#),
        "market.channels[0].adstock.kind"
    );
    assert_eq!(path(r#"{"version": 1, "baseline": {"weekday": [1, 2]}}"#), "market.baseline.weekday");
    assert_eq!(
        path(r#"{"version": 1, "noise": {"count": {"dispersion": "x"}}}"#),
        "market.noise.count.dispersion"
    );
}

/// A change of settings that spoils them.
type Spoil = fn(&mut MarketSettings);

#[test]
fn senseless_settings_are_refused_with_the_field() {
    let named = |spoil: Spoil| {
        let mut settings = full();
        spoil(&mut settings);
        match Market::new(settings) {
            Err(
                Error::NotFinite { field, .. }
                | Error::OutOfDomain { field, .. }
                | Error::Empty { field }
                | Error::LengthMismatch { field, .. },
            ) => field,
            Err(Error::DuplicateName { name, .. }) => format!("{name} twice"),
            other => format!("{other:?}"),
        }
    };
    let cases: &[(&str, Spoil)] = &[
        ("days_per_period", |s| s.days_per_period = 30),
        ("periods", |s| s.periods = 0),
        ("periods", |s| s.periods = usize::MAX),
        ("start", |s| s.start = Day::parse("9999-01-01").unwrap()),
        ("groups", |s| s.groups.clear()),
        ("groups[0].population", |s| s.groups[0].population = 0.0),
        ("effect_spread", |s| s.effect_spread = -1.0),
        ("level_spread", |s| s.level_spread = f64::NAN),
        ("group_spend_spread", |s| s.group_spend_spread = 99.0),
        ("channels", |s| s.channels.clear()),
        ("tv twice", |s| s.channels[0].name = "tv".into()),
        ("channels", |s| s.channels.iter_mut().for_each(|c| c.effect = MediaEffect::Share(0.5))),
        ("channels[0].effect.share", |s| s.channels[0].effect = MediaEffect::Share(1.0)),
        ("channels[0].effect.roas", |s| s.channels[0].effect = MediaEffect::Roas(-1.0)),
        ("channels[0].effect.maximum", |s| s.channels[0].effect = MediaEffect::Maximum(f64::INFINITY)),
        ("channels[0].effect", |s| s.channels[0].spend.mean = 0.0),
        ("channels[1].half_saturation", |s| s.channels[1].half_saturation = 0.0),
        ("channels[1].slope", |s| s.channels[1].slope = -2.0),
        ("channels[1].adstock.retention", |s| s.channels[1].adstock = Adstock::geometric(1.5, 3, true)),
        ("channels[1].adstock.retention[0]", |s| s.channels[1].adstock = Adstock::geometric(1.0, None, true)),
        ("channels[1].adstock.retention", |s| {
            s.channels[1].adstock = Adstock::geometric([0.1, 0.2], 3, true)
        }),
        ("channels[1].spend.mean", |s| s.channels[1].spend.mean = -1.0),
        ("channels[1].spend.variation", |s| s.channels[1].spend.variation = f64::NAN),
        ("channels[1].spend.persistence", |s| s.channels[1].spend.persistence = 1.0),
        ("channels[1].spend.correlation", |s| s.channels[1].spend.correlation = 1.1),
        ("channels[1].spend.seasonal", |s| s.channels[1].spend.seasonal = 2.0),
        ("channels[1].spend.flighting.on", |s| {
            s.channels[1].spend.flighting = Some(Flighting { on: 0, off: 1, shift: 0 });
        }),
        ("channels[0].auction.impressions", |s| {
            s.channels[0].auction = Some(Auction { impressions: 0.0, median_cpm: 1.0, spread: 1.0 });
        }),
        ("channels[0].auction.median_cpm", |s| {
            s.channels[0].auction = Some(Auction { impressions: 1.0, median_cpm: f64::NAN, spread: 1.0 });
        }),
        ("channels[0].auction.spread", |s| {
            s.channels[0].auction = Some(Auction { impressions: 1.0, median_cpm: 1.0, spread: 0.0 });
        }),
        ("channels[0].price_drift", |s| s.channels[0].price_drift = -1.0),
        ("channels[0].price_variation", |s| s.channels[0].price_variation = -0.1),
        ("channels[1].learning.drop", |s| {
            s.channels[1].learning = Some(Learning { threshold: 0.2, drop: 1.2, retention: 0.5 });
        }),
        ("channels[1].learning.retention", |s| {
            s.channels[1].learning = Some(Learning { threshold: 0.2, drop: 0.2, retention: 1.0 });
        }),
        ("synergy", |s| s.synergy = -0.1),
        ("channels[0].adstock.max_lag", |s| s.channels[0].adstock = Adstock::geometric(0.5, 5_000, true)),
        ("baseline.level", |s| s.baseline.level = -1.0),
        ("baseline.weekday[6]", |s| s.baseline.weekday[6] = f64::INFINITY),
        ("weather twice", |s| s.baseline.promotions[0].name = "weather".into()),
        ("baseline.promotions[0].days", |s| s.baseline.promotions[0].days = 0),
        ("baseline.promotions[0].every", |s| s.baseline.promotions[0].every = Some(2)),
        ("baseline.promotions[0].lift", |s| s.baseline.promotions[0].lift = -2.0),
        ("baseline.controls[0].effect", |s| s.baseline.controls[0].effect = 3.0),
        ("noise.gaussian.share", |s| s.noise = MarketNoise::Gaussian { share: -0.1 }),
        ("noise.count.dispersion", |s| s.noise = MarketNoise::Count { dispersion: f64::NAN }),
        ("conversion_lag", |s| s.conversion_lag.clear()),
        ("conversion_lag", |s| s.conversion_lag = vec![0.5, 0.2]),
        ("conversion_lag[1]", |s| s.conversion_lag = vec![1.5, -0.5]),
    ];
    for (at, &(field, spoil)) in cases.iter().enumerate() {
        // The lag's first share is looked at first.
        let expected = if field == "conversion_lag[1]" { "conversion_lag[0]" } else { field };
        assert_eq!(named(spoil), expected, "case {at}");
    }
}

#[test]
fn senseless_questions_are_refused_with_the_field() -> Result<()> {
    let market = Market::new(full())?;
    let code = |error: Error| (error.code(), error.to_string());
    let (word, text) = code(market.simulate(&[1.0, 2.0, 3.0]).unwrap_err());
    assert!(word == "length_mismatch" && text.contains("`spend`"));
    assert!(code(market.simulate(&[1.0, -2.0]).unwrap_err()).1.contains("`spend[1]`"));
    assert!(code(market.simulate(&[f64::NAN, 2.0]).unwrap_err()).0 == "not_finite");
    let off = |channel| Intervention::new(channel, BudgetChange::To(0.0));
    for (one, field) in [
        (off(2), "interventions[0].channel"),
        (off(0).in_group(1), "interventions[0].group"),
        (off(0).during(100..105), "interventions[0].window"),
        (off(0).during(7..7), "interventions[0].window"),
        (Intervention::new(0, BudgetChange::Times(-1.0)), "interventions[0].change"),
        (Intervention::new(0, BudgetChange::By(f64::NAN)), "interventions[0].change"),
    ] {
        assert!(market.effect(&[one]).unwrap_err().to_string().contains(field));
    }
    assert!(market.replay(2, |_| Ok(vec![1.0])).unwrap_err().to_string().contains("`policy`"));
    assert_eq!(market.replay(2, |_| Err(Error::Interrupted)).unwrap_err(), Error::Interrupted);
    assert!(market.replay(usize::MAX, |_| Ok(vec![1.0; 2])).unwrap_err().to_string().contains("`periods`"));
    assert!(market.regret(&[1.0; 4], &[1.0; 2]).unwrap_err().to_string().contains("`oracle`"));
    assert!(market.curves(usize::MAX).is_err() && market.usual_spend(0).is_err());
    assert!(Market::realistic(0, 0, 104).is_err() && Market::realistic(0, 2, 0).is_err());
    Ok(())
}
