/** Summaries: messages as TensorFlow 2.21 writes them (`fixtures/tensorflow/summaries.py`), event files, and what is refused. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode as decodePng } from 'fast-png';
import {
  audioSummary,
  constant,
  DataLossError,
  FailedPreconditionError,
  Graph,
  histogramSummary,
  imageSummary,
  InvalidArgumentError,
  importGraphDef,
  matMul,
  mergeAllSummaries,
  mergeSummaries,
  NotFoundError,
  placeholder,
  proto,
  scalarSummary,
  tensorFromProto,
  tensorSummary,
  TensorValue,
  textSummary,
  type Tensor,
} from '@forerun/graph';
import { FileWriter, RunMetadata, Session, summaryIterator } from '@forerun/session';

interface Recorded {
  graph: string;
  names: Record<string, string>;
  summaries: Record<string, string>;
}

const recorded = JSON.parse(
  readFileSync(new URL('fixtures/tensorflow/summaries.json', import.meta.url), 'utf8'),
) as Recorded;

let directory: string;
beforeAll(() => (directory = mkdtempSync(join(tmpdir(), 'forerun-events-'))));
afterAll(() => rmSync(directory, { recursive: true }));

function bytesOf(value: { data: ArrayLike<unknown> }): Uint8Array {
  const [bytes] = Array.from(value.data);
  if (!(bytes instanceof Uint8Array)) throw new Error('a summary is bytes');
  return bytes;
}

/** A message with pixels in place of the PNG, which may be compressed in many ways, and elements in place of a tensor's fields. */
function comparable(bytes: Uint8Array): unknown[] {
  return proto.decode('Summary', bytes).value.map(({ image, tensor, ...value }) => ({
    ...value,
    image: image && { ...image, encodedImageString: Array.from(decodePng(image.encodedImageString).data) },
    tensor: tensor && [tensor.dtype, tensorFromProto(tensor).shape, tensorFromProto(tensor).toArray()],
  }));
}

async function summariesOf(graph: Graph, fetches: Tensor[], feeds = {}): Promise<Uint8Array[]> {
  const sess = await Session.create({ graph });
  try {
    return (await sess.run(fetches, feeds)).map(bytesOf);
  } finally {
    sess.close();
  }
}

describe('a graph of TensorFlow', () => {
  const graph = new Graph();
  graph.asDefault(() =>
    importGraphDef(proto.decode('GraphDef', Buffer.from(recorded.graph, 'base64')), { name: '' }),
  );

  test.each(Object.keys(recorded.names))('gives its message: %s', async (key) => {
    const [found] = await summariesOf(graph, [graph.getTensorByName(`${recorded.names[key]}:0`)]);
    const wanted = Buffer.from(recorded.summaries[key] ?? '', 'base64');
    expect(comparable(found ?? new Uint8Array())).toEqual(comparable(wanted));
  });

  test('is what the builders make', async () => {
    const own = new Graph();
    const floats = Float32Array.of(-3.5, -1e-13, 0, 0, 1e-12, 0.25, 0.25, 7, 1e21);
    const made = own.asDefault(() => {
      const scalar = scalarSummary('loss value', 0.125);
      const family = scalarSummary('loss', 2, { family: 'train' });
      const histogram = histogramSummary('weights', constant(floats));
      const audio = audioSummary('sound', [[0, 0.5, -0.5, 1, -1, 1.5]], 8000, { maxOutputs: 1 });
      const text = textSummary('note', ['**bold**', 'plain']);
      const tensor = tensorSummary('whole', constant([[1, 2], [3, 4]], { dtype: 'int32' })); // prettier-ignore
      const grey = imageSummary('grey', constant([[[[0], [40], [80]], [[120], [160], [200]]]], { dtype: 'uint8' }), { maxOutputs: 1 }); // prettier-ignore
      return {
        scalar,
        family,
        histogram,
        audio,
        text,
        tensor,
        grey,
        merged: mergeSummaries([scalar, histogram]),
      };
    });
    const found = await summariesOf(own, Object.values(made));
    Object.entries(made).forEach(([key, { op }], i) => {
      expect([key, comparable(found[i] ?? new Uint8Array())]).toEqual([
        key,
        comparable(Buffer.from(recorded.summaries[key] ?? '', 'base64')),
      ]);
      // TensorFlow makes the merged one within a scope of its own.
      if (key !== 'merged') expect(op.name).toBe(recorded.names[key]);
    });
  });
});

describe('what is refused', () => {
  test.each([
    ['NaN', NaN, /HistogramSummary "h".*: NaN among the values of "h"/],
    ['infinity', Infinity, /infinity among the values of "h"/],
  ])('%s in a histogram', async (_, value, message) => {
    const graph = new Graph();
    const x = graph.asDefault(() => placeholder('float32', [2], { name: 'x' }));
    const summary = graph.asDefault(() => histogramSummary('h', x));
    const sess = await Session.create({ graph });
    await expect(sess.run(summary, { x: [1, value] })).rejects.toThrow(InvalidArgumentError);
    await expect(sess.run(summary, { x: [1, value] })).rejects.toThrow(message);
    expect(
      proto.decode('Summary', bytesOf(await sess.run(summary, { x: [1, 2] }))).value[0]?.histo?.num,
    ).toBe(2);
    sess.close();
  });

  test('one tag twice, and no summaries at all', async () => {
    const graph = new Graph();
    const twice = graph.asDefault(() => {
      const one = scalarSummary('a', 1);
      return mergeSummaries([one, one]);
    });
    await expect(summariesOf(graph, [twice])).rejects.toThrow(/two values of the tag "a"/);
    expect(() => graph.asDefault(() => mergeSummaries([]))).toThrow('no summaries to merge');
    expect(() => graph.asDefault(() => scalarSummary('/', 1))).toThrow('a summary needs a name');
    expect(new Graph().asDefault(() => mergeAllSummaries())).toBeNull();
  });
});

