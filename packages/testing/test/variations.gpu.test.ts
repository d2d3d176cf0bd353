/**
 * Kernels, references, inference and gradients on randomly drawn shapes, attributes and values. The
 * seed is fixed; FORERUN_VARIATIONS=COUNT[,SEED] draws more cases or others.
 */
import {
  TensorShape,
  failRule,
  type HostValue,
  type InferContext,
  type OpName,
  type Operation,
} from '@forerun/graph';
import { KERNELS } from '@forerun/kernels-webgpu';
import {
  checkOpGrad,
  definitionOf,
  expectClose,
  lowerOp,
  makeNode,
  runOpOnGpu,
  runReference,
  type GpuOptions,
} from '@forerun/testing';
import { isSelected } from './selection.js';
import { ARRAY_VARIATIONS } from './variations/array.js';
import { CONVOLUTION_VARIATIONS } from './variations/convolutions.js';
import { Draw, type Generator, type Variation } from './variations/draw.js';
import { ELEMENTWISE_VARIATIONS } from './variations/elementwise.js';
import { IMAGE_VARIATIONS } from './variations/images.js';
import { LINE_VARIATIONS } from './variations/lines.js';
import { MATH_VARIATIONS } from './variations/math.js';
import { ROW_VARIATIONS } from './variations/rows.js';
import { STRUCTURE_VARIATIONS } from './variations/structures.js';
import { TRAINING_VARIATIONS } from './variations/training.js';
import { WINDOW_VARIATIONS } from './variations/windows.js';

const [COUNT = 6, SEED = 1] = (process.env.FORERUN_VARIATIONS ?? '6,1').split(',').map(Number);
/** The share of cases that ops get with large shaders, which take a second each to compile, or with few attributes. */
const FEWER = 1 / 3;
const ERASURES = 6;
const FORMS: readonly GpuOptions[] = [{}, { adapterOverrides: { subgroupSize: 0 } }];

const SIMPLE: Partial<Record<OpName, Generator>> = {
  ...ELEMENTWISE_VARIATIONS,
  ...ROW_VARIATIONS,
  ...IMAGE_VARIATIONS,
  ...LINE_VARIATIONS,
  ...STRUCTURE_VARIATIONS,
  ...TRAINING_VARIATIONS,
};
const GENERATORS: Partial<Record<OpName, Generator>> = {
  ...ARRAY_VARIATIONS,
  ...MATH_VARIATIONS,
  ...WINDOW_VARIATIONS,
  ...CONVOLUTION_VARIATIONS,
  ...SIMPLE,
};
const TYPES = (Object.keys(GENERATORS) as OpName[]).filter(isSelected);

/** The cases of an op; an op's cases do not depend on those of others. */
function casesOf(type: OpName): Variation[] {
  const generate = GENERATORS[type];
  if (generate === undefined) return [];
  const own = Array.from(type).reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) % 65_521, 7);
  const share = /^Conv[23]D|MatMul/.test(type) || Object.hasOwn(SIMPLE, type) ? FEWER : 1;
  return Array.from({ length: Math.ceil(COUNT * share) }, (_, k) =>
    generate(new Draw(own * 1009 + k + SEED * 7919)),
  );
}

describe.each(TYPES)('variations of %s', (type) => {
  const cases = casesOf(type);

  it('agree with the reference on the device', async () => {
    await everyCase(type, cases, (variation) => checkKernel(type, variation));
  }, 120_000);

  it('have their shapes inferred from whatever is known', async () => {
    const draw = new Draw(SEED);
    await everyCase(type, cases, (variation) => checkErased(type, variation, draw));
  });

  it('have the gradients that differences give', async () => {
    const differentiated = cases.filter(({ gradient }) => gradient === true);
    await everyCase(type, differentiated, ({ inputs, attrs = {}, gradientInputs }) => {
      checkOpGrad(type, inputs, attrs, { order: 1, label: type, inputPositions: gradientInputs });
    });
  });
});

