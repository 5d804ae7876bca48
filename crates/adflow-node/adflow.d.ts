import type {
  AllocateOptions,
  Batch,
  Budgets,
  ErrorDetails,
  Frontier,
  Numbers,
  Plan,
  Positions,
  ResponseCurves,
  ScheduleOptions,
  SchedulePlan,
} from './index'

export {
  Adstock,
  allocate,
  allocateBatch,
  Frontier,
  frontier,
  Outcome,
  Plan,
  ResponseCurves,
  schedule,
  SchedulePlan,
} from './index'
export type {
  AllocateOptions,
  ArmExplanation,
  Batch,
  Binding,
  BinomialAdstock,
  Budgets,
  Check,
  Coupling,
  CouplingRow,
  DelayedAdstock,
  ErrorDetails,
  Explanation,
  ExponentialParameters,
  FrontierChange,
  GeometricAdstock,
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
  NumberPerCell,
  NumberPerPeriod,
  Numbers,
  Parameters,
  PlanObject,
  Positions,
  PowerParameters,
  PymcMarketingModel,
  RobynModel,
  ScheduleOptions,
  ShareSpread,
  TabulatedParameters,
  TanhParameters,
  Uncertainty,
  UncertaintyOptions,
  Verification,
  WeibullAdstock,
} from './index'

/** What a plan maximises. */
export type Objective = NonNullable<AllocateOptions['objective']>

/** What a plan must reach. */
export type Target = NonNullable<AllocateOptions['target']>

/** A measure of the outcomes over draws, in place of their mean. */
export type Risk = NonNullable<AllocateOptions['risk']>

/** The options of a frontier: those of an allocation, with many budgets in the place of one. */
export type FrontierOptions = Omit<AllocateOptions, 'budget'> & Budgets

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

/** The options of a frontier off the event loop. */
export type FrontierAsyncOptions = FrontierOptions & Pick<AllocateAsyncOptions, 'signal'>

/** `frontier` off the event loop; rejected as `allocateAsync` is. */
export declare function frontierAsync(
  curves: ResponseCurves,
  options: FrontierAsyncOptions,
  signal?: AbortSignal,
): Promise<Frontier>

/** The options of a schedule off the event loop. */
export interface ScheduleAsyncOptions extends ScheduleOptions {
  /** Stops the search; the promise is then rejected with an `AbortError`. */
  signal?: AbortSignal
}

/** `schedule` off the event loop; rejected as `allocateAsync` is. */
export declare function scheduleAsync(
  curves: ResponseCurves,
  options: ScheduleAsyncOptions,
  signal?: AbortSignal,
): Promise<SchedulePlan>
