/** Kernels of the family `list`: there are none, because lists only say which tensors are meant. */
import type { OpName } from '@forerun/graph';
import { hostOp, type Kernel } from './kernel.js';

const resolved = hostOp('lists are resolved while the plan is compiled, or kept by the session');

export const LIST_KERNELS = {
  EmptyTensorList: resolved,
  TensorListReserve: resolved,
  TensorListPushBack: resolved,
  TensorListPopBack: resolved,
  TensorListLength: resolved,
  TensorListElementShape: resolved,
  TensorListGetItem: resolved,
  TensorListSetItem: resolved,
  TensorListStack: resolved,
  TensorListFromTensor: resolved,
  TensorListGather: resolved,
  TensorListScatterIntoExistingList: resolved,
  TensorListResize: resolved,
  TensorListConcat: resolved,
  TensorListConcatV2: resolved,
  TensorListSplit: resolved,
  TensorListScatter: resolved,
  TensorListScatterV2: resolved,
  TensorListConcatLists: resolved,
  TensorListPushBackBatch: resolved,
  OptionalFromValue: resolved,
  OptionalNone: resolved,
  OptionalHasValue: resolved,
  OptionalGetValue: resolved,
} satisfies Partial<Record<OpName, Kernel>>;
