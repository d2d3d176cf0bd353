/**
 * Runs a graph without a device: every node by its float64 reference, or by another backend that is
 * handed in. The slow, obvious executor that the compiler and the kernels are compared with.
 */
import {
  calledFunction,
  FailedPreconditionError,
  InternalError,
  InvalidArgumentError,
  UnimplementedError,
  type Attrs,
  type DType,
  type FuncGraph,
  type HostValue,
  type OpName,
  type Operation,
  type Tensor,
} from '@forerun/graph';
import { callSalt, NO_SALT, saltedSeeds, type Salt } from '@forerun/kernels-webgpu';
import { listOp } from './interpretLists.js';
import { hostValue, partsOf } from './nodes.js';
import { REFERENCES } from './reference/index.js';

/** Values of variables by their `VarHandleOp`. */
export type Variables = Map<Operation, HostValue>;

export interface InterpretOptions {
  /** State before the run; changed by assignments and optimizer ops. */
  readonly variables?: Variables;
}

/** A node with the values of its inputs; resource inputs hold the variable's value. */
export interface Step {
  readonly op: Operation;
  /** Those of the op, in a function of a random op with seeds of the call. */
  readonly attrs: Attrs;
  readonly inputs: readonly HostValue[];
}

/** Computes a node: its outputs, followed by the new value of every resource input. */
export type Backend = (step: Step) => Promise<readonly HostValue[]>;

/** Values of `fetches` in float64, computed by the references. Control dependencies are obeyed. */
export function interpret(
  fetches: readonly Tensor[],
  feeds: ReadonlyMap<Tensor, HostValue> = new Map<Tensor, HostValue>(),
  { variables = new Map<Operation, HostValue>() }: InterpretOptions = {},
): HostValue[] {
  const walk = steps(fetches, feeds, variables);
  let next = walk.next();
  while (next.done !== true)
    next = walk.next(runReference(next.value.op, next.value.inputs, next.value.attrs));
  return next.value;
}

/** As `interpret`, with `backend` in place of the references. */
export async function interpretWith(
  backend: Backend,
  fetches: readonly Tensor[],
  feeds: ReadonlyMap<Tensor, HostValue> = new Map<Tensor, HostValue>(),
  { variables = new Map<Operation, HostValue>() }: InterpretOptions = {},
): Promise<HostValue[]> {
  const walk = steps(fetches, feeds, variables);
  let next = walk.next();
  while (next.done !== true) next = walk.next(await backend(next.value));
  return next.value;
}

/** Computes one node by its reference. */
export function runReference(
  op: Operation,
  inputs: readonly HostValue[],
  attrs: Attrs = op.attrs,
): readonly HostValue[] {
  const reference = REFERENCES[op.type as OpName];
  if (reference === undefined && op.def?.compose !== undefined) return ofParts(op, inputs);
  if (reference === undefined) throw new UnimplementedError(`${op.describe()}: there is no reference`);
  const outputs: DType[] = op.outputs.map((output) => output.dtype);
  return reference({
    attrs,
    inputs,
    outputs,
    input: (i) => {
      const input = inputs[i];
      if (input === undefined)
        throw new InvalidArgumentError(`${op.describe()}: the reference asked for input ${i}`);
      return input;
    },
  });
}

/** Computes an op that is made of others by the references of these: for those whose results are drawn. */
function ofParts(op: Operation, inputs: readonly HostValue[]): readonly HostValue[] {
  const { outputs, feeds } = partsOf(op, inputs);
  return interpret(outputs, feeds);
}

