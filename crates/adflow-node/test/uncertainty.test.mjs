import assert from 'node:assert/strict'
import { test } from 'node:test'

import { AdflowError, Outcome, ResponseCurves, allocate } from 'adflow'

const near = (actual, expected, tolerance = 1e-9) =>
  assert.ok(Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)), `${actual} instead of ${expected}`)
const refused = { name: 'AdflowError', code: 'out_of_domain' }

const drawn = ResponseCurves.linear({ beta: [[1], [2], [3], [6]] })
/** The second arm is certain. */
const pair = ResponseCurves.michaelisMenten({ beta: [[10, 10], [30, 10]], halfSaturation: 1 })

test('the outcome of a plan is a distribution over the draws', () => {
  const plan = allocate(drawn, { budget: 2, value: 10 })
  const { outcome } = plan
  assert.ok(outcome instanceof Outcome)
  assert.equal(plan.outcome, outcome)
  assert.deepEqual([...outcome.draws], [20, 40, 60, 120])
  near(outcome.mean, 60)
  near(outcome.std, Math.sqrt((1600 + 400 + 0 + 3600) / 4))
  outcome.quantiles.forEach((x, at) => near(x, [23, 35, 50, 75, 111][at]))
  near(outcome.quantile(0.5), 50)
  near(outcome.cvar(0.5), 30)
  near(outcome.cvar(1), 60)
  // The worst three eighths: one draw whole and half of the next.
  near(outcome.cvar(0.375), (20 + 0.5 * 40) / 1.5)
  assert.deepEqual([0, 40, 41, 121].map((level) => outcome.probability(level)), [1, 0.75, 0.5, 0])
  for (const alpha of [0, -1, 1.1, NaN]) assert.throws(() => outcome.cvar(alpha), refused)
  for (const share of [-0.1, 1.1, NaN]) assert.throws(() => outcome.quantile(share), refused)
  assert.throws(() => outcome.probability(NaN), refused)
})

test('certain curves have no outcomes and no uncertainty', async () => {
  const plan = allocate(ResponseCurves.linear({ beta: 2 }), { budget: 2 })
  assert.equal(plan.outcome, undefined)
  assert.throws(() => plan.uncertainty(), refused)
  await assert.rejects(plan.uncertaintyAsync(), refused)
})

test('knowing a curve is worth something where it is not certain', () => {
  const plan = allocate(pair, { budget: 2 })
  const found = plan.uncertainty()
  assert.deepEqual(found.draws, [0, 1])
  assert.equal(found.infeasible, 0)
  // √(size) shares 2 + 2: each draw's best is (1 + x)/(1 + y) = √(size/10).
  const best = (size) => (4 * Math.sqrt(size / 10)) / (1 + Math.sqrt(size / 10)) - 1
  const [one, three] = [Math.max(0, best(10)), Math.min(2, best(30))]
  near(found.shares[0].mean, (one + three) / 4, 1e-6)
  near(found.shares[0].std, (three - one) / 4, 1e-6)
  near(found.shares[1].mean, 1 - (one + three) / 4, 1e-6)
  assert.ok(found.shares[0].low < found.shares[0].high)
  const worth = (size, x) => (size * x) / (1 + x) + (10 * (2 - x)) / (3 - x)
  const [x] = plan.spend
  const regrets = [worth(10, one) - worth(10, x), worth(30, three) - worth(30, x)]
  near(found.regretMean, (regrets[0] + regrets[1]) / 2, 1e-6)
  near(found.regretQuantiles[2], (regrets[0] + regrets[1]) / 2, 1e-6)
  assert.equal(found.perfectInformation, found.regretMean)
  near(found.perfectInformationMoney, found.perfectInformation / plan.shadowPrice)
  // Only the first arm is uncertain: knowing it is knowing all.
  near(found.armInformation[0], found.perfectInformation, 1e-6)
  assert.ok(Math.abs(found.armInformation[1]) < 1e-9)
  near(found.armInformationMoney[0], found.armInformation[0] / plan.shadowPrice)
})

