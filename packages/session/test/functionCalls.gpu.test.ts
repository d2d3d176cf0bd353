/**
 * Nodes whose type is the name of a function, as TensorFlow 1 writes calls (`Defun`), and `SymbolicGradient`, the gradient
 * that it gives them: read, run, differentiated, written and frozen. Values of TensorFlow's own are in tensorflowPrograms.gpu.test.ts.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import * as fr from '@forerun/graph';
import { graphUtil, Session } from '../src/index.js';

/** Of one argument or of two. */
type Build = (args: readonly [fr.Tensor, fr.Tensor]) => fr.Tensor[];

/** A library of functions, built in a graph of its own. */
class Library {
  readonly #graph = new fr.Graph();

  define(name: string, inputs: readonly (fr.DType | fr.HandleData)[], build: Build): this {
    const fn = new fr.FuncGraph(name, this.#graph);
    inputs.forEach((input, i) => {
      const handle = typeof input === 'string' ? null : input;
      const dtype = typeof input === 'string' ? input : 'resource';
      fn.addInput({ dtype, shape: fr.TensorShape.UNKNOWN, name: `x${i}`, handle });
    });
    fn.outputs = fn.asDefault(() => build(fn.inputs as [fr.Tensor, fr.Tensor]));
    this.#graph.addFunction(fn);
    return this;
  }

  /** A graph with these functions and, below `placeholders`, nodes that call them. */
  import(
    placeholders: readonly string[],
    nodes: readonly { name: string; op: string; input: string[]; attr?: Map<string, object> }[],
    gradient: readonly { functionName: string; gradientFunc: string }[] = [],
  ): fr.Graph {
    const graph = new fr.Graph();
    const node = [
      ...placeholders.map((name) => ({
        name,
        op: 'Placeholder',
        attr: new Map<string, object>([['dtype', { type: 1 }], ['shape', { shape: { unknownRank: true } }]]), // prettier-ignore
      })),
      ...nodes,
    ];
    const library = { ...fr.libraryOf(this.#graph), gradient };
    fr.importGraphDef({ node, library, versions: { producer: 134 } }, { name: '', graph });
    return graph;
  }
}

let sess: Session | null = null;

async function run(
  graph: fr.Graph,
  fetches: readonly (fr.Tensor | string)[],
  feeds: Record<string, fr.NestedArray>,
) {
  sess ??= await Session.create({ graph });
  const tensors = fetches.map((fetch) => (typeof fetch === 'string' ? graph.getTensorByName(fetch) : fetch));
  return (await sess.run(tensors, feeds)).map((value) => value.toArray());
}

beforeEach(() => fr.resetDefaultGraph());
afterEach(() => {
  sess?.close();
  sess = null;
});

const scaledSine: Build = ([x, a]) => [fr.mul(fr.sin(x), a)];
const call = (name: string, op: string, ...input: string[]) => ({ name, op, input });

test('a call gives the results of the function, whatever its name', async () => {
  const library = new Library()
    .define('PairIf', ['float32', 'float32'], ([x, a]) => [fr.add(x, 1), a])
    .define('outerWhile', ['float32', 'float32'], ([x, a]) => [fr.mul(x, a)]);
  const graph = library.import(
    ['x', 'a'],
    [call('pair', 'PairIf', 'x', 'a'), call('last', 'outerWhile', 'pair:1', 'pair')],
  );
  expect(await run(graph, ['pair:0', 'pair:1', 'last:0'], { x: [1, 2], a: 3 })).toEqual([[2, 3], 3, [6, 9]]);
});

test('gradients of every order go through calls', async () => {
  const graph = new Library()
    .define('scaledSine', ['float32', 'float32'], scaledSine)
    .import(['x', 'a'], [call('y', 'scaledSine', 'x', 'a')]);
  const [x, a] = ['x:0', 'a:0'].map((name) => graph.getTensorByName(name)) as [fr.Tensor, fr.Tensor];
  const [dx, da] = fr.gradients(graph.getTensorByName('y:0'), [x, a]) as [fr.Tensor, fr.Tensor];
  expect(dx.op.type).toBe('SymbolicGradient');
  const [dxx, dxa] = fr.gradients(dx, [x, a]) as [fr.Tensor, fr.Tensor];
  const [dxxa] = fr.gradients(dxx, a) as [fr.Tensor];
  const values = await run(graph, [dx, da, dxx, dxa, dxxa], { x: 0.5, a: 3 });
  const want = [3 * Math.cos(0.5), Math.sin(0.5), -3 * Math.sin(0.5), Math.cos(0.5), -Math.sin(0.5)];
  values.forEach((value, i) => expect(value).toBeCloseTo(want[i] ?? NaN, 5));
  // What was built can be written, and gives the same.
  const again = new fr.Graph();
  fr.importGraphDef(graph.toGraphDef(), { name: '', graph: again });
  sess?.close();
  sess = null;
  expect(await run(again, [dxxa.name], { x: 0.5, a: 3 })).toEqual([values[4]]);
});

test('a loop in a function that ends when a value says so is run and differentiated', async () => {
  const graph = new Library()
    .define('doubled', ['float32'], ([x]) => [
      fr.whileLoop((y) => fr.less(y, 100), (y) => [fr.mul(y, y)], [x])[0], // prettier-ignore
    ])
    .import(['x'], [call('y', 'doubled', 'x')]);
  const x = graph.getTensorByName('x:0');
  const [dx] = fr.gradients(graph.getTensorByName('y:0'), x) as [fr.Tensor];
  const { version } = graph;
  const functions = graph.functions.size;
  expect(await run(graph, ['y:0', dx], { x: 3 })).toEqual([6561, 8 * 3 ** 7]);
  expect(await run(graph, ['y:0', dx], { x: 20 })).toEqual([400, 40]);
  expect([graph.version, graph.functions.size]).toEqual([version, functions]);
});

test('the gradient that the library names takes the place of the derived one', async () => {
  const library = new Library()
    .define('square', ['float32'], ([x]) => [fr.square(x)])
    .define('seven', ['float32', 'float32'], ([x, dy]) => [fr.mul(fr.mul(x, 7), dy)]);
  const names = [{ functionName: 'square', gradientFunc: 'seven' }];
  const graph = library.import(['x'], [call('y', 'square', 'x')], names);
  const x = graph.getTensorByName('x:0');
  const [dx] = fr.gradients(graph.getTensorByName('y:0'), x) as [fr.Tensor];
  const [dxx] = fr.gradients(dx, x) as [fr.Tensor];
  expect(await run(graph, [dx, dxx], { x: 2 })).toEqual([14, 7]);
  sess?.close();
  sess = null;
  const wrong = library.import(
    ['x'],
    [call('y', 'square', 'x')],
    [{ functionName: 'square', gradientFunc: 'square' }],
  );
  const [bad] = fr.gradients(wrong.getTensorByName('y:0'), wrong.getTensorByName('x:0')) as [fr.Tensor];
  await expect(run(wrong, [bad], { x: 2 })).rejects.toThrow(
    /function "square", the gradient of "square", takes \(float32\) and gives 1 results; it must take \(float32, float32\) and give 1/,
  );
  expect(await run(wrong, ['y:0'], { x: 2 })).toEqual([4]);
});

test('variables that a function reads are differentiated and frozen', async () => {
  const behind: fr.HandleData = { dtype: 'float32', shape: new fr.TensorShape([2]) };
  const graph = new Library()
    .define('weighted', [behind, 'float32'], ([w, x]) => [fr.mul(fr.readVariable(w), x)])
    .import(['x'], []);
  const y = graph.asDefault(() => {
    const w = new fr.Variable([2, 5], { name: 'w' });
    const made = graph.createOp({
      type: 'weighted',
      name: 'y',
      inputs: [w.handle, graph.getTensorByName('x:0')],
    });
    const [dw] = fr.gradients(made.output(0), [w]) as [fr.Tensor];
    fr.identity(dw, { name: 'dw' });
    fr.group([fr.globalVariablesInitializer()], { name: 'init' });
    return made.output(0);
  });
  sess = await Session.create({ graph });
  await sess.run(graph.getOperationByName('init'));
  expect(await run(graph, [y, 'dw:0'], { x: [3, 4] })).toEqual([[6, 20], [3, 4]]); // prettier-ignore
  const frozen = await graphUtil.convertVariablesToConstants(sess, graph.toGraphDef(), ['y', 'dw'], {
    feeds: { x: [3, 4] },
  });
  sess.close();
  sess = null;
  const other = new fr.Graph();
  fr.importGraphDef(frozen, { name: '', graph: other });
  expect(other.operations.some(({ type }) => type === 'VarHandleOp')).toBe(false);
  expect(await run(other, ['y:0', 'dw:0'], { x: [3, 4] })).toEqual([[6, 20], [3, 4]]); // prettier-ignore
});

test('a graph of TensorFlow is written again as it was read', () => {
  const file = gunzipSync(readFileSync(new URL('fixtures/tensorflow/functions.json.gz', import.meta.url)));
  const { files } = JSON.parse(file.toString()) as { files: Record<string, string> };
  const { graphDef } = fr.readMetaGraph(Buffer.from(files['.meta'] ?? '', 'base64'));
  if (graphDef === undefined) throw new Error('there is a graph');
  const graph = new fr.Graph();
  fr.importGraphDef(graphDef, { name: '', graph });
  const written = graph.toGraphDef();
  const calls = graphDef.node.filter(({ op }) => fr.lookupOp(op) === undefined);
  expect(calls.map(({ op }) => op)).toHaveLength(2);
  for (const node of calls) {
    const same = written.node?.find(({ name }) => name === node.name);
    expect(fr.proto.encode('NodeDef', same ?? {})).toEqual(fr.proto.encode('NodeDef', node));
  }
  expect(fr.proto.encode('FunctionDefLibrary', written.library ?? {})).toEqual(
    fr.proto.encode('FunctionDefLibrary', graphDef.library ?? {}),
  );
});

describe('what is refused', () => {
  const library = (): Library => new Library().define('scaledSine', ['float32', 'float32'], scaledSine);

  test('arguments that do not fit', () => {
    expect(() => library().import(['x'], [call('y', 'scaledSine', 'x')])).toThrow(
      /scaledSine "y": input "x1" is missing: 1 inputs given/,
    );
  });

  test('gradients of functions that draw numbers or change variables, where a second run would do other things', () => {
    const drawing = library()
      .define('noisy', ['float32'], ([x]) => [fr.mul(x, fr.randomUniform([2], { seed: 1 }))])
      .import(['x'], [call('y', 'noisy', 'x')]);
    expect(() => fr.gradients(drawing.getTensorByName('y:0'), drawing.getTensorByName('x:0'))).toThrow(
      /noisy "y" has no gradient: it would run RandomUniform "random_uniform.*" of function "noisy" a second time/,
    );
  });

  test('functions that call themselves without end', async () => {
    const graph = new fr.Graph();
    const arg = { name: 'x', type: 1 };
    const again = {
      signature: { name: 'again', inputArg: [arg], outputArg: [{ name: 'y', type: 1 }] },
      nodeDef: [call('inner', 'again', 'x')],
      ret: new Map([['y', 'inner:y:0']]),
    };
    fr.importGraphDef(
      {
        node: [{ name: 'one', op: 'Const', attr: new Map<string, object>([['dtype', { type: 1 }], ['value', { tensor: { dtype: 1, tensorShape: {}, floatVal: [1] } }]]) }, call('y', 'again', 'one')], // prettier-ignore
        library: { function: [again] },
      },
      { name: '', graph },
    );
    await expect(run(graph, ['y:0'], {})).rejects.toThrow(
      /again "inner": calls of functions are nested more than \d+ deep/,
    );
    expect(await run(graph, ['one:0'], {})).toEqual([1]);
  });
});

test('a function with an op that is not known can be read; a run names the op, wherever its outputs go', async () => {
  const graph = new fr.Graph();
  const arg = { name: 'x', type: 1 };
  const fn = {
    signature: { name: 'strange', inputArg: [arg], outputArg: [{ name: 'y', type: 1 }, { name: 'same', type: 1 }] }, // prettier-ignore
    nodeDef: [call('odd', 'Mystery', 'x'), call('other', 'Mystery', 'odd:second:0', 'odd:first:1')],
    ret: new Map([['y', 'other:result:0'], ['same', 'x']]), // prettier-ignore
  };
  const one = { name: 'one', op: 'Const', attr: new Map<string, object>([['dtype', { type: 1 }], ['value', { tensor: { dtype: 1, tensorShape: {}, floatVal: [1] } }]]) }; // prettier-ignore
  fr.importGraphDef({ node: [one, call('both', 'strange', 'one')], library: { function: [fn] } }, { name: '', graph }); // prettier-ignore
  expect(graph.getFunction('strange').operations.map(({ type }) => type)).toEqual(['Placeholder', 'Mystery', 'Mystery']); // prettier-ignore
  await expect(run(graph, ['both:0'], {})).rejects.toThrow(
    /2 ops that cannot run:\n {2}Mystery "odd": the op type is not known to Forerun\n {2}Mystery "other"/,
  );
});
