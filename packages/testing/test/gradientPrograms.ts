/**
 * A small differentiable program for each op whose gradient no sample shows: ops on tensor lists, calls of functions,
 * ops with effects and on variables. They are as small as a program with all paths of the gradient can be.
 */
import * as fr from '@forerun/graph';

/** The result of a program of two float32 arguments: `x` [3, 2], `a` scalar. */
export type Program = (x: fr.Tensor, a: fr.Tensor) => fr.Tensor;

const float = (shape: fr.TensorLike) => ({ dtype: 'float32', shape }) as const;
const int = (value: number): fr.Tensor => fr.constant(value, { dtype: 'int32' });
const ints = (...values: number[]): fr.Tensor => fr.constant(values, { dtype: 'int32' });
const longs = (...values: number[]): fr.Tensor => fr.cast(ints(...values), 'int64');

/** Rows of `x * x` as a list, so that the second order of what follows counts. */
const rows = (x: fr.Tensor): fr.Tensor => fr.tensorListFromTensor(fr.mul(x, x), [2]);
const stacked = (list: fr.Tensor): fr.Tensor => fr.sin(fr.tensorListStack(list, [2], 'float32'));

const LISTS: Partial<Record<fr.OpName, Program>> = {
  TensorListPushBack: (x, a) =>
    stacked(fr.tensorListPushBack(rows(x), fr.mul(fr.reduceSum(x, { axis: 0 }), a))),
  TensorListPopBack: (x, a) => {
    const { list, tensor } = fr.tensorListPopBack(rows(x), float([2]));
    return fr.mul(stacked(list), fr.mul(fr.sin(tensor), a));
  },
  TensorListGetItem: (x, a) => fr.mul(fr.sin(fr.tensorListGetItem(rows(x), int(1), float([2]))), a),
  TensorListSetItem: (x, a) => stacked(fr.tensorListSetItem(rows(x), int(1), fr.mul(a, fr.ones([2])))),
  TensorListStack: (x, a) => fr.mul(stacked(rows(x)), a),
  TensorListFromTensor: (x, a) => stacked(rows(fr.mul(x, a))),
  TensorListGather: (x, a) => fr.mul(fr.sin(fr.tensorListGather(rows(x), ints(2, 0, 2), [2], 'float32')), a),
  TensorListScatterIntoExistingList: (x, a) =>
    stacked(fr.tensorListScatterIntoExistingList(rows(x), fr.mul(a, fr.ones([2, 2])), ints(2, 0))),
  TensorListResize: (x, a) => fr.mul(stacked(fr.tensorListResize(rows(x), int(2))), a),
  TensorListConcat: (x, a) => fr.sin(fr.mul(oldConcat(parts(x)), a)),
  TensorListConcatV2: (x, a) =>
    fr.sin(fr.mul(fr.tensorListConcat(parts(x), 'float32', { shape: [-1, 2] }).tensor, a)),
  TensorListSplit: (x, a) => fr.mul(fr.sin(fr.tensorListGetItem(parts(x), int(1), float([2, 2]))), a),
  TensorListScatter: (x, a) => stacked(oldScatter(fr.mul(fr.mul(x, x), a), ints(2, 0, 1))),
  TensorListScatterV2: (x, a) =>
    stacked(fr.tensorListScatter(fr.mul(fr.mul(x, x), a), ints(4, 0, 1), { shape: [2], numElements: 5 })),
  TensorListConcatLists: (x, a) => stacked(fr.tensorListConcatLists(rows(fr.mul(x, a)), rows(x), 'float32')),
  OptionalFromValue: (x, a) => fr.mul(throughOptional(x, a), a),
  OptionalGetValue: (x, a) => fr.sin(throughOptional(x, a)),
};

