import assert from 'node:assert/strict'
import { test } from 'node:test'

import { AdflowError, ResponseCurves, allocate, allocateAsync } from 'adflow'

/** 9 x/(4 + x) and so on: the marginal response falls to r at x = √(4 β/r) − 4. */
const curves = ResponseCurves.michaelisMenten({ beta: [9, 7, 5], halfSaturation: 4 }).withNames([
  'search',
  'video',
  'social',
])
const saturating = (beta, marginal) => Math.max(0, Math.sqrt((4 * beta) / marginal) - 4)
const response = (beta, x) => (beta * x) / (4 + x)

const sum = (numbers) => numbers.reduce((total, x) => total + x, 0)
const near = (actual, expected, tolerance = 1e-5) =>
  assert.ok(Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)), `${actual} instead of ${expected}`)
const proven = (plan) => {
  assert.equal(plan.status, 'optimal')
  const { ok, checks } = plan.verify()
  assert.ok(ok, JSON.stringify(checks))
  return plan
}
const fails = (options, code, details = {}) =>
  assert.throws(
    () => allocate(curves, { budget: 12, ...options }),
    (error) => {
      assert.ok(error instanceof AdflowError, `${error}`)
      assert.equal(error.code, code, error.message)
      for (const [key, value] of Object.entries(details)) assert.deepEqual(error.details[key], value, error.message)
      return true
    },
  )

test('a group holds what its arms spend together, and has a price', () => {
  const group = { name: 'awareness', members: ['video', 2], upper: 4 }
  const plan = proven(allocate(curves, { budget: 30, groups: [group] }))
  near(plan.spend[1] + plan.spend[2], 4)
  near(plan.spend[0], 26)
  const { price, ...limit } = plan.binding.find(({ limit }) => limit === 'group_upper')
  assert.deepEqual(limit, { limit: 'group_upper', arm: null, name: 'awareness', bound: 4 })
  // One more unit there is one less for search.
  near(price, plan.marginalResponse[1] - plan.marginalResponse[0], 1e-3)
})

test('groups are made of groups, and have least amounts and shares', () => {
  const groups = [
    { name: 'paid', members: ['social', 'brand'], shareUpper: 0.5 },
    { name: 'brand', members: [1], lower: 3 },
    { name: 'all', members: ['search', 'paid'], upper: Infinity },
  ]
  const plan = proven(allocate(curves, { budget: 10, groups }))
  assert.ok(plan.spend[1] + plan.spend[2] <= 0.5 * plan.totalSpend + 1e-6)
  assert.ok(plan.spend[1] >= 3 - 1e-6)
  const least = proven(allocate(curves, { budget: 10, groups: [{ name: 'social', members: [2], shareLower: 0.6 }] }))
  near(least.spend[2], 6)
})

test('the rows of a matrix are dense or sparse, lists or typed arrays', () => {
  const upper = [0, 5]
  const names = ['half', 'cap']
  const forms = [
    [[0.5, -1, 0], [0, 1, 1]],
    [Float64Array.of(0.5, -1, 0), Float64Array.of(0, 1, 1)],
    [{ arms: [0, 1], coefficients: [0.5, -1] }, { arms: Uint32Array.of(1, 2), coefficients: Float64Array.of(1, 1) }],
    [[0.5, -1, 0], { arms: [1, 2, 1], coefficients: [0.5, 1, 0.5] }],
  ]
  const plans = forms.map((matrix) => proven(allocate(curves, { budget: 30, coupling: { matrix, upper, names } })))
  for (const plan of plans) assert.deepEqual(plan.spend, plans[0].spend)
  const { spend, binding } = plans[0]
  assert.ok(0.5 * spend[0] - spend[1] <= 1e-6 && spend[1] + spend[2] <= 5 + 1e-6)
  const { arm, name, bound } = binding.find(({ limit }) => limit === 'coupling')
  assert.deepEqual({ arm, name, bound }, { arm: null, name: 'half', bound: 0 })
  const unnamed = allocate(curves, { budget: 30, coupling: { matrix: forms[0], upper: Float64Array.from(upper) } })
  assert.deepEqual(unnamed.spend, plans[0].spend)
})

