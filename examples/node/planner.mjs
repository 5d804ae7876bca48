// The questions a planner asks: a least spend, a floor on the return, groups, a frontier, and weeks with carry-over.
// Run with `npm install && node planner.mjs`, once the package in crates/adflow-node is built.

import { Adstock, ResponseCurves, allocate, frontier, schedule } from 'adflow'

const names = ['search', 'shopping', 'video', 'social', 'tv']
const curves = ResponseCurves.hill({
  beta: [520, 390, 260, 310, 390],
  halfSaturation: [28, 41, 15, 52, 60],
  slope: [0.9, 1.8, 1.1, 1.4, 2.4],
}).withNames(names)

const show = (question, plan) => {
  if (!plan.verify().ok) throw new Error('the proof does not hold')
  console.log(question, `value ${plan.objectiveValue.toFixed(2)}, gap ${plan.gap.toExponential(0)}`)
  console.table(Object.fromEntries(names.map((name, i) => [name, { spend: Number(plan.spend[i].toFixed(2)) }])))
  for (const { limit, name, price } of plan.binding) {
    console.log(`  held by ${limit} ${name ?? ''}: ${price.toFixed(3)} a unit`)
  }
}

show('How little brings 800?', allocate(curves, { objective: 'spend', target: { response: 800 } }))
show('All that returns at least 7 a dollar?', allocate(curves, { target: { roas: 7 } }))
show(
  '100, at most 40 of it on performance?',
  allocate(curves, {
    budget: 100,
    groups: [{ name: 'performance', members: ['search', 'shopping'], upper: 40 }],
  }),
)

const sweep = frontier(curves, { budgets: [50, 100, 150, 200] })
sweep.budgets.forEach((budget, j) => {
  console.log(`${budget} brings ${sweep.objectiveValue[j].toFixed(1)}, the next unit ${sweep.shadowPrice[j].toFixed(2)}`)
})

const weeks = schedule(curves, {
  adstock: Adstock.geometric({ retention: 0.5, maxLag: 6 }),
  periods: 8,
  budget: 500,
  upper: 40,
  periodUpper: 80,
})
console.log(weeks.explain().join('\n'))
