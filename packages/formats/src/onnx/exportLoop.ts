/**
 * Loops of functions as `Loop` of ONNX, which computes its condition before it begins and at the end of each iteration. What does not
 * change keeps its name from outside; lists that get an element in every iteration are outputs that the loop stacks.
 */
import type { FuncGraph, Operation } from '@forerun/graph';
import { behind } from './exportLists.js';
import { stackedLists, type StackedList } from './exportStacked.js';
import { fail, input, valueInfo, type Argument, type ControlWriter } from './exportWriter.js';
import { onnxNumber } from './tensors.js';

/** What becomes of each variable of a loop. */
interface LoopPlan {
  readonly op: Operation;
  readonly cond: FuncGraph;
  readonly body: FuncGraph;
  /** Names of what stays as it is, and handles of variables. */
  readonly kept: ReadonlyMap<number, Argument>;
  readonly stacked: ReadonlyMap<number, StackedList>;
  /** The others. */
  readonly carried: readonly number[];
}

function planOf(op: Operation, part: ControlWriter, cond: FuncGraph, body: FuncGraph): LoopPlan {
  const stacked = stackedLists(op, cond, body);
  const kept = new Map<number, Argument>();
  op.inputs.forEach((tensor, i) => {
    const result = body.outputs[i];
    const unchanged = result !== undefined && behind(result) === body.inputs[i];
    if (tensor.dtype === 'resource' || unchanged) kept.set(i, part.argument(tensor));
  });
  const carried = op.inputs.flatMap((_, i) => (kept.has(i) || stacked.has(i) ? [] : [i]));
  return { op, cond, body, kept, stacked, carried };
}

export function writeLoop(
  op: Operation,
  part: ControlWriter,
  outputs: readonly string[],
  cond: FuncGraph,
  body: FuncGraph,
): void {
  const plan = planOf(op, part, cond, body);
  const initial = new Map(plan.carried.map((i) => [i, part.name(input(op, i))]));
  const first = part.call(cond, argumentsOf(plan, initial), `${op.name}/first`)[0] ?? fail(op, 'its condition has no result'); // prettier-ignore
  const rows = [...plan.stacked.keys()].map((i) => `${outputs[i] ?? ''}_rows`);
  part.addMany('Loop', ['', first, ...initial.values()], { body: { graph: bodyGraph(plan, part) } }, [
    ...plan.carried.map((i) => outputs[i] ?? ''),
    ...rows,
  ]);
  [...plan.stacked].forEach(([i, list], k) => {
    list.finish(part, rows[k] ?? '', outputs[i] ?? '');
  });
  plan.kept.forEach((given, i) => {
    if (typeof given === 'string') part.add('Identity', [given], {}, outputs[i] ?? '');
  });
}

/** What a function of the loop is given; lists that are stacked are not read. */
function argumentsOf({ op, kept }: LoopPlan, carried: ReadonlyMap<number, string>): Argument[] {
  return op.inputs.map((_, i) => kept.get(i) ?? carried.get(i) ?? '');
}

function bodyGraph(plan: LoopPlan, part: ControlWriter): ReturnType<ControlWriter['subgraph']> {
  const { op, cond, body, carried, stacked } = plan;
  const inner = (name: string): string => `${op.name}/loop_${name}`;
  const scalarInfo = (name: string, dtype: 'int64' | 'bool') => ({
    name: inner(name),
    type: { tensorType: { elemType: onnxNumber(dtype, op.name), shape: { dim: [] } } },
  });
  const infos = [
    scalarInfo('iteration', 'int64'),
    scalarInfo('condition', 'bool'),
    ...carried.map((i) => valueInfo(inner(`variable_${i}`), body.inputs[i] ?? op.output(i))),
  ];
  return part.subgraph(`${op.name}/loop`, infos, (own) => {
    const given = argumentsOf(plan, new Map(carried.map((i) => [i, inner(`variable_${i}`)])));
    const changed = carried.map((i) => body.outputs[i] ?? fail(op, `its body has no result ${i}`));
    const items = [...stacked.values()].map(({ item }) => item);
    const results = own.call({ inputs: body.inputs, outputs: [...changed, ...items] }, given, 'body');
    const after = argumentsOf(plan, new Map(carried.map((i, k) => [i, results[k] ?? ''])));
    const [goesOn = ''] = own.call(cond, after, 'cond');
    const condition = cond.outputs[0] ?? op.output(0);
    return [
      [goesOn, condition],
      ...[...changed, ...items].map((tensor, k) => [results[k] ?? '', tensor] as const),
    ];
  });
}
