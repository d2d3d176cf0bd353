/**
 * Compares gradient graphs with finite differences, both computed in float64 by the references. One
 * random direction is enough: its cost does not depend on the number of elements.
 */
import {
  IndexedSlices,
  TensorShape,
  TensorValue,
  gradients,
  isFloating,
  sizeOf,
  withGraphOf,
  type Gradient,
  type HostValue,
  type Tensor,
} from '@forerun/graph';
import { interpret, type Variables } from './interpret.js';
import { constantNode, makeNode, placeholderNode } from './nodes.js';
import { Random } from './random.js';
import type { AttrInputs, Graph } from '@forerun/graph';

/** Relative step of the differences; the truncation error of the formula goes with its fourth power. */
const STEP = 1e-3;
const RTOL = 1e-6;
const ATOL = 1e-9;

export interface CheckGradOptions {
  /** Values of placeholders that are not differentiated. */
  readonly feeds?: ReadonlyMap<Tensor, HostValue>;
  readonly seed?: number;
  /** 2 (default) checks the gradient's own gradient too. */
  readonly order?: 1 | 2;
  readonly label?: string;
}

/**
 * Throws unless `gradients(ys, xs)` agrees with central differences along one random direction, and
 * (order 2) unless the gradient of a random projection of these gradients does, with respect to `xs`
 * and to the gradients flowing in. `xs` maps placeholders to the point of evaluation, handles of variables to their
 * values. A gradient of `null` counts as zero.
 */
export function checkGrad(
  ys: readonly Tensor[],
  xs: ReadonlyMap<Tensor, HostValue>,
  { feeds = new Map<Tensor, HostValue>(), seed = 1, order = 2, label = 'gradient' }: CheckGradOptions = {},
): void {
  const random = new Random(seed);
  const [first] = ys;
  if (first === undefined) throw new Error(`${label}: there is nothing to differentiate`);
  withGraphOf(first, () => {
    const graph = first.graph;
    const shapes = evaluate(ys, new Map([...feeds, ...xs])).map((value) => value.shape);
    const points = new Map(xs);
    const weights = ys.map((y, i) => {
      const shape = shapes[i] ?? [];
      const weight = placeholderNode(graph, y.dtype, new TensorShape(shape));
      points.set(weight, { dtype: y.dtype, shape, data: random.array(sizeOf(shape), 0.5, 1.5) });
      return weight;
    });
    const inputs = [...xs.keys()];
    const gradient = gradientTensors(ys, inputs, weights);
    compare(`${label}, first order`, { ys, weights, xs: inputs, gradient, points, feeds, random });
    if (order === 1) return;
    const pairs = gradient.flatMap((g) =>
      g === null ? [] : [{ g, projection: projection(graph, g, points, feeds, random) }],
    );
    if (pairs.length === 0) return;
    const all = [...inputs, ...weights];
    const outer = pairs.map(({ g }) => g);
    const outerWeights = pairs.map(({ projection: p }) => p);
    const second = gradientTensors(outer, all, outerWeights);
    compare(`${label}, second order`, {
      ys: outer,
      weights: outerWeights,
      xs: all,
      gradient: second,
      points,
      feeds,
      random,
    });
  });
}

/** The gradients as tensors, also those for handles of which only rows are read. */
function gradientTensors(
  ys: readonly Tensor[],
  xs: readonly Tensor[],
  gradYs: readonly Tensor[],
): (Tensor | null)[] {
  const found: readonly Gradient[] = gradients(ys, xs, { gradYs });
  return found.map((dx) => (dx instanceof IndexedSlices ? dx.asTensor() : dx));
}

/** Values of `fetches`; a point of a handle is the value of its variable. */
function evaluate(fetches: readonly Tensor[], points: ReadonlyMap<Tensor, HostValue>): HostValue[] {
  const isHandle = ([x]: readonly [Tensor, HostValue]): boolean => x.dtype === 'resource';
  const entries: [Tensor, HostValue][] = [];
  const variables: Variables = new Map();
  for (const entry of points) {
    if (isHandle(entry)) variables.set(entry[0].op, entry[1]);
    else entries.push(entry);
  }
  return interpret(fetches, new Map(entries), { variables });
}

/** A constant of the gradient's shape with random elements. */
function projection(
  graph: Graph,
  g: Tensor,
  points: ReadonlyMap<Tensor, HostValue>,
  feeds: ReadonlyMap<Tensor, HostValue>,
  random: Random,
): Tensor {
  const shape = evaluate([g], new Map([...feeds, ...points]))[0]?.shape ?? [];
  const data = Float32Array.from(random.array(sizeOf(shape), 0.5, 1.5));
  return constantNode(graph, new TensorValue('float32', shape, data));
}

