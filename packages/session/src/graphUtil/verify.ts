/** Runs two forms of a graph on the same values and compares: what frees from believing that a pass is right. */
import {
  Graph,
  graphPasses,
  importGraphDef,
  InternalError,
  InvalidArgumentError,
  sizeOf,
  TensorValue,
  toTensorValue,
  type Operation,
  type proto,
  type Tensor,
  type ValueLike,
} from '@forerun/graph';
import { Session } from '../session.js';

type GraphDef = proto.Init<proto.GraphDef>;

export interface VerifyOptions {
  /** Values by the names of placeholders; others get seeded noise in the placeholder's shape. */
  readonly feeds?: Readonly<Record<string, ValueLike>> | undefined;
  /** Compares by running both graphs. Default true. */
  readonly verify?: boolean | undefined;
}

/** Outputs of one graph for given feeds, as the yardstick of others. */
export interface Measured {
  readonly outputs: readonly string[];
  readonly feeds: ReadonlyMap<string, TensorValue>;
  readonly values: readonly TensorValue[];
}

/** Size of dimensions that are not known, but for the first, which is that of the batch. */
const UNKNOWN_SIZE = 16;
const UNKNOWN_BATCH = 2;

/** The name of the tensor that an output's name means. */
export function tensorName(output: string): string {
  return output.includes(':') ? output : `${output}:0`;
}

/** Runs `outputs` of a graph in a session of its own. Throws `InvalidArgumentError` asking for feeds that cannot be made up. */
export async function measure(
  graphDef: GraphDef,
  outputs: readonly string[],
  feeds: Readonly<Record<string, ValueLike>> = {},
): Promise<Measured> {
  const graph = graphOf(graphDef);
  const given = completeFeeds(graph, outputs, feeds);
  return { outputs, feeds: given, values: await runOnce(graph, outputs, given) };
}

export function graphOf(graphDef: GraphDef): Graph {
  const graph = new Graph();
  importGraphDef(graphDef, { graph, name: '' });
  return graph;
}

async function runOnce(
  graph: Graph,
  outputs: readonly string[],
  feeds: ReadonlyMap<string, TensorValue>,
): Promise<TensorValue[]> {
  const sess = await Session.create({ graph, config: { onPrint: () => undefined } });
  try {
    return await fetchAll(sess, outputs, feeds);
  } finally {
    sess.close();
  }
}

/** Runs `outputs` in a session that is there. */
export async function fetchAll(
  sess: Session,
  outputs: readonly string[],
  feeds: ReadonlyMap<string, TensorValue>,
): Promise<TensorValue[]> {
  const values = await sess.run(outputs.map(tensorName), Object.fromEntries(feeds));
  return values.map((value, i) => {
    if (value === undefined) throw new InternalError(`"${outputs[i] ?? ''}" has no value`);
    return value;
  });
}

/** `feeds` and noise for the other placeholders that the outputs need. */
export function completeFeeds(
  graph: Graph,
  outputs: readonly string[],
  feeds: Readonly<Record<string, ValueLike>>,
): Map<string, TensorValue> {
  const complete = new Map<string, TensorValue>();
  for (const [name, value] of Object.entries(feeds)) {
    const tensor = graph.getTensorByName(tensorName(name));
    complete.set(tensor.name, value instanceof TensorValue ? value : toTensorValue(value, tensor.dtype));
  }
  for (const op of neededBy(graph, outputs, complete)) {
    const value = op.outputs[0];
    if (value === undefined || op.type !== 'Placeholder' || complete.has(value.name)) continue;
    complete.set(value.name, noise(value, complete.size + 1));
  }
  return complete;
}

function neededBy(
  graph: Graph,
  outputs: readonly string[],
  fed: ReadonlyMap<string, TensorValue>,
): Set<Operation> {
  const needed = new Set<Operation>();
  const stack = outputs.map((output) => graph.getTensorByName(tensorName(output)).op);
  for (let op = stack.pop(); op !== undefined; op = stack.pop()) {
    if (needed.has(op)) continue;
    needed.add(op);
    for (const input of op.inputs) if (!fed.has(input.name)) stack.push(input.op);
    stack.push(...op.controlInputs);
  }
  return needed;
}

const WORDS = ['the', 'a', 'word', 'text', 'model', 'one', 'two', '7', 'graph', 'Hello,'];

/** Values that depend on the seed alone: between -1 and 1, small whole numbers, either truth value, or a few words. */
function noise({ name, dtype, shape }: Tensor, seed: number): TensorValue {
  const { dims } = shape;
  if (dims === null) {
    throw new InvalidArgumentError(
      `the placeholder "${name}" (${dtype} ${shape.toString()}) has no value to compare the graphs with: give one in "feeds", or do without by verify: false`,
    );
  }
  const sizes = dims.map((dim, axis) => dim ?? (axis === 0 ? UNKNOWN_BATCH : UNKNOWN_SIZE));
  let state = (seed * 2654435761) >>> 0 || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  const draw = (): number | boolean | string => {
    if (dtype === 'string') {
      const word = (): string => WORDS[Math.floor(WORDS.length * next())] ?? '';
      return Array.from({ length: Math.floor(4 * next()) }, word).join(' ');
    }
    if (dtype === 'bool') return next() < 0.5;
    return dtype.startsWith('float') ? 2 * next() - 1 : Math.floor(4 * next());
  };
  return toTensorValue(Array.from({ length: sizeOf(sizes) }, draw), dtype, sizes);
}

/** The largest difference of an output of `graphDef`, as a fraction of that output's largest value. */
export async function difference(graphDef: GraphDef, { outputs, feeds, values }: Measured): Promise<number> {
  const graph = graphOf(graphDef);
  const given = new Map(
    [...feeds].filter(([name]) => graph.findOperation(graphPasses.nodeNameOf(name)) !== undefined),
  );
  const results = await runOnce(graph, outputs, given);
  return Math.max(0, ...results.map((result, i) => relative(result, values[i])));
}

/** As `difference`, for values: infinite where shapes or dtypes differ. */
export function relative(a: TensorValue, b: TensorValue | undefined): number {
  if (b === undefined) return Infinity;
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return Infinity;
  let [largest, worst] = [0, 0];
  for (let i = 0; i < b.data.length; i++) {
    const [x, y] = [a.data[i], b.data[i]];
    if (typeof x === 'number' && typeof y === 'number') {
      if (Object.is(x, y) || x === y) largest = Math.max(largest, Number.isFinite(y) ? Math.abs(y) : 0);
      else if (!Number.isFinite(x) || !Number.isFinite(y)) return Infinity;
      else [largest, worst] = [Math.max(largest, Math.abs(y)), Math.max(worst, Math.abs(x - y))];
    } else if (String(x) !== String(y)) return Infinity;
  }
  return worst === 0 ? 0 : worst / Math.max(largest, Number.MIN_VALUE);
}
