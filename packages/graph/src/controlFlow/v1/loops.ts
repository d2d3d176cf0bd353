/** Loops of version 1 control flow: the variables of a frame, and the `While` that stands for it. */
import { isRefDType } from '../../dtype.js';
import type { FuncGraph } from '../../funcGraph.js';
import { UnimplementedError } from '../../errors.js';
import type { Operation } from '../../operation.js';
import type { TensorShape } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { funcAttr, isStateful, newFunction, register, shareCaptures } from '../functions.js';
import { commonShape } from './conditionals.js';
import type { Translator } from './functionalize.js';
import { isEnter, isExit, isLoopMerge, isLoopSwitch, isNextIteration, type Region } from './regions.js';
import { Scope } from './scope.js';
import { listOf } from './storeOps.js';
import type { Store } from './stores.js';

/** One loop variable. */
interface LoopVar {
  readonly merge: Operation;
  readonly initial: Tensor;
  /** What it is in the next iteration. */
  readonly next: Operation;
  readonly switches: readonly Operation[];
}

interface Frame {
  readonly region: Region;
  readonly enters: readonly Operation[];
  readonly vars: readonly LoopVar[];
  readonly condition: Operation;
  readonly exits: readonly Operation[];
  /** Tensor arrays and stacks that the loop changes: more variables. */
  readonly stores: readonly Store[];
}

/** Makes the `While` of the loop that `exit` leaves, and takes its results for those of all exits. */
export function buildLoop(translator: Translator, exit: Operation, scope: Scope): void {
  const frame = frameOf(translator, translator.regions.of(exit), exit);
  const initial = [
    ...frame.vars.map((v) => translator.value(v.initial, scope)),
    ...frame.stores.map((store) => listOf(translator, store, scope)),
  ];
  const controls = frame.enters.flatMap((enter) => translator.controls(enter, scope));
  const { functions, shapes } = settledFunctions(translator, frame, initial, scope);
  scope.within(() => {
    const op = whileOf(scope, frame, functions, initial, shapes, controls);
    takeResults(translator, frame, op, scope);
  });
}

/** The functions of the loop, with the shapes of its variables: what changes from iteration to iteration is found by trying. */
function settledFunctions(
  translator: Translator,
  frame: Frame,
  initial: readonly Tensor[],
  scope: Scope,
): { readonly functions: LoopFunctions; readonly shapes: readonly TensorShape[] } {
  let shapes = initial.map(({ shape }) => shape);
  let functions = loopFunctions(translator, frame, initial, shapes, scope);
  for (let relaxed = widen(shapes, functions); !same(relaxed, shapes); relaxed = widen(shapes, functions)) {
    shapes = relaxed;
    functions = loopFunctions(translator, frame, initial, shapes, scope);
  }
  return { functions, shapes };
}

function whileOf(
  { graph }: Scope,
  { region, enters }: Frame,
  [cond, body]: LoopFunctions,
  initial: readonly Tensor[],
  shapes: readonly TensorShape[],
  controls: readonly Operation[],
): Operation {
  const results = body.outputs;
  const captured = shareCaptures([cond, body]);
  body.outputs = [...results, ...body.inputs.slice(body.inputs.length - captured.length)];
  const waits = register([cond, body]).filter((op) => op.graph === graph);
  const inputs = [...initial, ...captured];
  return graph.createOp({
    type: isStateful(cond) || isStateful(body) ? 'While' : 'StatelessWhile',
    name: `${region.frame}/While`,
    inputs,
    controlInputs: [...new Set([...controls, ...waits])],
    attrs: {
      cond: funcAttr(cond),
      body: funcAttr(body),
      output_shapes: inputs.map(({ shape }, i) => shapes[i] ?? shape),
      parallel_iterations: parallelIterations(enters),
    },
  });
}

/** Takes the results of the `While` for those of the exits, and for what became of the stores. */
function takeResults(
  translator: Translator,
  { vars, exits, stores }: Frame,
  op: Operation,
  scope: Scope,
): void {
  for (const exit of exits) {
    const left = leftBy(exit);
    const index = vars.findIndex(({ switches }) => switches.some((s) => s === left));
    if (index < 0) throw unstructured(exit, 'leaves with a value that is no loop variable');
    translator.set(scope, exit.output(0), op.output(index));
  }
  stores.forEach((store, i) => scope.lists.set(store, op.output(vars.length + i)));
}

