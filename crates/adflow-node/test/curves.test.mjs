import assert from 'node:assert/strict'
import { test } from 'node:test'

import { AdflowError, ResponseCurves } from 'adflow'

const code = (expected) => (error) => error instanceof AdflowError && error.code === expected

test('every family can be made from numbers, and answers', () => {
  const families = {
    linear: { beta: 2 },
    logarithmic: { beta: 2, scale: 3 },
    power: { beta: 2, exponent: 0.5 },
    exponential: { beta: 2, scale: 3 },
    michaelisMenten: { beta: 2, halfSaturation: 3 },
    hill: { beta: 2, halfSaturation: 3, slope: 1.5 },
    logistic: { beta: 2, lam: 0.3 },
    tanh: { b: 2, c: 3 },
    hillSigmoid: { sigma: 2, beta: 0.5, lam: 3 },
    tabulated: { spend: [0, 10], response: [[0, 5]] },
  }
  for (const [family, parameters] of Object.entries(families)) {
    const curves = ResponseCurves[family](parameters)
    assert.equal(curves.length, 1)
    assert.equal(curves.draws, 1)
    const [zero] = curves.response([0])
    const [one] = curves.response([1])
    assert.ok(zero === 0 && one > 0, family)
    assert.ok(curves.marginalResponse([1])[0] > 0, family)
  }
})

test('typed arrays, parts of them and plain arrays are the same', () => {
  const plain = ResponseCurves.hill({ beta: [120, 80], halfSaturation: [5, 9], slope: 2 })
  const beta = new Float64Array([0, 120, 80, 0]).subarray(1, 3)
  const typed = ResponseCurves.hill({ beta, halfSaturation: Float64Array.of(5, 9), slope: 2 })
  assert.deepEqual(typed.toJSON(), plain.toJSON())
  const response = plain.response(Float64Array.of(5, 9))
  assert.ok(response instanceof Float64Array)
  assert.deepEqual([...response], [60, 40])
  assert.deepEqual(plain.response([5, 9, 0, 0]), Float64Array.of(60, 40, 0, 0))
})

test('draws are rows, plain or typed, and terms stand between draws and arms', () => {
  const rows = ResponseCurves.linear({ beta: [[1, 2], [3, 6]] })
  assert.equal(rows.draws, 2)
  assert.deepEqual([...rows.response([1, 1])], [2, 4])
  const typed = ResponseCurves.linear({ beta: [Float64Array.of(1, 2), Float64Array.of(3, 6)] })
  assert.deepEqual(typed.toJSON(), rows.toJSON())
  const terms = ResponseCurves.linear({ beta: [[[1, 2], [3, 6]]] })
  assert.equal(terms.draws, 1)
  assert.deepEqual([...terms.response([1, 1])], [4, 8])
})

test('tables take one row of spends for all arms, a row per arm, and draws of responses', () => {
  const one = ResponseCurves.tabulated({ spend: [0, 10], response: [[0, 5], [0, 10]] })
  const each = ResponseCurves.tabulated({ spend: [[0, 10], Float64Array.of(0, 20)], response: [[0, 5], [0, 10]] })
  assert.deepEqual([...one.response([5, 5])], [2.5, 5])
  assert.deepEqual([...each.response([5, 5])], [2.5, 2.5])
  const draws = ResponseCurves.tabulated({ spend: [0, 10], response: [[[0, 4]], [[0, 6]]] })
  assert.equal(draws.draws, 2)
  assert.deepEqual([...draws.response([5])], [2.5])
})

test('the transforms return another set', () => {
  const curves = ResponseCurves.michaelisMenten({ beta: 10, halfSaturation: [5, 5] })
  const changed = curves
    .withNames(['a', 'b'])
    .withCostPerUnit(2)
    .withValuePerResponse([1, 3])
    .withOffset(5, true)
  assert.equal(curves.names, null)
  assert.deepEqual(changed.names, ['a', 'b'])
  assert.deepEqual([...changed.response([0, 0])], [5, 15])
  assert.deepEqual([...curves.withOffset(5).response([0, 0])], [0, 0])
})

test('sets are joined and cut', () => {
  const joined = ResponseCurves.concat([
    ResponseCurves.hill({ beta: 120, halfSaturation: 5, slope: 2 }).withNames(['search']),
    ResponseCurves.linear({ beta: [1, 2] }).withNames(['video', 'social']),
  ])
  assert.equal(joined.length, 3)
  assert.deepEqual(joined.slice(1, 3).names, ['video', 'social'])
  assert.ok(joined.inflection[0] > 0)
  assert.equal(joined.inflection[1], 0)
})

