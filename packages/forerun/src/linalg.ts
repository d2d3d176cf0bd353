/** `fr.linalg`: dense linear algebra. */
export {
  adjoint,
  cross,
  einsum,
  eye,
  matMul as matmul,
  matrixBandPart as bandPart,
  matrixDiag as diag,
  matrixDiagPart as diagPart,
  matrixSetDiag as setDiag,
  matrixTranspose,
  matrixTranspose as transpose,
  matvec,
  tensorDiag,
  tensorDiagPart,
  tensordot,
  trace,
} from '@forerun/graph';
