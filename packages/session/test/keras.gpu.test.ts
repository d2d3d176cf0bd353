/** SavedModels of TensorFlow 2 and Keras 3 give what TensorFlow gave, steps of training included. `fixtures/savedModels/make.py` makes the files. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import * as fr from '@forerun/graph';
import { savedModel, Session } from '../src/index.js';

interface Described {
  readonly dtype: 'string' | 'float32' | 'int32' | 'int64';
  readonly shape: readonly number[];
  readonly data: readonly (string | number)[];
}

interface Fixture {
  readonly files: Readonly<Record<string, string>>;
  readonly cases: readonly {
    readonly signature: string;
    readonly inputs: Readonly<Record<string, Described>>;
    readonly outputs: Readonly<Record<string, Described>>;
  }[];
}

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'forerun-keras-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function unpack(name: string): Fixture {
  const packed = readFileSync(new URL(`fixtures/savedModels/${name}.json.gz`, import.meta.url));
  const fixture = JSON.parse(gunzipSync(packed).toString()) as Fixture;
  for (const [path, content] of Object.entries(fixture.files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), Buffer.from(content, 'base64'));
  }
  return fixture;
}

const valueOf = ({ dtype, shape, data }: Described): fr.TensorValue =>
  dtype === 'string'
    ? new fr.TensorValue(dtype, shape, data as readonly string[])
    : fr.toTensorValue(data, dtype, shape);

test.each(['trained', 'text'])('%s', async (name) => {
  const { cases } = unpack(name);
  // Below a scope, too, everything is found.
  for (const importScope of [undefined, 'loaded']) {
    await using sess = await Session.create({ graph: new fr.Graph() });
    const model = await savedModel.load(sess, ['serve'], folder, { importScope });
    for (const { signature, inputs, outputs } of cases) {
      const tensors = model.signature(signature);
      const feeds = Object.entries(inputs).flatMap(([key, value]) => {
        const tensor = tensors.inputs[key];
        return tensor === undefined ? [] : [[tensor, valueOf(value)] as const];
      });
      const got = await sess.run(tensors.outputs, new Map(feeds));
      for (const [key, { shape, data }] of Object.entries(outputs)) {
        expect(got[key]?.shape).toEqual(shape);
        Array.from(got[key]?.data ?? [], Number).forEach((value, i) =>
          expect(value).toBeCloseTo(Number(data[i]), 5),
        );
      }
    }
  }
});

test('objects that refer to what is not there are refused', async () => {
  unpack('trained');
  const path = join(folder, 'saved_model.pb');
  const model = fr.proto.decode('SavedModel', readFileSync(path));
  const [meta] = model.metaGraphs;
  if (meta === undefined) throw new Error('no graph');
  const objects = { objectGraphDef: { nodes: [{ children: [{ nodeId: 99, localName: 'w' }] }] } };
  const bent = { ...meta, [fr.proto.UNKNOWN_FIELDS]: fr.proto.encode('MetaGraphObjects', objects) };
  writeFileSync(path, fr.proto.encode('SavedModel', { ...model, metaGraphs: [bent] }));
  await using sess = await Session.create({ graph: new fr.Graph() });
  await expect(savedModel.load(sess, ['serve'], folder)).rejects.toThrow(
    /the SavedModel's objects: "" has a child 99, there are 1/,
  );
});
