/** Samples of the family `list`: there are none, because the ops need the functions and lists of a graph. */
import type { FamilySamples } from '../sample.js';

const elsewhere = {
  testedElsewhere: 'testing/test/tensorLists and session/test/tensorLists.gpu work with whole lists',
};

export const LIST_SAMPLES = {
  EmptyTensorList: elsewhere,
  TensorListReserve: elsewhere,
  TensorListPushBack: elsewhere,
  TensorListPopBack: elsewhere,
  TensorListLength: elsewhere,
  TensorListElementShape: elsewhere,
  TensorListGetItem: elsewhere,
  TensorListSetItem: elsewhere,
  TensorListStack: elsewhere,
  TensorListFromTensor: elsewhere,
  TensorListGather: elsewhere,
  TensorListScatterIntoExistingList: elsewhere,
  TensorListResize: elsewhere,
  TensorListConcat: elsewhere,
  TensorListConcatV2: elsewhere,
  TensorListSplit: elsewhere,
  TensorListScatter: elsewhere,
  TensorListScatterV2: elsewhere,
  TensorListConcatLists: elsewhere,
  TensorListPushBackBatch: elsewhere,
} satisfies FamilySamples;
