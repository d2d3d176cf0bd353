/** `fr.bitwise`: the bits of integers. */
export {
  bitwiseAnd,
  bitwiseOr,
  bitwiseXor,
  invert,
  leftShift,
  populationCount,
  rightShift,
} from '@forerun/graph';
