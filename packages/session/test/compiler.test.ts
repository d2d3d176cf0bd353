/** The compiler's stages one by one, without a device. */
import * as fr from '@forerun/graph';
import { Heap } from '../src/compiler/heap.js';
import { lower } from '../src/compiler/lower.js';
import { pruneGraph } from '../src/compiler/prune.js';
import { storageOf } from '../src/compiler/storage.js';
import { FACTS } from './support/adapterFacts.js';
import { compileStages, types, zeros } from './support/compileStages.js';

beforeEach(() => fr.resetDefaultGraph());

describe('prune', () => {
  test('keeps what the fetch needs and stops at feeds', () => {
    const x = fr.placeholder('float32', [2]);
    const y = fr.exp(fr.sqrt(x));
    fr.neg(x);
    const pruned = pruneGraph([y], [], new Map([[x, 0]]));
    expect(pruned.operations.map((op) => op.type)).toEqual(['Sqrt', 'Exp']);
    const inner = y.op.inputs[0];
    if (inner === undefined) throw new Error('Exp has an input');
    expect(pruneGraph([y], [], new Map([[inner, 0]])).operations.map((op) => op.type)).toEqual(['Exp']);
  });

  test('names every unfed placeholder', () => {
    const a = fr.placeholder('float32', [2], { name: 'a' });
    const b = fr.placeholder('int32', null, { name: 'b' });
    expect(() => pruneGraph([a, b], [], new Map())).toThrow(
      /placeholders that are not fed: "a" \(float32 \[2\]\) \(created at compiler\.test\.ts:\d+\), "b" \(int32 <unknown>\)/,
    );
  });

  test('lists all unsupported ops at once', () => {
    const graph = fr.getDefaultGraph();
    const make = (name: string): fr.Tensor =>
      graph.createOp({ type: 'NoSuchOp', name, outputDTypes: ['float32'] }).output(0);
    expect(() => pruneGraph([make('u'), make('v')], [], new Map())).toThrow(
      /2 ops that cannot run:\n {2}NoSuchOp "u": .*\n {2}NoSuchOp "v"/,
    );
  });

  test('names the nodes of a cycle', () => {
    const x = fr.placeholder('float32', [2], { name: 'x' });
    const a = fr.identity(x, { name: 'a' });
    const b = fr.identity(a, { name: 'b' });
    a.op.replaceInput(0, b);
    expect(() => pruneGraph([b], [], new Map([[x, 0]]))).toThrow(/cycle: .*"a".*"b"|cycle: .*"b".*"a"/);
  });

  test('handles deep graphs without recursion', () => {
    let x = fr.placeholder('float32', [2]);
    const first = x;
    for (let i = 0; i < 20_000; i++) x = fr.identity(x);
    expect(pruneGraph([x], [], new Map([[first, 0]])).operations).toHaveLength(20_000);
  });
});

