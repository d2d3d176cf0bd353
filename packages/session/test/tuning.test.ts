/** Tuning without a device: what is chosen, what is measured within which limits, what is kept. Times are made up. */
import type { Choice } from '@forerun/kernels-webgpu';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileNameOf, type AdapterKey } from '../src/tuning/adapterKey.js';
import { DEFAULT_LIMITS, type MeasureLimits } from '../src/tuning/candidateTimes.js';
import type { Bench, Measurer } from '../src/tuning/measure.js';
import { hasKnownCompiler, shippedFor } from '../src/tuning/shipped.js';
import {
  cacheDirectory,
  fileStore,
  indexedDbStore,
  type IdbRequest,
  type TuningStore,
} from '../src/tuning/store.js';
import { formatTable, mergeTables, parseTable } from '../src/tuning/table.js';
import { forcedChoice, Tuner, tuningMode, type TunerInit } from '../src/tuning/tuner.js';

const ADAPTER: AdapterKey = { vendor: 'acme', architecture: 'one', description: 'Acme One', subgroupSize: 8 };

/** A choice between `a`, `b`, … of rising body sizes. */
function choiceOf(signature: string, count = 3, products = 1000): Choice {
  return {
    signature,
    node: `node of ${signature}`,
    products,
    candidates: Array.from({ length: count }, (_, i) => ({
      name: 'abcdefghijkl'.charAt(i),
      body: 64 * (i + 1),
    })),
    inputs: [{ dtype: 'float32', shape: [4, 4] }],
    outputs: [{ dtype: 'float32', shape: [4, 4] }],
    lower: () => ({ dispatches: [] }),
  };
}

interface Pretended {
  /** Milliseconds of a run by candidate; default 10. */
  readonly run?: Readonly<Record<number, number>>;
  /** Milliseconds of the first run; default 100. An error is thrown. */
  readonly first?: Readonly<Record<number, number | Error>>;
}

/** A clock that moves only while something is "measured", and a record of what was. */
class FakeDevice implements Measurer {
  now = 0;
  readonly compiled: string[] = [];
  readonly timed: string[] = [];
  closed = 0;

  constructor(private readonly pretended: Pretended = {}) {}

  open({ signature }: Choice): Bench {
    return {
      first: (i) => {
        const time = this.pretended.first?.[i] ?? 100;
        if (time instanceof Error) return Promise.reject(time);
        this.now += time;
        this.compiled.push(`${signature} ${i}`);
        return Promise.resolve(time);
      },
      time: (i) => {
        const time = this.pretended.run?.[i] ?? 10;
        this.now += time;
        this.timed.push(`${signature} ${i}`);
        return Promise.resolve(time);
      },
      close: () => this.closed++,
    };
  }
}

class MemoryStore implements TuningStore {
  readonly texts = new Map<string, string>();
  read(name: string): Promise<string | undefined> {
    return Promise.resolve(this.texts.get(name));
  }
  write(name: string, text: string): Promise<void> {
    this.texts.set(name, text);
    return Promise.resolve();
  }
  place(name: string): string {
    return `memory/${name}`;
  }
}

interface Setup {
  readonly tuner: Tuner;
  readonly warnings: string[];
}

function setUp(
  device: FakeDevice,
  init: Partial<TunerInit> = {},
  limits: Partial<MeasureLimits> = {},
): Setup {
  const warnings: string[] = [];
  const tuner = new Tuner({
    mode: 'on',
    deterministic: false,
    forced: null,
    adapter: ADAPTER,
    shipped: () => null,
    store: null,
    measurer: device,
    limits: { ...DEFAULT_LIMITS, ...limits },
    now: () => device.now,
    warn: (message) => warnings.push(message),
    ...init,
  });
  return { tuner, warnings };
}

/** What a plan with `choices` takes, after tuning. */
async function planned(tuner: Tuner, choices: readonly Choice[]): Promise<string[]> {
  const plan = await tuner.forPlan();
  choices.forEach(plan.choose);
  if (await plan.tune()) choices.forEach(plan.choose);
  return plan.report().map(({ candidate, source }) => `${candidate} ${source}`);
}

