import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'

import { Adstock, AdflowError, ResponseCurves, SchedulePlan, allocate, schedule, scheduleAsync } from 'adflow'

const curves = ResponseCurves.michaelisMenten({ beta: [120, 80], halfSaturation: [5, 9] }).withNames(['search', 'video'])
const adstock = Adstock.geometric({ retention: [0.5, 0.8], maxLag: 6 })

const sum = (numbers) => numbers.reduce((total, x) => total + x, 0)
const near = (actual, expected, tolerance = 1e-6) =>
  assert.ok(Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)), `${actual} instead of ${expected}`)
const proven = (plan) => {
  assert.equal(plan.status, 'optimal')
  const { ok, checks } = plan.verify()
  assert.ok(ok, JSON.stringify(checks))
  return plan
}
const solve = (options) => schedule(curves, { adstock, periods: 4, budget: 40, ...options })
const fails = (options, code, details = {}) =>
  assert.throws(() => solve(options), (error) => {
    assert.ok(error instanceof AdflowError, `${error}`)
    assert.equal(error.code, code, error.message)
    for (const [key, value] of Object.entries(details)) assert.deepEqual(error.details[key], value, error.message)
    return true
  })

test('every family of carry-over has its weights', () => {
  const weights = (own, arms = 1) => own.weights(arms, 4).map((row) => [...row])
  const rows = (own, expected) =>
    weights(own, expected.length).forEach((row, arm) => {
      assert.equal(row.length, expected[arm].length)
      row.forEach((weight, lag) => near(weight, expected[arm][lag], 1e-12))
    })
  rows(Adstock.none(), [[1], [1]])
  rows(Adstock.geometric({ retention: 0.5 }), [[1, 0.5, 0.25, 0.125]])
  rows(Adstock.geometric({ retention: [0.5, 0], maxLag: 3 }), [[1, 0.5, 0.25], [1, 0, 0]])
  rows(Adstock.geometric({ retention: 0.5, maxLag: 2, normalize: true }), [[2 / 3, 1 / 3]])
  rows(Adstock.delayed({ retention: 0.5, peak: [1, 0], maxLag: 3 }), [[0.5, 1, 0.5], [1, 0.5, 0.0625]])
  const cdf = [1, Math.exp(-((1 / 2) ** 1.5)), Math.exp(-((1 / 2) ** 1.5) - 1)]
  rows(Adstock.weibullCdf({ shape: 1.5, scale: Float64Array.of(2), maxLag: 3 }), [cdf])
  const density = [1, 2, 3].map((t) => (t / 2) * Math.exp(-((t / 2) ** 2)))
  const [least, most] = [Math.min(...density), Math.max(...density)]
  rows(Adstock.weibullPdf({ shape: 2, scale: 2, maxLag: 3 }), [density.map((x) => (x - least) / (most - least))])
  rows(Adstock.binomial({ retention: 0.5, maxLag: 4 }), [[1, 0.75, 0.5, 0.25]])
  rows(Adstock.binomial({ retention: 0.5, maxLag: 4, normalize: true }), [[0.4, 0.3, 0.2, 0.1]])
  rows(Adstock.kernel([1, 0.25]), [[1, 0.25], [1, 0.25]])
  rows(Adstock.kernel([Float64Array.of(1, 3), [2, 0, 2]], true), [[0.25, 0.75], [0.5, 0, 0.5]])
})

test('carry-over that is wrong is named', () => {
  const wrong = (make, code) => assert.throws(make, (error) => error instanceof AdflowError && error.code === code)
  wrong(() => Adstock.geometric({}), 'malformed')
  wrong(() => Adstock.geometric({ retention: 0.5, max_lag: 3 }), 'malformed')
  wrong(() => Adstock.geometric({ retention: 0.5, maxLag: 1.5 }), 'out_of_domain')
  wrong(() => Adstock.delayed({ retention: 0.5, maxLag: 3 }), 'malformed')
  wrong(() => Adstock.weibullCdf({ shape: 1, scale: 1 }), 'malformed')
  wrong(() => Adstock.binomial({ retention: 2, maxLag: 3 }).weights(1, 1), 'out_of_domain')
  fails({ adstock: Adstock.geometric({ retention: [0.5, 1.5] }) }, 'out_of_domain', { field: 'adstock.retention[1]' })
  fails({ adstock: Adstock.delayed({ retention: 0.5, peak: 0, maxLag: 0 }) }, 'out_of_domain', { field: 'adstock.maxLag' })
  fails({ adstock: Adstock.kernel([[1], [1], [1]]) }, 'length_mismatch', { field: 'adstock.weights', expected: 2 })
  fails({ adstock: Adstock.kernel([]) }, 'empty')
  for (const none of [undefined, { retention: 0.5 }, 'geometric', 0.5, curves]) fails({ adstock: none }, 'malformed')
})