interface Comparison {
  readonly ys: readonly Tensor[];
  readonly weights: readonly Tensor[];
  readonly xs: readonly Tensor[];
  readonly gradient: readonly (Tensor | null)[];
  readonly points: ReadonlyMap<Tensor, HostValue>;
  readonly feeds: ReadonlyMap<Tensor, HostValue>;
  readonly random: Random;
}

function compare(label: string, { ys, weights, xs, gradient, points, feeds, random }: Comparison): void {
  const directions = new Map(
    xs.map((x) => {
      const data = points.get(x)?.data ?? new Float64Array();
      return [
        x,
        data.map((v) => random.uniform(0.5, 1.5) * (random.next() < 0.5 ? -1 : 1) * stepScale(v)),
      ] as const;
    }),
  );
  const defined = gradient.filter((g) => g !== null);
  const values = evaluate(defined, new Map([...feeds, ...points]));
  let analytic = 0;
  let magnitude = 0;
  xs.forEach((x, i) => {
    const g = gradient[i] ?? null;
    const point = points.get(x);
    if (g === null || point === undefined) return;
    const value = values[defined.indexOf(g)];
    if (value?.shape.join() !== point.shape.join()) {
      throw new Error(
        `${label}: the gradient of input ${i} has shape [${String(value?.shape)}], not [${String(point.shape)}]`,
      );
    }
    value.data.forEach((d, k) => {
      const term = d * (directions.get(x)?.[k] ?? 0);
      analytic += term;
      magnitude += Math.abs(term);
    });
  });
  const loss = (step: number): number => projected(ys, weights, points, directions, feeds, step);
  const numeric = (8 * (loss(STEP) - loss(-STEP)) - (loss(2 * STEP) - loss(-2 * STEP))) / (12 * STEP);
  const rounding = (Math.abs(loss(0)) * 2 ** -50) / STEP;
  if (!(Math.abs(numeric - analytic) <= ATOL + rounding + RTOL * Math.max(Math.abs(numeric), magnitude))) {
    throw new Error(
      `${label}: the gradient graph gives ${analytic} along a direction, differences give ${numeric}`,
    );
  }
}

/** Small elements move in proportion to their size, so that they do not cross zero or a domain's end. */
function stepScale(value: number): number {
  return value === 0 ? 1 : Math.min(1, Math.abs(value));
}

/** sum(ys * weights) at `points + step * directions`. */
function projected(
  ys: readonly Tensor[],
  weights: readonly Tensor[],
  points: ReadonlyMap<Tensor, HostValue>,
  directions: ReadonlyMap<Tensor, Float64Array>,
  feeds: ReadonlyMap<Tensor, HostValue>,
  step: number,
): number {
  const moved = new Map<Tensor, HostValue>(feeds);
  for (const [x, value] of points) {
    const direction = directions.get(x);
    const data = value.data.map((v, k) => v + step * (direction?.[k] ?? 0));
    moved.set(x, { ...value, data });
  }
  const results = evaluate([...ys, ...weights], moved);
  let sum = 0;
  ys.forEach((_, i) => {
    const weight = results[ys.length + i];
    results[i]?.data.forEach((v, k) => (sum += v * (weight?.data[k] ?? 0)));
  });
  return sum;
}

/** `checkGrad` for one op at the given inputs: all float inputs and outputs, unless positions are given. */
export function checkOpGrad(
  type: string,
  inputs: readonly HostValue[],
  attrs: AttrInputs,
  {
    inputPositions,
    outputPositions,
    ...options
  }: {
    inputPositions?: readonly number[] | undefined;
    outputPositions?: readonly number[] | undefined;
  } & Omit<CheckGradOptions, 'feeds'> = {},
): void {
  const isFloat = (i: number): boolean => isFloating(inputs[i]?.dtype ?? 'int32');
  const differentiated = inputPositions ?? inputs.flatMap((_, i) => (isFloat(i) ? [i] : []));
  const node = makeNode(type, inputs, attrs, (i) => (differentiated.includes(i) ? 'placeholder' : 'const'));
  const ys = node.outputs.filter((y, i) => isFloating(y.dtype) && (outputPositions?.includes(i) ?? true));
  const xs = new Map<Tensor, HostValue>();
  for (const i of differentiated) {
    const [tensor, value] = [node.inputs[i], inputs[i]];
    if (tensor !== undefined && value !== undefined) xs.set(tensor, value);
  }
  if (ys.length > 0 && xs.size > 0) checkGrad(ys, xs, options);
}
