/** Cases of the family `debug`. There are no samples, because the ops act through a session. */
import type { ErrorCase, FamilySamples, OpCases, ShapeCase } from '../sample.js';

function cases(tolerance: string, shapes: readonly ShapeCase[], errors: readonly ErrorCase[]): OpCases {
  return {
    testedElsewhere: 'session/test/debug.gpu.test.ts runs them in sessions',
    tolerance,
    shapes,
    errors,
  };
}

const types = (...value: ('float32' | 'int32')[]) => ({ kind: 'list(type)', value }) as const;

const HOST_FUNCTION = cases(
  'that of the function',
  [
    { inputs: '[?,3]', attrs: { token: 'f', Tout: types('float32', 'int32') }, outputs: '?;?' },
    { inputs: '?', attrs: { token: 'f', Tout: types('float32') }, outputs: '?' },
  ],
  [
    { inputs: '[2]', attrs: { Tout: types('float32') }, message: /attribute "token" is missing/ },
    { inputs: '[2]', attrs: { token: 'f' }, message: /attribute "Tout" is missing/ },
  ],
);

export const DEBUG_SAMPLES = {
  Assert: cases(
    'exact',
    [
      { inputs: '[];[?,3]', outputs: '' },
      { inputs: '?;?', outputs: '' },
    ],
    [
      { inputs: '[2];[3]', message: /condition must be a scalar, got shape \[2\]/ },
      { inputs: '[];[3]', dtypes: ['float32'], message: /input "condition" must be bool, .* is float32/ },
      { inputs: '[]', message: /attribute "T" must be at least 1, got 0/ },
    ],
  ),
  Print: cases(
    'exact',
    [
      { inputs: '[?,3];[2]', outputs: '[?,3]' },
      { inputs: '?;?', outputs: '?' },
    ],
    [
      {
        inputs: '[2];[2]',
        attrs: { first_n: 1.5 },
        message: /attribute "first_n" must be of kind int, got 1.5/,
      },
      {
        inputs: '[2];[2]',
        attrs: { T: 'int32' },
        message: /input "input" must be int32 \(T\), .* is float32/,
      },
    ],
  ),
  PrintV2: cases(
    'exact',
    [{ inputs: '?', outputs: '' }],
    [
      { inputs: '[2]', message: /input must be a scalar, got shape \[2\]/ },
      { inputs: '[]', dtypes: ['float32'], message: /input "input" must be string, .* is float32/ },
      {
        inputs: '[]',
        attrs: { output_stream: 'printer' },
        message: /output_stream must be stdout, stderr, .*, got "printer"/,
      },
    ],
  ),
  StringFormat: cases(
    'exact',
    [
      { inputs: '[?,3]', outputs: '[]' },
      { inputs: '?', outputs: '[]' },
    ],
    [
      {
        inputs: '[2]',
        attrs: { template: '%s and %s' },
        message: /the template "%s and %s" has 2 placeholders "%s" for 1 inputs/,
      },
    ],
  ),
  CheckNumerics: cases(
    'exact',
    [
      { inputs: '[?,3]', attrs: { message: 'bad' }, outputs: '[?,3]' },
      { inputs: '?', attrs: { message: 'bad' }, outputs: '?' },
    ],
    [
      { inputs: '[2]', message: /attribute "message" is missing/ },
      {
        inputs: '[2]',
        dtypes: ['int32'],
        attrs: { message: 'bad' },
        message: /"T" must be one of .*, got int32/,
      },
    ],
  ),
  PyFunc: HOST_FUNCTION,
  PyFuncStateless: HOST_FUNCTION,
} satisfies FamilySamples;