describe('measuring', () => {
  it('takes the fastest candidate and reports its time over that of the default', async () => {
    const device = new FakeDevice({ run: { 0: 10, 1: 5, 2: 8 } });
    const { tuner } = setUp(device);
    const plan = await tuner.forPlan();
    const choice = choiceOf('x');
    plan.choose(choice);
    expect(await plan.tune()).toBe(true);
    expect(plan.choose(choice)).toBe(1);
    expect(plan.report()).toEqual([
      { node: 'node of x', signature: 'x', candidate: 'b', source: 'tuned', ratio: 0.5 },
    ]);
    expect(device.closed).toBe(1);
  });

  it('stays with the default where nothing is clearly faster', async () => {
    const device = new FakeDevice({ run: { 0: 10, 1: 9.8, 2: 12 } });
    expect(await planned(setUp(device).tuner, [choiceOf('x')])).toEqual(['a tuned']);
  });

  it('runs candidates in turn, and goes on only with promising ones', async () => {
    const device = new FakeDevice({ run: { 0: 10, 1: 5, 2: 50 } });
    await planned(setUp(device).tuner, [choiceOf('x')]);
    expect(device.timed.slice(0, 5)).toEqual(['x 0', 'x 1', 'x 2', 'x 0', 'x 1']);
    expect(device.timed.filter((run) => run === 'x 2')).toHaveLength(1);
  });

  it('keeps to the time of a plan, the largest kernels first, and goes on in the next one', async () => {
    const device = new FakeDevice({ first: { 0: 1000, 1: 1000, 2: 1000 } });
    const { tuner } = setUp(device, {}, { planMilliseconds: 3000 });
    const choices = [choiceOf('small', 3, 1), choiceOf('large', 3, 1e6)];
    expect(await planned(tuner, choices)).toEqual(['a default', 'a tuned']);
    expect(device.compiled).toEqual(['large 0', 'large 1', 'large 2']);
    expect(device.now).toBeLessThan(3300);
    await planned(tuner, choices);
    expect(device.compiled.slice(3)).toEqual(['small 0', 'small 1', 'small 2']);
    await planned(tuner, choices);
    expect(device.compiled).toHaveLength(6);
  });

  it('tries no candidate with too large a body, nor larger ones than one that was slow to compile', async () => {
    const device = new FakeDevice({ first: { 1: 3000 }, run: { 0: 10, 1: 1 } });
    expect(await planned(setUp(device, {}, { largestBody: 192 }).tuner, [choiceOf('x', 4)])).toEqual([
      'a tuned',
    ]);
    expect(device.compiled).toEqual(['x 0', 'x 1']);
  });

  it('reports a candidate that does not run and never takes it', async () => {
    const device = new FakeDevice({ first: { 1: new Error('no such thing') }, run: { 1: 1 } });
    const { tuner, warnings } = setUp(device);
    expect(await planned(tuner, [choiceOf('x')])).toEqual(['a tuned']);
    expect(warnings).toEqual(['x: the candidate b does not run: no such thing']);
    await planned(tuner, [choiceOf('x')]);
    expect(warnings).toHaveLength(1);
  });

  it('leaves kernels alone whose operands are too large, and those without a choice', async () => {
    const device = new FakeDevice();
    const { tuner } = setUp(device, {}, { mostBytes: 100 });
    expect(await planned(tuner, [choiceOf('x'), choiceOf('y', 1)])).toEqual(['a default', 'a default']);
    expect(device.compiled).toEqual([]);
  });
});

describe('what is chosen', () => {
  const store = new MemoryStore();
  const times = { a: 1, c: 0.5 };
  store.texts.set(fileNameOf(ADAPTER), formatTable(ADAPTER, new Map([['x', { candidate: 'c', times }]])));
  const shipped = ({ signature }: Choice): string => (signature === 'x' ? 'b' : 'none such');
  const choices = [choiceOf('x'), choiceOf('y')];

  it.each([
    ['cached measurements before shipped choices', { mode: 'cached' }, ['c cached', 'a default']],
    ['defaults when off', { mode: 'off' }, ['a default', 'a default']],
    ['shipped choices when deterministic', { mode: 'on', deterministic: true }, ['b shipped', 'a default']],
    ['the forced one whatever else is said', { mode: 'off', forced: 4 }, ['b forced', 'b forced']],
  ] as const)('%s', async (_, init, want) => {
    const device = new FakeDevice();
    expect(await planned(setUp(device, { store, shipped, ...init }).tuner, choices)).toEqual(want);
    expect(device.compiled).toEqual([]);
  });

  it('a measured candidate that there is no more gives way', async () => {
    const old = new MemoryStore();
    const entry = { candidate: 'gone', times: { gone: 0.5 } };
    old.texts.set(fileNameOf(ADAPTER), formatTable(ADAPTER, new Map([['x', entry]])));
    const { tuner } = setUp(new FakeDevice(), { store: old, shipped, mode: 'cached' });
    expect(await planned(tuner, [choiceOf('x')])).toEqual(['b shipped']);
  });

  it('nothing measured on another adapter', async () => {
    const other = { ...ADAPTER, subgroupSize: 16 };
    const { tuner } = setUp(new FakeDevice(), { store, mode: 'cached', adapter: other });
    expect(await planned(tuner, [choiceOf('x')])).toEqual(['a default']);
  });
});

