import type {
  AllocateOptions,
  Batch,
  Budgets,
  Comparison,
  ErrorDetails,
  FitOptions,
  Frontier,
  History,
  Numbers,
  Plan,
  Positions,
  ResponseCurves,
  ResponseModel,
  ResponseModelSettings,
  ScheduleOptions,
  SchedulePlan,
} from './index'

export {
  Adstock,
  allocate,
  allocateBatch,
  FittedModel,
  Frontier,
  frontier,
  Market,
  Outcome,
  Plan,
  ResponseCurves,
  ResponseModel,
  schedule,
  SchedulePlan,
} from './index'
export type {
  AllocateOptions,
  ArmExplanation,
  Auction,
  Baseline,
  Batch,
  Binding,
  BinomialAdstock,
  BudgetChange,
  Budgets,
  ChannelSummary,
  Check,
  Comparison,
  Component,
  CountNoise,
  Coupling,
  CouplingRow,
  Decomposition,
  DelayedAdstock,
  Diagnostics,
  ErrorDetails,
  Explanation,
  ExponentialParameters,
  FitOptions,
  FitQuality,
  Flighting,
  Forecast,
  FrontierChange,
  Future,
  GaussianNoise,
  GeometricAdstock,
  Group,
  HillParameters,
  HillSigmoidParameters,
  History,
  HistoryRows,
  Holdout,
  Interval,
  Intervention,
  Learning,
  LiftTest,
  LightweightMmmModel,
  Limit,
  LinearParameters,
  LogarithmicParameters,
  LogisticParameters,
  MarketAdstock,
  MarketBaseline,
  MarketChannel,
  MarketControl,
  MarketGroup,
  MarketNoise,
  MarketSettings,
  MarketTruth,
  MediaEffect,
  MeridianModel,
  MichaelisMentenParameters,
  NumberPerArm,
  NumberPerCell,
  NumberPerPeriod,
  Numbers,
  Parameters,
  ParameterSummary,
  PlanObject,
  Pool,
  Positions,
  PowerParameters,
  PredictiveCheck,
  Prior,
  Promotion,
  PymcMarketingModel,
  Replay,
  ResponseModelSettings,
  RoasTest,
  RobynModel,
  ScheduleOptions,
  ShareSpread,
  Simulation,
  SpendProcess,
  Spends,
  Summary,
  TabulatedParameters,
  TanhParameters,
  TrueEffect,
  Uncertainty,
  UncertaintyOptions,
  Verification,
  Warning,
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

/** How a channel's response saturates. */
export type Saturation = Exclude<NonNullable<ResponseModelSettings['curve']>, readonly unknown[]>

/** How a channel's spends carry over. */
export type AdstockKind = Exclude<NonNullable<ResponseModelSettings['adstock']>, readonly unknown[]>

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
  | 'interrupted'
  | 'unfittable'

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

/** The options of a fit off the event loop. */
export interface FitAsyncOptions extends FitOptions {
  /** Stops the fit; the promise is then rejected with an `AbortError`. */
  signal?: AbortSignal
  /** Hears now and then which share is done, from 0 to 1. What it throws ends the fit. */
  progress?: (share: number) => void
}

declare module './index' {
  namespace ResponseModel {
    /** `compare` off the event loop, as `fitAsync`. */
    function compareAsync(
      models: Record<string, ResponseModel>,
      history: History,
      periods: number,
      options?: FitAsyncOptions | null,
      signal?: AbortSignal,
    ): Promise<Array<Comparison>>
  }
}
