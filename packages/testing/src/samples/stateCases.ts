/** Cases of ops of the family `state` that have no samples: what they give depends on a session or on files. */
import type { ErrorCase, FamilySamples, OpCases, ShapeCase } from '../sample.js';
import { RUN_AS_RESOURCES } from './byReference.js';

const FLOATS = { dtype: 'float32' };

function inSession(shapes: readonly ShapeCase[], errors: readonly ErrorCase[]): OpCases {
  return {
    testedElsewhere: 'what it gives depends on the session: session/test/variableOps.gpu.test.ts',
    tolerance: 'exact',
    shapes,
    errors,
  };
}

function reference(shapes: readonly ShapeCase[], errors: readonly ErrorCase[]): OpCases {
  return { testedElsewhere: RUN_AS_RESOURCES, tolerance: 'exact', shapes, errors };
}

function files(shapes: readonly ShapeCase[], errors: readonly ErrorCase[]): OpCases {
  return {
    testedElsewhere:
      'it deals with files: graph/test/saverNodes.test.ts and session/test/saver.gpu.test.ts write and read them',
    tolerance: 'exact',
    shapes,
    errors,
  };
}

/** A variable is declared by its attributes. */
const DECLARED: readonly ShapeCase[] = [
  { inputs: '', attrs: { ...FLOATS, shape: [null, 3] }, outputs: '[?,3]' },
  { inputs: '', attrs: { ...FLOATS, shape: null }, outputs: '?' },
];
const UNDECLARED: readonly ErrorCase[] = [
  { inputs: '', attrs: FLOATS, message: /attribute "shape" is missing/ },
  { inputs: '', attrs: { shape: [2] }, message: /attribute "dtype" is missing/ },
  { inputs: '', attrs: { shape: [2], dtype: 'float33' }, message: /attribute "dtype" must be of kind type/ },
];

/** An op whose only input is a handle. */
const NO_HANDLE: ErrorCase = {
  inputs: 'tensor[2]',
  message: /input "resource" must be resource, .* is float32/,
};
/** An op whose only input is a reference. */
const noReference = (name: string): ErrorCase => ({
  inputs: 'tensor[2]',
  attrs: {},
  message: new RegExp(`input "${name}" must be a reference variable, .* is float32`),
});

const NAMES = ['string', 'string', 'string'] as const;
const MANY_NAMES = /tensor_names has 3 elements for 2 tensors/;

