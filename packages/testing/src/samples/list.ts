/**
 * Cases of the family `list`. There are no samples, because a list is no value that could be written down: tests of
 * whole programs make lists, change them and read them.
 */
import { TensorShape, type AttrInputs, type DType } from '@forerun/graph';
import type { ErrorCase, FamilySamples, OpCases, ShapeCase } from '../sample.js';

const FLOATS = { element_dtype: 'float32' };
const SHAPED = { ...FLOATS, shape_type: 'int32' };

const TWO: readonly DType[] = ['float32', 'float32'];
const OF_TWO = { Toutput_types: { kind: 'list(type)', value: TWO } } as const;
const TWO_TYPES = { output_types: { kind: 'list(type)', value: TWO } } as const;

function twoShapes(...shapes: readonly (readonly (number | null)[] | null)[]): AttrInputs {
  return { output_shapes: { kind: 'list(shape)', value: shapes.map((dims) => new TensorShape(dims)) } };
}

function cases(shapes: readonly ShapeCase[], errors: readonly ErrorCase[]): OpCases {
  return {
    testedElsewhere:
      'testing/test/tensorLists.test.ts and session/test/tensorLists.gpu.test.ts work with whole lists',
    tolerance: 'exact: it moves elements',
    shapes,
    errors,
  };
}

/** Element shapes (input `at`, an int32 vector) that are none. */
function badElementShapes(
  before: readonly string[],
  after: readonly string[],
  attrs: AttrInputs,
): ErrorCase[] {
  const at = before.length;
  const inputs = (shape: string): string => [...before, shape, ...after].join(';');
  return [
    {
      inputs: inputs('[2,1]'),
      attrs,
      message: /element_shape must be a vector or the scalar -1, got shape \[2,1\]/,
    },
    {
      inputs: inputs('[2]'),
      constants: { [at]: [3, -2] },
      attrs,
      message: /element_shape must hold sizes, -1 for those not known, got \[3,-2\]/,
    },
    {
      inputs: inputs('[]'),
      constants: { [at]: 3 },
      attrs,
      message: /a scalar element_shape must be -1, got 3/,
    },
  ];
}

/** A vector of lists, and a list of another dtype, where a list of floats is read. */
function badLists(after: string, attrs: AttrInputs): ErrorCase[] {
  return [
    {
      inputs: `2*list[3]${after}`,
      attrs,
      message: /the list must have rank 0, got shape \[2\]/,
    },
    {
      inputs: `list[3]${after}`,
      dtypes: ['int32'],
      attrs,
      message: /the list holds int32, attribute "element_dtype" says float32/,
    },
  ];
}

/** Elements that do not belong into a list: `inputs` of the list and the shape of what is put in, `element` of one element. */
function badElements(
  inputs: (element: string) => string,
  element: string,
  dtypes: readonly DType[],
): ErrorCase[] {
  return [
    {
      inputs: inputs(element.replace('3', '4')),
      message: /an element has shape \[4\], the list holds \[3\]/,
    },
    { inputs: inputs(element), dtypes, message: /an element is int32, the list holds float32/ },
  ];
}

const NO_SCALAR_ROWS = /the tensor must have a first dimension, got a scalar/;

/** Rows at positions: input `tensor` has the rows, the one behind it the positions. */
function badRows(
  inputs: (rows: string, indices: string) => string,
  at: number,
  attrs: AttrInputs,
): ErrorCase[] {
  return [
    { inputs: inputs('[2,3]', '[2,1]'), attrs, message: /indices must have rank 1, got shape \[2,1\]/ },
    { inputs: inputs('[2,3]', '[4]'), attrs, message: /the tensor has 2 rows for 4 indices/ },
    {
      inputs: inputs('[2,3]', '[2]'),
      constants: { [at]: [0, -5] },
      attrs,
      message: /indices must not be negative, got -5/,
    },
    { inputs: inputs('[]', '[2]'), attrs, message: NO_SCALAR_ROWS },
  ];
}

