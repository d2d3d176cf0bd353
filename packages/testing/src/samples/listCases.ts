/** Shape and error cases that ops on tensor lists have in common: wrong lists, elements, element shapes and rows. */
import type { AttrInputs, DType } from '@forerun/graph';
import type { ErrorCase, OpCases, ShapeCase } from '../sample.js';

export const FLOATS = { element_dtype: 'float32' };
export const SHAPED = { ...FLOATS, shape_type: 'int32' };

export function cases(shapes: readonly ShapeCase[], errors: readonly ErrorCase[]): OpCases {
  return {
    testedElsewhere:
      'testing/test/tensorLists.test.ts and session/test/tensorLists.gpu.test.ts work with whole lists',
    tolerance: 'exact: it moves elements',
    shapes,
    errors,
  };
}

/** Element shapes (input `at`, an int32 vector) that are none. */
export function badElementShapes(
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
export function badLists(after: string, attrs: AttrInputs): ErrorCase[] {
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
export function badElements(
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

export const NO_SCALAR_ROWS = /the tensor must have a first dimension, got a scalar/;

/** Rows at positions: input `tensor` has the rows, the one behind it the positions. */
export function badRows(
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
export function reads(between: string, rows: (element: string) => string): ShapeCase[] {
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

export function badReads(between: string, at: number): ErrorCase[] {
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
export const inRows =
  (count: string) =>
  (element: string): string =>
    element === '?' ? '?' : element.replace('[', `[${count},`);

export const SCATTER_ERRORS = (more: string): ErrorCase[] => [
  ...badRows((rows, indices) => `${rows};${indices};[1]${more}`, 1, SHAPED),
  ...badElementShapes(['[2,3]', '[2]'], more === '' ? [] : ['[]'], SHAPED),
  {
    inputs: `[2,3];[2];[1]${more}`,
    constants: { 2: [4] },
    attrs: SHAPED,
    message: /the rows have shape \[3\], the elements \[4\]/,
  },
];

export const JOINED_SCALARS = /elements must have a first dimension to be joined along, they are scalars/;
export const OTHER_JOINED = /elements of shape \[\?,3\] are joined as elements of shape \[\?,4\]/;
