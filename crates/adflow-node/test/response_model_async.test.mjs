import assert from 'node:assert/strict'
import { test } from 'node:test'

import { AdflowError, Market, ResponseModel } from 'adflow'

const market = Market.realistic(5, 2, 52)
const history = market.history()
const model = new ResponseModel({ chains: 2, draws: 60, tune: 80, seed: 1 })
const endless = new ResponseModel({ draws: 1_000_000, tune: 1_000_000 })

const aborted = (error) => {
  assert.equal(error.name, 'AbortError')
  assert.equal(error.code, 'ABORT_ERR')
  assert.ok(error.cause)
  return true
}

test('a promise gives the same bits, and the event loop goes on', async () => {
  let turns = 0
  const timer = setInterval(() => (turns += 1), 1)
  const start = performance.now()
  const fitted = await model.fitAsync(history, { threads: 2 })
  const elapsed = performance.now() - start
  clearInterval(timer)
  assert.ok(turns > elapsed / 50, `${turns} turns in ${elapsed} ms`)
  const expected = model.fit(history, { threads: 1 })
  assert.deepEqual(fitted.roasDraws, expected.roasDraws)
  assert.deepEqual(await fitted.summaryAsync(0.8), expected.summary(0.8))
  assert.deepEqual(await fitted.decomposeAsync(), expected.decompose())
  assert.deepEqual(await fitted.fittedAsync(), expected.fitted())
  const holidays = Object.fromEntries(Object.keys(history.holidays).map((name) => [name, [0]]))
  const future = { spend: [[100, 50]], holidays }
  assert.deepEqual(await fitted.predictAsync(future, 0.5), expected.predict(future, 0.5))
  assert.deepEqual((await fitted.refitAsync(history)).roasDraws, expected.refit(history).roasDraws)
})

test('holdouts and comparisons run off the event loop too', async () => {
  const laplace = new ResponseModel({ chains: 2, draws: 60, method: 'laplace' })
  assert.deepEqual(await laplace.holdoutAsync(history, 6), laplace.holdout(history, 6))
  const models = { one: laplace, two: new ResponseModel({ chains: 2, draws: 60, method: 'laplace', trend: 'none' }) }
  assert.deepEqual(await ResponseModel.compareAsync(models, history, 6), ResponseModel.compare(models, history, 6))
})

test('errors reject', async () => {
  await assert.rejects(model.fitAsync({ ...history, outcome: [1, 2] }), (error) => {
    assert.ok(error instanceof AdflowError)
    assert.equal(error.code, 'length_mismatch')
    return true
  })
  await assert.rejects(new ResponseModel({ chains: 0 }).fitAsync(history), { code: 'out_of_domain' })
  await assert.rejects(model.fitAsync(history, { colour: 1 }), { code: 'malformed' })
  await assert.rejects(model.holdoutAsync(history, 51), { code: 'out_of_domain' })
})

test('aborting stops the fit and frees its thread', async () => {
  await assert.rejects(endless.fitAsync(history, { signal: AbortSignal.abort() }), aborted)
  await assert.rejects(endless.fitAsync(history, {}, AbortSignal.abort('enough')), aborted)
  const fitted = await model.fitAsync(history)
  await assert.rejects(fitted.summaryAsync(0.9, AbortSignal.abort()), aborted)
  await assert.rejects(fitted.refitAsync(history, { signal: AbortSignal.abort() }), aborted)
  const start = performance.now()
  // As many as the pool has threads: what comes after them waits for their end.
  const signal = AbortSignal.timeout(100)
  const fits = Array.from({ length: 4 }, () => endless.fitAsync(history, { signal, threads: 1 }))
  await Promise.all(fits.map((fit) => assert.rejects(fit, aborted)))
  await fitted.summaryAsync()
  assert.ok(performance.now() - start < 20_000)
})

test('progress is heard from 0 to 1, and what it throws ends the fit', async () => {
  const shares = []
  // Long enough to be told of.
  await new ResponseModel({ chains: 2, draws: 4000 }).fitAsync(history, { threads: 1, progress: (share) => shares.push(share) })
  assert.ok(shares.length > 0)
  assert.ok(shares.every((share, at) => share >= 0 && share <= 1 && share >= (shares[at - 1] ?? 0)), `${shares}`)
  const enough = new Error('enough')
  const stop = () => {
    throw enough
  }
  await assert.rejects(endless.fitAsync(history, { progress: stop }), (error) => error === enough)
})