export const STATE_CASES = {
  VarHandleOp: inSession(
    DECLARED.map((shape) => ({ ...shape, outputs: '[]' })),
    UNDECLARED,
  ),
  ReadVariableOp: inSession(
    [
      { inputs: '[?,3]', attrs: FLOATS, outputs: '[?,3]' },
      { inputs: '?', attrs: FLOATS, outputs: '?' },
    ],
    [
      { ...NO_HANDLE, attrs: FLOATS },
      {
        inputs: '[2]',
        attrs: { dtype: 'int32' },
        message: /the variable is float32, attribute "dtype" says int32/,
      },
    ],
  ),
  VarIsInitializedOp: inSession(
    [
      { inputs: '[?,3]', outputs: '[]' },
      { inputs: '?', outputs: '[]' },
    ],
    [NO_HANDLE],
  ),
  DestroyResourceOp: inSession(
    [
      { inputs: '[?,3]', outputs: '' },
      { inputs: '?', outputs: '' },
    ],
    [
      NO_HANDLE,
      {
        inputs: '[2]',
        attrs: { ignore_lookup_error: 1 },
        message: /"ignore_lookup_error" must be of kind bool, got 1/,
      },
    ],
  ),

  Variable: reference(DECLARED, UNDECLARED),
  VariableV2: reference(DECLARED, UNDECLARED),
  TemporaryVariable: reference(DECLARED, UNDECLARED),
  DestroyTemporaryVariable: reference(
    [
      { inputs: '[?,3]', attrs: { var_name: 't' }, outputs: '[?,3]' },
      { inputs: '?', attrs: { var_name: 't' }, outputs: '?' },
    ],
    [
      { ...noReference('ref'), attrs: { var_name: 't' } },
      { inputs: '[2]', message: /attribute "var_name" is missing/ },
    ],
  ),
  IsVariableInitialized: reference(
    [
      { inputs: '[?,3]', outputs: '[]' },
      { inputs: '?', outputs: '[]' },
    ],
    [
      noReference('ref'),
      {
        inputs: '[2]',
        attrs: { dtype: 'int32' },
        message: /input "ref" must be int32 \(dtype\), .* is float32/,
      },
    ],
  ),
  RefIdentity: reference(
    [
      { inputs: '[?,3]', outputs: '[?,3]' },
      { inputs: '?', outputs: '?' },
    ],
    [noReference('input')],
  ),
  RefSelect: reference(
    [
      { inputs: '[];[?,3];[?,3]', outputs: '[?,3]' },
      { inputs: '[];[2];[3]', outputs: '?' },
      { inputs: '[];[2];[3]', constants: { 0: 1 }, outputs: '[3]' },
      { inputs: '?;?;?', outputs: '?' },
    ],
    [
      { inputs: '[2];[3];[3]', message: /index must have rank 0, got shape \[2\]/ },
      { inputs: '[];[3];[3]', constants: { 0: 2 }, message: /index must be from 0 to 1, got 2/ },
      { inputs: '[];tensor[3];[3]', message: /input "inputs" must be a reference variable/ },
      {
        inputs: '[];[3];[3]',
        dtypes: ['int32', 'float32', 'int32'],
        message: /input "inputs" must be float32 \(T\), .* is int32/,
      },
      { inputs: '[]', attrs: { T: 'float32' }, message: /attribute "N" must be at least 1, got 0/ },
    ],
  ),

  SaveV2: files(
    [
      { inputs: '[];[2];[?];[?,3];[]', outputs: '' },
      { inputs: '?;?;?;?;?', outputs: '' },
    ],
    [
      { inputs: '[1];[2];[2];[3];[]', message: /prefix must be a scalar, got shape \[1\]/ },
      { inputs: '[];[3];[2];[3];[]', message: MANY_NAMES },
      { inputs: '[];[2];[2,1];[3];[]', message: /shape_and_slices must have rank 1, got shape \[2,1\]/ },
      {
        inputs: '[];[2];[2];[3];[]',
        dtypes: ['int32', 'string', 'string'],
        message: /input "prefix" must be string, .* is int32/,
      },
    ],
  ),
  RestoreV2: files(
    [
      { inputs: '[];[?];[2]', attrs: { dtypes: ['float32', 'int32'] }, outputs: '?;?' },
      { inputs: '?;?;?', attrs: { dtypes: ['float32'] }, outputs: '?' },
    ],
    [
      { inputs: '[];[3];[2]', attrs: { dtypes: ['float32', 'int32'] }, message: MANY_NAMES },
      {
        inputs: '[];[];[1]',
        attrs: { dtypes: ['float32'] },
        message: /tensor_names must have rank 1, got shape \[\]/,
      },
      { inputs: '[];[0];[0]', attrs: { dtypes: [] }, message: /"dtypes" must be at least 1, got 0/ },
    ],
  ),
  ShardedFilename: files(
    [{ inputs: '?;?;?', outputs: '[]' }],
    [
      { inputs: '[2];[];[]', message: /basename must have rank 0, got shape \[2\]/ },
      { inputs: '[];[2];[]', message: /shard must have rank 0, got shape \[2\]/ },
      { inputs: '[];[];[2]', message: /num_shards must have rank 0, got shape \[2\]/ },
      { inputs: '[];[];[]', dtypes: NAMES, message: /input "shard" must be int32, .* is string/ },
    ],
  ),
  MergeV2Checkpoints: files(
    [
      { inputs: '[?];[]', outputs: '' },
      { inputs: '?;?', outputs: '' },
    ],
    [
      { inputs: '[];[]', message: /checkpoint_prefixes must have rank 1, got shape \[\]/ },
      { inputs: '[2];[1]', message: /destination_prefix must be a scalar, got shape \[1\]/ },
    ],
  ),
} satisfies FamilySamples;
