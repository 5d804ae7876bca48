'use strict'

// The native binding, with what Rust cannot bring: a class that extends Error, and AbortSignal.

const native = require('./index.js')

class AdflowError extends Error {
  constructor(message, code, details) {
    super(message)
    this.code = code
    this.details = details
  }

  get name() {
    return 'AdflowError'
  }
}

native.setErrorClass(AdflowError)

// An array is copied out of the addon once, not at every access.
for (const { prototype } of [native.Plan, native.Frontier, native.SchedulePlan, native.Outcome]) {
  for (const [name, { get, ...rest }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (!get) continue
    Object.defineProperty(prototype, name, {
      ...rest,
      get() {
        const value = get.call(this)
        if (typeof value === 'object') Object.defineProperty(this, name, { value, enumerable: true })
        return value
      },
    })
  }
}

// `console.log(plan)` shows its numbers.
const shown = Symbol.for('nodejs.util.inspect.custom')
native.Plan.prototype[shown] = function (depth, options, inspect) {
  return `Plan ${inspect(this.toObject(), options)}`
}
for (const { name, prototype } of [native.Frontier, native.SchedulePlan, native.Outcome]) {
  const columns = Object.entries(Object.getOwnPropertyDescriptors(prototype)).filter(([, { get }]) => get)
  prototype[shown] = function (depth, options, inspect) {
    const numbers = Object.fromEntries(columns.map(([column]) => [column, this[column]]))
    return `${name} ${inspect(numbers, options)}`
  }
}

class AbortError extends Error {
  constructor(signal) {
    super('The operation was aborted', { cause: signal.reason })
    this.code = 'ABORT_ERR'
  }

  get name() {
    return 'AbortError'
  }
}

/** Runs a task until it is done or the signal aborts it, whichever comes first. */
function run(signal, start) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) throw new AbortError(signal)
    const interrupt = new native.Interrupt()
    const task = start(interrupt)
    if (!signal) {
      resolve(task)
      return
    }
    const abort = () => {
      interrupt.interrupt()
      reject(new AbortError(signal))
    }
    signal.addEventListener('abort', abort, { once: true })
    task.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

function allocateAsync(curves, options, signal) {
  const { signal: own, ...rest } = options ?? {}
  return run(signal ?? own, (interrupt) => native.allocateTask(curves, rest, interrupt))
}

function allocateBatchAsync(curves, offsets, budgets, options, signal) {
  const { signal: own, ...rest } = options ?? {}
  return run(signal ?? own, (interrupt) =>
    native.allocateBatchTask(curves, offsets, budgets, rest, interrupt),
  )
}

function frontierAsync(curves, options, signal) {
  const { signal: own, ...rest } = options ?? {}
  return run(signal ?? own, (interrupt) => native.frontierTask(curves, rest, interrupt))
}

function scheduleAsync(curves, options, signal) {
  const { signal: own, ...rest } = options ?? {}
  return run(signal ?? own, (interrupt) => native.scheduleTask(curves, rest, interrupt))
}

const { uncertaintyAsync } = native.Plan.prototype
native.Plan.prototype.uncertaintyAsync = function (options, signal) {
  const { signal: own, ...rest } = options ?? {}
  return run(signal ?? own, (interrupt) => uncertaintyAsync.call(this, rest, interrupt))
}

exports.AdflowError = AdflowError
exports.Adstock = native.Adstock
exports.Frontier = native.Frontier
exports.Outcome = native.Outcome
exports.Plan = native.Plan
exports.ResponseCurves = native.ResponseCurves
exports.SchedulePlan = native.SchedulePlan
exports.allocate = native.allocate
exports.allocateAsync = allocateAsync
exports.allocateBatch = native.allocateBatch
exports.allocateBatchAsync = allocateBatchAsync
exports.frontier = native.frontier
exports.frontierAsync = frontierAsync
exports.schedule = native.schedule
exports.scheduleAsync = scheduleAsync