test('the inverse of the marginal response is its inverse', () => {
  const curves = ResponseCurves.michaelisMenten({ beta: [10, 20], halfSaturation: 5 })
  const spend = curves.inverseMarginalResponse(curves.marginalResponse([3, 7]))
  assert.ok(Math.abs(spend[0] - 3) < 1e-12 && Math.abs(spend[1] - 7) < 1e-12)
})

test('a document is read back equal to the last bit, from text or object', () => {
  const curves = ResponseCurves.hill({ beta: [1 / 3, Math.PI * 1e9], halfSaturation: 0.1, slope: [[1.1, 2], [0.7, 3]] })
  for (const document of [JSON.stringify(curves), curves.toJSON()]) {
    const back = ResponseCurves.fromJSON(document)
    assert.deepEqual(back.toJSON(), curves.toJSON())
    assert.deepEqual(back.response([0.3, 0.7]), curves.response([0.3, 0.7]))
  }
})

test("models of other systems are read under those systems' own names", () => {
  const robyn = ResponseCurves.fromRobyn({ coef: [10, 20], alpha: 2, inflexion: [3, 4], carryover: [0, 4] })
  assert.deepEqual([...robyn.response([3, 0])], [5, 10])
  const robynMedia = { coef: 1, alpha: 2, gamma: 0.5, theta: 0.5, media: [[1], [2], [4]], window: [1, 3] }
  assert.equal(ResponseCurves.fromRobyn(robynMedia).length, 1)
  const meridian = ResponseCurves.fromMeridian({
    alphaM: 0, ecM: 1, betaGm: [[0.2], [0.4]], mediaScaled: [[1], [0], [1]], spend: 500, outcomePerUnit: 1000,
  })
  assert.ok(Math.abs(meridian.response([500])[0] - 300) < 1e-9)
  const pymc = ResponseCurves.fromPymcMarketing({
    saturation: 'michaelis_menten', saturationAlpha: 10, saturationLam: 5, adstock: 'none', numPeriods: 2,
  })
  assert.ok(Math.abs(pymc.response([5])[0] - 10) < 1e-12)
  const lightweight = ResponseCurves.fromLightweightMmm({
    coefMedia: [2, 3], lagWeight: 0, halfMaxEffectiveConcentration: 0.5, slope: 1, numberTimePeriods: 4, mediaScale: [100, 50],
  })
  assert.deepEqual([...lightweight.response([200, 100])], [4, 6])
})

test('errors carry the code and the field', () => {
  const hill = (changed) => () => ResponseCurves.hill({ beta: 1, halfSaturation: 1, slope: 1, ...changed })
  assert.throws(hill({ beta: NaN }), code('not_finite'))
  assert.throws(hill({ slope: 0 }), code('out_of_domain'))
  assert.throws(hill({ beta: [] }), code('empty'))
  assert.throws(hill({ beta: [1, 2], slope: [1, 2, 3] }), code('length_mismatch'))
  assert.throws(hill({ beta: [[1, 2], [3]] }), code('length_mismatch'))
  assert.throws(hill({ halfSaturatoin: 1 }), code('malformed'))
  assert.throws(hill({ beta: '1' }), code('malformed'))
  assert.throws(hill({ beta: undefined }), code('malformed'))
  assert.throws(hill({ beta: Float32Array.of(1) }), code('malformed'))
  assert.throws(() => ResponseCurves.hill(), code('malformed'))
  assert.throws(() => ResponseCurves.hill(null), code('malformed'))
  assert.throws(() => ResponseCurves.fromJSON('{'), code('malformed'))
  assert.throws(() => ResponseCurves.concat([]), code('empty'))
  const curves = ResponseCurves.linear({ beta: [1, 2] })
  assert.throws(() => curves.withNames(['a', 'a']), code('duplicate_name'))
  assert.throws(() => curves.slice(1, 3), code('out_of_domain'))
  assert.throws(
    () => curves.response([1, 2, 3]),
    (error) => {
      assert.ok(error instanceof Error && error instanceof AdflowError)
      assert.equal(error.name, 'AdflowError')
      assert.match(error.stack, /AdflowError: `spend`/)
      assert.deepEqual({ ...error.details }, { field: 'spend', expected: 2, actual: 3 })
      return true
    },
  )
})

test('an argument of the wrong type is refused', () => {
  const curves = ResponseCurves.linear({ beta: [1, 2] })
  assert.throws(() => curves.response('1'), { code: 'InvalidArg' })
  assert.throws(() => curves.response([1, '2']), { code: 'InvalidArg' })
  assert.throws(() => new ResponseCurves())
})
