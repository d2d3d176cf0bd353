/** Flat names of linear algebra, as TensorFlow 1 has them beside `fr.linalg`. */
export {
  cross,
  einsum,
  eye,
  matrixBandPart,
  matrixDiag,
  matrixDiagPart,
  matrixSetDiag,
  matrixTranspose,
  tensorDiag as diag,
  tensorDiagPart as diagPart,
  tensordot,
  trace,
} from '@forerun/graph';
