/** What is compared in an oracle case, whichever backend computes: outputs, gradients, optimizer steps. */
import {
  TensorShape,
  gradients,
  isFloating,
  withGraphOf,
  type HostValue,
  type Operation,
  type Tensor,
} from '@forerun/graph';
import { expectClose, interpretWith, makeNode, placeholderNode, type Backend } from '@forerun/testing';
import type { OracleCase } from './oracleCases.js';

/** Outputs as expected; only `Where` and shapes may come in another integer dtype. */
export async function checkForward(backend: Backend, oracle: OracleCase): Promise<void> {
  const node = makeNode(oracle.op, oracle.inputs, oracle.attrs);
  const results = await backend({ op: node, inputs: oracle.inputs, attrs: node.attrs });
  oracle.outputs.forEach((want, i) => {
    const got = results[i];
    if (got === undefined) throw new Error(`there is no output ${i}`);
    expectClose(got, want, oracle.tolerance, `output ${i}`);
  });
}

/** Gradients as expected, each computed from the gradient graph node by node; `null` where expected. */
export async function checkGradients(backend: Backend, oracle: OracleCase): Promise<void> {
  const { gradient } = oracle;
  if (gradient === null) return;
  const node = makeNode(oracle.op, oracle.inputs, oracle.attrs, (i) =>
    isFloating(oracle.inputs[i]?.dtype ?? 'int32') ? 'placeholder' : 'const',
  );
  const feeds = new Map<Tensor, HostValue>();
  node.inputs.forEach((input, i) => feed(feeds, input, oracle.inputs[i]));
  const built = buildGradients(node, gradient.upstream, feeds);
  const wanted = gradient.inputs.flatMap((want, i) => (want === null ? [] : [{ i, want }]));
  gradient.inputs.forEach((want, i) => {
    const has = built[i] !== null && built[i] !== undefined;
    if (has !== (want !== null)) {
      throw new Error(
        `input ${i} has ${has ? 'a' : 'no'} gradient, expected ${want === null ? 'none' : 'one'}`,
      );
    }
  });
  const tensors = wanted.flatMap(({ i }) => built[i] ?? []);
  const values = await interpretWith(backend, tensors, feeds);
  wanted.forEach(({ i, want }, k) => {
    const got = values[k];
    if (got === undefined) throw new Error(`the gradient of input ${i} has no value`);
    expectClose(got, want, oracle.tolerance, `gradient of input ${i}`);
  });
}

function feed(feeds: Map<Tensor, HostValue>, tensor: Tensor | undefined, value: HostValue | undefined): void {
  if (tensor?.op.type === 'Placeholder' && value !== undefined) feeds.set(tensor, value);
}

function buildGradients(
  node: Operation,
  upstream: readonly HostValue[],
  feeds: Map<Tensor, HostValue>,
): (Tensor | null)[] {
  const ys = node.outputs.slice(0, upstream.length);
  return withGraphOf(node.output(0), () => {
    const gradYs = upstream.map((value) => {
      const weight = placeholderNode(node.graph, value.dtype, new TensorShape(value.shape));
      feeds.set(weight, value);
      return weight;
    });
    const xs = node.inputs.filter((x) => isFloating(x.dtype));
    const built = gradients(ys, xs, { gradYs });
    return node.inputs.map((x) => built[xs.indexOf(x)] ?? null);
  });
}

/** State after one or several optimizer steps. */
export async function checkOptimizer(backend: Backend, oracle: OracleCase): Promise<void> {
  const inputs = [...oracle.inputs];
  const position = (name: string): number => oracle.inputNames.indexOf(name);
  const gradient = Math.max(position('grad'), position('delta'));
  const slices = oracle.inputs[gradient];
  if (slices === undefined) throw new Error('the case has no gradient input');
  for (let step = 0; step < Math.max(1, oracle.steps); step++) {
    if (oracle.steps > 0) inputs[gradient] = slice(slices, step);
    const node = makeNode(oracle.op, inputs, oracle.attrs);
    const results = await backend({ op: node, inputs, attrs: node.attrs });
    oracle.refs.forEach((ref, i) => {
      const value = results[i];
      if (value !== undefined) inputs[ref] = value;
    });
    for (const beta of ['beta1', 'beta2']) advancePower(inputs, position(`${beta}_power`), position(beta));
  }
  oracle.outputs.forEach((want, i) => {
    const got = inputs[oracle.refs[i] ?? -1];
    if (got === undefined) throw new Error(`there is no state ${i}`);
    expectClose(got, want, oracle.tolerance, `state ${oracle.inputNames[oracle.refs[i] ?? -1] ?? i}`);
  });
}

function slice({ dtype, shape, data }: HostValue, step: number): HostValue {
  const size = data.length / (shape[0] ?? 1);
  return { dtype, shape: shape.slice(1), data: data.slice(step * size, (step + 1) * size) };
}

function advancePower(inputs: HostValue[], power: number, beta: number): void {
  const [value, factor] = [inputs[power], inputs[beta]];
  if (value === undefined || factor === undefined) return;
  inputs[power] = { ...value, data: value.data.map((x) => x * (factor.data[0] ?? 1)) };
}
