import type { AllocateOptions, Batch, ErrorDetails, Numbers, Plan, Positions, ResponseCurves } from './index'

export { allocate, allocateBatch, Plan, ResponseCurves } from './index'
export type {
  AllocateOptions,
  ArmExplanation,
  Batch,
  Binding,
  Check,
  Coupling,
  CouplingRow,
  ErrorDetails,
  Explanation,
  ExponentialParameters,
  Group,
  HillParameters,
  HillSigmoidParameters,
  LightweightMmmModel,
  Limit,
  LinearParameters,
  LogarithmicParameters,
  LogisticParameters,
  MeridianModel,
  MichaelisMentenParameters,
  NumberPerArm,
  Numbers,
  Parameters,
  PlanObject,
  Positions,
  PowerParameters,
  PymcMarketingModel,
  RobynModel,
  TabulatedParameters,
  TanhParameters,
  Verification,
} from './index'

/** What a plan maximises. */
export type Objective = NonNullable<AllocateOptions['objective']>

/** What a plan must reach. */
export type Target = NonNullable<AllocateOptions['target']>

/** A measure of the outcomes over draws, in place of their mean. */
export type Risk = NonNullable<AllocateOptions['risk']>

/** The stable word for a kind of error, the same in Rust, Python, Node and HTTP. */
export type ErrorCode =
  | 'not_finite'
  | 'out_of_domain'
  | 'lower_above_upper'
  | 'empty'
  | 'length_mismatch'
  | 'duplicate_name'
  | 'unknown_name'
  | 'cyclic_group'
  | 'infeasible'
  | 'malformed'

/**
 * What is wrong with an input. Running out of time is not an error: it is a plan with status `feasible` and its true
 * gap.
 */
export declare class AdflowError extends Error {
  constructor(message: string, code: ErrorCode, details: ErrorDetails)
  readonly name: 'AdflowError'
  /** The kind of error. */
  readonly code: ErrorCode
  /** The same in fields: for `infeasible` the `budget`, the limits in `conflict` and the `feasibleBudget`. */
  readonly details: ErrorDetails
}

/** The options of an allocation off the event loop. */
export interface AllocateAsyncOptions extends AllocateOptions {
  /** Stops the search; the promise is then rejected with an `AbortError`. */
  signal?: AbortSignal
}

/**
 * `allocate` off the event loop, on the libuv pool.
 *
 * The promise is rejected with an `AdflowError` where `allocate` throws one, and with an `AbortError` (code `ABORT_ERR`,
 * the signal's reason as its `cause`) as soon as the signal aborts, or at once where it has already.
 */
export declare function allocateAsync(
  curves: ResponseCurves,
  options: AllocateAsyncOptions,
  signal?: AbortSignal,
): Promise<Plan>

/** `allocateBatch` off the event loop; rejected as `allocateAsync` is. */
export declare function allocateBatchAsync(
  curves: ResponseCurves,
  offsets: Positions,
  budgets: Numbers,
  options?: AllocateAsyncOptions | null,
  signal?: AbortSignal,
): Promise<Batch>