/** Runs all cases and throws what went wrong in any, with the case. */
async function everyCase(
  type: string,
  cases: readonly Variation[],
  check: (variation: Variation) => Promise<void> | void,
): Promise<void> {
  const problems: string[] = [];
  for (const variation of cases) {
    try {
      await check(variation);
    } catch (error) {
      problems.push(
        `${describeCase(type, variation)}\n${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  if (problems.length > 0) throw new Error(`${problems.length} of ${cases.length}\n${problems.join('\n\n')}`);
}

function describeCase(type: string, { inputs, attrs = {} }: Variation): string {
  const texts = inputs.map(({ dtype, shape, data }) => {
    const values = data.length <= 12 ? ` {${data.join()}}` : '';
    return `${dtype}[${shape.join()}]${values}`;
  });
  return `${type}(${texts.join('; ')}) ${JSON.stringify(attrs)}`;
}

async function checkKernel(type: OpName, { inputs, attrs = {}, tolerance, check }: Variation): Promise<void> {
  const node = makeNode(type, inputs, attrs);
  const want = runReference(node, inputs);
  checkShapes(
    node.outputs.map(({ shape }) => shape),
    outputsOf(node, want),
  );
  if (KERNELS[type].kind === 'host') return;
  const done = new Set<string>();
  for (const options of FORMS) {
    const text = JSON.stringify(await lowerOp(type, inputs, attrs, options));
    if (done.has(text)) continue;
    done.add(text);
    const got = await runOpOnGpu(type, inputs, attrs, options);
    check?.(got, want);
    if (check !== undefined) continue;
    want.forEach((value, i) => {
      const result = got[i];
      if (result === undefined) throw new Error(`there is no output ${i}`);
      expectClose(result, value, tolerance, `output ${i}, ${JSON.stringify(options)}`);
    });
  }
}

/** The results without the new values of variables behind them. */
function outputsOf({ outputs }: Operation, results: readonly HostValue[]): readonly HostValue[] {
  return results.slice(0, outputs.length);
}

function checkShapes(inferred: readonly TensorShape[], want: readonly HostValue[]): void {
  want.forEach(({ shape }, i) => {
    if (inferred[i]?.isCompatibleWith(new TensorShape(shape)) === true) return;
    throw new Error(`output ${i}: inferred ${String(inferred[i])}, the reference gives [${shape.join()}]`);
  });
}

/** Inference, told only a part of shapes and values, must not throw nor contradict the result. */
function checkErased(type: OpName, { inputs, attrs = {} }: Variation, draw: Draw): void {
  const node = makeNode(type, inputs, attrs);
  const want = outputsOf(node, runReference(node, inputs));
  for (let n = 0; n < ERASURES; n++) {
    const context = erased(node, inputs, draw);
    const told = context.shapes.map(
      (shape, i) => `${shape.toString()}=${context.constant(i)?.data.join() ?? '?'}`,
    );
    try {
      checkShapes(definitionOf(type).infer(context), want);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`told ${told.join('; ').slice(0, 400)}: ${why}`, { cause: error });
    }
  }
}

function erased(node: Operation, inputs: readonly HostValue[], draw: Draw): InferContext {
  const values = inputs.map((input) => (draw.chance(0.4) ? null : partly(input, draw)));
  const shapes = inputs.map(({ shape }, i) => {
    if (values[i] !== null) return new TensorShape(shape);
    if (draw.chance(0.2)) return TensorShape.UNKNOWN;
    return new TensorShape(shape.map((dim) => (draw.chance(0.4) ? null : dim)));
  });
  return {
    attrs: node.attrs,
    shapes,
    dtypes: inputs.map(({ dtype }) => dtype),
    shape: (i) => shapes[i] ?? TensorShape.UNKNOWN,
    constant: (i) => values[i] ?? null,
    handle: () => null,
    fail: failRule,
  };
}

/** Some elements of an integer value become unknown. */
function partly(value: HostValue, draw: Draw): HostValue | null {
  if (value.dtype.startsWith('float')) return null;
  return draw.chance(0.5) ? value : { ...value, data: value.data.map((x) => (draw.chance(0.3) ? NaN : x)) };
}
