/** PyTorch's state dictionaries: both forms, views, and pickles that would run code. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { openTorch, openWeightFile, openZip, writeZip } from '@forerun/formats';

const FIXTURES = resolve(import.meta.dirname, 'fixtures');
const file = (name: string): Uint8Array => new Uint8Array(readFileSync(`${FIXTURES}/${name}`));

describe.each([
  ['views.pth', 'PyTorch'],
  ['viewsDeflated.pth', 'PyTorch'],
  ['viewsLegacy.pth', 'PyTorch (legacy)'],
])('%s', (name, format) => {
  test('names are the paths of keys', async () => {
    const opened = await openWeightFile(file(name));
    expect(opened.format).toBe(format);
    expect([...opened.entries.keys()]).toEqual([
      'model.whole', 'model.transposed', 'model.column', 'model.expanded', 'model.half', 'model.mask', 'model.empty', 'model.scalar', 'steps.0',
    ]); // prettier-ignore
    expect(opened.entries.get('model.half')).toMatchObject({ dtype: 'float16', shape: [3] });
  });

  test('views with strides and offsets on one storage', async () => {
    const opened = await openWeightFile(file(name));
    const read = async (key: string): Promise<unknown> => (await opened.read(key)).toArray();
    expect((await opened.read('model.whole')).data).toEqual(Float32Array.from({ length: 24 }, (_, i) => i));
    expect(await read('model.transposed')).toEqual(
      Array.from({ length: 6 }, (_, i) => [i, i + 6, i + 12, i + 18]),
    );
    expect(await read('model.column')).toEqual([2, 8, 14, 20]);
    expect(await read('model.expanded')).toEqual([[5, 6], [5, 6], [5, 6]]); // prettier-ignore
    expect((await opened.read('model.half')).data).toEqual(Uint16Array.of(0x3e00, 0xc000, 0x7bff));
    expect(await read('model.mask')).toEqual([[true, false], [false, true]]); // prettier-ignore
    expect((await opened.read('model.empty')).shape).toEqual([0, 3]);
    expect(await read('model.scalar')).toBe(2 ** 40);
    expect((await opened.read('steps.0')).data).toEqual(Int32Array.of(1, 2));
  });
});

/** Bytes of a pickle: numbers are opcodes, texts are lines after a GLOBAL or contents. */
function pickle(...parts: (number | string)[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) => (typeof part === 'number' ? [part] : [...new TextEncoder().encode(part)])),
  );
}

const [GLOBAL, MARK, TUPLE, REDUCE, STOP, EMPTY_TUPLE, BUILD, EMPTY_DICT, SETITEM] = [
  0x63, 0x28, 0x74, 0x52, 0x2e, 0x29, 0x62, 0x7d, 0x73,
];
const text = (value: string): (number | string)[] => [0x58, value.length, 0, 0, 0, value];
const int = (value: number): number[] => [
  0x4a,
  value & 255,
  (value >> 8) & 255,
  (value >> 16) & 255,
  (value >> 24) & 255,
];

function archive(data: Uint8Array, others: Readonly<Record<string, Uint8Array>> = {}): Uint8Array {
  return writeZip(new Map([['m/data.pkl', data], ...Object.entries(others)]));
}

/** `{'w': tensor}` over a storage of `elements` floats. */
function tensorPickle(
  elements: number,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): Uint8Array {
  const tuple = (values: readonly number[]): number[] => [MARK, ...values.flatMap(int), TUPLE];
  return pickle(0x80, 2, EMPTY_DICT, ...text('w'), GLOBAL, 'torch._utils\n_rebuild_tensor_v2\n', MARK, MARK, ...text('storage'), GLOBAL, 'torch\nFloatStorage\n', ...text('0'), ...text('cpu'), ...int(elements), TUPLE, 0x51, ...int(offset), ...tuple(shape), ...tuple(strides), 0x89, 0x4e, TUPLE, REDUCE, SETITEM, STOP); // prettier-ignore
}

