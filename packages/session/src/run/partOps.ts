/** What the run itself carries out of a part: ops on lists, ops evaluated on the host, counters and conditions. */
import {
  FuncGraph,
  InternalError,
  isInteger,
  sizeOf,
  TensorShape,
  type Graph,
  type Operation,
} from '@forerun/graph';
import { NO_SALT } from '@forerun/kernels-webgpu';
import { touchesLists } from '../compiler/lists.js';
import type { DeferredOp } from '../compiler/values.js';
import type { TextPool } from '../device/texts.js';
import { evaluate, evaluateChecked } from './hostEvaluation.js';
import { hostStep, isHostStep } from './hostOps.js';
import { readTensor, readTensors } from './readback.js';
import { addends, runListOp } from './runtimeLists.js';
import { hostTensor, type RuntimeList, type RuntimeTensor, type RuntimeValue } from './runtimeValues.js';
import type { StagedContext, StagedRun } from './stagedRun.js';

/** Integers up to this size are computed on the host, when all operands are there: counters, conditions on them. */
const MAX_HOST_ELEMENTS = 64;

/** What is known of the elements of a sum of no lists. */
const UNTOLD = { element: { dtype: 'float32', shape: TensorShape.UNKNOWN } } as const;

export class PartOps {
  constructor(
    private readonly staged: StagedRun,
    private readonly context: StagedContext,
  ) {}

  /** The outputs of an op that is no call, or `null` when it is for a plan. */
  async carryOut(
    { op, hostInputs }: DeferredOp,
    inputs: readonly RuntimeValue[],
  ): Promise<readonly RuntimeValue[] | null> {
    // One that a plan had to leave is carried out here, whatever it takes.
    const isList = hostInputs !== null || inputs.some(({ kind }) => kind === 'list');
    if (isList && touchesLists(op)) return this.listed(op, inputs);
    return hostInputs?.length === 0
      ? this.evaluated(op, inputs)
      : counted(op, inputs, this.context.handle.texts);
  }

  private async listed(op: Operation, inputs: readonly RuntimeValue[]): Promise<readonly RuntimeValue[]> {
    if (op.type === 'AddN') return [await this.added(inputs as RuntimeList[], op.graph.root)];
    const { handle, pool } = this.context;
    return runListOp({ handle, pool, read: (value) => readTensor(handle, value) }, op, inputs);
  }

  /** The sum of lists: `AddN` over the elements of each position. */
  private async added(lists: readonly RuntimeList[], graph: Graph): Promise<RuntimeList> {
    const elements: (RuntimeValue | null)[] = [];
    for (const parts of addends(lists)) elements.push(await this.sum(parts, graph));
    // One of the lists may tell more of what was never set than the first.
    const { element } = lists.find((list) => list.element.shape.isFullyDefined) ?? lists[0] ?? UNTOLD;
    return { kind: 'list', elements, element };
  }

  private async sum(parts: readonly RuntimeValue[], graph: Graph): Promise<RuntimeValue | null> {
    const [first, ...others] = parts;
    if (first === undefined || others.length === 0) return first ?? null;
    if (first.kind === 'list') return this.added(parts as RuntimeList[], graph);
    if (first.kind !== 'tensor') throw new InternalError('variables cannot be added up');
    const fn = sumFunction(parts.length, first, graph);
    const [total] = await this.staged.call(fn, parts, NO_SALT);
    return total ?? null;
  }

  /** An op that is evaluated on the host whatever it takes. */
  private async evaluated(
    op: Operation,
    inputs: readonly RuntimeValue[],
  ): Promise<readonly RuntimeValue[] | null> {
    const tensors = inputs.filter((value) => value.kind === 'tensor');
    if (isHostStep(op.type)) return this.stepped(op, tensors, inputs);
    if (tensors.length < inputs.length) return null;
    if (op.def?.evaluate === undefined) return null;
    await readTensors(this.context.handle, tensors);
    return evaluateChecked(op, tensors, this.context.handle.texts);
  }

  /** A host step whose results have shapes that only it knows. */
  private async stepped(
    op: Operation,
    tensors: readonly RuntimeTensor[],
    inputs: readonly RuntimeValue[],
  ): Promise<readonly RuntimeValue[]> {
    await readTensors(this.context.handle, tensors);
    const values = await Promise.all(tensors.map((tensor) => readTensor(this.context.handle, tensor)));
    const resources = inputs.flatMap((value) => (value.kind === 'variable' ? [value.variable] : []));
    const { type, name, attrs } = op;
    const node = { type, name, attrs, resources, site: () => op.creationSite() };
    const results = (await hostStep(op.type)?.(node, values, this.context.environment)) ?? [];
    return results.map(hostTensor);
  }
}

/** Small integers and booleans whose operands are on the host. */
function counted(
  op: Operation,
  inputs: readonly RuntimeValue[],
  texts: TextPool,
): readonly RuntimeValue[] | null {
  const { def } = op;
  if (def?.evaluate === undefined || def.stateful || op.outputs.length === 0) return null;
  if (op.inputs.every(({ op: { type } }) => type === 'Const')) return null;
  if (!op.outputs.every(({ dtype }) => isInteger(dtype) || dtype === 'bool')) return null;
  const tensors = inputs.filter(
    (value) => value.kind === 'tensor' && value.value !== null && sizeOf(value.shape) <= MAX_HOST_ELEMENTS,
  ) as RuntimeTensor[];
  if (tensors.length < inputs.length) return null;
  return evaluate(op, tensors, texts);
}

const sums = new WeakMap<Graph, Map<string, FuncGraph>>();

/** A function that adds up `count` tensors of one dtype and shape. */
function sumFunction(count: number, { dtype, shape }: RuntimeTensor, graph: Graph): FuncGraph {
  const known = sums.get(graph) ?? new Map<string, FuncGraph>();
  sums.set(graph, known);
  const name = `forestagedsum_${count}_${dtype}_${shape.join('x')}`;
  const fn = known.get(name) ?? new FuncGraph(name, graph);
  if (known.has(name)) return fn;
  known.set(name, fn);
  const args = Array.from({ length: count }, (_, i) =>
    fn.addInput({ dtype, shape: new TensorShape(shape), name: `x_${i}` }),
  );
  fn.outputs = fn.createOp({ type: 'AddN', inputs: args }).outputs;
  return fn;
}