describe('event files', () => {
  async function events(path: string): Promise<proto.Event[]> {
    const all: proto.Event[] = [];
    for await (const event of summaryIterator(path)) all.push(event);
    return all;
  }

  test('hold graph, summaries with their metadata once, and times of kernels', async () => {
    const graph = new Graph();
    const { product, all } = graph.asDefault(() => {
      const x = placeholder('float32', [2, 2], { name: 'x' });
      const sum = matMul(x, x, { name: 'product' });
      scalarSummary('first', 0.5);
      textSummary('note', 'a text');
      return { product: sum, all: mergeAllSummaries() };
    });
    if (all === null) throw new Error('there are summaries');
    const logdir = join(directory, 'run');
    const writer = new FileWriter(logdir, { graph, filenameSuffix: '.v2' });
    const sess = await Session.create({ graph });
    const runMetadata = new RunMetadata();
    for (const step of [1, 2]) {
      const [summary] = await sess.run([all, product], { x: [[1, 2], [3, 4]] }, { traceLevel: 'FULL_TRACE', runMetadata }); // prettier-ignore
      writer.addSummary(summary, step);
    }
    writer.addRunMetadata(runMetadata, 'step 2', 2);
    writer.addScalars({ accuracy: 0.25 }, 3);
    writer.addSessionLog({ status: 2 }, 3);
    await writer.close();
    sess.close();
    expect(() => writer.addScalars({ late: 1 })).toThrow(FailedPreconditionError);
    expect(readdirSync(logdir)).toEqual([expect.stringMatching(/^events\.out\.tfevents\.\d{10}\..+\.v2$/)]);

    const [version, first, one, two, times, accuracy, stop, ...rest] = await events(writer.path);
    expect(rest).toEqual([]);
    expect(version?.fileVersion).toBe('brain.Event:2');
    expect(
      proto.decode('GraphDef', first?.graphDef ?? new Uint8Array()).node.map(({ name }) => name),
    ).toContain('product');
    expect(one?.step).toBe(1n);
    expect(one?.summary?.value.map(({ tag, metadata }) => [tag, metadata?.pluginData?.pluginName])).toEqual([
      ['first', undefined],
      ['note', 'text'],
    ]);
    expect(two?.summary?.value.map(({ tag, metadata }) => [tag, metadata])).toEqual([
      ['first', undefined],
      ['note', undefined],
    ]);
    const run = proto.decode('RunMetadata', times?.taggedRunMetadata?.runMetadata ?? new Uint8Array());
    expect(run.stepStats?.devStats[0]?.nodeStats.map(({ nodeName }) => nodeName)).toEqual(['product']);
    expect(accuracy?.summary?.value[0]).toMatchObject({ tag: 'accuracy', simpleValue: 0.25 });
    expect(stop?.sessionLog?.status).toBe(2);
    expect(version?.wallTime).toBeGreaterThan(1e9);
  });

  test('take nothing for a summary that is none', async () => {
    const writer = new FileWriter(join(directory, 'none'));
    expect(() => writer.addSummary(new TensorValue('float32', [], Float32Array.of(1)))).toThrow(
      'a summary is a string scalar, as summary ops give it, not float32 []',
    );
    await writer.close();
    expect(await events(writer.path)).toHaveLength(1);
  });

  test('are damaged in places that are named', async () => {
    const writer = new FileWriter(join(directory, 'damaged'));
    writer.addScalars({ a: 1 });
    await writer.close();
    const bytes = readFileSync(writer.path);
    const damaged = join(directory, 'damaged.tfevents');
    const flipped = Buffer.from(bytes);
    flipped.writeUInt8(flipped.readUInt8(20) ^ 1, 20);
    writeFileSync(damaged, flipped);
    await expect(events(damaged)).rejects.toThrow(/checksum of the record at byte 12 is wrong/);
    writeFileSync(damaged, bytes.subarray(0, bytes.length - 3));
    await expect(events(damaged)).rejects.toThrow(DataLossError);
    await expect(events(damaged)).rejects.toThrow(/ends within the record of \d+ bytes at byte \d+/);
    await expect(events(join(directory, 'absent'))).rejects.toThrow(NotFoundError);
  });

  test('tell by flush that they cannot be written', async () => {
    const file = join(directory, 'a file');
    writeFileSync(file, '');
    const writer = new FileWriter(join(file, 'below'));
    writer.addScalars({ a: 1 });
    await expect(writer.flush()).rejects.toThrow(/ENOTDIR|EEXIST/);
  });
});