/** `x * x` and `a`, multiplied after they have been in an optional. */
function throughOptional(x: fr.Tensor, a: fr.Tensor): fr.Tensor {
  const optional = fr.optionalFromValue([fr.mul(x, x), a]);
  const [y, b] = fr.optionalGetValue(optional, [component([3, 2]), component([])]);
  return y === undefined || b === undefined ? x : fr.mul(y, b);
}

const component = (shape: readonly number[]) => ({ dtype: 'float32', shape }) as const;

/** One row of `x * x` and two. */
const parts = (x: fr.Tensor): fr.Tensor => fr.tensorListSplit(fr.mul(x, x), longs(1, 2), { shape: [-1, 2] });

/** Forms of older files, which have no builder. */
function oldConcat(list: fr.Tensor): fr.Tensor {
  const attrs = { element_dtype: 'float32', element_shape: [null, 2] };
  return list.graph.createOp({ type: 'TensorListConcat', inputs: [list], attrs }).output(0);
}

function oldScatter(x: fr.Tensor, indices: fr.Tensor): fr.Tensor {
  const attrs = { element_dtype: 'float32', shape_type: 'int32' };
  const inputs = [x, indices, ints(2)];
  return x.graph.createOp({ type: 'TensorListScatter', inputs, attrs }).output(0);
}

/** `y`, by an op that counts as one with an effect: what calls it is the form for functions with state. */
const watched = (y: fr.Tensor): fr.Tensor => fr.checkNumerics(y, 'not finite');
const plain = (y: fr.Tensor): fr.Tensor => y;

type Step = (y: fr.Tensor) => fr.Tensor;

/** Both branches, so that each is chosen once. */
const conditional =
  (step: Step): Program =>
  (x, a) => {
    const branch = (bound: number): fr.Tensor =>
      fr.cond(
        fr.greater(a, bound),
        () => step(fr.mul(fr.sin(x), a)),
        () => step(fr.mul(fr.mul(x, a), a)),
      );
    return fr.add(branch(0), branch(100));
  };

const choice =
  (step: Step): Program =>
  (x, a) => {
    const chosen = (index: fr.Tensor): fr.Tensor =>
      fr.switchCase(index, [
        () => step(fr.mul(fr.sin(x), a)),
        () => fr.mul(x, a),
        () => fr.sin(fr.mul(x, a)),
      ]);
    return fr.addN(
      [0, 1, 7].map((index) => chosen(fr.add(int(index), fr.cast(fr.floor(fr.mul(a, 0)), 'int32')))),
    );
  };

const loop =
  (step: Step): Program =>
  (x, a) =>
    fr.whileLoop(
      (i) => fr.less(i, 3),
      (i, y) => [fr.add(i, 1), step(fr.mul(fr.sin(y), a))],
      [int(0), x],
    )[1];

/** Adds a function of two arguments to the library. */
function functionOf(name: string, [x, a]: readonly [fr.Tensor, fr.Tensor], step: Step) {
  const fn = new fr.FuncGraph(name, x.graph);
  const [y, b] = [x, a].map(({ dtype, shape }, i) => fn.addInput({ dtype, shape, name: `arg${i}` }));
  if (y === undefined || b === undefined) throw new Error('the function has two arguments');
  fn.outputs = fn.asDefault(() => [step(fr.mul(fr.sin(y), b))]);
  x.graph.addFunction(fn);
  return { kind: 'func', value: { name: fn.functionName, attrs: new Map() } } as const;
}

/** The gradient of a function, of what flows into its result, which depends on `x` too. */
const symbolicGradient: Program = (x, a) => {
  const f = functionOf('differentiated', [x, a], plain);
  const Tout = ['float32', 'float32'];
  const [dx, da] = x.graph.createOp({
    type: 'SymbolicGradient',
    inputs: [x, a, fr.mul(x, x)],
    attrs: { f, Tout },
  }).outputs;
  if (dx === undefined || da === undefined) throw new Error('there are two gradients');
  return fr.mul(dx, fr.mul(da, a));
};

