/**
 * Cases of the family `list`. There are no samples, because a list is no value that could be written down: tests of
 * whole programs make lists, change them and read them.
 */
import type { FamilySamples } from '../sample.js';
import {
  FLOATS,
  SHAPED,
  cases,
  badElementShapes,
  badLists,
  badElements,
  NO_SCALAR_ROWS,
  badRows,
  reads,
  badReads,
  inRows,
  SCATTER_ERRORS,
  JOINED_SCALARS,
  OTHER_JOINED,
} from './listCases.js';
import { OPTIONAL_SAMPLES } from './optional.js';

export const LIST_SAMPLES = {
  ...OPTIONAL_SAMPLES,
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
} satisfies FamilySamples;
