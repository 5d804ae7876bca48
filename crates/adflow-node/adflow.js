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
const columned = [native.Plan, native.Frontier, native.SchedulePlan, native.Outcome, native.FittedModel, native.Market]
for (const { prototype } of columned) {
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
native.FittedModel.prototype[shown] = function (depth, options, inspect) {
  const { channels, groups, periods, chains, draws, how } = this
  return `FittedModel ${inspect({ channels, groups, periods, chains, draws, how }, options)}`
}
native.ResponseModel.prototype[shown] = function (depth, options, inspect) {
  return `ResponseModel ${inspect(this.toJSON(), options)}`
}
native.Market.prototype[shown] = function (depth, options, inspect) {
  return `Market ${inspect(this.toJSON(), options)}`
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

/**
 * Runs a task until it is done or the signal aborts it, whichever comes first. Where `progress` throws, the task ends with that
 * error.
 */
function run(signal, start, progress) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) throw new AbortError(signal)
    const interrupt = new native.Interrupt()
    const hear = (share) => {
      try {
        progress(share)
      } catch (error) {
        interrupt.interrupt()
        reject(error)
      }
    }
    const task = start(interrupt, progress && hear)
    task.then(resolve, reject)
    if (!signal) return
    const abort = () => {
      interrupt.interrupt()
      reject(new AbortError(signal))
    }
    signal.addEventListener('abort', abort, { once: true })
    const forget = () => signal.removeEventListener('abort', abort)
    task.then(forget, forget)
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

/** The first arguments, as many as there are to be. */
const padded = (given, count) => Array.from({ length: count }, (_, at) => given[at])

/**
 * What starts a long call, given an interrupt and who hears of the progress after its options, as a function that takes both in
 * its options; they come after so many arguments.
 */
const withOptions = (start, before) =>
  function (...given) {
    const { signal, progress, ...options } = given[before] ?? {}
    const begin = (interrupt, hear) => start.call(this, ...padded(given, before), options, interrupt, hear)
    return run(given[before + 1] ?? signal, begin, progress)
  }

/** The same for a call without options, whose signal comes after so many arguments. */
const withSignal = (start, before) =>
  function (...given) {
    return run(given[before], (interrupt) => start.call(this, ...padded(given, before), interrupt))
  }

const model = native.ResponseModel.prototype
model.fitAsync = withOptions(model.fitAsync, 1)
model.holdoutAsync = withOptions(model.holdoutAsync, 2)
const compareAsync = { value: withOptions(native.compareTask, 3), writable: true, configurable: true }
Object.defineProperty(native.ResponseModel, 'compareAsync', compareAsync)

const fitted = native.FittedModel.prototype
fitted.refitAsync = withOptions(fitted.refitAsync, 1)
fitted.predictAsync = withSignal(fitted.predictAsync, 2)
for (const name of ['summaryAsync', 'decomposeAsync', 'fittedAsync']) fitted[name] = withSignal(fitted[name], 1)

exports.AdflowError = AdflowError
exports.Adstock = native.Adstock
exports.FittedModel = native.FittedModel
exports.Frontier = native.Frontier
exports.Market = native.Market
exports.Outcome = native.Outcome
exports.Plan = native.Plan
exports.ResponseCurves = native.ResponseCurves
exports.ResponseModel = native.ResponseModel
exports.SchedulePlan = native.SchedulePlan
exports.allocate = native.allocate
exports.allocateAsync = allocateAsync
exports.allocateBatch = native.allocateBatch
exports.allocateBatchAsync = allocateBatchAsync
exports.frontier = native.frontier
exports.frontierAsync = frontierAsync
exports.schedule = native.schedule
exports.scheduleAsync = scheduleAsync
