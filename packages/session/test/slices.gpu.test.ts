/** Checkpoints of which a writer has only some slices of a tensor, as when devices save their parts of a variable each. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fr from '@forerun/graph';
import { CheckpointReader, Session } from '../src/index.js';

let directory: string;
let sess: Session;
beforeEach(async () => {
  fr.resetDefaultGraph();
  directory = mkdtempSync(join(tmpdir(), 'forerun-slices-'));
  sess = await Session.create();
});
afterEach(() => {
  sess.close();
  rmSync(directory, { recursive: true });
});

const path = (name: string): string => join(directory, name);

function save(prefix: string, names: string[], slices: string[], tensors: fr.NestedArray[]): fr.Operation {
  const values = tensors.map((tensor) => fr.constant(tensor));
  return fr.applyOp('SaveV2', [fr.constant(prefix), fr.constant(names), fr.constant(slices), values]);
}

function restore(prefix: string, name: string, slice: string): fr.Tensor {
  const inputs = [fr.constant(prefix), fr.constant([name]), fr.constant([slice])];
  return fr.applyOp('RestoreV2', inputs, { attrs: { dtypes: ['float32'] } }).output(0);
}

test('slices are written as such, restored one by one, and merged to the whole tensor', async () => {
  const [first, second] = [path('first'), path('second')];
  const saves = [
    save(first, ['w', 'b'], ['4 2 0,3:-', ''], [[[1, 2], [3, 4], [5, 6]], [9]]), // prettier-ignore
    save(second, ['w'], ['4 2 3,1:-'], [[[7, 8]]]),
  ];
  const part = restore(first, 'w', '4 2 0,3:-');
  const other = restore(first, 'w', '4 2 3,1:-');
  const merged = path('merged');
  const merge = fr.applyOp('MergeV2Checkpoints', [fr.constant([first, second]), fr.constant(merged)], {
    attrs: { delete_old_dirs: false },
  });
  const two = fr.applyOp('MergeV2Checkpoints', [fr.constant([first]), fr.constant(path('copy'))], {
    attrs: { delete_old_dirs: true },
  });
  const rows = restore(merged, 'w', '4 2 2,2:0,1');
  const copied = restore(path('copy'), 'w', '4 2 0,3:0,2');
  await sess.run(saves);
  const reader = await CheckpointReader.open(first);
  expect(reader.getVariableToShapeMap()).toMatchObject({ w: [4, 2], b: [1] });
  await expect(reader.getTensor('w')).rejects.toThrow(
    /checkpoint tensor "w": its slices hold 6 of 8 elements/,
  );
  await reader.close();
  expect((await sess.run(part)).toArray()).toEqual([[1, 2], [3, 4], [5, 6]]); // prettier-ignore
  await expect(sess.run(other)).rejects.toThrow(/its slices hold 6 of 8 elements/);
  await sess.run(merge);
  const whole = await CheckpointReader.open(merged);
  expect((await whole.getTensor('w')).toArray()).toEqual([[1, 2], [3, 4], [5, 6], [7, 8]]); // prettier-ignore
  await whole.close();
  expect((await sess.run(rows)).toArray()).toEqual([[5], [7]]); // prettier-ignore
  await sess.run(two);
  expect((await sess.run(copied)).toArray()).toEqual([[1, 2], [3, 4], [5, 6]]); // prettier-ignore
});

test('slices that do not go together are refused', async () => {
  const twice = save(path('twice'), ['w', 'w'], ['4 2 0,1:-', '4 2 0,1:-'], [[[1, 2]], [[3, 4]]]);
  const others = save(path('others'), ['w', 'w'], ['4 2 0,1:-', '5 2 1,1:-'], [[[1, 2]], [[3, 4]]]);
  await expect(sess.run(twice)).rejects.toThrow(/two slices of "w" overlap: 4 2 0,1:0,2 and 4 2 0,1:0,2/);
  await expect(sess.run(others)).rejects.toThrow(
    /slices of "w" are of float32 \[4,2\] and of float32 \[5,2\]/,
  );
});
