import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'

import { AdflowError, Adstock, FittedModel, Market, ResponseCurves, ResponseModel, allocate } from 'adflow'

const market = Market.realistic(3, 2, 60)
const history = market.history()
const fast = { chains: 2, draws: 60, tune: 80, seed: 1 }
const fitted = new ResponseModel(fast).fit(history)

/** A history without randomness. */
const weeks = Array.from({ length: 40 }, (_, week) => week)
const plain = () => ({
  channels: ['search', 'tv'],
  spend: weeks.map((week) => [20 + ((week * 37) % 50), (week * 23) % 31]),
  outcome: weeks.map((week) => 200 + ((week * 37) % 50) + ((week * 13) % 7)),
})

const raises = (code, details) => (error) => {
  assert.ok(error instanceof AdflowError, `${error}`)
  assert.equal(error.code, code, error.message)
  for (const [key, value] of Object.entries(details)) assert.deepEqual(error.details[key], value, error.message)
  return true
}

test('a fit has draws of every channel and parameter', () => {
  assert.deepEqual(fitted.channels, market.channels)
  assert.deepEqual(fitted.groups, ['all'])
  assert.deepEqual([fitted.chains, fitted.draws, fitted.periods, fitted.how], [2, 60, 60, 'nuts'])
  assert.ok(fitted.roasDraws instanceof Float64Array)
  assert.equal(fitted.roasDraws.length, 60 * 2)
  assert.equal(fitted.marginalRoasDraws.length, 60 * 2)
  assert.equal(fitted.meanSpend.length, 2)
  assert.ok(fitted.parameterNames.includes(`half_saturation[${market.channels[0]}]`))
  for (const name of fitted.parameterNames) assert.equal(fitted.parameterDraws(name).length, 2 * 60)
  assert.throws(() => fitted.parameterDraws('beta'), raises('unknown_name', { name: 'beta' }))
  assert.match(inspect(fitted), /^FittedModel \{.*channels/s)
})

test('the curves go straight into an allocation', () => {
  const curves = fitted.curves()
  assert.ok(curves instanceof ResponseCurves)
  assert.deepEqual([curves.names, curves.draws], [market.channels, 60])
  assert.ok(fitted.adstock() instanceof Adstock)
  assert.equal(fitted.groupCurves().length, 2)
  const budget = fitted.meanSpend.reduce((sum, spend) => sum + spend)
  const plan = allocate(curves, { budget, current: fitted.meanSpend, extrapolation: 'cap' })
  assert.ok(plan.verify().ok)
  // The marginal ROAS of the draws is the slope of the curves at today's spend.
  const slopes = curves.marginalResponse(fitted.meanSpend)
  slopes.forEach((slope, i) => {
    const own = fitted.marginalRoasDraws.filter((_, at) => at % 2 === i)
    const mean = own.reduce((sum, draw) => sum + draw) / own.length
    assert.ok(Math.abs(slope - mean) <= 1e-9 * Math.abs(mean), `${slope} ${mean}`)
  })
})

test('a summary is plain data and a table', () => {
  const summary = fitted.summary(0.8)
  assert.equal(summary.level, 0.8)
  assert.deepEqual(summary.channels.map(({ channel }) => channel), market.channels)
  const { roas, spend, contribution } = summary.channels[0]
  assert.ok(roas.lower < roas.median && roas.median < roas.upper)
  assert.ok(Math.abs(roas.mean * spend - contribution.mean) <= 1e-9 * contribution.mean)
  assert.equal(summary.parameters.length, fitted.parameterNames.length)
  assert.equal(summary.diagnostics.method, 'nuts')
  assert.equal(summary.diagnostics.paretoK, null)
  assert.ok(summary.fit.rSquared <= 1 && summary.checks.length === 5)
  for (const { code, sentence } of summary.warnings) assert.ok(code && sentence)
  assert.match(summary.text, /marginal ROAS/)
  assert.throws(() => fitted.summary(1), raises('out_of_domain', { field: 'level', value: '1' }))
})

test('the parts of the outcome add up to the fitted mean', () => {
  const { components, level } = fitted.decompose()
  assert.equal(level, 0.9)
  assert.deepEqual(components.filter(({ channel }) => channel).map(({ name }) => name), market.channels)
  const { mean, lower, upper, draws } = fitted.fitted(0.5)
  assert.equal(draws.length, 60 * 60)
  mean.forEach((value, t) => {
    const sum = components.reduce((sum, part) => sum + part.mean[t], 0)
    assert.ok(Math.abs(sum - value) <= 1e-9 * value, `period ${t}: ${sum} ${value}`)
    assert.ok(lower[t] <= upper[t])
  })
})

test('a plan for the periods to come is forecast', () => {
  const future = {
    spend: Object.fromEntries(market.channels.toReversed().map((name) => [name, [100, 200]])),
    holidays: Object.fromEntries(Object.keys(history.holidays).map((name) => [name, [0, 0]])),
  }
  const forecast = fitted.predict(future)
  assert.deepEqual([forecast.mean.length, forecast.level, forecast.draws.length], [2, 0.9, 2 * 60])
  assert.ok(forecast.total.lower < forecast.total.upper)
  const dates = ['2025-02-24', '2025-03-03'] // the 60 weeks began on 2024-01-01
  assert.deepEqual(fitted.predict({ ...future, dates: dates.map((day) => new Date(day)) }).mean, forecast.mean)
  assert.throws(() => fitted.predict({ ...future, dates: ['2025-03-03', '2025-03-10'] }), { code: 'out_of_domain' })
  assert.throws(() => fitted.predict({ spend: [[1, 2]] }), { code: 'unknown_name' })
  assert.throws(() => fitted.predict({ ...future, outcome: [1, 2] }), { code: 'malformed' })
})

test('saved and read back, a fit has the same bits', () => {
  const text = JSON.stringify(fitted)
  for (const again of [FittedModel.fromJSON(text), FittedModel.fromJSON(JSON.parse(text))]) {
    assert.deepEqual(again.roasDraws, fitted.roasDraws)
    assert.deepEqual(again.summary(), fitted.summary())
  }
  assert.deepEqual(fitted.model().toJSON(), new ResponseModel(fast).toJSON())
  assert.deepEqual(fitted.history(), history)
  assert.throws(() => FittedModel.fromJSON('{}'), { name: 'AdflowError', code: 'malformed' })
})

test('the threads do not change a bit', () => {
  const one = new ResponseModel(fast).fit(history, { threads: 1 })
  const two = new ResponseModel(fast).fit(history, { threads: 2 })
  assert.deepEqual(one.roasDraws, two.roasDraws)
  assert.deepEqual(one.roasDraws, fitted.roasDraws)
  const other = new ResponseModel({ ...fast, seed: 2 }).fit(history)
  assert.notDeepEqual(other.roasDraws, fitted.roasDraws)
})

test('rows may come in any order and form', () => {
  const dates = weeks.map((week) => new Date(Date.UTC(2024, 0, 1 + 7 * week)))
  const { channels, spend, outcome } = plain()
  const model = new ResponseModel({ ...fast, method: 'laplace' })
  const expected = model.fit({ channels, spend, outcome, dates }).roasDraws
  const order = weeks.toSorted((a, b) => ((a * 17) % 40) - ((b * 17) % 40))
  const shuffled = {
    channels,
    spend: Float64Array.from(order.flatMap((week) => spend[week])),
    outcome: Float64Array.from(order, (week) => outcome[week]),
    dates: order.map((week) => dates[week].toISOString().slice(0, 10)),
  }
  assert.deepEqual(model.fit(shuffled).roasDraws, expected)
  const columns = { search: spend.map((row) => row[0]), tv: spend.map((row) => row[1]) }
  assert.deepEqual(model.fit({ spend: columns, outcome, dates }).roasDraws, expected)
  const named = { channels: ['tv', 'search'], spend: columns, outcome, dates }
  assert.deepEqual(model.fit(named).channels, ['tv', 'search'])
})

test('groups, units, controls and gaps in the outcome are taken', () => {
  const both = [...weeks, ...weeks]
  const spend = both.map((week, row) => 10 + ((week * 7 + row) % 13))
  const outcome = both.map((week, row) => (row === 5 ? NaN : 50 + 2 * spend[row] + (week % 3)))
  const panel = {
    spend: { search: spend },
    outcome,
    missingOutcomes: true,
    groups: both.map((_, row) => (row < weeks.length ? 'north' : 'south')),
    population: both.map((_, row) => (row < weeks.length ? 3e6 : 1e6)),
    exposures: { search: spend.map((money) => 100 * money) },
    controls: { price: both.map((week) => Math.sin(week)) },
    holidays: { sale: both.map((week) => Number(week === 20)) },
  }
  const fit = new ResponseModel({ ...fast, method: 'laplace' }).fit(panel)
  assert.deepEqual(fit.groups, ['north', 'south'])
  assert.deepEqual(fit.groupCurves().names, ['search · north', 'search · south'])
  assert.deepEqual(fit.history().population, Float64Array.from(panel.population))
  assert.throws(
    () => new ResponseModel(fast).fit({ ...panel, missingOutcomes: false }),
    raises('not_finite', { field: 'outcome[5]', value: 'NaN' }),
  )
})

test('what cannot be fitted is an error that says why', () => {
  const model = new ResponseModel(fast)
  const given = plain()
  const with_ = (change) => () => model.fit({ ...plain(), ...change })
  const cell = (value) => given.spend.map((row, week) => (week === 3 ? [row[0], value] : row))
  assert.throws(with_({ spend: cell(NaN) }), raises('not_finite', { field: 'spend[3][tv]' }))
  assert.throws(with_({ spend: cell(-5) }), raises('out_of_domain', { field: 'spend[3][tv]', value: '-5' }))
  assert.throws(with_({ outcome: weeks.map(() => Infinity) }), raises('not_finite', { field: 'outcome[0]' }))
  assert.throws(with_({ spend: given.spend.slice(0, 2), outcome: [1, 2] }), { code: 'out_of_domain' })
  assert.throws(with_({ spend: given.spend.map(([search]) => [search, 0]) }), { code: 'out_of_domain' })
  assert.throws(with_({ spend: given.spend.slice(1) }), raises('length_mismatch', { field: 'spend', actual: 78 }))
  assert.throws(with_({ spend: [[1], ...given.spend.slice(1)] }), raises('length_mismatch', { field: 'spend[0]' }))
  assert.throws(with_({ channels: undefined }), raises('empty', { field: 'channels' }))
  assert.throws(with_({ channels: ['tv', 'tv'] }), { code: 'duplicate_name' })
  assert.throws(with_({ spend: { search: weeks } }), raises('malformed', { path: 'spend[tv]' }))
  assert.throws(with_({ exposures: { radio: weeks } }), raises('unknown_name', { name: 'radio' }))
  assert.throws(with_({ outcomes: [1] }), raises('malformed', { path: 'outcomes' }))
  assert.throws(() => model.fit([]), { code: 'malformed' })
  assert.throws(() => model.fit(null), raises('malformed', { path: 'history' }))
  // A week that is missing is named.
  const dates = weeks.map((week) => new Date(Date.UTC(2024, 0, 1 + 7 * (week + (week > 9)))))
  assert.throws(with_({ dates }), (error) => /2024-03-11 is missing/.test(error.message) && error.code === 'out_of_domain')
  assert.throws(with_({ dates: weeks.map(() => 'soon') }), raises('malformed', { path: 'dates[0]' }))
  assert.throws(with_({ dates: weeks.map(() => new Date(NaN)) }), raises('malformed', { path: 'dates[0]' }))
  assert.throws(() => model.fit(plain(), { threads: 0 }), raises('out_of_domain', { field: 'threads' }))
})

test('settings that are none are refused', () => {
  const made = (settings) => () => new ResponseModel(settings)
  assert.throws(made({ max_lag: 3 }), raises('malformed', { path: 'max_lag' }))
  assert.throws(made({ curve: 'cubic' }), { code: 'malformed' })
  assert.throws(made({ draws: 1.5 }), { code: 'malformed' })
  assert.throws(made({ targetAccept: NaN }), raises('not_finite', { field: 'settings.targetAccept' }))
  const prior = (prior) => made({ priors: { 'roas[tv]': prior } })
  assert.throws(prior({ distribution: 'normal', mean: 1, sd: 1 }), raises('malformed', { path: 'priors[roas[tv]].sd' }))
  assert.throws(prior({ distribution: 'normal', mean: 1 }), { code: 'malformed' })
  const fit = (settings) => () => new ResponseModel(settings).fit(plain())
  assert.throws(fit({ draws: 1 }), raises('out_of_domain', { field: 'draws', value: '1' }))
  assert.throws(fit({ targetAccept: 2 }), raises('out_of_domain', { field: 'targetAccept' }))
  assert.throws(fit({ adstock: ['none'] }), { code: 'length_mismatch' })
})

test('all settings arrive', () => {
  const settings = {
    curve: ['hill', 'power'],
    adstock: 'weibull_pdf',
    maxLag: 5,
    likelihood: 'student_t',
    trend: 3,
    yearly: 1,
    weekdays: false,
    priors: { slope: { distribution: 'log_normal', median: 1.5, sigma: 0.25 } },
    pools: [{ name: 'all', channels: ['search', 'tv'] }],
    liftTests: [{ channel: 'tv', spend: 10, change: -5.5, lift: -3, std: 2 }],
    roasTests: [{ channel: 'search', first: 0, end: 8, roas: 2, std: 0.5 }],
    method: 'laplace',
    chains: 3,
    draws: 70,
    tune: 90,
    targetAccept: 0.9,
    seed: 12,
  }
  const { maxLag, liftTests, roasTests, targetAccept, ...same } = settings
  const document = new ResponseModel(settings).toJSON()
  assert.deepEqual(document, {
    ...same,
    trend: { knots: 3 },
    max_lag: maxLag,
    lift_tests: liftTests,
    roas_tests: roasTests,
    target_accept: targetAccept,
  })
  assert.deepEqual(ResponseModel.fromJSON(document).toJSON(), document)
  assert.deepEqual(ResponseModel.fromJSON(JSON.stringify(document)).toJSON(), document)
})

test('a refit takes in the weeks that were added', () => {
  const { channels, spend, outcome } = plain()
  const first = { channels, spend: spend.slice(0, 38), outcome: outcome.slice(0, 38) }
  const again = new ResponseModel(fast).fit(first).refit(plain(), { threads: 1 })
  assert.equal(again.periods, 40)
  assert.ok(['reweighed', 'nuts'].includes(again.how))
  assert.throws(() => again.refit({ ...plain(), channels: ['search', 'radio'] }), { code: 'out_of_domain' })
})

test('models are compared by what they foretell', () => {
  const model = new ResponseModel({ ...fast, method: 'laplace' })
  const holdout = model.holdout(history, 8)
  assert.equal(holdout.periods, 8)
  assert.ok(holdout.crps > 0 && holdout.seasonal.crps > 0 && holdout.coverage <= 1)
  const models = { hill: model, none: new ResponseModel({ ...fast, method: 'laplace', adstock: 'none' }) }
  const compared = ResponseModel.compare(models, history, 8)
  assert.deepEqual(new Set(compared.map(({ name }) => name)), new Set(['hill', 'none']))
  assert.ok(compared[0].holdout.crps <= compared[1].holdout.crps)
  assert.deepEqual(compared.find(({ name }) => name === 'hill').holdout, holdout)
  assert.throws(() => ResponseModel.compare({}, history, 8), raises('empty', { field: 'models' }))
  assert.throws(() => model.holdout(history, 59), raises('out_of_domain', { field: 'periods' }))
})
