/** Damaged files of weights: a value or one error that says where, whatever the bytes. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { FUZZ_ROUNDS, fuzz } from '@forerun/testing';
import { openTorch, openWeightFile, openZip, readNpy, writeNpz, writeZip } from '@forerun/formats';
import { toTensorValue } from '@forerun/graph';

const FIXTURES = resolve(import.meta.dirname, 'fixtures');
const file = (name: string): Uint8Array => new Uint8Array(readFileSync(`${FIXTURES}/${name}`));

async function readAll(bytes: Uint8Array): Promise<void> {
  const opened = await openWeightFile(bytes);
  for (const name of opened.entries.keys()) await opened.read(name);
}

const small = writeNpz([['w', toTensorValue([[1, 2], [3, 4]])], ['n', toTensorValue(7n)]], { compressed: true }); // prettier-ignore

/** A pickle in an archive that is sound otherwise, past the checksum. */
async function readPickle(bytes: Uint8Array): Promise<void> {
  const { entries } = await openTorch(writeZip(new Map(storages).set('views/data.pkl', bytes)));
  expect(entries.size).toBeLessThan(100);
}

const storages = new Map<string, Uint8Array>();
let pickle: Uint8Array;

beforeAll(async () => {
  const { entries, read } = await openZip(file('views.pth'));
  for (const [name, entry] of entries) storages.set(name, await read(entry));
  pickle = storages.get('views/data.pkl') ?? new Uint8Array(0);
});

test('pickle', async () => {
  const { refused, accepted } = await fuzz({ seeds: [pickle], parse: readPickle });
  expect(refused + accepted).toBe(FUZZ_ROUNDS);
  expect(refused).toBeGreaterThan(FUZZ_ROUNDS / 4);
}, 600_000);

test.each([
  ['npy', [file('version1.npy'), file('version2.npy'), file('version3.npy')], readNpy],
  ['npz', [small], readAll],
  ['safetensors', [file('smallResnet.safetensors')], readAll],
  ['PyTorch', [file('views.pth'), file('viewsDeflated.pth')], readAll],
  ['PyTorch (legacy)', [file('viewsLegacy.pth')], readAll],
] as const)('%s', async (_, seeds, parse) => {
  const { refused, accepted } = await fuzz({ seeds, parse });
  expect(refused + accepted).toBe(FUZZ_ROUNDS);
  expect(refused).toBeGreaterThan(FUZZ_ROUNDS / 4);
}, 600_000); // prettier-ignore
