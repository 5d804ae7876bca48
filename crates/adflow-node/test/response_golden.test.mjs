// The golden histories, fitted through the public API: the bits of every ROAS draw in `target/golden/node_fit.txt` are compared with
// those of Rust and Python.

import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'

import { ResponseModel } from 'adflow'

const FILE = 'response_models'

const camel = (word) => word.replace(/_(.)/g, (_, letter) => letter.toUpperCase())

/** The settings as a user would write them. */
function model({ trend, ...settings }) {
  const given = Object.fromEntries(Object.entries(settings).map(([key, value]) => [camel(key), value]))
  return new ResponseModel({ ...given, ...(trend && { trend: trend.knots ?? trend }) })
}

const view = new DataView(new ArrayBuffer(8))
function bits(number) {
  view.setFloat64(0, number)
  return view.getBigUint64(0).toString(16).padStart(16, '0')
}

function check({ roas, within, std, std_within: stdWithin }, draws) {
  roas.forEach((truth, i) => {
    const own = draws.filter((_, at) => at % roas.length === i)
    const mean = own.reduce((sum, draw) => sum + draw) / own.length
    assert.ok(Math.abs(mean - truth) <= within[i], `ROAS ${mean} instead of ${truth}`)
    if (std === undefined) return
    const spread = Math.sqrt(own.reduce((sum, draw) => sum + (draw - mean) ** 2, 0) / own.length)
    assert.ok(Math.abs(spread - std[i]) <= stdWithin[i], `standard deviation ${spread} instead of ${std[i]}`)
  })
}

const { cases } = JSON.parse(readFileSync(new URL(`../../adflow-core/tests/golden/${FILE}.json`, import.meta.url), 'utf8'))
assert.ok(cases.length > 0, `${FILE}.json has no cases`)
const lines = []
for (const golden of cases) {
  const draws = model(golden.model).fit(golden.history, { threads: 2 }).roasDraws
  lines.push([`${FILE}/${golden.name}`, ...Array.from(draws, bits)].join(' '))
  test(`${FILE}: ${golden.name}`, () => check(golden.expect, draws))
}
const directory = new URL('../../../target/golden/', import.meta.url)
mkdirSync(directory, { recursive: true })
writeFileSync(new URL('node_fit.txt', directory), `${lines.join('\n')}\n`)
