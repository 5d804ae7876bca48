import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'

import { AdflowError, ResponseCurves, allocate, allocateAsync, allocateBatchAsync } from 'adflow'

const curves = ResponseCurves.hill({ beta: [120, 80], halfSaturation: [5, 9], slope: 2 })

/** Takes long: thousands of arms that are bought whole or not at all, at nearly the same return, to a gap out of reach. */
function long() {
  const size = Float64Array.from({ length: 3000 }, (_, arm) => 1000 + Math.floor(9000 * ((arm * 0.6180339887) % 1)))
  const set = ResponseCurves.linear({ beta: size.map((x) => (x + 1000) / x) })
  const budget = Math.floor(size.reduce((sum, x) => sum + x) / 2) + 0.3
  return [set, { budget, activeLower: size, upper: size, tolerance: 1e-15 }]
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
  assert.equal(plan.status, 'feasible')
  assert.ok(plan.gap > 0 && plan.verify().ok)
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
  // As many as the pool has threads: what comes after them waits for their end.
  const controller = new AbortController()
  const searches = Array.from({ length: 4 }, () => allocateAsync(set, { ...options, timeLimit: 60 }, controller.signal))
  sleep(50).then(() => controller.abort())
  await Promise.all(searches.map((search) => assert.rejects(search, aborted)))
  await allocateAsync(curves, { budget: 20 })
  assert.ok(performance.now() - start < 20_000)
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
    const { AdflowError, ResponseCurves } = require(${JSON.stringify(fileURLToPath(new URL('../adflow.js', import.meta.url)))})
    try { ResponseCurves.linear({ beta: -1 }) } catch (error) {
      parentPort.postMessage([error instanceof AdflowError, error.code])
    }`
  const worker = new Worker(code, { eval: true })
  const message = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  assert.deepEqual(message, [true, 'out_of_domain'])
  assert.throws(() => ResponseCurves.linear({ beta: -1 }), AdflowError)
})
