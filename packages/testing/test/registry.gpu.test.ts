/** Every kernel against its float64 reference, on the samples of every op, in every form it takes. */
import { UnimplementedError, type AttrInputs, type HostValue, type OpName } from '@forerun/graph';
import { KERNELS, type AdapterFacts } from '@forerun/kernels-webgpu';
import {
  SAMPLES,
  expectClose,
  lowerOp,
  makeNode,
  runOpOnGpu,
  runReference,
  sampleInputs,
  type GpuOptions,
  type Sample,
} from '@forerun/testing';
import { SELECTED } from './selection.js';

const TIMEOUT = 120_000;

/** The adapter as it is, and others that kernels may meet. Forms with the same shaders run once. */
const FORMS: readonly { readonly name: string; readonly options: GpuOptions }[] = [
  { name: 'as found', options: {} },
  { name: 'without subgroups', options: form({ subgroupSize: 0 }) },
  { name: 'as a hardware adapter', options: form({ software: false }) },
  { name: 'as a hardware adapter without subgroups', options: form({ software: false, subgroupSize: 0 }) },
  { name: 'with all inputs on the device', options: { hostInputs: false } },
  { name: 'with few workgroups', options: form({ maxWorkgroups: 8 }) },
  { name: 'with sizes as parameters', options: { parameters: true } },
];

/** Among so many samples of an op the forms are divided, because the driver has to compile each: every op meets every form. */
const SHARES = 3;

/** The forms that sample `i` of `count` runs in (`FORERUN_FORMS=all`: each in every form). */
function formsOf(i: number, count: number): typeof FORMS {
  if (count < SHARES || process.env.FORERUN_FORMS === 'all') return FORMS;
  return FORMS.filter((_, k) => k === 0 || (k - 1) % SHARES === i % SHARES);
}

/**
 * With neighbours fused to them: one sample of each op that fusion seeks out (`FORERUN_FUSED=all`: of every op). The
 * text of kernels hardly depends on the sample, and every form has to be compiled.
 */
const FUSED: typeof FORMS = [{ name: 'fused', options: { fused: true } }];

function isSought(type: OpName): boolean {
  const kernel = KERNELS[type];
  if (process.env.FORERUN_FUSED === 'all') return true;
  return kernel.kind === 'device' && (kernel.storesOnce === true || kernel.loads !== undefined);
}

/** Offsets of bindings are multiples of this: no smaller binding can be forced. */
const WINDOW = 256;

/** An adapter that cannot bind the largest tensor at once, but all windows of all tensors together. */
async function smallBindings(
  type: OpName,
  inputs: readonly HostValue[],
  attrs: AttrInputs,
  outputs: readonly HostValue[],
): Promise<typeof FORMS> {
  const bytes = Math.max(...[...inputs, ...outputs].map(({ data }) => data.length * 4));
  for (let windows = Math.ceil(bytes / 2 / WINDOW); windows * WINDOW < bytes; windows *= 2) {
    const options = form({ maxBindingBytes: windows * WINDOW });
    try {
      await lowerOp(type, inputs, attrs, options);
      return [{ name: `with bindings of ${windows * WINDOW} bytes`, options }];
    } catch (error) {
      if (!(error instanceof UnimplementedError) || !error.message.includes('storage bindings for tensors'))
        throw error;
    }
  }
  return [];
}

function form(adapterOverrides: Partial<AdapterFacts>): GpuOptions {
  return { adapterOverrides };
}

const CASES = SELECTED.flatMap((type) => {
  const samples = SAMPLES[type];
  const kind = KERNELS[type].kind;
  if (samples === undefined || 'testedElsewhere' in samples || kind === 'host') return [];
  return samples.samples.map((sample, i) => ({
    type,
    sample,
    forms: [...formsOf(i, samples.samples.length), ...(i === 0 && isSought(type) ? FUSED : [])],
    title: `${type}: ${sample.name}`,
  }));
});

describe('kernels on the device', () => {
  it('has cases to run', () => {
    expect(CASES.length).toBeGreaterThan(0);
  });

  it.each(CASES)('$title', async ({ type, sample, forms }) => checkKernel(type, sample, forms), TIMEOUT);
});

async function checkKernel(type: OpName, sample: Sample, given: typeof FORMS): Promise<void> {
  const inputs = sampleInputs(sample);
  const attrs = sample.attrs ?? {};
  if (KERNELS[type].kind === 'unsupported' || sample.unsupportedOnGpu !== undefined) {
    await expect(runOpOnGpu(type, inputs, attrs)).rejects.toThrow(UnimplementedError);
    return;
  }
  const want = runReference(makeNode(type, inputs, attrs), inputs);
  const done = new Set<string>();
  const forms = [...given, ...(await smallBindings(type, inputs, attrs, want))];
  for (const { name, options } of forms) {
    const text = JSON.stringify([await lowerOp(type, inputs, attrs, options), options.parameters]);
    if (done.has(text)) continue;
    done.add(text);
    const got = await runOpOnGpu(type, inputs, attrs, options);
    expect(got.length).toBe(want.length);
    want.forEach((value, i) => {
      const result = got[i];
      if (result !== undefined) expectClose(result, value, sample.tolerance, `output ${i}, adapter ${name}`);
    });
  }
}