test('a schedule has its numbers, its proof and its reasons', () => {
  const plan = proven(solve({ tail: false }))
  assert.ok(plan instanceof SchedulePlan)
  assert.deepEqual([plan.arms, plan.periods, plan.names], [2, 4, ['search', 'video']])
  assert.ok(plan.spend instanceof Float64Array && plan.spend.length === 8)
  assert.equal(plan.spend, plan.spend)
  const rows = [0, 1, 2, 3].map((t) => plan.row(t))
  rows.forEach((row, t) => assert.deepEqual(row, plan.spend.slice(2 * t, 2 * t + 2)))
  near(plan.totalSpend, 40)
  rows.forEach((row, t) => near(plan.periodSpend[t], sum(row)))
  for (const arm of [0, 1]) {
    near(plan.armSpend[arm], sum(rows.map((row) => row[arm])))
    // a[t] = x[t] + r x[t − 1] + …
    rows.forEach((_, t) => {
      const retention = [0.5, 0.8][arm]
      const own = sum(rows.slice(0, t + 1).map((row, s) => row[arm] * retention ** (t - s)))
      near(plan.adstocked[2 * t + arm], own)
    })
  }
  const responses = [0, 1, 2, 3].map((t) => [...curves.response(plan.adstocked.slice(2 * t, 2 * t + 2))])
  responses.flat().forEach((x, at) => near(plan.response[at], x))
  near(plan.armResponse[1], sum(responses.map((row) => row[1])))
  near(plan.totalResponse, sum(responses.flat()))
  near(plan.objectiveValue, plan.totalResponse)
  assert.ok(plan.responseAfter === 0 && plan.responseAfterShare === 0)
  assert.ok(plan.upperBound >= plan.objectiveValue && plan.gap <= 1e-6)
  assert.ok(plan.shadowPrice > 0 && plan.iterations > 0 && plan.elapsed >= 0)
  // The last spends have the least time to work.
  assert.ok(rows[0][0] > rows[3][0] && rows[0][1] > rows[3][1])
  const [{ limit, bound, price }] = plan.binding
  assert.deepEqual([limit, bound, price], ['budget', 40, plan.shadowPrice])
  assert.deepEqual(plan.limits, plan.binding)

  const sentences = plan.explain()
  assert.match(sentences[0], /40/)
  assert.ok(sentences.some((sentence) => /^search spends .* in 4 of 4 periods/.test(sentence)))
  const document = JSON.parse(JSON.stringify(plan))
  assert.equal(document.version, 1)
  assert.deepEqual(document.spend, rows.map((row) => [...row]))
  assert.equal(document.upper_bound, plan.upperBound)
  assert.match(inspect(plan), /^SchedulePlan \{[^]*status: 'optimal'/)
  for (const t of [4, -1, 0.5]) assert.throws(() => plan.row(t), { name: 'AdflowError', code: 'out_of_domain' })
})

test('without carry-over every period is an allocation of its own', () => {
  const plan = proven(schedule(curves, { adstock: Adstock.none(), periods: 3, budget: 30 }))
  const alone = allocate(curves, { budget: 10 })
  for (const t of [0, 1, 2]) plan.row(t).forEach((x, arm) => near(x, alone.spend[arm], 1e-3))
  near(plan.objectiveValue, 3 * alone.objectiveValue)
})

test('the tail counts unless it is left out, and earlier spends carry in', () => {
  const plan = proven(solve({}))
  assert.equal(plan.adstocked.length, 2 * (4 + 5))
  assert.ok(plan.responseAfter > 0)
  near(plan.responseAfter, sum(plan.response.slice(8)))
  near(plan.responseAfterShare, plan.responseAfter / plan.totalResponse)
  assert.deepEqual(proven(solve({ tail: true })).spend, plan.spend)
  const short = proven(solve({ tail: false }))
  assert.ok(short.objectiveValue < plan.objectiveValue)
  const carried = proven(solve({ tail: false, carryIn: [[0, 4], Float64Array.of(10, 0)] }))
  near(carried.adstocked[0], carried.spend[0] + 0.5 * 10)
  near(carried.adstocked[1], carried.spend[1] + 0.8 ** 2 * 4)
  assert.ok(carried.objectiveValue > short.objectiveValue)
})

test('periods and arms have limits, and limits have prices', () => {
  const plan = proven(solve({ periodUpper: [8, Infinity, 8, 8], periodLower: 2, armUpper: [15, Infinity], armLower: 5 }))
  plan.periodSpend.forEach((x, t) => assert.ok(x >= 2 - 1e-6 && x <= (t === 1 ? Infinity : 8) + 1e-6))
  assert.ok(plan.armSpend[0] <= 15 + 1e-6 && plan.armSpend[1] >= 5 - 1e-6)
  const cap = plan.limits.find(({ limit, name }) => limit === 'period_upper' && name === 'period 0')
  assert.ok(cap.arm === null && cap.bound === 8 && cap.price > 0)
  const arm = plan.binding.find(({ limit }) => limit === 'arm_upper')
  assert.deepEqual([arm.arm, arm.name, arm.bound], [0, 'search', 15])
  assert.ok(plan.limits.some(({ limit, price }) => limit === 'arm_lower' && price < 1e-6))
  assert.ok(plan.binding.every(({ limit }) => limit !== 'arm_lower'))
})

test('limits of single spends are numbers, rows of arms, or a row per period', () => {
  for (const upper of [4, [4, 4], Float64Array.of(4, 4), [[4, 4], [4, 4], Float64Array.of(4, 4), [4, 4]]]) {
    const plan = proven(solve({ upper }))
    assert.ok(plan.spend.every((x) => x <= 4 + 1e-9))
    near(plan.totalSpend, 32)
  }
  const lower = [[0, 7], [0, 0], [0, 0], [0, 0]]
  const upper = [[Infinity, 7], [0, Infinity], [Infinity, Infinity], [Infinity, Infinity]]
  const plan = proven(solve({ lower, upper }))
  assert.equal(plan.row(0)[1], 7)
  assert.equal(plan.row(1)[0], 0)
  const flights = solve({ activeLower: 6, budget: 14, tolerance: 1e-3 })
  assert.ok(flights.verify().ok)
  assert.ok(flights.spend.every((x) => x === 0 || x >= 6 - 1e-9))
  assert.ok(flights.spend.filter((x) => x > 0).length <= 2)
})

test('all other options arrive', () => {
  const constant = proven(solve({ constant: true }))
  for (const t of [1, 2, 3]) assert.deepEqual(constant.row(t), constant.row(0))
  const value = proven(solve({ value: [1, 0], names: ['a', 'b'] }))
  assert.deepEqual(value.names, ['a', 'b'])
  assert.ok(value.armSpend[1] < 1e-6)
  assert.ok(value.objectiveValue < value.totalResponse + 1e-9)
  near(proven(solve({ value: 0, spendAll: true })).totalSpend, 40)
  assert.ok(solve({ tolerance: 1e-3, timeLimit: 60 }).gap <= 1e-3)
})

test('what is wrong is named as it was given', () => {
  fails({ colour: 1 }, 'malformed', { path: 'colour' })
  fails({ objective: 'profit' }, 'malformed', { path: 'objective' })
  fails({ periods: undefined }, 'malformed')
  fails({ budget: '40' }, 'malformed')
  fails({ periods: 0 }, 'out_of_domain', { field: 'periods' })
  fails({ periods: 1.5 }, 'out_of_domain', { field: 'periods' })
  fails({ budget: -1 }, 'out_of_domain', { field: 'budget' })
  fails({ periodUpper: [1, 2] }, 'length_mismatch', { field: 'periodUpper', expected: 4 })
  fails({ armLower: [1, -1] }, 'out_of_domain', { field: 'armLower[1]' })
  fails({ carryIn: [[1]] }, 'length_mismatch', { field: 'carryIn[0]' })
  fails({ activeLower: [[1, 1], [1, NaN], [1, 1], [1, 1]] }, 'not_finite', { field: 'activeLower[1][1]' })
  fails({ names: ['a', 'a'] }, 'duplicate_name')
  assert.throws(() => schedule(curves), { name: 'AdflowError', code: 'malformed' })
})

test('limits that cannot hold together are named', () => {
  assert.throws(() => solve({ periodLower: [20, 0, 0, 0], upper: [[4, 4], [9, 9], [9, 9], [9, 9]] }), (error) => {
    assert.ok(error instanceof AdflowError)
    assert.equal(error.code, 'infeasible')
    const words = error.details.conflict.map(({ limit, name, bound }) => [limit, name, bound])
    assert.deepEqual(words[0], ['period_lower', 'period 0', 20])
    assert.ok(words.slice(1).every(([limit]) => limit === 'upper') && words.length === 3)
    return true
  })
})

test('a promise gives the same, and a signal stops it', async () => {
  const options = { adstock, periods: 4, budget: 40 }
  const plan = await scheduleAsync(curves, options)
  assert.ok(plan instanceof SchedulePlan)
  assert.deepEqual(plan.spend, schedule(curves, options).spend)
  await assert.rejects(scheduleAsync(curves, { ...options, budget: -1 }), { name: 'AdflowError', code: 'out_of_domain' })
  await assert.rejects(scheduleAsync(curves, { ...options, colour: 1 }), { name: 'AdflowError', code: 'malformed' })
  await assert.rejects(scheduleAsync(curves, { ...options, signal: AbortSignal.abort() }), { code: 'ABORT_ERR' })
  const controller = new AbortController()
  const many = ResponseCurves.hill({ beta: Array.from({ length: 30 }, (_, arm) => 50 + arm), halfSaturation: 8, slope: 2 })
  const running = scheduleAsync(many, { adstock: Adstock.geometric({ retention: 0.5 }), periods: 52, budget: 900, tolerance: 1e-12 }, controller.signal)
  setTimeout(() => controller.abort(), 20)
  await assert.rejects(running, { name: 'AbortError', code: 'ABORT_ERR' })
})