/** Shape and positions of reads: of elements of the list's shape, and of a shape that is asked for. */
function reads(between: string, rows: (element: string) => string): ShapeCase[] {
  const shape = (list: string, asked: string, value: number[] | null, element: string): ShapeCase => ({
    inputs: `${list}${between};${asked}`,
    attrs: FLOATS,
    ...(value === null ? {} : { constants: { [between === '' ? 1 : 2]: value } }),
    outputs: rows(element),
  });
  return [
    shape('list[?,3]', '[2]', [5, -1], '[5,3]'),
    shape('list?', '[2]', [5, -1], '[5,?]'),
    shape('list?', '[2]', null, '[?,?]'),
    shape('list?', '?', null, '?'),
    shape('?', '[1]', [4], '[4]'),
  ];
}

function badReads(between: string, at: number): ErrorCase[] {
  return [
    ...badLists(`${between};[1]`, FLOATS),
    ...badElementShapes(['list?', ...between.split(';').slice(1)], [], FLOATS),
    {
      inputs: `list[3]${between};[1]`,
      constants: { [at]: [4] },
      attrs: FLOATS,
      message: /elements of shape \[3\] are read as \[4\]/,
    },
  ];
}

/** Behind the first dimension. */
const inRows =
  (count: string) =>
  (element: string): string =>
    element === '?' ? '?' : element.replace('[', `[${count},`);

const SCATTER_ERRORS = (more: string): ErrorCase[] => [
  ...badRows((rows, indices) => `${rows};${indices};[1]${more}`, 1, SHAPED),
  ...badElementShapes(['[2,3]', '[2]'], more === '' ? [] : ['[]'], SHAPED),
  {
    inputs: `[2,3];[2];[1]${more}`,
    constants: { 2: [4] },
    attrs: SHAPED,
    message: /the rows have shape \[3\], the elements \[4\]/,
  },
];

const JOINED_SCALARS = /elements must have a first dimension to be joined along, they are scalars/;
const OTHER_JOINED = /elements of shape \[\?,3\] are joined as elements of shape \[\?,4\]/;

