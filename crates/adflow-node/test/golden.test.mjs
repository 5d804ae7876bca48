// The cases that Rust, Python and Node all answer, equal to the last bit: `target/golden/node.txt` is compared with theirs.

import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { AdflowError, ResponseCurves, allocate } from 'adflow'

const FILES = ['concave', 's_shaped', 'zero_or_minimum', 'draws', 'edge', 'published']

const camel = (word) => word.replace(/_(.)/g, (_, letter) => letter.toUpperCase())

/** JSON has no infinity: null is "no limit". */
const limits = (given, none) => {
  if (given === null) return none
  return Array.isArray(given) ? given.map((limit) => limit ?? none) : given
}

function solve({ version, curves, ...settings }) {
  assert.equal(version, 1)
  const options = Object.fromEntries(Object.entries(settings).map(([key, value]) => [camel(key), value]))
  if ('upper' in options) options.upper = limits(options.upper, Infinity)
  if ('activeLower' in options) options.activeLower = limits(options.activeLower, 0)
  return allocate(ResponseCurves.fromJSON(curves), options)
}

function attempt(problem) {
  try {
    return { plan: solve(problem) }
  } catch (error) {
    return { error }
  }
}

const close = (actual, expected, tolerance, what) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} instead of ${expected}`)

function check({ problem, expect }, { plan, error }) {
  if (expect.error !== undefined) {
    assert.ok(error instanceof AdflowError, `${error ?? 'no error'}`)
    assert.equal(error.code, expect.error)
    if (expect.feasible_budget !== undefined) {
      const [low, high] = expect.feasible_budget
      close(error.details.feasibleBudget[0], low, 1e-9 * Math.abs(low), 'least feasible budget')
      close(error.details.feasibleBudget[1], high, 1e-9 * Math.abs(high), 'largest feasible budget')
    }
    return
  }
  if (error !== undefined) throw error
  if (expect.status !== undefined) assert.equal(plan.status, expect.status)
  if (expect.objective_value !== undefined) {
    const tolerance = expect.objective_tolerance * Math.abs(expect.objective_value)
    const short = expect.objective_value - plan.objectiveValue
    assert.ok(
      (expect.at_least ? short : Math.abs(short)) <= tolerance,
      `objective ${plan.objectiveValue} instead of ${expect.objective_value}`,
    )
  }
  if (expect.spend !== undefined) {
    const total = problem.budget ?? expect.spend.reduce((sum, x) => sum + x, 0)
    expect.spend.forEach((x, arm) => close(plan.spend[arm], x, expect.spend_tolerance * total, `spend[${arm}]`))
  }
  if (expect.shadow_price !== undefined) {
    const tolerance = expect.shadow_price_tolerance * Math.abs(expect.shadow_price)
    close(plan.shadowPrice, expect.shadow_price, tolerance, 'shadow price')
  }
  if (expect.gap_at_most !== undefined) assert.ok(plan.gap <= expect.gap_at_most, `gap ${plan.gap}`)
  const verified = plan.verify()
  assert.ok(verified.ok, JSON.stringify(verified.checks))
}

const view = new DataView(new ArrayBuffer(8))
function bits(number) {
  view.setFloat64(0, number)
  return view.getBigUint64(0).toString(16).padStart(16, '0')
}

function line(name, { plan, error }) {
  if (error !== undefined) return `${name} error ${error.code}`
  return [name, ...[...plan.spend, plan.objectiveValue, plan.upperBound, plan.shadowPrice].map(bits)].join(' ')
}

const lines = []
for (const file of FILES) {
  const url = new URL(`../../adflow-core/tests/golden/${file}.json`, import.meta.url)
  for (const golden of JSON.parse(readFileSync(url, 'utf8')).cases) {
    const answer = attempt(golden.problem)
    lines.push(line(`${file}/${golden.name}`, answer))
    test(`${file}: ${golden.name}`, () => check(golden, answer))
  }
}
const directory = new URL('../../../target/golden/', import.meta.url)
mkdirSync(directory, { recursive: true })
writeFileSync(new URL('node.txt', directory), `${lines.join('\n')}\n`)
