// A search off the event loop, stopped when its caller no longer waits.
// Run with `npm install && node async-abort.mjs`, once the package in crates/adflow-node is built.

import { ResponseCurves, allocateAsync } from 'adflow'

// 3,000 placements that are bought whole or not at all, at nearly the same return: the proof is what takes long.
const size = Float64Array.from({ length: 3000 }, (_, arm) => 1000 + Math.floor(9000 * ((arm * 0.6180339887) % 1)))
const curves = ResponseCurves.linear({ beta: size.map((x) => (x + 1000) / x) })
const options = { budget: 8_000_000, activeLower: size, upper: size }

let turns = 0
const timer = setInterval(() => (turns += 1), 5)

// Within a thousandth of the best: enough for most budgets.
const plan = await allocateAsync(curves, { ...options, tolerance: 1e-3 })
console.log(`${plan.status} in ${(1000 * plan.elapsed).toFixed(0)} ms, gap ${plan.gap.toExponential(1)}`)

// With a time limit the best plan so far comes back, with its true gap.
const limited = await allocateAsync(curves, { ...options, tolerance: 1e-12, timeLimit: 0.5 })
console.log(`${limited.status} after its time limit, gap ${limited.gap.toExponential(1)}`)

// With a signal nothing comes back: the search stops and its thread is free.
try {
  await allocateAsync(curves, { ...options, tolerance: 1e-12, timeLimit: 30, signal: AbortSignal.timeout(100) })
  console.log('done before the signal')
} catch (error) {
  if (error.name !== 'AbortError') throw error
  console.log(`${error.name}: ${error.message}`)
}

clearInterval(timer)
console.log(`Meanwhile the event loop turned ${turns} times.`)
