import assert from 'node:assert/strict'
import { test } from 'node:test'

import { AdflowError, ResponseCurves, allocate } from 'adflow'

const code = (expected) => (error) => error instanceof AdflowError && error.code === expected
const hill = () => ResponseCurves.hill({ beta: [3, 5], halfSaturation: [4, 1], slope: [2, 0.7] })
const near = (actual, expected) => assert.ok(Math.abs(actual - expected) <= 1e-12 * expected, `${actual}, not ${expected}`)

test('a power buys fewer units for more money', () => {
  const linear = ResponseCurves.linear({ beta: [1, 2] }).withCostPerUnit(2)
  for (const exponent of [0.5, [0.5, 0.5], new Float64Array([0.5, 0.5])]) {
    const [one, two] = linear.withPricePower(exponent).response([54, 16])
    near(one, 9)
    near(two, 2 * 8 ** (1 / 1.5))
  }
})

test('tiers charge each part of the spend its own price', () => {
  const linear = ResponseCurves.linear({ beta: [1, 3] })
  for (const [breaks, prices] of [
    [[100], [1, 2]],
    [new Float64Array([100]), new Float64Array([1, 2])],
    [[[100], [100]], [[1, 2], [1, 2]]],
    [[[100], [50, 100]], [[1, 2], [1, 1, 2]]],
  ]) {
    const curves = linear.withPriceTiers(breaks, prices)
    assert.deepEqual([...curves.response([160, 160])], [130, 390])
    assert.deepEqual([...curves.marginalResponse([100, 100])], [0.5, 1.5])
  }
  assert.deepEqual(hill().withPriceTiers([], [2]).response([7, 7]), hill().withCostPerUnit(2).response([7, 7]))
})

test('curves behind a price survive JSON', () => {
  for (const curves of [hill().withPricePower([0.5, 0]), hill().withPriceTiers([2, 5], [1, 1.5, 4])]) {
    const text = JSON.stringify(curves)
    const again = ResponseCurves.fromJSON(text)
    assert.deepEqual(JSON.parse(JSON.stringify(again)), JSON.parse(text))
    assert.deepEqual(again.response([3, 8]), curves.response([3, 8]))
  }
})

test('a bad price is refused', () => {
  assert.throws(() => hill().withPricePower(-1), code('out_of_domain'))
  assert.throws(() => hill().withPricePower([0.1, NaN]), code('not_finite'))
  assert.throws(() => hill().withPricePower([0.1, 0.2, 0.3]), code('length_mismatch'))
  assert.throws(() => hill().withPriceTiers([1], [2, 1]), code('out_of_domain'))
  assert.throws(() => hill().withPriceTiers([1], [1]), code('length_mismatch'))
  assert.throws(() => hill().withPricePower(0.5).withPriceTiers([1], [1, 2]), code('out_of_domain'))
})

test('a plan behind prices is proven and beats a grid', () => {
  const curves = hill().withOffset(0.5).withPriceTiers([[2], [6]], [[1, 2.5], [1, 1.5]])
  const plan = allocate(curves, { budget: 12 })
  assert.ok(plan.verify().ok)
  for (let at = 0; at <= 1000; at += 1) {
    const x = (12 * at) / 1000
    const [one, two] = curves.response([x, 12 - x])
    assert.ok(plan.objectiveValue >= (one + two) * (1 - 1e-6))
  }
})
