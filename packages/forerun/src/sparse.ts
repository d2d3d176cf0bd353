/** `fr.sparse`: tensors as lists of their elements. */
export {
  SparseTensor,
  sparseFillEmptyRows as fillEmptyRows,
  sparsePlaceholder as placeholder,
  sparseReduceSum as reduceSum,
  sparseReorder as reorder,
  sparseReshape as reshape,
  sparseSegmentMean as segmentMean,
  sparseSegmentSqrtN as segmentSqrtN,
  sparseSegmentSum as segmentSum,
  sparseSoftmax as softmax,
  sparseTensorDenseMatmul as sparseDenseMatmul,
  sparseTensorToDense as toDense,
} from '@forerun/graph';
