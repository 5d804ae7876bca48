// Four channels and a budget: the best plan, the proof that it is, and what it changes.
// Run with `npm install && node quickstart.mjs`, once the package in crates/adflow-node is built.

import { AdflowError, ResponseCurves, allocate } from 'adflow'

// Conversions per week as a function of weekly spend. Search and shopping are S-shaped: little happens below a threshold.
const curves = ResponseCurves.concat([
  ResponseCurves.hill({ beta: [900, 650], halfSaturation: [14_000, 11_000], slope: [1.8, 2.4] }),
  ResponseCurves.michaelisMenten({ beta: [520, 300], halfSaturation: [9_000, 4_000] }),
]).withNames(['search', 'shopping', 'video', 'social'])

const plan = allocate(curves, {
  budget: 50_000,
  upper: [30_000, 20_000, 20_000, 8_000],
  value: 85, // what a conversion is worth
  current: [12_000, 18_000, 12_000, 8_000],
})

const money = (x) => Math.round(x).toLocaleString('en-US')
const { summary, arms } = plan.explain()
console.log(summary.join('\n'), '\n')
console.table(
  Object.fromEntries(
    arms.map((arm) => [
      arm.name,
      {
        today: money(arm.current),
        proposed: money(arm.spend),
        conversions: Math.round(arm.response),
        'marginal ROAS': Number(arm.marginalRoas.toFixed(2)),
        'held by': arm.binding ?? '',
      },
    ]),
  ),
)

console.log(`No plan within these limits is worth more than ${money(plan.upperBound)}; this one is worth ${money(plan.objectiveValue)}.`)
console.log(`Gap ${plan.gap.toExponential(1)}, ${plan.status}; recomputed independently: ${plan.verify().ok ? 'holds' : 'FAILS'}.`)
console.log(`The next unit of budget brings ${plan.shadowPrice.toFixed(2)}.\n`)

// A budget that the limits cannot meet is an error that says what they allow.
try {
  allocate(curves, { budget: 90_000, upper: 20_000, spendAll: true })
} catch (error) {
  if (!(error instanceof AdflowError)) throw error
  console.log(`${error.code}: ${error.message}`)
}