test('profit is taken where the next unit of money returns one', () => {
  const plan = proven(allocate(curves, { budget: 100, objective: 'profit' }))
  const best = [9, 7, 5].map((beta) => saturating(beta, 1))
  plan.spend.forEach((x, arm) => near(x, best[arm], 1e-2))
  near(plan.objectiveValue, sum([9, 7, 5].map((beta, arm) => response(beta, best[arm]) - best[arm])))
})

test('the least spend that reaches a response', () => {
  const plan = proven(allocate(curves, { objective: 'spend', target: { response: 10 }, upper: 100 }))
  assert.ok(plan.totalResponse >= 10 - 1e-6)
  near(plan.totalResponse, 10)
  near(plan.objectiveValue, -plan.totalSpend)
  assert.ok(plan.upperBound >= plan.objectiveValue)
  const { arm, bound, price } = plan.binding.find(({ limit }) => limit === 'target')
  assert.deepEqual({ arm, bound }, { arm: null, bound: 10 })
  // What the next unit of response costs, at any of the arms.
  near(price, 1 / plan.marginalResponse[0], 1e-2)
})

test('every target is reached', () => {
  const roas = proven(allocate(curves, { budget: 100, value: 2, target: { roas: 2.5 } }))
  near((2 * roas.totalResponse) / roas.totalSpend, 2.5)
  const cpa = proven(allocate(curves, { budget: 100, value: 2, target: { cpa: 0.8 } }))
  near(cpa.totalSpend / cpa.totalResponse, 0.8)
  const marginal = proven(allocate(curves, { budget: 100, target: { marginalRoas: 0.5 } }))
  marginal.spend.forEach((x, arm) => near(x, saturating([9, 7, 5][arm], 0.5), 1e-2))
})

test('what arms cost decides which of them spend', () => {
  const costly = proven(allocate(curves, { budget: 10, activationCost: 5 }))
  assert.deepEqual([...costly.spend], [10, 0, 0])
  near(costly.objectiveValue, response(9, 10) - 5)
  const each = proven(allocate(curves, { budget: 10, activationCost: Float64Array.of(100, 0, 100) }))
  assert.deepEqual([...each.spend], [0, 10, 0])
  const one = proven(allocate(curves, { budget: 10, maxActive: 1 }))
  assert.deepEqual([...one.spend], [10, 0, 0])
})

test('a plan moves no further from today than allowed', () => {
  const current = [2, 5, 5]
  const share = proven(allocate(curves, { budget: 12, current, maxChange: 0.2 }))
  share.spend.forEach((x, arm) => assert.ok(Math.abs(x - current[arm]) <= 0.2 * current[arm] + 1e-9))
  const amount = proven(allocate(curves, { budget: 12, current, maxChangeAmount: [1, Infinity, 0] }))
  near(amount.spend[0], 3)
  near(amount.spend[2], 5)
  const moves = proven(allocate(curves, { budget: 12, current, maxMoves: 2 }))
  assert.ok(moves.spend.filter((x, arm) => x !== current[arm]).length <= 2)
  assert.ok(moves.objectiveValue > sum(current.map((x, arm) => response([9, 7, 5][arm], x))))
  const costly = proven(allocate(curves, { budget: 12, current, moveCost: 100 }))
  assert.deepEqual([...costly.spend], current)
})

test('spends are whole multiples of a step', () => {
  const plan = proven(allocate(curves, { budget: 12, step: [2.5, 2.5, 0] }))
  for (const arm of [0, 1]) assert.equal(plan.spend[arm] % 2.5, 0)
  assert.ok(plan.totalSpend <= 12 + 1e-9)
  near(plan.roundingLoss, allocate(curves, { budget: 12 }).objectiveValue - plan.objectiveValue, 1e-4)
  assert.equal(plan.toObject().roundingLoss, plan.roundingLoss)
  assert.equal(allocate(curves, { budget: 12 }).roundingLoss, null)
})

