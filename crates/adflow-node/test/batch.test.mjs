import assert from 'node:assert/strict'
import { test } from 'node:test'

import { AdflowError, ResponseCurves, allocate, allocateBatch, allocateBatchAsync } from 'adflow'

/** Two problems of three arms. */
const curves = ResponseCurves.michaelisMenten({ beta: [9, 7, 5, 8, 6, 4], halfSaturation: 4 })
const drawn = ResponseCurves.michaelisMenten({ beta: [[9, 7, 5, 8, 6, 4], [3, 8, 5, 2, 7, 4]], halfSaturation: 4 })
const offsets = [0, 3, 6]
const budgets = [12, 9]
const current = [2, 5, 5, 3, 3, 3]

/** Options per arm are cut to the arms of a problem, the others hold for each. */
const part = (options, j) =>
  Object.fromEntries(
    Object.entries(options).map(([key, value]) => [key, Array.isArray(value) ? value.slice(offsets[j], offsets[j + 1]) : value]),
  )

function alone(set, options) {
  const batch = allocateBatch(set, offsets, budgets, options)
  const plans = budgets.map((budget, j) =>
    allocate(set.slice(offsets[j], offsets[j + 1]), { budget, ...part(options, j) }),
  )
  assert.deepEqual([...batch.spend], plans.flatMap(({ spend }) => [...spend]))
  assert.deepEqual([...batch.response], plans.flatMap(({ response }) => [...response]))
  assert.deepEqual([...batch.marginalResponse], plans.flatMap(({ marginalResponse }) => [...marginalResponse]))
  for (const key of ['objectiveValue', 'upperBound', 'gap', 'shadowPrice', 'status']) {
    assert.deepEqual([...batch[key]], plans.map((plan) => plan[key]), key)
  }
  return batch
}

const count = (batch, j, of) => [...batch.spend.slice(offsets[j], offsets[j + 1])].filter(of).length

test('limits of single arms hold in every problem of a batch', () => {
  const bounded = alone(curves, { lower: [0, 1, 0, 0, 0, 1], upper: [4, 9, 9, 9, 2, 9], value: [1, 2, 1, 1, 1, 2] })
  assert.ok(bounded.spend[0] <= 4 && bounded.spend[4] <= 2)
  const active = alone(curves, { activeLower: [5, 5, 5, 4, 4, 4] })
  active.spend.forEach((x, arm) => assert.ok(x === 0 || x >= (arm < 3 ? 5 : 4)))
  const steps = alone(curves, { step: [2.5, 2.5, 2.5, 1, 1, 1] })
  steps.spend.forEach((x, arm) => assert.ok(Math.abs(x % (arm < 3 ? 2.5 : 1)) < 1e-9))
  const costly = alone(curves, { activationCost: [0, 100, 100, 100, 100, 0] })
  assert.deepEqual([...costly.spend], [12, 0, 0, 0, 0, 9])
  const moved = alone(curves, { current, maxChange: 0.2, moveCost: [0, 0, 0, 0.1, 0.1, 0.1] })
  moved.spend.forEach((x, arm) => assert.ok(Math.abs(x - current[arm]) <= 0.2 * current[arm] + 1e-9))
  alone(curves, { current, maxChangeAmount: [1, 1, 0, 2, 2, Infinity] })
})

test('objectives, targets, counts and risk hold for each problem of a batch', () => {
  const profit = alone(curves, { objective: 'profit' })
  assert.ok(profit.spend.reduce((sum, x) => sum + x) < 21)
  const least = alone(curves, { objective: 'spend', target: { response: 6 } })
  least.objectiveValue.forEach((value) => assert.ok(value < 0))
  alone(curves, { target: { roas: 1.2 } })
  const active = alone(curves, { maxActive: 1 })
  for (const j of [0, 1]) assert.equal(count(active, j, (x) => x > 0), 1)
  const moves = alone(curves, { current, maxMoves: 2 })
  for (const j of [0, 1]) assert.ok(count(moves, j, (x) => !current.includes(x)) <= 2)
  const risk = alone(drawn, { risk: { cvar: 0.5 } })
  const mean = alone(drawn, {})
  risk.objectiveValue.forEach((value, j) => assert.ok(value < mean.objectiveValue[j]))
})

test('a batch off the event loop is the same', async () => {
  const options = { maxActive: 2, step: 1 }
  const batch = await allocateBatchAsync(curves, offsets, budgets, options)
  assert.deepEqual(batch.spend, allocateBatch(curves, offsets, budgets, options).spend)
})

test('limits on arms of several problems are refused', async () => {
  const groups = [{ name: 'g', members: [0, 4], upper: 3 }]
  const coupling = { matrix: [[1, 0, 0, 1, 0, 0]], upper: [3] }
  for (const [field, options] of [['groups', { groups }], ['coupling', { coupling }]]) {
    const refused = (error) => {
      assert.ok(error instanceof AdflowError)
      assert.deepEqual([error.code, error.details.field], ['out_of_domain', field])
      return true
    }
    assert.throws(() => allocateBatch(curves, offsets, budgets, options), refused)
    await assert.rejects(allocateBatchAsync(curves, offsets, budgets, options), refused)
  }
})

test('an infeasible problem names its limits by the arms of the batch', () => {
  assert.throws(() => allocateBatch(curves, offsets, [12, 1], { lower: [0, 0, 0, 0, 2, 0], maxActive: 3 }), (error) => {
    assert.equal(error.code, 'infeasible')
    assert.ok(error.details.conflict.some(({ limit, arm }) => limit === 'lower' && arm === 4))
    return true
  })
})
