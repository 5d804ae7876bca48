import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { inspect } from 'node:util'

import { AdflowError, Plan, ResponseCurves, allocate, allocateBatch } from 'adflow'

const curves = ResponseCurves.hill({
  beta: [120, 80, 60],
  halfSaturation: [5, 9, 4],
  slope: [2, 1.5, 0.8],
}).withNames(['search', 'video', 'social'])

test('a plan has its numbers, its proof and its reasons', () => {
  const plan = allocate(curves, { budget: 20, upper: [6, Infinity, 100], current: [5, 5, 5] })
  assert.ok(plan instanceof Plan)
  assert.equal(plan.status, 'optimal')
  assert.ok(plan.spend instanceof Float64Array && plan.spend.length === 3)
  assert.equal(plan.spend, plan.spend)
  assert.ok(Math.abs(plan.totalSpend - 20) < 1e-9)
  assert.deepEqual(plan.response, curves.response(plan.spend))
  assert.deepEqual(plan.marginalResponse, curves.marginalResponse(plan.spend))
  assert.ok(plan.gap >= 0 && plan.gap <= 1e-6 && plan.upperBound >= plan.objectiveValue)
  assert.ok(plan.shadowPrice > 0 && plan.iterations > 0 && plan.elapsed >= 0)
  assert.ok(Math.abs(plan.totalResponse - plan.objectiveValue) < 1e-9)
  assert.deepEqual(plan.names, ['search', 'video', 'social'])
  assert.deepEqual(plan.binding.map(({ limit, arm, name, bound }) => ({ limit, arm, name, bound })), [
    { limit: 'budget', arm: null, name: null, bound: 20 },
    { limit: 'upper', arm: 0, name: 'search', bound: 6 },
  ])

  const verified = plan.verify()
  assert.ok(verified.ok && verified.checks.length > 0 && verified.checks.every(({ ok }) => ok))

  const { summary, arms } = plan.explain()
  assert.ok(summary.length > 0)
  assert.equal(arms.length, 3)
  assert.equal(arms[0].binding, 'upper')
  assert.equal(arms[1].binding, null)
  assert.equal(arms[0].change, 1)
  assert.match(arms[0].sentence, /search/)
})

test('the object of a plan is plain, its document the shared one', () => {
  const plan = allocate(curves, { budget: 20 })
  const object = structuredClone(plan.toObject())
  assert.deepEqual(object.spend, plan.spend)
  assert.equal(object.upperBound, plan.upperBound)
  assert.match(inspect(plan), /^Plan \{[^]*status: 'optimal'/)
  const document = JSON.parse(JSON.stringify(plan))
  assert.equal(document.version, 1)
  assert.deepEqual(document.spend, [...plan.spend])
  assert.equal(document.total_spend, plan.totalSpend)
  assert.deepEqual(document.names, plan.names)
})

test('all options arrive', () => {
  const options = { budget: 20, lower: [0, 2, Float64Array.of(1)[0]], upper: Float64Array.of(10, 10, 10), value: 2, names: ['a', 'b', 'c'] }
  const plan = allocate(curves, { ...options, spendAll: true, tolerance: 1e-9, timeLimit: 10, threads: 1 })
  assert.ok(plan.gap <= 1e-9)
  assert.deepEqual(plan.names, ['a', 'b', 'c'])
  assert.ok(Math.abs(plan.objectiveValue - 2 * plan.totalResponse) < 1e-9)
  assert.ok(plan.spend[1] >= 2)
  const minimum = allocate(curves, { budget: 5, activeLower: [4.9, 4.9, 4.9] })
  assert.equal(minimum.spend.filter((x) => x > 0).length, 1)
  assert.deepEqual(allocate(curves, { upper: 7 }).spend, Float64Array.of(7, 7, 7))
})

test('the answer does not depend on the number of threads', () => {
  const many = ResponseCurves.michaelisMenten({
    beta: Float64Array.from({ length: 50_000 }, (_, arm) => 1 + (arm % 97)),
    halfSaturation: 3,
  })
  const one = allocate(many, { budget: 1e4, threads: 1 })
  assert.deepEqual(allocate(many, { budget: 1e4 }).spend, one.spend)
})

test('an infeasible problem says which budgets would do', () => {
  assert.throws(
    () => allocate(curves, { budget: 5, lower: [3, 3, 0], upper: 10 }),
    (error) => {
      assert.ok(error instanceof AdflowError)
      assert.equal(error.code, 'infeasible')
      assert.equal(error.details.budget, 5)
      assert.deepEqual(error.details.feasibleBudget, [6, 30])
      assert.ok(error.details.conflict.some(({ limit, arm }) => limit === 'budget' && arm === null))
      assert.ok(error.details.conflict.some(({ limit, name, bound }) => limit === 'lower' && name === 'search' && bound === 3))
      return true
    },
  )
})

test('input that is wrong is named', () => {
  const fails = (options, code) =>
    assert.throws(() => allocate(curves, options), (error) => error instanceof AdflowError && error.code === code)
  fails({ budget: -1 }, 'out_of_domain')
  fails({ budget: NaN }, 'not_finite')
  fails({ budget: 1, upper: [1, 2] }, 'length_mismatch')
  fails({ budget: 1, lower: 2, upper: 1 }, 'lower_above_upper')
  fails({ budget: 1, names: ['a', 'b', 'a'] }, 'duplicate_name')
  fails({ budget: '1' }, 'malformed')
  fails({ budget: 1, spendall: true }, 'malformed')
  fails(undefined, 'malformed')
})

test('a time limit of nothing still gives a plan, with its true gap', () => {
  const plan = allocate(curves, { budget: 20, timeLimit: 0 })
  assert.ok(plan.gap >= 0)
  assert.ok(plan.verify().ok)
})

test('a batch is its problems, each alone', () => {
  const set = ResponseCurves.concat([curves, ResponseCurves.power({ beta: [3, 4], exponent: 0.5 }).withNames(['x', 'y'])])
  const upper = [10, 10, 10, 4, 4]
  const batch = allocateBatch(set, [0, 3, 5], [20, 6], { upper })
  const plans = [
    allocate(set.slice(0, 3), { budget: 20, upper: upper.slice(0, 3) }),
    allocate(set.slice(3, 5), { budget: 6, upper: upper.slice(3) }),
  ]
  assert.deepEqual([...batch.spend], plans.flatMap(({ spend }) => [...spend]))
  assert.deepEqual([...batch.response], plans.flatMap(({ response }) => [...response]))
  assert.deepEqual([...batch.marginalResponse], plans.flatMap(({ marginalResponse }) => [...marginalResponse]))
  for (const key of ['objectiveValue', 'upperBound', 'gap', 'shadowPrice', 'status']) {
    assert.deepEqual([...batch[key]], plans.map((plan) => plan[key]), key)
  }
  const typed = allocateBatch(set, Uint32Array.of(0, 3, 5), Float64Array.of(20, 6))
  assert.equal(typed.spend.length, 5)
  assert.throws(() => allocateBatch(set, [0, 3], [20, 6]), { name: 'AdflowError', code: 'length_mismatch' })
  assert.throws(() => allocateBatch(set, [0, 3, 5], [20, -6]), /budgets\[1\]/)
})

test('the package can be required too', () => {
  const required = createRequire(import.meta.url)('adflow')
  assert.equal(required.allocate, allocate)
  assert.equal(required.AdflowError, AdflowError)
})