/** The `Switch` by which a value comes to an `Exit`: gradients pass it on through an `Identity`. */
function leftBy(exit: Operation): Operation | undefined {
  let source = exit.inputs[0]?.op;
  while (source?.type === 'Identity') source = source.inputs[0]?.op;
  return source;
}

/** The nodes of a loop by their roles. */
function frameOf(translator: Translator, region: Region, exit: Operation): Frame {
  const { regions, operations } = translator;
  const own = operations.filter((op) => regions.of(op) === region);
  const enters = operations.filter((op) => isEnter(op) && regions.ofTensor(op.output(0)) === region);
  const conditions = own.filter(({ type }) => type === 'LoopCond');
  const [condition] = conditions;
  if (condition === undefined || conditions.length > 1) {
    throw unstructured(exit, `leaves a loop with ${conditions.length} conditions`);
  }
  const switches = own.filter(isLoopSwitch);
  const vars = own.filter(isLoopMerge).map((merge) => {
    const enter = merge.inputs.find((input) => isEnter(input.op));
    const next = merge.inputs.find((input) => isNextIteration(input.op));
    const [initial] = enter?.op.inputs ?? [];
    if (initial === undefined || next === undefined || merge.inputs.length !== 2) {
      throw unstructured(merge, 'does not join the entry of a loop and its next iteration');
    }
    if (isRefDType(initial.dtype))
      throw unstructured(merge, 'carries a reference round a loop, which has no functional form');
    const from = switches.filter((op) => op.inputs[0]?.op === merge);
    return { merge, initial, next: next.op, switches: from };
  });
  return {
    region,
    enters,
    vars,
    condition,
    exits: own.filter(isExit),
    stores: translator.stores.changedIn(region),
  };
}

function unstructured(op: Operation, what: string): UnimplementedError {
  return new UnimplementedError(`${op.describe()} ${what}`, { node: op.name });
}

type LoopFunctions = readonly [cond: FuncGraph, body: FuncGraph];

function loopFunctions(
  translator: Translator,
  frame: Frame,
  initial: readonly Tensor[],
  shapes: readonly TensorShape[],
  scope: Scope,
): LoopFunctions {
  const { vars, condition, stores } = frame;
  const cond = declare('cond', frame, initial, shapes, scope);
  const body = declare('body', frame, initial, shapes, scope);
  translator.buildAll([condition], cond.inner);
  cond.fn.outputs = [cond.fn.capture(translator.value(condition.output(0), cond.inner))];
  translator.buildAll(
    vars.map(({ next }) => next),
    body.inner,
  );
  translator.buildChanges(body.inner);
  body.fn.outputs = [
    ...vars.map(({ next }) => translator.value(next.output(0), body.inner)),
    ...stores.map((store) => listOf(translator, store, body.inner)),
  ].map((value) => body.fn.capture(value));
  return [cond.fn, body.fn];
}

/** A function of the loop that has its variables for arguments and nothing else yet. */
function declare(
  role: 'cond' | 'body',
  { region, vars, stores }: Frame,
  initial: readonly Tensor[],
  shapes: readonly TensorShape[],
  scope: Scope,
): { readonly fn: FuncGraph; readonly inner: Scope } {
  const fn = newFunction(`${region.frame.replaceAll('/', '_')}_${role}`, scope.graph);
  const inner = new Scope(region, fn, scope);
  vars.forEach(({ merge, switches }, i) => {
    const { dtype, shape, handle } = initial[i] ?? merge.output(0);
    const input = fn.addInput({ dtype, shape: shapes[i] ?? shape, handle, name: merge.name });
    inner.values.set(merge.output(0), input);
    for (const op of switches) inner.values.set(op.output(1), input);
  });
  stores.forEach((store, i) => {
    const { shape, handle = null } = initial[vars.length + i] ?? {};
    const name = store.op.name;
    if (shape !== undefined) inner.lists.set(store, fn.addInput({ dtype: 'variant', shape, handle, name }));
  });
  return { fn, inner };
}

function widen(shapes: readonly TensorShape[], [, body]: LoopFunctions): TensorShape[] {
  return shapes.map((shape, i) => commonShape(shape, body.outputs[i]?.shape));
}

function same(a: readonly TensorShape[], b: readonly TensorShape[]): boolean {
  return a.every((shape, i) => b[i] !== undefined && shape.equals(b[i]));
}

function parallelIterations([enter]: readonly Operation[]): number {
  return enter?.attrs.has('parallel_iterations') === true ? enter.attrs.int('parallel_iterations') : 10;
}
