import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'

import { AdflowError, Frontier, ResponseCurves, allocate, frontier, frontierAsync } from 'adflow'

const curves = ResponseCurves.michaelisMenten({ beta: [120, 80, 60], halfSaturation: [5, 9, 40] }).withNames([
  'search',
  'video',
  'social',
])
const budgets = [40, 1, 5, 20, 5]

const near = (actual, expected, tolerance = 1e-9) =>
  assert.ok(Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)), `${actual} instead of ${expected}`)
const fails = (options, code, details = {}) =>
  assert.throws(() => frontier(curves, options), (error) => {
    assert.ok(error instanceof AdflowError, `${error}`)
    assert.equal(error.code, code, error.message)
    for (const [key, value] of Object.entries(details)) assert.deepEqual(error.details[key], value, error.message)
    return true
  })

test('every row is the plan of its budget, in the order given', () => {
  const found = frontier(curves, { budgets, upper: 25 })
  assert.ok(found instanceof Frontier)
  assert.equal(found.length, 5)
  assert.equal(found.arms, 3)
  assert.deepEqual([...found.budgets], budgets)
  assert.equal(found.spend.length, 15)
  assert.equal(found.spend, found.spend)
  budgets.forEach((budget, j) => {
    const plan = allocate(curves, { budget, upper: 25 })
    const row = found.row(j)
    assert.deepEqual(row, found.spend.slice(3 * j, 3 * j + 3))
    row.forEach((x, arm) => near(x, plan.spend[arm], 1e-6))
    found.response.slice(3 * j, 3 * j + 3).forEach((x, arm) => near(x, curves.response(row)[arm]))
    near(found.totalSpend[j], budget)
    near(found.totalResponse[j], plan.totalResponse)
    near(found.objectiveValue[j], plan.objectiveValue)
    near(found.shadowPrice[j], plan.shadowPrice, 1e-6)
    assert.ok(found.upperBound[j] >= plan.objectiveValue * (1 - 1e-12))
    assert.ok(found.gap[j] >= 0 && found.gap[j] <= 1e-6)
    assert.equal(found.status[j], 'optimal')
  })
  assert.ok(found.iterations > 0 && found.elapsed >= 0)
})

test('changes say which arm starts to spend or stands at its bound, and when', () => {
  const { changes } = frontier(curves, { budgets: [1, 2, 4, 8, 16, 32, 60], upper: [10, Infinity, Infinity] })
  const of = (arm, change) => changes.filter((other) => other.arm === arm && other.change === change)
  // The second arm is worth 80/9 at first: that is where the first, 600/(5 + x)², has fallen to.
  const [enters] = of(1, 'enters')
  assert.equal(enters.name, 'video')
  assert.ok(enters.exact)
  near(enters.budget, Math.sqrt((600 * 9) / 80) - 5)
  assert.deepEqual(enters.between, [2, 4])
  assert.equal(of(0, 'saturates').length, 1)
  assert.equal(of(2, 'enters').length, 1)
  assert.ok(changes.every(({ budget, between }) => between[0] <= budget && budget <= between[1]))
  const order = changes.map(({ budget }) => budget)
  assert.deepEqual(order, [...order].sort((a, b) => a - b))
})

test('other limits hold in every row', () => {
  const groups = [{ name: 'upper funnel', members: ['video', 'social'], shareUpper: 0.25 }]
  const found = frontier(curves, { budgets: Float64Array.of(4, 40), groups, maxActive: 2, objective: 'profit' })
  for (const j of [0, 1]) {
    const row = found.row(j)
    assert.ok(row[1] + row[2] <= 0.25 * found.totalSpend[j] + 1e-6)
    assert.ok(row.filter((x) => x > 0).length <= 2)
    near(found.objectiveValue[j], found.totalResponse[j] - found.totalSpend[j])
  }
})

test('what is wrong is named with the position of its budget', () => {
  fails({}, 'malformed')
  fails({ budgets: 5 }, 'malformed')
  fails({ budgets, budget: 5 }, 'malformed', { path: 'budget' })
  fails({ budgets, colour: 5 }, 'malformed', { path: 'colour' })
  fails({ budgets, groups: [{ name: 'g', members: [0], share_upper: 1 }] }, 'malformed', { path: 'groups[0].share_upper' })
  fails({ budgets: [] }, 'empty', { field: 'budgets' })
  fails({ budgets: [1, -2] }, 'out_of_domain', { field: 'budgets[1]' })
  fails({ budgets: [1, NaN] }, 'not_finite', { field: 'budgets[1]' })
  fails({ budgets, activeLower: -1 }, 'out_of_domain', { field: 'activeLower' })
  fails({ budgets: [50, 5], lower: 3 }, 'infeasible', { budget: 5 })
  const found = frontier(curves, { budgets: [1, 2] })
  for (const j of [2, -1, 0.5, NaN]) assert.throws(() => found.row(j), { name: 'AdflowError', code: 'out_of_domain' })
})

test('a promise gives the same, and a signal stops it', async () => {
  const found = await frontierAsync(curves, { budgets })
  assert.ok(found instanceof Frontier)
  assert.deepEqual(found.spend, frontier(curves, { budgets }).spend)
  await assert.rejects(frontierAsync(curves, { budgets: [1, -2] }), { name: 'AdflowError', code: 'out_of_domain' })
  await assert.rejects(frontierAsync(curves, { budgets, budget: 1 }), { name: 'AdflowError', code: 'malformed' })
  await assert.rejects(frontierAsync(curves, { budgets, signal: AbortSignal.abort() }), { code: 'ABORT_ERR' })
  await assert.rejects(frontierAsync(curves, { budgets }, AbortSignal.abort()), { code: 'ABORT_ERR' })
})

test('a frontier shows its numbers', () => {
  assert.match(inspect(frontier(curves, { budgets: [1, 2] })), /^Frontier \{[^]*budgets: Float64Array\(2\) \[ 1, 2 \]/)
})
