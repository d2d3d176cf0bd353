/** The dtypes of TensorFlow's arithmetic, as a declaration of `T`. */
export const NUMBERS =
  'T: {float32, float16, bfloat16, float64, uint8, int8, uint16, int16, int32, int64, uint32, uint64, complex64, complex128}';
