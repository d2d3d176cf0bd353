/**
 * Every op's first samples once more, through the session: fed, fused with elementwise neighbours where
 * that is possible, one also with every pass off. What the kernels get right alone, the compiler must not get wrong.
 */
import * as fr from '@forerun/graph';
import { KERNELS } from '@forerun/kernels-webgpu';
import { expectClose, makeNode, runReference, sampleInputs, SAMPLES, type Sample } from '@forerun/testing';
import { isDeviceDType } from '../src/device/words.js';
import { Session, type PassSwitches } from '../src/index.js';
import { NO_PASSES } from './support/passes.js';

interface Case {
  readonly type: fr.OpName;
  readonly sample: Sample;
  /** Passes to run it with. */
  readonly choices: readonly PassSwitches[];
  readonly title: string;
}

/** Kernels run on all samples without a session (packages/testing); here each text with its neighbours is compiled anew. */
const MOST_SAMPLES = 3;

const CASES: Case[] = (Object.keys(fr.OPS) as fr.OpName[]).flatMap((type) => {
  const samples = SAMPLES[type];
  if (samples === undefined || 'testedElsewhere' in samples || fr.OPS[type].stateful) return [];
  // The inputs are made by ops here, which a variable is not.
  if (KERNELS[type].kind === 'unsupported' || type === 'VariableShape') return [];
  const supported = samples.samples.filter(({ unsupportedOnGpu }) => unsupportedOnGpu === undefined);
  return supported.slice(0, MOST_SAMPLES).map((sample, i) => ({
    type,
    sample,
    choices: i === 0 ? [{}, NO_PASSES] : [{}],
    title: `${type}: ${sample.name}`,
  }));
});

/** The sample's node with float inputs fed through a fusible op, everything else constant. */
function build(type: fr.OpName, sample: Sample, inputs: readonly fr.HostValue[]) {
  const feeds: [fr.Tensor, fr.TensorValue][] = [];
  const tensors = inputs.map((input) => {
    const value = fr.fromHostValue(input);
    if (input.dtype !== 'float32') return fr.constant(value);
    const fed = fr.placeholder('float32', value.shape);
    feeds.push([fed, value]);
    return fr.maximum(fed, -Infinity);
  });
  const graph = fr.getDefaultGraph();
  const op = graph.createOp({
    type,
    inputs: tensors,
    ...(sample.attrs === undefined ? {} : { attrs: sample.attrs }),
  });
  const fetches = op.outputs.map((output) =>
    output.dtype === 'float32' ? fr.maximum(output, -Infinity) : output,
  );
  return { feeds, fetches };
}

test.each(CASES)('$title', async ({ type, sample, choices }) => {
  fr.resetDefaultGraph();
  const inputs = sampleInputs(sample);
  const want = runReference(makeNode(type, inputs, sample.attrs ?? {}), inputs);
  const { feeds, fetches } = build(type, sample, inputs);
  if (fetches.some(({ dtype }) => !isDeviceDType(dtype))) return;
  for (const passes of choices) {
    const sess = await Session.create({ config: { passes } });
    try {
      const got = await sess.run(fetches, feeds);
      want.forEach((value, i) => {
        const result = got[i] === undefined ? null : fr.toHostValue(got[i]);
        if (result === null) throw new Error(`output ${i} is missing`);
        expectClose(result, value, sample.tolerance, `output ${i}`);
      });
    } finally {
      sess.close();
    }
  }
});