test('fewer draws may be asked for', async () => {
  const plan = allocate(pair, { budget: 2 })
  assert.deepEqual(plan.uncertainty({ draws: 1 }).draws, [0])
  assert.deepEqual(plan.uncertainty({ draws: 1000 }).draws, [0, 1])
  const found = await plan.uncertaintyAsync({ draws: 2 })
  assert.deepEqual(found, plan.uncertainty({ draws: 2 }))
  for (const draws of [0, -1, 1.5, NaN]) assert.throws(() => plan.uncertainty({ draws }), refused)
  assert.throws(() => plan.uncertainty({ draw: 1 }), { name: 'AdflowError', code: 'malformed' })
  await assert.rejects(plan.uncertaintyAsync({ draw: 1 }), { name: 'AdflowError', code: 'malformed' })
  await assert.rejects(plan.uncertaintyAsync({ signal: AbortSignal.abort() }), { code: 'ABORT_ERR' })
  await assert.rejects(plan.uncertaintyAsync({}, AbortSignal.abort()), { code: 'ABORT_ERR' })
})

test('where the budget has no price, information has none in money', () => {
  const plan = allocate(pair, { upper: 2 })
  const found = plan.uncertainty()
  assert.equal(found.perfectInformationMoney, null)
  assert.equal(found.armInformationMoney, null)
})

test('a draw in which the target is out of reach is counted', () => {
  const plan = allocate(pair, { budget: 2, target: { response: 14 } })
  const found = plan.uncertainty()
  assert.equal(found.infeasible, 1)
})

test('every limit on several arms has its price, also 0', () => {
  const curves = ResponseCurves.michaelisMenten({ beta: [9, 7, 5], halfSaturation: 4 })
  const groups = [
    { name: 'held', members: [1, 2], upper: 4 },
    { name: 'free', members: [0, 1], upper: 1000 },
  ]
  const plan = allocate(curves, { budget: 30, groups })
  const of = (word, name = null) => plan.limits.find((limit) => limit.limit === word && limit.name === name)
  near(of('budget').price, plan.shadowPrice)
  assert.equal(of('group_upper', 'held').bound, 4)
  assert.ok(of('group_upper', 'held').price > 0)
  assert.equal(of('group_upper', 'free').price, 0)
  assert.ok(plan.binding.every(({ name }) => name !== 'free'))
  assert.deepEqual(plan.toObject().limits, plan.limits)
  assert.deepEqual(allocate(curves, { budget: 30 }).limits, [])
})

test('an explanation says why not more, why not less, and what else an arm could do', () => {
  const curves = ResponseCurves.hill({ beta: [120, 80, 5], halfSaturation: [5, 9, 40], slope: [1, 1, 2] })
  const plan = allocate(curves, { budget: 20, upper: [6, Infinity, Infinity] })
  const [held, free, idle] = plan.explain().arms
  near(held.price, plan.shadowPrice)
  assert.match(held.whyNotMore, /upper bound/)
  assert.match(free.whyNotMore, /next unit/)
  assert.match(free.whyNotLess, /last unit/)
  assert.equal(free.alternativeSpend, 0)
  // 80 x/(9 + x) less the price of x.
  near(free.alternativeLoss, free.response - free.price * free.spend, 1e-6)
  assert.equal(idle.spend, 0)
  assert.match(idle.whyNotLess, /spends nothing/)
  assert.ok(idle.alternativeSpend === null || (idle.alternativeSpend > 0 && idle.alternativeLoss >= 0))
  const linear = allocate(ResponseCurves.linear({ beta: [2, 1] }), { budget: 1 }).explain().arms[1]
  assert.equal(linear.alternativeSpend, null)
  assert.equal(linear.alternativeLoss, null)
})
