/** Contractions on the device in grids that had to be folded, where workgroups are numbered otherwise. */
import type { AttrInputs, HostValue } from '@forerun/graph';
import { Random, expectClose, lowerOp, makeNode, runOpOnGpu, runReference } from '@forerun/testing';

const random = new Random(7);

function tensor(...shape: number[]): HostValue {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return { dtype: 'float32', shape, data: random.array(size).map(Math.fround) };
}

/** At this limit every case below needs folding in every form. */
const LIMIT = 7;
const FORMS = [{}, { subgroupSize: 0 }, { software: false }];

interface Case {
  readonly type: string;
  readonly inputs: readonly HostValue[];
  readonly attrs: AttrInputs;
}

const CASES: readonly Case[] = [
  { type: 'MatMul', inputs: [tensor(300, 12), tensor(12, 40)], attrs: {} },
  { type: 'BatchMatMulV2', inputs: [tensor(5, 1, 6, 4), tensor(2, 4, 35)], attrs: {} },
  {
    type: 'Conv2D',
    inputs: [tensor(3, 10, 10, 4), tensor(3, 3, 4, 40)],
    attrs: { strides: [1, 1, 1, 1], padding: 'SAME' },
  },
];

describe('contractions in folded grids', () => {
  it.each(CASES)('$type', async ({ type, inputs, attrs }) => {
    const [want] = runReference(makeNode(type, inputs, attrs), inputs);
    if (want === undefined) throw new Error(`${type} has no reference output`);
    for (const form of FORMS) {
      const options = { adapterOverrides: { ...form, maxWorkgroups: LIMIT } };
      const lowered = await lowerOp(type, inputs, attrs, options);
      expect(lowered?.dispatches[0]?.wgsl).toContain('let group_number = folded_id.x');
      const [got] = await runOpOnGpu(type, inputs, attrs, options);
      if (got === undefined) throw new Error(`${type} gave no output`);
      expectClose(got, want, { rtol: 1e-5, atol: 2e-5 }, JSON.stringify(form));
    }
  });
});
