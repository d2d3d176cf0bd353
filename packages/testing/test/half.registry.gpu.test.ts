/** Every kernel whose op takes float16, on one sample of it rounded to that, against the float64 reference. */
import { FAMILIES, roundToHalf, type OpName } from '@forerun/graph';
import { computesHalf, KERNELS } from '@forerun/kernels-webgpu';
import {
  expectClose,
  inHalf,
  makeNode,
  runOpOnGpu,
  runReference,
  SAMPLES,
  type Sample,
  type Tolerance,
} from '@forerun/testing';
import { SELECTED } from './selection.js';

/** Their shaders take long to compile, and what is special in them is not the dtype: only with `FORERUN_HALF=all`. */
const SLOW = new Set<string>(
  process.env.FORERUN_HALF === 'all' ? [] : [...Object.keys(FAMILIES.random), 'Digamma', 'Lgamma'],
);

const CASES = SELECTED.flatMap((type) => {
  const samples = SAMPLES[type];
  const { kind } = KERNELS[type];
  // `Bitcast` gives another shape.
  if (kind === 'host' || kind === 'view' || SLOW.has(type) || type === 'Bitcast') return [];
  if (samples === undefined || 'testedElsewhere' in samples) return [];
  const sample = samples.samples.find(
    (one) => one.unsupportedOnGpu === undefined && inHalf(type, one) !== null,
  );
  return sample === undefined ? [] : [{ type, sample }];
});

it.each(CASES)('$type', async ({ type, sample }) => check(type, sample));

/**
 * One unit in the last place of a float16, besides what the sample allows. Ops made of others round between these; updates
 * of rows that occur several times round after each.
 */
function half(type: OpName, { rtol, atol }: { readonly rtol: number; readonly atol: number }): Tolerance {
  if (KERNELS[type].kind === 'composed') return { rtol: rtol + 2 ** -8, atol: atol + 2 ** -11 };
  if (type.startsWith('ResourceSparseApply')) return { rtol: rtol + 2 ** -10, atol: atol + 2 ** -12 };
  return { rtol: rtol + 2 ** -10, atol: atol + 2 ** -24 };
}

async function check(type: OpName, sample: Sample): Promise<void> {
  const { inputs, attrs } = inHalf(type, sample) ?? { inputs: [], attrs: {} };
  if (!computesHalf(type)) {
    await expect(runOpOnGpu(type, inputs, attrs)).rejects.toThrow(
      `${type} "node": float16 matrices are not factorized`,
    );
    return;
  }
  const node = makeNode(type, inputs, attrs);
  const want = runReference(node, inputs);
  const got = await runOpOnGpu(type, inputs, attrs);
  const tolerance = { rtol: 1e-5, atol: 1e-6, ...sample.tolerance };
  want.forEach((value, i) => {
    const result = got[i];
    if (result === undefined) return;
    // References of ops whose results are always floats call them float32.
    const dtype = node.outputs[i]?.dtype ?? result.dtype;
    if (dtype !== 'float16') expectClose(result, { ...value, dtype }, tolerance, `output ${i}`);
    else
      expectClose(
        result,
        { ...value, dtype, data: value.data.map(roundToHalf) },
        half(type, tolerance),
        `output ${i}`,
      );
  });
}
