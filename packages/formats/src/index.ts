/** Public surface of `@forerun/formats`. */
export { detectWeights, openWeightFile } from './open.js';
export { readNpy, readNpyData, readNpyHeader, writeNpy, type NpyHeader, type NpyOptions } from './npy.js';
export { openNpz, writeNpz } from './npz.js';
export { permuteValue } from './permute.js';
export { openSafetensors, writeSafetensors } from './safetensors.js';
export { openLegacyTorch, openTorch } from './torch.js';
export type { WeightEntry, WeightFile, WeightFormat, WeightReader, WeightSource } from './weightFile.js';
export { openZip, writeZip, type ZipArchive, type ZipEntry } from './zip.js';
export {
  readExternalData,
  type ExternalDataOptions,
  type ExternalRange,
  type ReadRange,
} from './onnx/externalData.js';
export {
  importOnnx,
  onnxOps,
  readOnnxModel,
  type ImportedOnnx,
  type ImportOnnxOptions,
} from './onnx/importOnnx.js';
export { exportOnnx, exportOnnxParts, type ExportOnnxOptions, type OnnxParts } from './onnx/exportOnnx.js';
export { onnxDType } from './onnx/tensors.js';
