import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'

import { AdflowError, ResponseCurves, allocate, allocateAsync, allocateBatchAsync } from 'adflow'

const curves = ResponseCurves.hill({ beta: [120, 80], halfSaturation: [5, 9], slope: 2 })

/** Takes long: many different arms that are zero or at least something, to a gap out of reach. */
function long() {
  const arms = 20_000
  const spread = (low, high, step) => Float64Array.from({ length: arms }, (_, arm) => low + (high - low) * ((arm * step) % 1))
  const set = ResponseCurves.hill({
    beta: spread(50, 150, 0.6180339887),
    halfSaturation: spread(3, 9, 0.7548776662),
    slope: spread(1.5, 4, 0.5698402909),
  })
  return [set, { budget: 2.345 * arms, activeLower: spread(2, 6, 0.3247179572), tolerance: 1e-15 }]
}

const aborted = (error) => {
  assert.equal(error.name, 'AbortError')
  assert.equal(error.code, 'ABORT_ERR')
  assert.ok(error.cause)
  return true
}

test('a promise gives the same plan', async () => {
  const plan = await allocateAsync(curves, { budget: 20 })
  assert.deepEqual(plan.spend, allocate(curves, { budget: 20 }).spend)
  assert.ok(plan.verify().ok)
  const batch = await allocateBatchAsync(curves, [0, 1, 2], [3, 4])
  assert.equal(batch.spend.length, 2)
})

test('errors reject, also those of the options', async () => {
  await assert.rejects(allocateAsync(curves, { budget: 1, lower: 5 }), (error) => {
    assert.ok(error instanceof AdflowError)
    assert.equal(error.code, 'infeasible')
    assert.equal(error.details.budget, 1)
    return true
  })
  await assert.rejects(allocateAsync(curves, { budget: 1, colour: 5 }), { name: 'AdflowError', code: 'malformed' })
  await assert.rejects(allocateBatchAsync(curves, [0, 1], [3, 4]), { name: 'AdflowError', code: 'length_mismatch' })
})

test('the event loop goes on', async () => {
  let turns = 0
  const timer = setInterval(() => (turns += 1), 1)
  const [set, options] = long()
  const start = performance.now()
  const plan = await allocateAsync(set, { ...options, timeLimit: 0.3 })
  clearInterval(timer)
  assert.ok(plan.gap >= 0)
  const elapsed = performance.now() - start
  assert.ok(turns > elapsed / 50, `${turns} turns in ${elapsed} ms`)
})

test('a signal that has aborted rejects at once', async () => {
  await assert.rejects(allocateAsync(curves, { budget: 20 }, AbortSignal.abort()), aborted)
  await assert.rejects(allocateAsync(curves, { budget: 20, signal: AbortSignal.abort('enough') }), aborted)
  await assert.rejects(allocateBatchAsync(curves, [0, 2], [3], {}, AbortSignal.abort()), aborted)
})

test('aborting stops the search and frees its thread', async () => {
  const [set, options] = long()
  const start = performance.now()
  // As many as the pool has threads: what comes after them must not wait for their end.
  const searches = Array.from({ length: 4 }, () => {
    const controller = new AbortController()
    sleep(50).then(() => controller.abort())
    return allocateAsync(set, { ...options, timeLimit: 60, signal: controller.signal })
  })
  for (const search of await Promise.allSettled(searches)) {
    if (search.status === 'rejected') aborted(search.reason)
  }
  await allocateAsync(curves, { budget: 20 })
  assert.ok(performance.now() - start < 10_000)
})

test('a signal that aborts after the end does nothing', async () => {
  const controller = new AbortController()
  const plan = await allocateAsync(curves, { budget: 20 }, controller.signal)
  controller.abort()
  assert.ok(plan.verify().ok)
})

test('workers have errors of their own', async () => {
  const code = `
    const { parentPort } = require('node:worker_threads')
    const { AdflowError, ResponseCurves } = require(${JSON.stringify(new URL('../adflow.js', import.meta.url).pathname)})
    try { ResponseCurves.linear({ beta: -1 }) } catch (error) {
      parentPort.postMessage([error instanceof AdflowError, error.code])
    }`
  const worker = new Worker(code, { eval: true })
  const message = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  assert.deepEqual(message, [true, 'out_of_domain'])
  assert.throws(() => ResponseCurves.linear({ beta: -1 }), AdflowError)
})
