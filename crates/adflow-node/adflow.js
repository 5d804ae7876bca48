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
for (const name of ['spend', 'response', 'marginalResponse', 'binding', 'names']) {
  const { get, ...rest } = Object.getOwnPropertyDescriptor(native.Plan.prototype, name)
  Object.defineProperty(native.Plan.prototype, name, {
    ...rest,
    get() {
      const value = get.call(this)
      Object.defineProperty(this, name, { value, enumerable: true })
      return value
    },
  })
}

// `console.log(plan)` shows its numbers.
native.Plan.prototype[Symbol.for('nodejs.util.inspect.custom')] = function (depth, options, inspect) {
  return `Plan ${inspect(this.toObject(), options)}`
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

exports.AdflowError = AdflowError
exports.ResponseCurves = native.ResponseCurves
exports.Plan = native.Plan
exports.allocate = native.allocate
exports.allocateAsync = allocateAsync
exports.allocateBatch = native.allocateBatch
exports.allocateBatchAsync = allocateBatchAsync
