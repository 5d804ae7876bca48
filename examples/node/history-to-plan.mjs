// From history to plan: a fit with its uncertainty, the best budget on it, and what that changes.
// Run with `npm install && node history-to-plan.mjs`, once the package in crates/adflow-node is built.

import { Market, ResponseModel, allocate } from 'adflow'

// Two years of weeks of a simulated market: what a real history would be, but its truth is known.
const market = Market.realistic(8, 4, 104)
const history = market.history()

// Off the event loop; a signal would stop it.
let done = 0
const model = new ResponseModel({ draws: 500, seed: 1 })
const fitted = await model.fitAsync(history, { progress: (share) => (done = share) })
const summary = await fitted.summaryAsync()
console.log(summary.text, '\n')

const { roas } = market.truth()
console.table(
  Object.fromEntries(
    summary.channels.map(({ channel, roas: found }, i) => [
      channel,
      {
        'true ROAS': Number(roas[i].toFixed(2)),
        fitted: Number(found.median.toFixed(2)),
        'from (90 %)': Number(found.lower.toFixed(2)),
        to: Number(found.upper.toFixed(2)),
      },
    ]),
  ),
)

// The same money as today, at most a third more or less for each channel.
const current = fitted.meanSpend
const budget = current.reduce((sum, spend) => sum + spend)
const plan = allocate(fitted.curves(), { budget, current, maxChange: 1 / 3 })
if (!plan.verify().ok) throw new Error('the proof does not hold')
console.log(plan.explain().summary.join('\n'))

// What the truth says of the plan, over 13 weeks after the history. With real data this is what a test would tell.
const weeks = 13
const again = (spend) => Float64Array.from({ length: weeks * spend.length }, (_, at) => spend[at % spend.length])
const gain = market.regret(again(current), again(plan.spend))
console.log(`Over ${weeks} weeks the market would bring ${Math.round(gain).toLocaleString('en-US')} more for the same money.`)
