/** Samples of the family `list`: there are none, because the ops need the functions and lists of a graph. */
import type { FamilySamples } from '../sample.js';

const elsewhere = {
  testedElsewhere: 'graph/test/controlFlow and session/test/tensorLists work with whole lists',
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
} satisfies FamilySamples;