describe('specialize', () => {
  test('gives every value a static shape from the feeds', () => {
    const x = fr.placeholder('float32', [null, 4]);
    const flat = fr.reshape(x, fr.stack([fr.reshape(fr.slice(fr.shape(x), [0], [1]), []), -1]));
    const { program } = compileStages([flat], { feeds: new Map([[x, zeros(3, 4)]]) });
    expect(program.fetches[0]?.shape).toEqual([3, 4]);
    expect(types(program)).toEqual(['Placeholder']);
  });

  test('uses the elements of a fed shape, and says so', () => {
    const x = fr.placeholder('float32', [null]);
    const s = fr.placeholder('int32', [2]);
    const fed = new Map([
      [x, zeros(6)],
      [s, new fr.TensorValue('int32', [2], Int32Array.of(2, 3))],
    ]);
    const { program, host } = compileStages([fr.reshape(x, s)], { feeds: fed });
    expect(program.fetches[0]?.shape).toEqual([2, 3]);
    expect([...host.usedFeeds]).toEqual([1]);
  });

  test('names the node whose static shapes break its rule', () => {
    const a = fr.placeholder('float32', [null], { name: 'a' });
    const b = fr.placeholder('float32', [null], { name: 'b' });
    const fed = new Map([
      [a, zeros(3)],
      [b, zeros(4)],
    ]);
    expect(() => compileStages([fr.add(a, b, { name: 'sum' })], { feeds: fed })).toThrow(
      /"sum": shapes do not broadcast: \[3\] and \[4\] \(created at/,
    );
  });
});

describe('simplify', () => {
  test('folds constants, removes identities and merges common subexpressions', () => {
    const x = fr.placeholder('float32', [4]);
    const one = fr.sub(fr.constant(3), fr.constant(2));
    const y = fr.identity(fr.mul(fr.identity(x), one));
    const z = fr.add(fr.exp(y), fr.exp(x));
    const feeds = new Map([[x, zeros(4)]]);
    expect(types(compileStages([z], { feeds }).program)).toEqual(['Placeholder', 'Exp', 'Add']);
    const none = { fold: false, identities: false, cse: false };
    expect(compileStages([z], { feeds, passes: none }).program.nodes.length).toBeGreaterThan(8);
  });

  test('does not merge ops whose attributes differ in the sign of a zero', () => {
    const x = fr.placeholder('float32', [2]);
    const slopes = [0, -0].map((alpha) => fr.leakyRelu(x, { alpha }));
    const { program } = compileStages(slopes, { feeds: new Map([[x, zeros(2)]]) });
    expect(program.nodes.filter(({ type }) => type === 'LeakyRelu')).toHaveLength(2);
  });

  test('does not merge stateful ops', () => {
    const a = fr.randomUniform([4], { seed: 1 });
    const b = fr.randomUniform([4], { seed: 1 });
    const { program } = compileStages([fr.add(a, b)]);
    expect(types(program).filter((type) => type === 'RandomUniform')).toHaveLength(2);
  });

  test('keeps nodes that wait for something', () => {
    const v = new fr.Variable(fr.constant([1, 2]), { name: 'v' });
    const read = fr.controlDependencies([v.assign(fr.constant([3, 4]))], () =>
      fr.identity(fr.constant([5, 6])),
    );
    expect(types(compileStages([read]).program)).toContain('AssignVariableOp');
  });
});

describe('fuse', () => {
  test('joins chains of one shape and keeps values that others need apart', () => {
    const x = fr.placeholder('float32', [4]);
    const a = fr.exp(x);
    const b = fr.neg(fr.sqrt(a));
    const feeds = new Map([[x, zeros(4)]]);
    const chain = compileStages([b], { feeds }).units.filter((unit) => unit.kind === 'elementwise');
    expect(chain.map((unit) => unit.nodes.map((node) => node.type))).toEqual([['Exp', 'Sqrt', 'Neg']]);
    const fetched = compileStages([b, a], { feeds }).units.filter((unit) => unit.kind === 'elementwise');
    expect(fetched.map((unit) => unit.nodes.length)).toEqual([1, 2]);
  });

  test('respects the binding limit', () => {
    const inputs = Array.from({ length: 20 }, () => fr.placeholder('float32', [4]));
    const sum = inputs.reduce((total, x) => fr.add(total, x));
    const feeds = new Map(inputs.map((x) => [x, zeros(4)]));
    for (const { dispatches } of compileStages([sum], { feeds }).scheduled.order) {
      for (const { bindings } of dispatches) expect(bindings.length).toBeLessThanOrEqual(FACTS.maxBindings);
    }
  });
});

describe('lower', () => {
  /** The kernels of two fetched nodes. */
  function kernelsOf(x: fr.Tensor, y: fr.Tensor): unknown[] {
    const { units, host } = compileStages([x, y]);
    const byName = new Map(lower(units, host, FACTS).map(({ unit, lowered }) => [unit.root.name, lowered]));
    return [x, y].map(({ op }) => byName.get(op.name));
  }
  const filled = (...shape: number[]): fr.Tensor => fr.randomUniform(shape, { seed: 1 });

  test.each<[string, () => [fr.Tensor, fr.Tensor]]>([
    ['products', () => [fr.matMul(filled(4, 8), filled(8, 2)), fr.matMul(filled(4, 8), filled(8, 2))]],
    ['elementwise ops', () => [fr.tanh(filled(4, 8)), fr.tanh(filled(4, 8))]],
    ['sums over the same axis', () => [fr.cumsum(filled(4, 4)), fr.cumsum(filled(4, 4))]],
  ])('makes one kernel of alike nodes: %s', (_, build) => {
    const [first, second] = kernelsOf(...build());
    expect(first).toBeDefined();
    expect(first).toBe(second);
  });

  test.each<[string, () => [fr.Tensor, fr.Tensor]]>([
    ['shape', () => [fr.matMul(filled(4, 8), filled(8, 2)), fr.matMul(filled(4, 8), filled(8, 3))]],
    ['attribute', () => [fr.cumsum(filled(4, 4)), fr.cumsum(filled(4, 4), { reverse: true })]],
    ['value', () => [fr.cumsum(filled(4, 4)), fr.cumsum(filled(4, 4), { axis: 1 })]],
    ['constant', () => [fr.add(filled(4), 0), fr.add(filled(4), -0)]],
  ])('tells nodes apart that differ in a %s', (_, build) => {
    const [first, second] = kernelsOf(...build());
    expect(first).toBeDefined();
    expect(second).toBeDefined();
    expect(first).not.toBe(second);
  });
});

describe('schedule', () => {
  test('reads of the old value come before the write, without a copy', () => {
    const v = new fr.Variable(fr.constant([1, 2]), { name: 'v' });
    const x = fr.placeholder('float32', [2]);
    const update = v.assignSub(fr.mul(x, 2));
    const late = fr.exp(fr.mul(v, x));
    const { scheduled } = compileStages([late], { feeds: new Map([[x, zeros(2)]]), targets: [update.op] });
    expect(scheduled.copied.size).toBe(0);
    const order = scheduled.order.map(({ unit }) => unit.root.type);
    expect(order.indexOf('Exp')).toBeLessThan(order.indexOf('AssignSubVariableOp'));
  });

  test('copies a read whose value must outlive the write', () => {
    const v = new fr.Variable(fr.constant([1, 2]), { name: 'v' });
    const old = fr.identity(v);
    const update = fr.controlDependencies([old], () => v.assign(fr.constant([5, 6])));
    const { scheduled } = compileStages([old], { targets: [update.op] });
    expect(scheduled.copied.size).toBe(1);
  });

  test('the heap gives the smallest key first', () => {
    const heap = new Heap<number>((x) => x);
    const items = [5, 3, 8, 1, 9, 2, 7, 3];
    items.forEach((item) => heap.push(item));
    expect(items.map(() => heap.pop())).toEqual([...items].sort((a, b) => a - b));
    expect(heap.pop()).toBeUndefined();
  });
});

describe('memory', () => {
  test('values alive at the same time never share a buffer, dead ones are reused', () => {
    const x = fr.placeholder('float32', [64, 64]);
    let y: fr.Tensor = x;
    for (let i = 0; i < 10; i++) y = fr.matMul(y, x);
    const { memory, scheduled } = compileStages([y], { feeds: new Map([[x, zeros(64, 64)]]) });
    expect(memory.buffers).toHaveLength(2);
    expect(memory.peakBytes).toBe(memory.lowerBoundBytes);
    expect(memory.naiveBytes).toBe(10 * 64 * 64 * 4);
    for (const { dispatches } of scheduled.order) {
      for (const { bindings } of dispatches) {
        const buffers = bindings.flatMap(({ source }) => {
          if (source.kind !== 'value' || storageOf(source.value, scheduled.copied).kind !== 'temp') return [];
          return [memory.bufferOf.get(source.value)];
        });
        expect(new Set(buffers).size).toBe(buffers.length);
      }
    }
  });
});
