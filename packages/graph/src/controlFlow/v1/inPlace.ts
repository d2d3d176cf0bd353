/**
 * Version 1 control flow as functions in its own graph, for gradients: what used the results of a loop or a conditional
 * takes those of the `While` or `If` that now stands for it, which can be differentiated. The old nodes stay.
 */
import { UnimplementedError } from '../../errors.js';
import { FuncGraph } from '../../funcGraph.js';
import type { Tensor } from '../../tensor.js';
import { Translator } from './functionalize.js';
import { neededOperations } from './needed.js';
import { isControlFlow, type Region, type Regions } from './regions.js';

/** What tensors of loops and conditionals have become. */
const replaced = new WeakMap<Tensor, Tensor>();

/** The tensor that stands for one of version 1 control flow since gradients were asked for; itself where there is none. */
export function inFunctionalForm(tensor: Tensor): Tensor {
  return replaced.get(tensor) ?? tensor;
}

/**
 * Replaces the version 1 control flow that `ys` depend on. Throws `UnimplementedError` naming a node where it is not
 * structured, and where one of `xs` lies inside a loop or a branch.
 */
export function replaceVersion1(ys: readonly Tensor[], xs: readonly Tensor[]): void {
  const graph = ys[0]?.graph;
  if (graph === undefined || graph instanceof FuncGraph || !graph.operations.some(isControlFlow)) return;
  const roots = ys.map((y) => inFunctionalForm(y).op);
  const operations = neededOperations(roots, () => false);
  if (!operations.some(isControlFlow)) return;
  const translator = new Translator(operations, [], graph);
  for (const x of xs) refuseInside(translator.regions, x);
  const values = graph.nameScope(null, () =>
    graph.controlDependencies(null, () => translator.translateAll()),
  );
  for (const [tensor, value] of values) if (tensor !== value) replaced.set(tensor, value);
}

function refuseInside(regions: Regions, x: Tensor): void {
  const region: Region = regions.ofTensor(x);
  if (region.kind === 'root') return;
  throw new UnimplementedError(
    `${x.op.describe()} lies in a ${region.kind} of version 1 control flow: there are gradients only for what is outside`,
    { node: x.op.name },
  );
}
