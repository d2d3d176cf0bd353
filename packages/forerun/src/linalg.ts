/** `fr.linalg`: dense linear algebra. */
export { matMul as matmul } from '@forerun/graph';
