import assert from 'node:assert/strict'
import { test } from 'node:test'

import { AdflowError, Market, ResponseCurves } from 'adflow'

const market = Market.realistic(1, 3, 104)

const near = (actual, expected, tolerance = 1e-9) =>
  assert.ok(Math.abs(actual - expected) <= tolerance * Math.abs(expected), `${actual} instead of ${expected}`)

test('a market gives a history that an analyst would have', () => {
  const history = market.history()
  assert.deepEqual(history.channels, market.channels)
  assert.deepEqual([history.spend.length, history.outcome.length, history.dates.length], [312, 104, 104])
  assert.deepEqual(history.dates.slice(0, 2), ['2024-01-01', '2024-01-08'])
  assert.deepEqual(history.spend, market.spend)
  assert.deepEqual(Market.realistic(1, 3, 104).history(), history)
  assert.notDeepEqual(Market.realistic(2, 3, 104).history().outcome, history.outcome)
})

test('the truth is what switching a channel off takes away', () => {
  const truth = market.truth()
  assert.ok(truth.curves instanceof ResponseCurves)
  const off = market.effect({ channel: market.channels[1], change: { to: 0 } })
  near(off.expected / off.spend, truth.roas[1])
  assert.deepEqual(market.effect([{ channel: 1, change: { times: 0 } }]).expected, off.expected)
  near(truth.simulation.contributions.reduce((sum, x, at) => sum + (at % 3 === 0 ? x : 0), 0), truth.contribution[0])
  near(truth.marginalRoas[0], truth.curves.marginalResponse(truth.spend.map((spend) => spend / 104))[0], 1e-6)
})

test('interventions have windows and groups', () => {
  const groups = [
    { name: 'north', population: 2 },
    { name: 'south', population: 1 },
  ]
  const two = new Market({ groups, periods: 20, channels: [{ name: 'tv', adstock: { kind: 'none' } }] })
  const { byPeriod } = two.effect({ channel: 'tv', group: 'south', window: [5, 7], change: { by: 500 } })
  assert.deepEqual([...byPeriod.keys()].filter((at) => byPeriod[at] > 0), [25, 26])
  assert.throws(() => two.effect({ channel: 'radio', change: { to: 0 } }), { code: 'out_of_domain' })
  assert.throws(() => two.effect({ channel: 0, group: 2, change: { to: 0 } }), { code: 'out_of_domain' })
  assert.throws(() => two.effect({ channel: 0, change: { to: 0, by: 1 } }), { code: 'malformed' })
  assert.throws(() => two.effect({ channel: 0, change: { half: 1 } }), { code: 'malformed' })
  assert.throws(() => two.effect({ channel: 0, change: { to: 0 }, window: [3] }), { code: 'length_mismatch' })
  assert.throws(() => two.effect({ channel: 0, change: { to: 0 }, window: [3, 21] }), { code: 'out_of_domain' })
})

test('budgets are simulated and held against others', () => {
  assert.deepEqual(market.simulate(market.spend).outcome, market.history().outcome)
  const usual = market.usualSpend(106).slice(312)
  const rows = [usual.slice(0, 3), usual.slice(3)]
  const { expected, periods } = market.simulateAfter(rows)
  assert.equal(periods, 106)
  const nothing = new Float64Array(6)
  const lost = expected.slice(104).reduce((sum, x) => sum + x) - market.simulateAfter(nothing).expected.slice(104).reduce((sum, x) => sum + x)
  near(market.regret(nothing, usual), lost)
  assert.equal(market.regret(usual, rows), 0)
  assert.throws(() => market.simulate([1, 2]), { name: 'AdflowError', code: 'length_mismatch' })
  assert.throws(() => market.simulate([1, NaN, 2]), { code: 'not_finite' })
  assert.throws(() => market.simulate([1, -1, 2]), { code: 'out_of_domain' })
})

test('a policy sees the past and names the next budgets', () => {
  const seen = []
  const replay = market.replay(4, (history) => {
    seen.push(history.outcome.length)
    return history.spend.slice(-3) // the same again
  })
  assert.deepEqual(seen, [104, 105, 106, 107])
  assert.deepEqual([replay.periods, replay.spend.length, replay.expected.length], [4, 12, 4])
  assert.deepEqual(replay.spend.slice(9), market.spend.slice(-3))
  const broken = new Error('no idea')
  const failing = () => {
    throw broken
  }
  assert.throws(() => market.replay(2, failing), (error) => error === broken)
  assert.throws(() => market.replay(2, () => [1]), (error) => error instanceof AdflowError && error.code === 'length_mismatch')
})

test('settings arrive, and those that are none are refused', () => {
  const settings = {
    seed: 5,
    start: '2025-03-03',
    daysPerPeriod: 1,
    periods: 30,
    channels: [
      {
        name: 'search',
        effect: { roas: 2.5 },
        halfSaturation: 0.8,
        slope: 1.5,
        adstock: { kind: 'geometric', retention: 0.4 },
        spend: { mean: 500, flighting: { on: 4, off: 2, shift: 1 } },
        auction: { impressions: 1e6, medianCpm: 4, spread: 0.8 },
        learning: { threshold: 0.2, drop: 0.3, retention: 0.5 },
      },
    ],
    baseline: { level: 1000, promotions: [{ name: 'sale', first: '2025-03-10', days: 3, lift: 0.2 }] },
    noise: { count: { dispersion: 0.01 } },
    conversionLag: [0.75, 0.25],
  }
  const made = new Market(settings)
  const document = made.toJSON()
  assert.equal(document.days_per_period, 1)
  assert.deepEqual(document.channels[0].auction, { impressions: 1e6, median_cpm: 4, spread: 0.8 })
  assert.deepEqual(Market.fromJSON(JSON.stringify(made)).history(), made.history())
  const history = made.history()
  assert.deepEqual(Object.keys(history.exposures), ['search'])
  assert.deepEqual([history.holidays.sale[6], history.holidays.sale[7], history.dates[7]], [0, 1, '2025-03-10'])
  assert.ok(history.outcome.every(Number.isInteger))
  const channel = (change) => () => new Market({ channels: [{ name: 'tv', ...change }] })
  assert.throws(channel({ half_saturation: 1 }), { code: 'malformed' })
  assert.throws(channel({ slope: NaN }), (error) => error.code === 'not_finite' && error.details.field === 'market.channels[0].slope')
  assert.throws(channel({ slope: -1 }), { code: 'out_of_domain' })
  assert.throws(channel({ effect: { share: 0.1, roas: 1 } }), { code: 'malformed' })
  assert.throws(() => new Market({}), { code: 'malformed' })
  assert.throws(() => Market.realistic(1, 0, 10), { code: 'empty' })
  assert.throws(() => Market.realistic(1.5, 1, 10), { code: 'out_of_domain' })
})
