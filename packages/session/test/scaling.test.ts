/**
 * The compiler's work grows linearly with the graph. Work is counted, not timed: accesses to maps and sets, which
 * is how all stages remember things, while a stage runs on graphs of one, two and four sizes.
 */
import * as fr from '@forerun/graph';
import { insertCopies } from '../src/compiler/copies.js';
import { fuse } from '../src/compiler/fuse.js';
import { fuseUnits } from '../src/compiler/fusion/index.js';
import { bindUnits, lower } from '../src/compiler/lower.js';
import { planMemory } from '../src/compiler/memory.js';
import { pruneGraph } from '../src/compiler/prune.js';
import { prune } from '../src/compiler/rebuild.js';
import { schedule } from '../src/compiler/schedule.js';
import { simplify } from '../src/compiler/simplify.js';
import { specialize } from '../src/compiler/specialize.js';
import { FACTS } from './support/adapterFacts.js';

interface Request {
  readonly fetches: readonly fr.Tensor[];
  readonly targets: readonly fr.Operation[];
}

const COUNTED = [
  [Map.prototype, ['get', 'set', 'has']],
  [Set.prototype, ['add', 'has']],
] as const;

/** Calls of the counted methods while `work` runs. */
function count<T>(work: () => T): { result: T; calls: number } {
  let calls = 0;
  const restore = COUNTED.flatMap(([prototype, names]) =>
    names.map((name) => {
      const table = prototype as unknown as Record<string, (...args: unknown[]) => unknown>;
      const original = table[name];
      if (original === undefined) throw new Error(`there is no method ${name}`);
      table[name] = function counted(this: unknown, ...args: unknown[]): unknown {
        calls++;
        return original.apply(this, args);
      };
      return () => (table[name] = original);
    }),
  );
  try {
    return { result: work(), calls };
  } finally {
    restore.forEach((undo) => undo());
  }
}

/** Calls per stage for one request. */
function stages({ fetches, targets }: Request): Record<string, number> {
  const calls: Record<string, number> = {};
  const stage = <T>(name: string, work: () => T): T => {
    const counted = count(work);
    calls[name] = counted.calls;
    return counted.result;
  };
  const pruned = stage('prune', () => pruneGraph(fetches, targets, new Map()));
  const { program: exact, host } = stage('specialize', () => specialize(pruned, []));
  const { program } = stage('simplify', () => simplify(prune(exact), host, {}));
  const units = stage('fuse', () => fuse(program, host, FACTS.maxBindings, true));
  const open = stage('lower', () => lower(units, host, FACTS));
  const options = { host, adapter: FACTS, switches: {} };
  const fused = stage('join', () => fuseUnits(open, program, options)).units;
  const lowered = stage('bind', () => bindUnits(fused, FACTS));
  const scheduled = stage('schedule', () => insertCopies(schedule(lowered, program), FACTS));
  stage('memory', () => planMemory(program, scheduled));
  return calls;
}

/** Products, biases and activations with a skip connection now and then. */
function layered(layers: number): Request {
  const weights = fr.constant(new Float32Array(16).fill(0.1), { shape: [4, 4] });
  let x = fr.fill([4, 4], 0.5);
  let skip = x;
  for (let i = 0; i < layers; i++) {
    x = fr.tanh(fr.biasAdd(fr.matMul(x, weights), fr.constant([1, 2, 3, 4])));
    if (i % 8 !== 7) continue;
    x = fr.add(fr.transpose(x), skip);
    skip = x;
  }
  return { fetches: [x], targets: [] };
}

/** Layers with a variable each, their gradients, and an update of every variable. */
function trained(layers: number): Request {
  const variables: fr.Variable[] = [];
  let x = fr.fill([4, 4], 0.5);
  for (let i = 0; i < layers; i++) {
    const weights = new fr.Variable(fr.zeros([4, 4]));
    variables.push(weights);
    x = fr.tanh(fr.matMul(x, weights));
  }
  const loss = fr.reduceSum(x);
  const gradients = fr.gradients([loss], variables);
  const targets = variables.map((variable, i) => {
    const gradient = gradients[i];
    if (gradient instanceof fr.Tensor) return variable.assignSub(fr.mul(gradient, 0.1)).op;
    throw new Error('a variable has no dense gradient');
  });
  return { fetches: [loss], targets };
}

/** One variable, read and updated again and again, each after the one before. */
function updated(times: number): Request {
  const variable = new fr.Variable(fr.zeros([4]));
  let last: fr.Operation | null = null;
  const reads: fr.Tensor[] = [];
  for (let i = 0; i < times; i++) {
    last = fr.controlDependencies(last === null ? [] : [last], () => {
      const read = variable.readValue();
      reads.push(fr.matMul(fr.reshape(read, [2, 2]), fr.ones([2, 2])));
      return fr.controlDependencies([read], () => variable.assignAdd(fr.ones([4])).op);
    });
  }
  return { fetches: [fr.addN(reads.slice(-2))], targets: last === null ? [] : [last] };
}

describe.each([
  ['layers', layered, 24],
  ['training', trained, 12],
  ['updates of one variable', updated, 12],
])('%s', (_, build, size) => {
  test('twice the nodes are at most little more than twice the work, in every stage', () => {
    const [base, double, quadruple] = [size, 2 * size, 4 * size].map((count) =>
      new fr.Graph().asDefault(() => stages(build(count))),
    );
    for (const [stage, calls] of Object.entries(base ?? {})) {
      const [twice = NaN, fourTimes = NaN] = [double?.[stage], quadruple?.[stage]];
      expect(`${stage}: ${(twice / calls).toFixed(2)} ${twice <= 2.2 * calls + 100}`).toMatch(/true$/);
      expect(`${stage}: ${(fourTimes / calls).toFixed(2)} ${fourTimes <= 4.6 * calls + 200}`).toMatch(
        /true$/,
      );
    }
  });
});