describe('what is kept', () => {
  it('serves the next session, and is not measured again', async () => {
    const store = new MemoryStore();
    await planned(setUp(new FakeDevice({ run: { 2: 1 } }), { store }).tuner, [choiceOf('x')]);
    const device = new FakeDevice();
    expect(await planned(setUp(device, { store }).tuner, [choiceOf('x')])).toEqual(['c cached']);
    expect(device.compiled).toEqual([]);
  });

  it('keeps what another process has written meanwhile', async () => {
    const store = new MemoryStore();
    const [one, two] = [setUp(new FakeDevice(), { store }).tuner, setUp(new FakeDevice(), { store }).tuner];
    await Promise.all([one.forPlan(), two.forPlan()]);
    await planned(one, [choiceOf('x')]);
    await planned(two, [choiceOf('y')]);
    const text = store.texts.get(fileNameOf(ADAPTER)) ?? '';
    expect([...parseTable(text, ADAPTER).keys()]).toEqual(['x', 'y']);
  });

  it.each([
    ['{ "version": 1, "adap', /is no JSON/],
    ['[]', /holds no object/],
    ['{}', /has no version/],
    ['{ "version": 1, "adapter": "other" }', /is for the adapter "other"/],
    [formatTable(ADAPTER, new Map()).replace('{}', '3'), /has no entries/],
    [
      formatTable(ADAPTER, new Map([['x', { candidate: 'b', times: { b: -1 } }]])),
      /the entry "x" is damaged/,
    ],
  ])('a damaged file is reported and ignored: %s', async (text, why) => {
    const store = new MemoryStore();
    store.texts.set(fileNameOf(ADAPTER), text);
    const { tuner, warnings } = setUp(new FakeDevice({ run: { 1: 1 } }), { store });
    expect(await planned(tuner, [choiceOf('x')])).toEqual(['b tuned']);
    expect(warnings[0]).toMatch(why);
    expect(warnings[0]).toContain(`memory/${fileNameOf(ADAPTER)} are ignored`);
    expect(parseTable(store.texts.get(fileNameOf(ADAPTER)) ?? '', ADAPTER).get('x')?.candidate).toBe('b');
  });

  it('a file of another version counts as empty', () => {
    expect(parseTable('{ "version": 0, "anything": 1 }', ADAPTER).size).toBe(0);
  });

  it('a store that cannot be written is reported; the plan goes on', async () => {
    const store = new MemoryStore();
    store.write = () => Promise.reject(new Error('disk full'));
    const { tuner, warnings } = setUp(new FakeDevice({ run: { 1: 1 } }), { store });
    expect(await planned(tuner, [choiceOf('x')])).toEqual(['b tuned']);
    expect(warnings).toEqual([expect.stringMatching(/cannot be kept in memory\/.*: disk full/)]);
  });

  it('measurements of the same kernel are put together', () => {
    const older = new Map([['x', { candidate: 'a', times: { a: 1, b: 0.9 } }]]);
    const newer = new Map([['x', { candidate: 'c', times: { a: 1, c: 0.5 } }]]);
    expect(mergeTables(older, newer).get('x')).toEqual({ candidate: 'c', times: { a: 1, b: 0.9, c: 0.5 } });
  });
});