/** Yields every node that needs computing, inputs first, and takes its outputs. */
function* steps(
  fetches: readonly Tensor[],
  feeds: ReadonlyMap<Tensor, HostValue>,
  variables: Variables,
  salt: Salt = NO_SALT,
): Generator<Step, HostValue[], readonly HostValue[]> {
  const values = new Map<Tensor, HostValue>(feeds);
  const valueOf = (tensor: Tensor): HostValue => {
    const value = values.get(tensor);
    if (value === undefined) throw new InvalidArgumentError(`${tensor.name} has no value`);
    return value;
  };
  for (const op of executionOrder(fetches, feeds)) {
    if (op.outputs.length > 0 && op.outputs.every((output) => values.has(output))) continue;
    const inputs = op.inputs.map((t) =>
      t.dtype === 'resource' ? readVariable(handleOf(t), variables, op) : valueOf(t),
    );
    const results =
      (yield* call(op, inputs, variables, salt)) ??
      builtin(op, inputs, variables) ??
      listOp(op, inputs) ??
      store(
        op,
        yield { op, inputs: known(inputs, op), attrs: saltedSeeds(op.attrs, salt, op.name) },
        variables,
      );
    op.outputs.forEach((output, i) => {
      const result = results[i];
      if (result !== undefined && !values.has(output)) values.set(output, result);
    });
  }
  return fetches.map(valueOf);
}

function known(inputs: readonly (HostValue | undefined)[], op: Operation): HostValue[] {
  return inputs.map((input) => {
    if (input === undefined)
      throw new FailedPreconditionError(`${op.describe()}: its variable is not initialized`);
    return input;
  });
}

/** What the executor itself carries out; `null` for all other ops. */
function builtin(
  op: Operation,
  inputs: readonly (HostValue | undefined)[],
  variables: Variables,
): readonly HostValue[] | null {
  switch (op.type) {
    case 'Const':
      return [hostValue(op.attrs.tensor('value'))];
    case 'Placeholder':
    case 'PlaceholderV2':
      throw new InvalidArgumentError(`${op.describe()} is not fed`);
    case 'Identity':
    case 'IdentityN':
    case 'StopGradient':
    case 'PlaceholderWithDefault':
    case 'RefIdentity':
    case 'ReadVariableOp':
      return known(inputs, op);
    case 'NoOp':
    case 'VarHandleOp':
      return [];
    case 'AssignVariableOp':
    case 'AssignAddVariableOp':
    case 'AssignSubVariableOp':
      return assign(op, inputs, variables);
    default:
      return null;
  }
}

function assign(op: Operation, inputs: readonly (HostValue | undefined)[], variables: Variables): [] {
  const [handle] = op.inputs;
  const value = inputs[1];
  if (handle === undefined || value === undefined)
    throw new InvalidArgumentError(`${op.describe()} lacks inputs`);
  const sign = { AssignVariableOp: 0, AssignAddVariableOp: 1, AssignSubVariableOp: -1 }[op.type] ?? 0;
  const old = sign === 0 ? value : known(inputs, op)[0];
  const data = value.data.map((x, i) => (sign === 0 ? x : (old?.data[i] ?? 0) + sign * x));
  variables.set(handleOf(handle), { ...value, data });
  return [];
}

/** Carries out calls of functions, loops and conditionals by their functions; `null` for all other ops. */
function* call(
  op: Operation,
  inputs: readonly (HostValue | undefined)[],
  variables: Variables,
  outer: Salt,
): Generator<Step, readonly HostValue[] | null, readonly HostValue[]> {
  if (op.type === 'While' || op.type === 'StatelessWhile') return yield* loop(op, inputs, variables, outer);
  const called = calledFunction(op);
  if (called !== null) return yield* functionSteps(op, called, inputs, variables, callSalt(outer, op.id, 0));
  const branch = chosenBranch(op, inputs[0]);
  if (branch === null) return null;
  return yield* functionSteps(op, op.graph.getFunction(branch), inputs.slice(1), variables, outer);
}

function chosenBranch(op: Operation, selector: HostValue | undefined): string | null {
  const { attrs, type } = op;
  const chosen = selector?.data[0] ?? 0;
  if (type === 'If' || type === 'StatelessIf') {
    return attrs.func(chosen === 0 ? 'else_branch' : 'then_branch').name;
  }
  if (type !== 'Case' && type !== 'StatelessCase') return null;
  const branches = attrs.funcs('branches');
  return (branches[chosen] ?? branches.at(-1))?.name ?? null;
}

