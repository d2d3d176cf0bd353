/**
 * L-BFGS with a line search for the strong Wolfe conditions, on plain numbers: algorithms 7.4, 3.5 and 3.6 of Nocedal
 * and Wright, Numerical Optimization (2nd edition). It knows nothing of graphs; the function may be asynchronous.
 */

/** A function's value and gradient at a point. */
export interface Evaluated {
  readonly value: number;
  readonly gradient: Float64Array;
}

export type Evaluate = (x: Float64Array) => Promise<Evaluated>;

export interface LbfgsOptions {
  /** Default 15000. */
  readonly maxIterations: number;
  /** Stop when no component of the (projected) gradient is larger. */
  readonly gradientTolerance: number;
  /** Stop when an iteration lowers the value by less than this share of it. */
  readonly valueTolerance: number;
  /** Pairs of steps and gradient changes that stand for the Hessian. */
  readonly memory: number;
  /** Bounds of each component; infinite ones are none. */
  readonly bounds: { readonly low: Float64Array; readonly high: Float64Array } | null;
  /** Called after each iteration. */
  readonly onStep: (x: Float64Array) => void;
}

export interface LbfgsResult {
  readonly x: Float64Array;
  readonly value: number;
  readonly iterations: number;
  readonly evaluations: number;
  /** Why it ended. */
  readonly message: string;
}

interface Point extends Evaluated {
  readonly x: Float64Array;
}

interface Pair {
  readonly s: Float64Array;
  readonly y: Float64Array;
  readonly rho: number;
}

const SUFFICIENT = 1e-4;
const CURVATURE = 0.9;
const MAX_TRIALS = 40;

/** Minimizes a function from `start` on. A value that is not finite counts as too large. */
export async function lbfgs(
  evaluate: Evaluate,
  start: Float64Array,
  options: LbfgsOptions,
): Promise<LbfgsResult> {
  let evaluations = 0;
  const at = async (x: Float64Array): Promise<Point> => {
    evaluations++;
    const { value, gradient } = await evaluate(x);
    return { x, value: Number.isFinite(value) ? value : Infinity, gradient };
  };
  const { bounds } = options;
  let point = await at(projected(start, bounds));
  let pairs: Pair[] = [];
  const end = (iterations: number, message: string): LbfgsResult => ({
    x: point.x,
    value: point.value,
    iterations,
    evaluations,
    message,
  });
  for (let iteration = 0; ; iteration++) {
    if (largest(freeGradient(point, bounds)) <= options.gradientTolerance)
      return end(iteration, 'the gradient is as small as asked for');
    if (iteration >= options.maxIterations) return end(iteration, 'the limit of iterations is reached');
    const next = (await search(at, point, pairs, bounds)) ?? (await search(at, point, (pairs = []), bounds));
    if (next === null) return end(iteration, 'no step along the gradient lowers the value');
    const gain = point.value - next.value;
    const scale = Math.max(Math.abs(point.value), Math.abs(next.value), 1);
    pairs = remember(pairs, point, next, options.memory);
    point = next;
    options.onStep(point.x);
    if (gain <= options.valueTolerance * scale) return end(iteration + 1, 'the value hardly falls any more');
  }
}

/** A better point along the quasi-Newton direction, or `null`. */
async function search(
  at: (x: Float64Array) => Promise<Point>,
  from: Point,
  pairs: readonly Pair[],
  bounds: LbfgsOptions['bounds'],
): Promise<Point | null> {
  const gradient = freeGradient(from, bounds);
  const direction = twoLoops(gradient, pairs).map((d, i) => (gradient[i] === 0 ? 0 : -d));
  if (dot(direction, gradient) >= 0) return null;
  const first = pairs.length === 0 ? Math.min(1, 1 / Math.sqrt(dot(gradient, gradient))) : 1;
  return bounds === null ? wolfe(at, from, direction, first) : backtrack(at, from, direction, first, bounds);
}

/** Algorithm 7.4: the inverse Hessian that the pairs stand for, times `gradient`. */
function twoLoops(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  const q = Float64Array.from(gradient);
  const alphas: number[] = [];
  for (const { s, y, rho } of [...pairs].reverse()) {
    const alpha = rho * dot(s, q);
    alphas.push(alpha);
    addScaled(q, y, -alpha);
  }
  const last = pairs.at(-1);
  if (last !== undefined) {
    const scale = dot(last.s, last.y) / dot(last.y, last.y);
    q.forEach((value, i) => (q[i] = value * scale));
  }
  for (const { s, y, rho } of pairs) {
    const alpha = alphas.pop() ?? 0;
    addScaled(q, s, alpha - rho * dot(y, q));
  }
  return q;
}

/** A step length with the point that it leads to and the slope there. */
interface Trial {
  readonly length: number;
  readonly point: Point;
  readonly slope: number;
}