test('risk is a measure over the draws', () => {
  const draws = ResponseCurves.linear({ beta: [[1], [3]] })
  const value = (risk) => proven(allocate(draws, { budget: 10, risk })).objectiveValue
  near(value({ cvar: 0.5 }), 10)
  near(value({ cvar: 1 }), 20)
  near(value({ meanMinusStd: 1 }), 10)
  near(value({ probability: 15 }), 0.5)
})

test('a curve is not trusted beyond what it was fitted on', () => {
  const document = curves.toJSON()
  const observed = ResponseCurves.fromJSON({ ...document, observed_spend: [[0, 3], [0, 50], [1, 50]] })
  const capped = proven(allocate(observed, { budget: 12, extrapolation: 'cap' }))
  near(capped.spend[0], 3)
  // Cheaper than what search brings beyond its range, dearer than that: the first is free to go on, the second not.
  const cheap = proven(allocate(observed, { budget: 12, extrapolation: 1e-3 }))
  assert.ok(cheap.spend[0] > 3.1)
  const dear = proven(allocate(observed, { budget: 12, extrapolation: 10 }))
  near(dear.spend[0], 3)
})

test('the settings reach the search off the event loop', async () => {
  const options = { budget: 30, groups: [{ name: 'g', members: [1, 2], upper: 4 }], objective: 'profit' }
  const plan = await allocateAsync(curves, options)
  assert.deepEqual(plan.spend, allocate(curves, options).spend)
  const camel = { name: 'AdflowError', code: 'not_finite', message: /`maxChange`/ }
  await assert.rejects(allocateAsync(curves, { budget: 30, current: [1, 1, 1], maxChange: NaN }), camel)
})

test('words that are not known are refused, wherever they stand', () => {
  const group = { name: 'g', members: [0] }
  fails({ groups: [group, { ...group, name: 'h', share_upper: 0.4 }] }, 'malformed', { path: 'groups[1].share_upper' })
  fails({ coupling: { rows: [], matrix: [], upper: [] } }, 'malformed', { path: 'coupling.rows' })
  const row = { arms: [0], coefficients: [1], upper: 3 }
  fails({ coupling: { matrix: [[1, 1, 1], row], upper: [9, 3] } }, 'malformed', { path: 'coupling.matrix[1].upper' })
  for (const target of [{}, { sales: 1 }, { marginal_roas: 1 }, { roas: 1, cpa: 1 }]) {
    fails({ target }, 'malformed', { path: 'target' })
  }
  for (const risk of [{}, { var: 1 }, { mean_minus_std: 1 }]) fails({ risk }, 'malformed', { path: 'risk' })
  fails({ objective: 'sales' }, 'malformed', { path: 'objective' })
  fails({ extrapolation: 'cut' }, 'malformed', { path: 'extrapolation' })
})

test('values of the wrong type are refused', () => {
  const wrong = [
    { groups: 'video' },
    { groups: [{ members: [0] }] },
    { groups: [{ name: 'g', members: [true] }] },
    { groups: ['g'] },
    { coupling: [[1, 1, 1]] },
    { coupling: { matrix: [[1, 1, 1]] } },
    { coupling: { matrix: [['1', 1, 1]], upper: [1] } },
    { target: 5 },
    { target: { roas: '5' } },
    { risk: { cvar: '5' } },
    { extrapolation: true },
    { maxActive: '1' },
    { step: 'whole' },
  ]
  for (const options of wrong) fails(options, 'malformed')
})