export const LIST_SAMPLES = {
  EmptyTensorList: cases(
    [
      { inputs: '[2];[]', constants: { 0: [-1, 3] }, attrs: SHAPED, outputs: 'list[?,3]' },
      { inputs: '[?];[]', attrs: SHAPED, outputs: 'list?' },
      { inputs: '?;?', attrs: SHAPED, outputs: 'list?' },
    ],
    [
      ...badElementShapes([], ['[]'], SHAPED),
      { inputs: '[1];[2]', attrs: SHAPED, message: /max_num_elements must have rank 0, got shape \[2\]/ },
      {
        inputs: '[1];[]',
        constants: { 1: -3 },
        attrs: SHAPED,
        message: /max_num_elements must be -1 or more, got -3/,
      },
    ],
  ),
  TensorListReserve: cases(
    [
      { inputs: '[2];[]', constants: { 0: [-1, 3] }, attrs: SHAPED, outputs: 'list[?,3]' },
      { inputs: '[?];[]', attrs: SHAPED, outputs: 'list?' },
      { inputs: '?;?', attrs: SHAPED, outputs: 'list?' },
    ],
    [
      ...badElementShapes([], ['[]'], SHAPED),
      { inputs: '[1];[2]', attrs: SHAPED, message: /num_elements must have rank 0, got shape \[2\]/ },
      {
        inputs: '[1];[]',
        constants: { 1: -3 },
        attrs: SHAPED,
        message: /num_elements must not be negative, got -3/,
      },
    ],
  ),
  TensorListPushBack: cases(
    [
      { inputs: 'list[?,3];[2,3]', outputs: 'list[?,3]' },
      { inputs: 'list?;?', outputs: 'list?' },
      { inputs: '?;[2]', outputs: '[]' },
    ],
    [
      ...badElements((element) => `list[3];${element}`, '[3]', ['float32', 'int32']),
      { inputs: '2*list[3];[3]', message: /the list must have rank 0, got shape \[2\]/ },
    ],
  ),
  TensorListPopBack: cases(
    reads('', (element) => element).map((shape) => ({
      ...shape,
      outputs: `${shape.inputs.startsWith('list') ? (shape.inputs.split(';')[0] ?? '') : '[]'};${shape.outputs}`,
    })),
    badReads('', 1),
  ),
  TensorListLength: cases(
    [
      { inputs: 'list[?]', outputs: '[]' },
      { inputs: '?', outputs: '[]' },
    ],
    [
      { inputs: '2*list[3]', message: /the list must have rank 0, got shape \[2\]/ },
      { inputs: 'tensor[]', message: /input "input_handle" must be variant, .* is float32/ },
    ],
  ),
  TensorListElementShape: cases(
    [
      { inputs: 'list[?,3]', attrs: { shape_type: 'int32' }, outputs: '[2]' },
      { inputs: 'list?', attrs: { shape_type: 'int64' }, outputs: '?' },
      { inputs: '?', attrs: { shape_type: 'int32' }, outputs: '?' },
    ],
    [
      {
        inputs: 'list[3]',
        attrs: { shape_type: 'float32' },
        message: /"shape_type" must be one of int32, int64, got float32/,
      },
      {
        inputs: '2*list[3]',
        attrs: { shape_type: 'int32' },
        message: /the list must have rank 0, got shape \[2\]/,
      },
    ],
  ),
  TensorListGetItem: cases(
    reads(';[]', (element) => element),
    [
      ...badReads(';[]', 2),
      { inputs: 'list[3];[2];[1]', attrs: FLOATS, message: /index must have rank 0, got shape \[2\]/ },
      {
        inputs: 'list[3];[];[1]',
        constants: { 1: -1 },
        attrs: FLOATS,
        message: /index must not be negative, got -1/,
      },
    ],
  ),
  TensorListSetItem: cases(
    [
      { inputs: 'list[?,3];[];[2,3]', outputs: 'list[?,3]' },
      { inputs: 'list?;?;?', outputs: 'list?' },
    ],
    [
      ...badElements((element) => `list[3];[];${element}`, '[3]', ['float32', 'int32', 'int32']),
      { inputs: 'list[3];[1];[3]', message: /index must have rank 0, got shape \[1\]/ },
      { inputs: 'list[3];[];[3]', constants: { 1: -2 }, message: /index must not be negative, got -2/ },
    ],
  ),
  TensorListStack: cases(
    [
      ...reads('', inRows('?')),
      { inputs: 'list[?];[]', attrs: { ...FLOATS, num_elements: 4 }, outputs: '[4,?]' },
    ],
    badReads('', 1),
  ),
  TensorListFromTensor: cases(
    [
      { inputs: '[2,?,3];[2]', constants: { 1: [-1, 3] }, attrs: SHAPED, outputs: 'list[?,3]' },
      { inputs: '?;?', attrs: SHAPED, outputs: 'list?' },
    ],
    [
      ...badElementShapes(['[2,3]'], [], SHAPED),
      { inputs: '[];[0]', attrs: SHAPED, message: NO_SCALAR_ROWS },
      {
        inputs: '[2,3];[1]',
        constants: { 1: [4] },
        attrs: SHAPED,
        message: /the rows have shape \[3\], the elements \[4\]/,
      },
    ],
  ),
  TensorListGather: cases(
    [
      ...reads(';[6]', inRows('6')),
      { inputs: 'list[3];?;[1]', attrs: FLOATS, outputs: '[?,3]' },
      { inputs: 'list[3];[?];[1]', attrs: FLOATS, outputs: '[?,3]' },
    ],
    [
      ...badReads(';[6]', 2),
      { inputs: 'list[3];[];[1]', attrs: FLOATS, message: /indices must have rank 1, got shape \[\]/ },
      {
        inputs: 'list[3];[2];[1]',
        constants: { 1: [0, -1] },
        attrs: FLOATS,
        message: /indices must not be negative, got -1/,
      },
    ],
  ),
  TensorListScatterIntoExistingList: cases(
    [
      { inputs: 'list[?];[2,3];[2]', outputs: 'list[?]' },
      { inputs: 'list?;?;?', outputs: 'list?' },
    ],
    [
      ...badRows((rows, indices) => `list[3];${rows};${indices}`, 2, {}),
      ...badElements((rows) => `list[3];${rows};[2]`, '[2,3]', ['float32', 'int32', 'int32']),
    ],
  ),
  TensorListResize: cases(
    [
      { inputs: 'list[?,3];[]', outputs: 'list[?,3]' },
      { inputs: '?;?', outputs: '[]' },
    ],
    [
      { inputs: 'list[3];[1]', message: /size must have rank 0, got shape \[1\]/ },
      { inputs: 'list[3];[]', constants: { 1: -1 }, message: /size must not be negative, got -1/ },
    ],
  ),
  TensorListConcat: cases(
    [
      { inputs: 'list[?,3]', attrs: FLOATS, outputs: '[?,3];[?]' },
      { inputs: 'list?', attrs: { ...FLOATS, element_shape: [null, 4] }, outputs: '[?,4];[?]' },
      { inputs: '?', attrs: FLOATS, outputs: '?;[?]' },
    ],
    [
      ...badLists('', FLOATS),
      { inputs: 'list[]', attrs: FLOATS, message: JOINED_SCALARS },
      { inputs: 'list[?,3]', attrs: { ...FLOATS, element_shape: [null, 4] }, message: OTHER_JOINED },
    ],
  ),
  TensorListConcatV2: cases(
    [
      { inputs: 'list[?,3];?;[?]', attrs: SHAPED, outputs: '[?,3];[?]' },
      { inputs: 'list?;[2];[0]', constants: { 1: [-1, 4] }, attrs: SHAPED, outputs: '[?,4];[?]' },
      { inputs: '?;?;?', attrs: SHAPED, outputs: '?;[?]' },
    ],
    [
      ...badLists(';?;[0]', SHAPED),
      ...badElementShapes(['list?'], ['[0]'], SHAPED),
      { inputs: 'list[];?;[0]', attrs: SHAPED, message: JOINED_SCALARS },
      { inputs: 'list[?,3];[2];[0]', constants: { 1: [-1, 4] }, attrs: SHAPED, message: OTHER_JOINED },
      { inputs: 'list[?,3];?;[]', attrs: SHAPED, message: /leading_dims must have rank 1, got shape \[\]/ },
    ],
  ),
  TensorListSplit: cases(
    [
      { inputs: '[6,3];[2];[?]', constants: { 1: [-1, 3] }, attrs: SHAPED, outputs: 'list[?,3]' },
      { inputs: '?;?;?', attrs: SHAPED, outputs: 'list?' },
    ],
    [
      ...badElementShapes(['[6,3]'], ['[2]'], SHAPED),
      {
        inputs: '[];?;[2]',
        attrs: SHAPED,
        message: /the tensor must have a first dimension to be cut along/,
      },
      { inputs: '[6,3];?;[]', attrs: SHAPED, message: /lengths must be a vector, got shape \[\]/ },
      {
        inputs: '[6,3];?;[2]',
        constants: { 2: [3, 4] },
        attrs: SHAPED,
        message: /the lengths \[3,4\] add up to 7, the tensor has 6 rows/,
      },
    ],
  ),
  TensorListScatter: cases(
    [
      { inputs: '[?,3];[2];[1]', constants: { 2: [3] }, attrs: SHAPED, outputs: 'list[3]' },
      { inputs: '?;?;?', attrs: SHAPED, outputs: 'list?' },
    ],
    SCATTER_ERRORS(''),
  ),
  TensorListScatterV2: cases(
    [
      { inputs: '[?,3];[2];[1];[]', constants: { 2: [3] }, attrs: SHAPED, outputs: 'list[3]' },
      { inputs: '?;?;?;?', attrs: SHAPED, outputs: 'list?' },
    ],
    [
      ...SCATTER_ERRORS(';[]'),
      {
        inputs: '[2,3];[2];[1];[1]',
        attrs: SHAPED,
        message: /num_elements must have rank 0, got shape \[1\]/,
      },
      {
        inputs: '[2,3];[2];[1];[]',
        constants: { 3: -2 },
        attrs: SHAPED,
        message: /num_elements must be -1 or more, got -2/,
      },
    ],
  ),
  TensorListConcatLists: cases(
    [
      { inputs: 'list[?];list[3]', attrs: FLOATS, outputs: 'list[?]' },
      { inputs: '?;?', attrs: FLOATS, outputs: '?' },
    ],
    [
      { inputs: 'list[3];2*list[3]', attrs: FLOATS, message: /the lists have shapes \[\] and \[2\]/ },
      {
        inputs: 'list[3];list[4]',
        attrs: FLOATS,
        message: /one list holds elements of shape \[3\], the other of \[4\]/,
      },
      {
        inputs: 'list[3];list[3]',
        dtypes: ['float32', 'int32'],
        attrs: FLOATS,
        message: /the list holds int32, attribute "element_dtype" says float32/,
      },
    ],
  ),
  TensorListPushBackBatch: cases(
    [
      { inputs: '2*list[?];[?,3]', outputs: '[2]' },
      { inputs: '[?];[4,3]', outputs: '[4]' },
      { inputs: '?;?', outputs: '[?]' },
    ],
    [
      { inputs: 'list[3];[2,3]', message: /input_handles must be a vector of lists, got shape \[\]/ },
      { inputs: '2*list[3];[4,3]', message: /there are \[2\] lists for rows \[4,3\]/ },
      { inputs: '2*list[3];[]', message: NO_SCALAR_ROWS },
      ...badElements((rows) => `2*list[3];${rows}`, '[2,3]', ['float32', 'int32']),
    ],
  ),
  OptionalFromValue: cases(
    [
      { inputs: '[?];[2,?]', attrs: OF_TWO, outputs: '[]' },
      { inputs: '?;?', attrs: OF_TWO, outputs: '[]' },
    ],
    [
      {
        inputs: '[2];[2]',
        attrs: { Toutput_types: { kind: 'list(type)', value: ['float32'] } },
        message: /takes 1 inputs, 2 given/,
      },
      {
        inputs: '',
        attrs: { Toutput_types: { kind: 'list(type)', value: [] } },
        message: /must be at least 1, got 0/,
      },
    ],
  ),
  OptionalNone: cases(
    [{ inputs: '', outputs: '[]' }],
    [{ inputs: '[]', message: /takes 0 inputs, 1 given/ }],
  ),
  OptionalHasValue: cases(
    [
      { inputs: 'list[?]', outputs: '[]' },
      { inputs: '?', outputs: '[]' },
    ],
    [
      { inputs: '2*list[3]', message: /optional must have rank 0, got shape \[2\]/ },
      { inputs: 'tensor[]', message: /input "optional" must be variant, .* is float32/ },
    ],
  ),
  OptionalGetValue: cases(
    [
      { inputs: 'list[?]', attrs: { ...TWO_TYPES, ...twoShapes([null], [3]) }, outputs: '[?];[3]' },
      { inputs: '?', attrs: { ...TWO_TYPES, ...twoShapes(null, []) }, outputs: '?;[]' },
    ],
    [
      {
        inputs: '2*list[3]',
        attrs: { ...TWO_TYPES, ...twoShapes([], []) },
        message: /optional must have rank 0, got shape \[2\]/,
      },
      {
        inputs: 'list[3]',
        attrs: { ...TWO_TYPES, output_shapes: { kind: 'list(shape)', value: [TensorShape.SCALAR] } },
        message: /output_types has 2 entries, output_shapes has 1/,
      },
      {
        inputs: 'list[3]',
        attrs: { output_types: { kind: 'list(type)', value: [] }, ...twoShapes([], []) },
        message: /attribute "output_types" must be at least 1, got 0/,
      },
    ],
  ),
} satisfies FamilySamples;
