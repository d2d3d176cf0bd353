/**
 * Every candidate that tuning may choose computes the same: small contractions with sizes that leave rests
 * everywhere, in all candidates of all forms (subgroups, without them, as on a GPU).
 */
import type { AttrInputs, HostValue } from '@forerun/graph';
import type { AdapterFacts, Choice } from '@forerun/kernels-webgpu';
import { Random, expectClose, lowerOp, makeNode, runOpOnGpu, runReference } from '@forerun/testing';

const random = new Random(11);

function tensor(...shape: number[]): HostValue {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return { dtype: 'float32', shape, data: random.array(size).map(Math.fround) };
}

const NO_SUBGROUPS = { subgroupSize: 0 };
const GPU = { software: false };

interface Case {
  readonly name: string;
  readonly type: string;
  readonly inputs: readonly HostValue[];
  readonly attrs: AttrInputs;
  /** Drivers take long to compile unrolled tiles: each form is tried where it has something of its own. */
  readonly forms: readonly Partial<AdapterFacts>[];
  readonly only?: RegExp;
}

const CASES: readonly Case[] = [
  {
    name: 'a product with rests in rows and columns',
    type: 'MatMul',
    inputs: [tensor(35, 2), tensor(2, 72)],
    attrs: {},
    forms: [{}, NO_SUBGROUPS],
  },
  {
    name: 'few columns',
    type: 'MatMul',
    inputs: [tensor(3, 37), tensor(5, 3)],
    attrs: { transpose_a: true, transpose_b: true },
    forms: [{}],
  },
  {
    name: 'few rows',
    type: 'MatMul',
    inputs: [tensor(3, 64), tensor(64, 44)],
    attrs: {},
    forms: [{}],
  },
  {
    name: 'tiles in workgroup memory',
    type: 'MatMul',
    inputs: [tensor(35, 9), tensor(9, 37)],
    attrs: {},
    forms: [GPU],
    only: /^tile/,
  },
];

/** Larger bodies come from the same generators as smaller ones, and take longer to compile. */
const LARGEST_BODY = 128;

/** The candidates of a case on an adapter, as it offers them. */
async function offered({ type, inputs, attrs }: Case, form: Partial<AdapterFacts>): Promise<Choice> {
  const choices: Choice[] = [];
  const choose = (choice: Choice): number => choices.push(choice) - choices.length;
  await lowerOp(type, inputs, attrs, { adapterOverrides: { ...form, choose } });
  const [choice] = choices;
  if (choice === undefined) throw new Error(`${type} offers no candidates`);
  return choice;
}

describe('every candidate', () => {
  it.each(CASES)('of $name', async (test) => {
    const { type, inputs, attrs, forms, only = /./ } = test;
    const [want] = runReference(makeNode(type, inputs, attrs), inputs);
    if (want === undefined) throw new Error(`${type} has no reference output`);
    for (const form of forms) {
      const { candidates } = await offered(test, form);
      expect(candidates.length).toBeGreaterThan(2);
      expect(candidates.length).toBeLessThanOrEqual(12);
      for (const [i, { name, body }] of candidates.entries()) {
        if (body > LARGEST_BODY || !only.test(name)) continue;
        const [got] = await runOpOnGpu(type, inputs, attrs, {
          adapterOverrides: { ...form, choose: () => i },
        });
        if (got === undefined) throw new Error(`${type} gave no output`);
        expectClose(got, want, { rtol: 1e-5, atol: 2e-5 }, `${name} ${JSON.stringify(form)}`);
      }
    }
  });
});