test('numbers outside their domain are named as they were given', () => {
  const current = [2, 5, 5]
  fails({ maxActive: 1.5 }, 'out_of_domain', { field: 'maxActive' })
  fails({ maxActive: -1 }, 'out_of_domain', { field: 'maxActive' })
  fails({ maxMoves: NaN, current }, 'out_of_domain', { field: 'maxMoves' })
  fails({ groups: [{ name: 'g', members: [0, 1.5] }] }, 'out_of_domain', { field: 'groups[0].members[1]' })
  fails({ groups: [{ name: 'g', members: [3] }] }, 'out_of_domain', { field: 'groups[0].members[0]' })
  fails({ groups: [{ name: 'g', members: [0], shareUpper: 1.2 }] }, 'out_of_domain', { field: 'groups[0].shareUpper' })
  fails({ groups: [{ name: 'g', members: [0], upper: NaN }] }, 'not_finite', { field: 'groups[0].upper' })
  fails({ groups: [{ name: 'g', members: [] }] }, 'empty', { field: 'groups[0].members' })
  fails({ groups: [{ name: 'g', members: ['radio'] }] }, 'unknown_name', { field: 'groups[0].members[0]', name: 'radio' })
  fails({ groups: [{ name: 'g', members: ['h'] }, { name: 'h', members: ['g'] }] }, 'cyclic_group')
  fails({ groups: [{ name: 'g', members: [0] }, { name: 'g', members: [1] }] }, 'duplicate_name', { name: 'g', second: 1 })
  fails({ coupling: { matrix: [[1, 1]], upper: [3] } }, 'length_mismatch', { field: 'coupling.matrix[0]', expected: 3 })
  fails({ coupling: { matrix: [[1, 1, 1]], upper: [3, 3] } }, 'length_mismatch', { field: 'coupling.matrix', actual: 1 })
  fails({ coupling: { matrix: [[1, 1, 1]], upper: [3], names: [] } }, 'length_mismatch', { field: 'coupling.names' })
  fails({ coupling: { matrix: [{ arms: [0, 1], coefficients: [1] }], upper: [3] } }, 'length_mismatch', {
    field: 'coupling.matrix[0].coefficients',
  })
  fails({ coupling: { matrix: [{ arms: [-1], coefficients: [1] }], upper: [3] } }, 'out_of_domain', {
    field: 'coupling.matrix[0].arms[0]',
  })
  fails({ coupling: { matrix: [[1, NaN, 1]], upper: [3] } }, 'not_finite')
  fails({ activationCost: -1 }, 'out_of_domain', { field: 'activationCost' })
  fails({ maxChangeAmount: [1, -1, 1], current }, 'out_of_domain', { field: 'maxChangeAmount[1]' })
  fails({ moveCost: [1, 1], current }, 'length_mismatch', { field: 'moveCost' })
  fails({ step: -1 }, 'out_of_domain', { field: 'step' })
  fails({ target: { response: -1 } }, 'out_of_domain')
  fails({ risk: { cvar: 0 } }, 'out_of_domain')
  for (const setting of [{ maxChange: 0.2 }, { maxChangeAmount: 1 }, { maxMoves: 1 }, { moveCost: 1 }]) {
    assert.throws(() => allocate(curves, { budget: 12, ...setting }), (error) => {
      assert.ok(error instanceof AdflowError)
      return /current/.test(error.message)
    })
  }
})

test('limits that cannot hold together are named, with what could', () => {
  const groups = [{ name: 'all', members: [0, 1, 2], upper: 5 }]
  assert.throws(() => allocate(curves, { budget: 12, spendAll: true, groups }), (error) => {
    assert.ok(error instanceof AdflowError)
    assert.equal(error.code, 'infeasible')
    const conflict = [...error.details.conflict].sort((a, b) => (a.limit < b.limit ? -1 : 1))
    assert.deepEqual(conflict, [
      { limit: 'budget', arm: null, name: null, bound: 12 },
      { limit: 'group_upper', arm: null, name: 'all', bound: 5 },
    ])
    near(error.details.feasibleBudget[0], 0)
    near(error.details.feasibleBudget[1], 5)
    near(error.details.nearest[0], 5)
    assert.equal(error.details.nearest[1], null)
    return true
  })
})

test('a target out of reach says what could be reached', () => {
  const best = allocate(curves, { budget: 12 }).objectiveValue
  assert.throws(() => allocate(curves, { budget: 12, target: { response: 50 } }), (error) => {
    assert.equal(error.code, 'infeasible')
    const target = error.details.conflict.find(({ limit }) => limit === 'target')
    assert.equal(target.arm, null)
    assert.equal(target.bound, 50)
    near(error.details.feasibleTarget, best)
    return true
  })
})
