/** `docs/ops.md` says what the registry says. */
import { readFileSync, writeFileSync } from 'node:fs';
import { OPS } from '@forerun/graph';
import { MISSING_OPS, opsDocument } from '@forerun/testing';

const DOCUMENT = new URL('../../../docs/ops.md', import.meta.url);

test('docs/ops.md is what the registry gives', () => {
  const text = opsDocument();
  if (process.env.FORERUN_UPDATE_GOLDENS === '1') writeFileSync(DOCUMENT, text);
  expect(readFileSync(DOCUMENT, 'utf8')).toBe(text);
});

test('no op that is listed as missing is there, none is listed twice', () => {
  const listed = MISSING_OPS.flatMap(({ ops }) => ops);
  expect(listed.filter((op) => Object.hasOwn(OPS, op))).toEqual([]);
  expect(listed.filter((op, i) => listed.indexOf(op) !== i)).toEqual([]);
});
