// The cases that Rust, Python and Node all answer, equal to the last bit: `target/golden/node.txt` and `node_schedule.txt` are
// compared with theirs.

import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { AdflowError, Adstock, ResponseCurves, allocate, schedule } from 'adflow'

const FILES = [
  'concave',
  's_shaped',
  'zero_or_minimum',
  'draws',
  'edge',
  'published',
  'goals',
  'groups',
  'activation',
  'moves',
  'steps',
  'risk',
]
/** Has errors only: no numbers to dump. */
const ERRORS = 'infeasible'
const SCHEDULES = 'schedule'

const camel = (word) => word.replace(/_(.)/g, (_, letter) => letter.toUpperCase())

/** The objects of a problem with their keys in camelCase, and without those that are not given. */
function options(document) {
  if (Array.isArray(document)) return document.map(options)
  if (document === null || typeof document !== 'object') return document
  const given = Object.entries(document).filter(([, value]) => value !== null)
  return Object.fromEntries(given.map(([key, value]) => [camel(key), options(value)]))
}

/** JSON has no infinity: null is "no limit" for one arm. */
const NONE = { upper: Infinity, activeLower: 0, maxChange: Infinity, maxChangeAmount: Infinity, step: 0 }

/** Limits in which null stands for none: lists, or rows of them. */
const unlimited = (given, none) =>
  Array.isArray(given) ? given.map((limit) => (Array.isArray(limit) ? unlimited(limit, none) : (limit ?? none))) : given

function solveSchedule({ version, curves, adstock, ...settings }) {
  assert.equal(version, 1)
  const { kind, weights, normalize, ...parameters } = options(adstock)
  const carryOver =
    kind === 'kernel' ? Adstock.kernel(weights, normalize) : Adstock[camel(kind)]({ ...parameters, normalize })
  // What the document leaves out is not the API's default there.
  const given = { tail: false, ...options(settings) }
  for (const key of ['upper', 'periodUpper', 'armUpper']) given[key] = unlimited(given[key], Infinity)
  for (const key of ['lower', 'activeLower', 'periodLower', 'armLower']) given[key] = unlimited(given[key], 0)
  return schedule(ResponseCurves.fromJSON(curves), { adstock: carryOver, ...given })
}

function solve({ version, curves, ...settings }) {
  assert.equal(version, 1)
  const given = options(settings)
  for (const [key, none] of Object.entries(NONE)) {
    if (Array.isArray(given[key])) given[key] = given[key].map((limit) => limit ?? none)
  }
  return allocate(ResponseCurves.fromJSON(curves), given)
}

function attempt(solve, problem) {
  try {
    return { plan: solve(problem) }
  } catch (error) {
    return { error }
  }
}

const close = (actual, expected, tolerance, what) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} instead of ${expected}`)

/** Whether a limit is the one that a case names; an arm or a name that the case leaves out may be any. */
const is = (limit, wanted) =>
  limit.limit === wanted.limit &&
  (wanted.arm ?? limit.arm) === limit.arm &&
  (wanted.name ?? limit.name) === limit.name

function check({ problem, expect }, { plan, error }) {
  if (expect.error !== undefined) {
    assert.ok(error instanceof AdflowError, `${error ?? 'no error'}`)
    assert.equal(error.code, expect.error)
    // JSON has no infinity: null is "no end".
    const near = (actual, expected, what) =>
      expected === null ? assert.equal(actual, Infinity, what) : close(actual, expected, 1e-9 * Math.abs(expected), what)
    if (expect.feasible_budget !== undefined) {
      near(error.details.feasibleBudget[0], expect.feasible_budget[0], 'least feasible budget')
      near(error.details.feasibleBudget[1], expect.feasible_budget[1], 'largest feasible budget')
    }
    if (expect.feasible_target !== undefined) {
      const tolerance = 1e-7 * Math.abs(expect.feasible_target)
      close(error.details.feasibleTarget, expect.feasible_target, tolerance, 'feasible target')
    }
    if (expect.conflict !== undefined) {
      const left = [...error.details.conflict]
      for (const wanted of expect.conflict) {
        const at = left.findIndex((limit) => is(limit, wanted))
        assert.ok(at >= 0, `no ${JSON.stringify(wanted)} in ${JSON.stringify(error.details.conflict)}`)
        left.splice(at, 1)
      }
      assert.deepEqual(left, [])
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
    assert.ok(plan.upperBound >= expect.objective_value - tolerance, `bound ${plan.upperBound} below the value`)
  }
  if (expect.spend !== undefined) {
    const total = problem.budget ?? expect.spend.reduce((sum, x) => sum + x, 0)
    expect.spend.flat().forEach((x, arm) => close(plan.spend[arm], x, expect.spend_tolerance * total, `spend[${arm}]`))
  }
  if (expect.total_spend !== undefined) {
    const tolerance = expect.total_spend_tolerance * Math.abs(expect.total_spend)
    close(plan.totalSpend, expect.total_spend, tolerance, 'total spend')
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

/** A file that is not there is a test that fails; the others still run. */
function cases(file) {
  try {
    const url = new URL(`../../adflow-core/tests/golden/${file}.json`, import.meta.url)
    const { cases } = JSON.parse(readFileSync(url, 'utf8'))
    assert.ok(cases.length > 0, `${file}.json has no cases`)
    return cases
  } catch (error) {
    test(`${file}.json can be read`, () => {
      throw error
    })
    return []
  }
}

const lines = []
for (const file of [...FILES, ERRORS]) {
  for (const golden of cases(file)) {
    const answer = attempt(solve, golden.problem)
    if (file !== ERRORS) lines.push(line(`${file}/${golden.name}`, answer))
    test(`${file}: ${golden.name}`, () => check(golden, answer))
  }
}
const schedules = []
for (const golden of cases(SCHEDULES)) {
  const answer = attempt(solveSchedule, golden.problem)
  schedules.push(line(`${SCHEDULES}/${golden.name}`, answer))
  test(`${SCHEDULES}: ${golden.name}`, () => check(golden, answer))
}
const directory = new URL('../../../target/golden/', import.meta.url)
mkdirSync(directory, { recursive: true })
writeFileSync(new URL('node.txt', directory), `${lines.join('\n')}\n`)
writeFileSync(new URL('node_schedule.txt', directory), `${schedules.join('\n')}\n`)
