/** `fr.sparse`: tensors as lists of their elements. */
export {
  SparseTensor,
  sparsePlaceholder as placeholder,
  sparseTensorToDense as toDense,
} from '@forerun/graph';