describe('refused without being run', () => {
  test.each([
    ['os.system', pickle(0x80, 2, GLOBAL, 'os\nsystem\n', MARK, ...text('true'), TUPLE, REDUCE, STOP), 'm/data.pkl: the global "os.system" at byte 2 is refused'],
    ['builtins.eval by STACK_GLOBAL', pickle(0x80, 4, 0x8c, 8, 'builtins', 0x8c, 4, 'eval', 0x93, STOP), 'the global "builtins.eval" at byte 18 is refused'],
    ['a module of the user', pickle(0x80, 2, GLOBAL, 'model\nNet\n', EMPTY_TUPLE, 0x81, STOP), 'the global "model.Net" at byte 2 is refused'],
    ['torch.load', pickle(0x80, 2, GLOBAL, 'torch\nload\n', STOP), 'the global "torch.load"'],
    ['NEWOBJ', pickle(0x80, 2, GLOBAL, 'collections\nOrderedDict\n', EMPTY_TUPLE, 0x81, STOP), 'the opcode 0x81 at byte 28 is refused'],
    ['INST', pickle(0x80, 2, MARK, 0x69, 'os\nsystem\n', STOP), 'the opcode 0x69 at byte 3 is refused'],
    ['OBJ', pickle(0x80, 2, MARK, 0x6f, STOP), 'the opcode 0x6f'],
    ['EXT1', pickle(0x80, 2, 0x82, 1, STOP), 'the opcode 0x82'],
    ['INT of protocol 0', pickle(0x49, '1\n', STOP), 'the opcode 0x49'],
    ['a state set on a tensor\'s storage', pickle(0x80, 2, ...text('a'), EMPTY_DICT, BUILD, STOP), 'a state set on what is no dictionary'],
    ['an allowed name with strange arguments', pickle(0x80, 2, GLOBAL, 'collections\nOrderedDict\n', MARK, ...text('a'), TUPLE, REDUCE, STOP), 'a call of collections.OrderedDict with 1 arguments is refused'],
  ])('%s', async (_, data, message) => {
    await expect(openTorch(archive(data))).rejects.toThrow(message);
    await expect(openTorch(archive(data))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  }); // prettier-ignore

  test('a TorchScript program', async () => {
    const bytes = archive(pickle(0x80, 2, EMPTY_DICT, STOP), { 'm/code/model.py': pickle('def f(): pass') });
    await expect(openTorch(bytes)).rejects.toThrow('this is a TorchScript program, which is not run');
  });
});

describe('damaged', () => {
  const storage = { 'm/data/0': new Uint8Array(16) };

  test('a tensor as it should be', async () => {
    const opened = await openTorch(archive(tensorPickle(4, 0, [2, 2], [2, 1]), storage));
    expect((await opened.read('w')).shape).toEqual([2, 2]);
  });

  test.each([
    ['beyond its storage', tensorPickle(4, 1, [2, 2], [2, 1]), /\[2,2\] with strides \[2,1\] at 1 lies outside of its storage of 4 elements/],
    ['negative strides', tensorPickle(4, 3, [4], [-1]), /lies outside of its storage/],
    ['a huge repetition', tensorPickle(4, 0, [2 ** 30, 64], [0, 0]), /repeats 4 elements/],
    ['a storage of other size', tensorPickle(5, 0, [2], [1]), /storage "0" of 5 float32 elements has 16 bytes/],
    ['strides of another rank', tensorPickle(4, 0, [2], [1, 1]), /a tensor with unreadable arguments/],
  ])('%s', async (_, data, message) => {
    await expect(openTorch(archive(data, storage))).rejects.toThrow(message);
  }); // prettier-ignore

  test('a storage that is missing', async () => {
    await expect(openTorch(archive(tensorPickle(4, 0, [2], [1])))).rejects.toThrow(
      'storage "0" of 4 float32 elements is missing',
    );
  });

  test.each([
    ['an empty stack', pickle(0x80, 2, REDUCE, STOP), /nothing on the stack at byte 2/],
    ['no end', pickle(0x80, 2, EMPTY_DICT), /ends 1 bytes early at byte 3/],
    ['a text of 2^32 - 1', pickle(0x80, 2, 0x58, 255, 255, 255, 255), /a text of 4294967295 bytes at byte 2/],
    ['a dictionary within itself', pickle(0x80, 2, EMPTY_DICT, 0x71, 0, ...text('a'), 0x68, 0, SETITEM, STOP), /nested without end under "a\.a\.a\.a"/],
    ['sharing that grows exponentially', exponential(40), /nested without end/],
  ])('%s', async (_, data, message) => {
    await expect(openTorch(archive(data))).rejects.toThrow(message);
  }); // prettier-ignore
});

/** A list of two references to a list of two references to … */
function exponential(levels: number): Uint8Array {
  const parts: number[] = [0x80, 2, 0x5d, 0x71, 0];
  for (let i = 0; i < levels; i++) parts.push(0x5d, MARK, 0x68, i, 0x68, i, 0x65, 0x71, i + 1);
  return pickle(...parts, STOP);
}

describe('archives', () => {
  const bytes = (): Uint8Array =>
    archive(tensorPickle(4, 0, [2, 2], [2, 1]), { 'm/data/0': new Uint8Array(16).fill(1) });

  test('a changed byte of a storage is found by its checksum', async () => {
    const damaged = bytes();
    const at = damaged.findIndex((_, i) => damaged.subarray(i, i + 16).every((byte) => byte === 1));
    damaged[at + 3] = 9;
    const opened = await openTorch(damaged);
    await expect(opened.read('w')).rejects.toThrow(
      /zip entry "m\/data\/0": wrong checksum; its 16 bytes at byte \d+ are damaged/,
    );
  });

  test.each(['../evil', '/etc/passwd', 'a/../../b', 'a\\b', 'c:x', 'a//b'])(
    'the name %s is refused',
    async (name) => {
      const good = writeZip(new Map([['x'.repeat(name.length), new Uint8Array(4)]]));
      const text = Buffer.from(good).toString('latin1').replaceAll('x'.repeat(name.length), name);
      await expect(openZip(new Uint8Array(Buffer.from(text, 'latin1')))).rejects.toThrow(
        /the entry name ".*" is refused/,
      );
      expect(() => writeZip(new Map([[name, new Uint8Array(0)]]))).toThrow(/is refused/);
    },
  );

  test('a bomb is refused before it is inflated', async () => {
    const zip = writeZip(new Map([['a.npy', new Uint8Array(100_000)]]), 9);
    const view = new DataView(zip.buffer, zip.byteOffset);
    for (let at = 0; at + 46 < zip.length; at++) {
      if (view.getUint32(at, true) === 0x02014b50) view.setUint32(at + 24, 0xfffffff0, true);
    }
    await expect(openZip(zip)).rejects.toThrow(/4294967280 bytes cannot come from \d+ stored bytes/);
  });

  test('an archive that is cut off', async () => {
    await expect(openZip(bytes().subarray(0, 200))).rejects.toThrow(
      'its directory is missing; the file is cut off',
    );
  });

  test('nothing of the kind', async () => {
    await expect(openWeightFile(new TextEncoder().encode('hello, this is text'))).rejects.toThrow(
      'the file holds no weights of a known format',
    );
    await expect(openWeightFile(new Uint8Array(0))).rejects.toThrow(
      'the file holds no weights of a known format',
    );
  });
});