function* loop(
  op: Operation,
  inputs: readonly (HostValue | undefined)[],
  variables: Variables,
  outer: Salt,
): Generator<Step, readonly HostValue[], readonly HostValue[]> {
  const { attrs, graph } = op;
  const [cond, body] = [attrs.func('cond'), attrs.func('body')].map(({ name }) => graph.getFunction(name));
  if (cond === undefined || body === undefined) throw new InternalError(`${op.describe()} lacks a function`);
  let values = inputs;
  for (let iteration = 0; ; iteration++) {
    const salt = callSalt(outer, op.id, iteration);
    const [goesOn] = yield* functionSteps(op, cond, values, variables, salt);
    if ((goesOn?.data[0] ?? 0) === 0)
      return known(
        values.map((value) => value ?? NOTHING),
        op,
      );
    values = yield* functionSteps(op, body, values, variables, salt);
  }
}

/** Stands for the value of a resource, which a loop passes on. */
const NOTHING: HostValue = { dtype: 'resource', shape: [], data: new Float64Array(1) };

function* functionSteps(
  op: Operation,
  fn: FuncGraph,
  args: readonly (HostValue | undefined)[],
  variables: Variables,
  salt: Salt,
): Generator<Step, HostValue[], readonly HostValue[]> {
  const feeds = new Map<Tensor, HostValue>();
  fn.inputs.forEach((input, i) => {
    const value = args[i];
    feeds.set(input, value ?? NOTHING);
    const handle = op.inputs[op.inputs.length - fn.inputs.length + i];
    if (input.dtype === 'resource' && handle !== undefined) handles.set(input.op, handleOf(handle));
  });
  const effects = fn.effects.filter((effect) => effect.outputs.length > 0).map((effect) => effect.output(0));
  const walk = yield* steps([...fn.outputs, ...effects], feeds, variables, salt);
  return walk.slice(0, fn.outputs.length);
}

/** The variable behind a resource argument of a function. */
const handles = new WeakMap<Operation, Operation>();

/** Splits a result into outputs and the new values of the variables, which are stored. */
function store(op: Operation, results: readonly HostValue[], variables: Variables): readonly HostValue[] {
  const handles = op.inputs.filter((input) => input.dtype === 'resource').map(handleOf);
  if (results.length !== op.outputs.length + handles.length) {
    throw new InvalidArgumentError(
      `${op.describe()}: ${results.length} results for ${op.outputs.length} outputs and ${handles.length} variables`,
    );
  }
  handles.forEach((handle, i) => {
    const value = results[op.outputs.length + i];
    if (value !== undefined) variables.set(handle, value);
  });
  return results;
}

function readVariable(handle: Operation, variables: Variables, reader: Operation): HostValue | undefined {
  const value = variables.get(handle);
  if (value === undefined && reader.type === 'ReadVariableOp') {
    throw new FailedPreconditionError(`variable "${handle.name}" is read before it is initialized`);
  }
  return value;
}

/** The `VarHandleOp` behind a resource tensor. */
function handleOf(tensor: Tensor): Operation {
  const passed = handles.get(tensor.op);
  if (passed !== undefined) return passed;
  const [input] = tensor.op.inputs;
  return tensor.op.type === 'Identity' && input !== undefined ? handleOf(input) : tensor.op;
}

/** Everything that `fetches` need, inputs and control inputs first; fed tensors need nothing. */
function executionOrder(fetches: readonly Tensor[], feeds: ReadonlyMap<Tensor, HostValue>): Operation[] {
  const order: Operation[] = [];
  const seen = new Set<Operation>();
  const stack = fetches.filter((fetch) => !feeds.has(fetch)).map((fetch) => ({ op: fetch.op, done: false }));
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    if (top.done) {
      order.push(top.op);
      continue;
    }
    if (seen.has(top.op)) continue;
    seen.add(top.op);
    stack.push({ op: top.op, done: true });
    const needed = [
      ...top.op.controlInputs,
      ...top.op.inputs.filter((input) => !feeds.has(input)).map((input) => input.op),
    ];
    for (const op of needed) if (!seen.has(op)) stack.push({ op, done: false });
  }
  return order;
}