/** A function of two arguments that is called twice, the second time with its own result. */
const call =
  (type: 'PartitionedCall' | 'StatefulPartitionedCall', step: Step): Program =>
  (x, a) => {
    const { graph } = x;
    const f = functionOf(`${type}_body`, [x, a], step);
    const called = (value: fr.Tensor): fr.Tensor => {
      const made = graph.createOp({ type, inputs: [value, a], attrs: { f, Tout: ['float32'] } }).output(0);
      made.setShape(value.shape);
      return made;
    };
    return called(called(x));
  };

const CALLS: Partial<Record<fr.OpName, Program>> = {
  If: conditional(watched),
  StatelessIf: conditional(plain),
  Case: choice(watched),
  StatelessCase: choice(plain),
  While: loop(watched),
  StatelessWhile: loop(plain),
  PartitionedCall: call('PartitionedCall', plain),
  StatefulPartitionedCall: call('StatefulPartitionedCall', watched),
  SymbolicGradient: symbolicGradient,
};

const pooled =
  (pool: typeof fr.fractionalAvgPool): Program =>
  (x, a) => {
    const images = fr.reshape(fr.mul(fr.sin(x), a), [1, 3, 2, 1]);
    const { output } = pool(images, [1, 1.5, 1, 1], { deterministic: true, overlapping: true, seed: 3 });
    return fr.mul(output, output);
  };

const OTHERS: Partial<Record<fr.OpName, Program>> = {
  Print: (x, a) => fr.sin(fr.printTensor(fr.mul(fr.mul(x, x), a), [x])),
  CheckNumerics: (x, a) => fr.sin(watched(fr.mul(fr.mul(x, x), a))),
  FractionalAvgPool: pooled(fr.fractionalAvgPool),
  FractionalMaxPool: pooled(fr.fractionalMaxPool),
  Placeholder: (x, a) => fr.mul(fr.sin(x), a),
  DeepCopy: (x, a) => {
    const inputs = [fr.mul(fr.mul(x, x), a)];
    return fr.sin(x.graph.createOp({ type: 'DeepCopy', inputs }).output(0));
  },
};

/** Programs by the op that they show. */
export const PROGRAMS: Partial<Record<fr.OpName, Program>> = { ...LISTS, ...CALLS, ...OTHERS };

/** Programs of a variable, of which the first argument is: a node of this type, and what reads it. */
export const VARIABLES: Partial<Record<fr.OpName, { node: fr.OpName; read: (v: fr.Tensor) => fr.Tensor }>> = {
  PlaceholderV2: { node: 'PlaceholderV2', read: plain },
  VarHandleOp: { node: 'VarHandleOp', read: (v) => fr.readVariable(v) },
  ReadVariableOp: { node: 'VarHandleOp', read: (v) => fr.readVariable(v) },
  ResourceGather: { node: 'VarHandleOp', read: (v) => fr.resourceGather(v, ints(2, 0, 2)) },
  ResourceGatherNd: {
    node: 'VarHandleOp',
    read: (v) =>
      fr.resourceGatherNd(
        v,
        fr.constant(
          [
            [1, 0],
            [2, 1],
            [1, 0],
          ],
          { dtype: 'int32' },
        ),
      ),
  },
  Variable: { node: 'Variable', read: (v) => fr.readVariable(v) },
  VariableV2: { node: 'VariableV2', read: (v) => fr.readVariable(v) },
  TemporaryVariable: { node: 'TemporaryVariable', read: (v) => fr.readVariable(v) },
  RefIdentity: {
    node: 'VariableV2',
    read: (v) => fr.readVariable(v.graph.createOp({ type: 'RefIdentity', inputs: [v] }).output(0)),
  },
};

/** Ops whose gradient is not that of differences, and why. */
export const WITHOUT_DIFFERENCES: Partial<Record<fr.OpName, string>> = {
  RandomGamma:
    'it draws until a draw is accepted; samples of RandomGammaGrad compare it with the distribution',
};