/** Algorithm 3.5: step lengths grow until a bracket holds one that fulfils the strong Wolfe conditions. */
async function wolfe(
  at: (x: Float64Array) => Promise<Point>,
  from: Point,
  direction: Float64Array,
  first: number,
): Promise<Point | null> {
  const slope0 = dot(from.gradient, direction);
  const trial = async (length: number): Promise<Trial> => {
    const x = Float64Array.from(from.x);
    addScaled(x, direction, length);
    const point = await at(x);
    return { length, point, slope: dot(point.gradient, direction) };
  };
  const falls = ({ length, point }: Trial): boolean =>
    point.value <= from.value + SUFFICIENT * length * slope0;
  const flat = ({ slope }: Trial): boolean => Math.abs(slope) <= -CURVATURE * slope0;
  const zoom = (low: Trial, high: Trial): Promise<Point | null> => narrow(trial, { low, high }, falls, flat);
  let before: Trial = { length: 0, point: from, slope: slope0 };
  let length = first;
  for (let i = 0; i < MAX_TRIALS; i++) {
    const now = await trial(length);
    if (!falls(now) || (i > 0 && now.point.value >= before.point.value)) return zoom(before, now);
    if (flat(now)) return now.point;
    if (now.slope >= 0) return zoom(now, before);
    before = now;
    length *= 2;
  }
  return before.point;
}

/** Algorithm 3.6: narrows a bracket, by cubic interpolation where it is safe. */
async function narrow(
  trial: (length: number) => Promise<Trial>,
  bracket: { low: Trial; high: Trial },
  falls: (trial: Trial) => boolean,
  flat: (trial: Trial) => boolean,
): Promise<Point | null> {
  let { low, high } = bracket;
  for (let i = 0; i < MAX_TRIALS; i++) {
    const now = await trial(between(low, high));
    if (!falls(now) || now.point.value >= low.point.value) {
      high = now;
      continue;
    }
    if (flat(now)) return now.point;
    if (now.slope * (high.length - low.length) >= 0) high = low;
    low = now;
  }
  return low.length > 0 ? low.point : null;
}

/** The minimizer of the cubic through both ends, or the middle where that lies near an end or outside. */
function between(low: Trial, high: Trial): number {
  const [a, b] = [low.length, high.length];
  const middle = (a + b) / 2;
  const d1 = low.slope + high.slope - (3 * (low.point.value - high.point.value)) / (a - b);
  const d2 = Math.sign(b - a) * Math.sqrt(d1 * d1 - low.slope * high.slope);
  const cubic = b - ((b - a) * (high.slope + d2 - d1)) / (high.slope - low.slope + 2 * d2);
  const margin = 0.1 * Math.abs(b - a);
  const inside = cubic > Math.min(a, b) + margin && cubic < Math.max(a, b) - margin;
  return inside ? cubic : middle;
}

/** Along the path that bends at the bounds: halves the step until the value falls enough. */
async function backtrack(
  at: (x: Float64Array) => Promise<Point>,
  from: Point,
  direction: Float64Array,
  first: number,
  bounds: NonNullable<LbfgsOptions['bounds']>,
): Promise<Point | null> {
  let length = first;
  for (let i = 0; i < MAX_TRIALS; i++) {
    const x = Float64Array.from(from.x);
    addScaled(x, direction, length);
    const point = await at(projected(x, bounds));
    const moved = point.x.map((value, k) => value - (from.x[k] ?? 0));
    const expected = dot(from.gradient, moved);
    if (expected < 0 && point.value <= from.value + SUFFICIENT * expected) return point;
    length /= 2;
  }
  return null;
}

/** Pairs with positive curvature are kept, the newest `memory`. */
function remember(pairs: readonly Pair[], from: Point, to: Point, memory: number): Pair[] {
  const s = to.x.map((value, i) => value - (from.x[i] ?? 0));
  const y = to.gradient.map((value, i) => value - (from.gradient[i] ?? 0));
  const curvature = dot(s, y);
  if (!(curvature > 1e-10 * Math.sqrt(dot(s, s) * dot(y, y)))) return [...pairs];
  return [...pairs, { s, y, rho: 1 / curvature }].slice(-memory);
}

function projected(x: Float64Array, bounds: LbfgsOptions['bounds']): Float64Array {
  if (bounds === null) return x;
  return x.map((value, i) =>
    Math.min(Math.max(value, bounds.low[i] ?? -Infinity), bounds.high[i] ?? Infinity),
  );
}

/** The gradient without the components that push against a bound that is reached. */
function freeGradient({ x, gradient }: Point, bounds: LbfgsOptions['bounds']): Float64Array {
  if (bounds === null) return gradient;
  return gradient.map((g, i) => {
    const value = x[i] ?? 0;
    const held =
      (g > 0 && value <= (bounds.low[i] ?? -Infinity)) || (g < 0 && value >= (bounds.high[i] ?? Infinity));
    return held ? 0 : g;
  });
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
}

function addScaled(x: Float64Array, y: Float64Array, scale: number): void {
  y.forEach((value, i) => (x[i] = (x[i] ?? 0) + scale * value));
}

function largest(x: Float64Array): number {
  return x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}