describe('stores', () => {
  it('keep one file per name, whole, and nothing else', async () => {
    const directory = await mkdtemp(`${tmpdir()}/forerun-tuning-`);
    try {
      const store = fileStore(`${directory}/deeper`);
      expect(await store.read('a')).toBeUndefined();
      await store.write('a', 'first');
      await store.write('a', 'second');
      expect(await store.read('a')).toBe('second');
      expect(await readdir(`${directory}/deeper`)).toEqual(['a.json']);
      expect(await readFile(store.place('a'), 'utf8')).toBe('second');
      await writeFile(`${directory}/file`, '');
      await expect(fileStore(`${directory}/file`).write('a', '')).rejects.toThrow();
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it.each([
    [{ XDG_CACHE_HOME: '/x', HOME: '/h' }, '/x'],
    [{ XDG_CACHE_HOME: 'relative', HOME: '/h' }, '/h/.cache'],
    [{ HOME: '/h' }, '/h/.cache'],
    [{ LOCALAPPDATA: 'C:\\Local' }, 'C:\\Local'],
    [{}, null],
  ])('lie in the cache directory of %j', (env, want) => {
    expect(cacheDirectory(env)).toBe(want);
  });

  it('use IndexedDB in a browser', async () => {
    const kept = new Map<string, string>();
    let closed = 0;
    const later = <T>(result: T): IdbRequest<T> => {
      const request: IdbRequest<T> = { result, error: null, onsuccess: null, onerror: null };
      queueMicrotask(() => request.onsuccess?.());
      return request;
    };
    const objectStore = () => ({
      get: (key: string) => later<unknown>(kept.get(key)),
      put: (value: string, key: string) => later<unknown>(kept.set(key, value)),
    });
    const database = {
      createObjectStore: () => undefined,
      transaction: () => ({ objectStore }),
      close: () => {
        closed++;
      },
    };
    const store = indexedDbStore({ open: () => Object.assign(later(database), { onupgradeneeded: null }) });
    expect(await store.read('a')).toBeUndefined();
    await store.write('a', 'text');
    expect(await store.read('a')).toBe('text');
    expect(closed).toBe(3);
    expect(store.place('a')).toBe('IndexedDB forerun/tuning/a');
  });
});

describe('settings', () => {
  it('of the mode are one of three words', () => {
    expect([undefined, '', 'off', 'cached', 'on'].map(tuningMode)).toEqual([
      undefined,
      undefined,
      'off',
      'cached',
      'on',
    ]);
    expect(() => tuningMode('yes')).toThrow('tuning is "yes": expected off, cached or on');
  });

  it('of the forced choice are whole numbers', () => {
    expect([undefined, '', '0', '11'].map(forcedChoice)).toEqual([null, null, 0, 11]);
    expect(() => forcedChoice('-1')).toThrow('FORERUN_TUNE_CHOICE is "-1": expected a whole number');
  });

  it('shipped for GPUs prefer tiles that fit their registers', () => {
    const choice = { ...choiceOf('x'), products: 2 ** 30 };
    const names = ['tile64x64t16k16', 'tile128x128t16k8', 'tile128x128t16k8s2', 'tile32x32t8k16'];
    const offered = { ...choice, candidates: names.map((name) => ({ name, body: 64 })) };
    const pick = (vendor: string): string | null => shippedFor({ ...ADAPTER, vendor })(offered);
    expect(pick('nvidia')).toBe('tile128x128t16k8');
    expect(shippedFor({ ...ADAPTER, vendor: 'nvidia' })({ ...offered, products: 1000 })).toBeNull();
    expect(pick('qualcomm')).toBe('tile32x32t8k16');
    expect(pick('acme')).toBeNull();
  });

  it('shipped for lavapipe are tall tiles for long products and turned ones for few columns', () => {
    const pick = shippedFor({ ...ADAPTER, architecture: 'llvmpipe' });
    const offer = (products: number, ...names: string[]): string | null =>
      pick({ ...choiceOf('x'), products, candidates: names.map((name) => ({ name, body: 64 })) });
    expect(offer(2 ** 30, 'subgroup16x4k4', 'subgroup32x4k4')).toBe('subgroup32x4k4');
    expect(offer(2 ** 30, 'subgroup16x4k4s8', 'subgroup32x4k4s8')).toBe('subgroup32x4k4s8');
    expect(offer(2 ** 20, 'subgroup16x4k4', 'subgroup32x4k4', 'subgroup8x4k4')).toBeNull();
    expect(offer(2 ** 19, 'subgroup16x4k4', 'subgroup32x4k4', 'subgroup8x4k4')).toBe('subgroup8x4k4');
    expect(offer(2 ** 19, 'subgroup16x4k4')).toBeNull();
    expect(offer(2 ** 19, 'subgroup16x4k4s8', 'subgroup8x4k4')).toBeNull();
    expect(offer(2 ** 30, 'subgroup16x4k5', 'subgroup32x4k2')).toBeNull();
    expect(offer(2 ** 20, 'subgroup16x2k4s2', 'turned16x4k4s2')).toBe('turned16x4k4s2');
    expect(offer(2 ** 20, 'subgroup16x1k4', 'turned1x4k4')).toBeNull();
    const wide = shippedFor({ ...ADAPTER, architecture: 'llvmpipe', subgroupSize: 16 });
    expect(wide({ ...choiceOf('x'), products: 2 ** 30 })).toBeNull();
  });

  it('of unknown software adapters keep to small bodies', () => {
    const mesa = { ...ADAPTER, architecture: 'llvmpipe' };
    expect([
      hasKnownCompiler(mesa, true),
      hasKnownCompiler(ADAPTER, true),
      hasKnownCompiler(ADAPTER, false),
    ]).toEqual([true, false, true]);
  });
});
