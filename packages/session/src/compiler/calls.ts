/**
 * Calls of functions inside a program: the body stands in place of the call. A conditional whose predicate is known
 * becomes the chosen branch, a loop whose number of iterations is known as many bodies.
 */
import { calledFunction, InvalidArgumentError, type FuncGraph, type Operation } from '@forerun/graph';
import { callSalt, type Salt } from '@forerun/kernels-webgpu';
import { pruneGraph } from './prune.js';
import type { HostValues } from './hostValues.js';
import type { IrNode, IrValue } from './ir.js';
import type { ProgramBuilder } from './programBuilder.js';
import { Deferral, isIrValue, type Frame, type Value } from './values.js';

/** Longer loops, and those that would make more nodes, run iteration by iteration. */
export const MAX_UNROLLED_ITERATIONS = 512;
export const MAX_UNROLLED_NODES = 20_000;
/** Deeper is a function that calls itself without end. */
const MAX_DEPTH = 200;

const CHOICES: ReadonlySet<string> = new Set(['If', 'StatelessIf', 'Case', 'StatelessCase']);
const LOOPS: ReadonlySet<string> = new Set(['While', 'StatelessWhile']);
const CALLS: ReadonlySet<string> = new Set([
  'PartitionedCall',
  'StatefulPartitionedCall',
  'SymbolicGradient',
]);

export function isCall({ type, def }: Operation): boolean {
  return CHOICES.has(type) || LOOPS.has(type) || CALLS.has(type) || def?.functionName !== undefined;
}

export function isLoop({ type }: Operation): boolean {
  return LOOPS.has(type);
}

/** The salt of what a call runs: of the branches of a conditional it is that around it. */
export function saltOfCall({ type, id }: Operation, outer: Salt, iteration: number): Salt {
  return CHOICES.has(type) ? outer : callSalt(outer, id, iteration);
}

/** Adds what a call computes. Throws `Deferral` when that depends on values of the run. */
export function buildCall(builder: ProgramBuilder, op: Operation, frame: Frame): void {
  new CallBuilder(builder, op, frame).build();
}

class CallBuilder {
  readonly #args: readonly Value[];
  readonly #nodes: IrNode[] = [];
  readonly #before: number;

  constructor(
    private readonly builder: ProgramBuilder,
    private readonly op: Operation,
    private readonly frame: Frame,
  ) {
    this.#args = op.inputs.map((input) => builder.value(input, frame));
    this.#before = builder.size;
  }

  build(): void {
    const values = this.results();
    this.builder.setOutputs(this.op, values, this.frame);
    const made = values.filter(isIrValue).map(({ node }) => node);
    this.frame.nodes.set(this.op, [...new Set([...this.#nodes, ...made])]);
    this.builder.keep(this.#nodes);
  }

  private results(): readonly Value[] {
    const { op } = this;
    if (isLoop(op)) return this.loop();
    const called = calledFunction(op);
    if (called !== null) return this.call(called, this.#args, 0);
    return this.call(op.graph.getFunction(this.chosen()), this.#args.slice(1), 0);
  }

  private chosen(): string {
    const { attrs, type } = this.op;
    const known = selectorValue(this.#args[0], this.builder.host);
    if (known === null) throw new Deferral([]);
    if (type.endsWith('If')) return attrs.func(known !== 0 ? 'then_branch' : 'else_branch').name;
    const branches = attrs.funcs('branches');
    const branch = branches[known] ?? branches.at(-1);
    if (branch === undefined) throw new InvalidArgumentError(`${this.op.describe()} has no branches`);
    return branch.name;
  }

  private loop(): readonly Value[] {
    const { attrs } = this.op;
    const { graph } = this.op;
    const cond = graph.getFunction(attrs.func('cond').name);
    const body = graph.getFunction(attrs.func('body').name);
    let vars = this.#args;
    for (let i = 0; ; i++) {
      const [predicate] = this.call(cond, vars, i);
      const known = constantScalar(predicate, this.builder.host);
      if (known === null || i > MAX_UNROLLED_ITERATIONS) throw new Deferral([]);
      if (known === 0) return vars;
      vars = this.call(body, vars, i);
      if (this.builder.size - this.#before > MAX_UNROLLED_NODES) throw new Deferral([]);
    }
  }

  private call(fn: FuncGraph, args: readonly Value[], iteration: number): readonly Value[] {
    const { op, frame, builder } = this;
    if (frame.depth >= MAX_DEPTH) {
      throw new InvalidArgumentError(
        `${op.describe()}: calls of functions are nested more than ${MAX_DEPTH} deep${op.creationSite()}`,
        { node: op.name },
      );
    }
    const path = `${frame.path}${op.name}/${isLoop(op) ? `${iteration}/` : ''}`;
    const inner: Frame = {
      values: new Map(fn.inputs.flatMap((input, i) => (args[i] === undefined ? [] : [[input, args[i]]]))),
      nodes: new Map(),
      path,
      salt: saltOfCall(op, frame.salt, iteration),
      waits: builder.waitsOf(op, frame),
      origin: frame.origin,
      depth: frame.depth + 1,
    };
    const first = op.inputs.length - fn.inputs.length;
    fn.inputs.forEach((input, i) => builder.references.pass(op.inputs[first + i], input));
    for (const operation of bodyOf(fn)) buildInside(builder, operation, inner);
    this.#nodes.push(...fn.effects.flatMap((effect) => inner.nodes.get(effect) ?? []));
    return fn.outputs.map((output) => builder.result(output, op, inner));
  }
}

/** Adds an operation of a function's body. Where it waits for values, so does the call, whatever the values are to the operation. */
function buildInside(builder: ProgramBuilder, operation: Operation, frame: Frame): void {
  try {
    builder.build(operation, frame);
  } catch (error) {
    throw error instanceof Deferral ? new Deferral([]) : error;
  }
}

const bodies = new WeakMap<FuncGraph, { version: number; operations: readonly Operation[] }>();

/** What a call of a function runs, inputs first. */
export function bodyOf(fn: FuncGraph): readonly Operation[] {
  const known = bodies.get(fn);
  if (known?.version === fn.version + fn.outputs.length) return known.operations;
  const args = new Map(fn.inputs.map((input, i) => [input, i]));
  const { operations } = pruneGraph(fn.outputs, fn.effects, args);
  const isArgument = new Set(fn.inputs.map(({ op }) => op));
  const body = operations.filter((op) => !isArgument.has(op));
  bodies.set(fn, { version: fn.version + fn.outputs.length, operations: body });
  return body;
}

/** The predicate or index of a conditional, where it is known: constant, or a matter of fed booleans alone. */
function selectorValue(value: Value | undefined, host: HostValues): number | null {
  const known = constantScalar(value, host);
  if (known !== null || value === undefined || !isIrValue(value) || !followsBooleans(value)) return known;
  return host.get(value, 'feeds')?.data[0] ?? null;
}

function constantScalar(value: Value | undefined, host: HostValues): number | null {
  return value !== undefined && isIrValue(value) ? (host.get(value)?.data[0] ?? null) : null;
}

const LOGIC: ReadonlySet<string> = new Set([
  'Identity',
  'LogicalNot',
  'LogicalAnd',
  'LogicalOr',
  'PlaceholderWithDefault',
]);

/** Switches such as "is training": two plans are better than a decision in every run. */
function followsBooleans({ node, dtype, shape }: IrValue): boolean {
  if (dtype !== 'bool' || shape.length > 0) return false;
  return (
    node.feed !== null ||
    node.literal !== null ||
    (LOGIC.has(node.type) && node.inputs.every(followsBooleans))
  );
}
