/** Attributes that hold their default: left out of files where an older reader would refuse them. */
import type { AttrValue } from '../attr.js';
import { lookupOp } from '../opTable.js';
import { encode } from '../proto/encode.js';
import { compareBytes } from '../proto/utf8.js';
import { attrToProto } from './attrProto.js';

/**
 * Attributes that ops got after TensorFlow 1.15, whose reader refuses attributes that it does not know. In doubt an
 * attribute is listed: a reader puts the default where one is missing.
 */
const NEWER: Readonly<Record<string, readonly string[]>> = {
  CombinedNonMaxSuppression: ['clip_boxes'],
  DepthwiseConv2dNative: ['explicit_paddings'],
  DepthwiseConv2dNativeBackpropFilter: ['explicit_paddings'],
  DepthwiseConv2dNativeBackpropInput: ['explicit_paddings'],
  Equal: ['incompatible_shape_error'],
  FusedBatchNorm: ['exponential_avg_factor'],
  FusedBatchNormV2: ['exponential_avg_factor'],
  FusedBatchNormV3: ['exponential_avg_factor'],
  InitializeTableFromTextFile: ['offset'],
  InitializeTableFromTextFileV2: ['offset'],
  MaxPool: ['explicit_paddings'],
  MaxPoolGrad: ['explicit_paddings'],
  NotEqual: ['incompatible_shape_error'],
  PrintV2: ['end'],
  QuantizeAndDequantizeV2: ['narrow_range'],
  QuantizeAndDequantizeV3: ['narrow_range'],
  ResourceGather: ['batch_dims'],
  SparseSegmentMean: ['Tsegmentids'],
  SparseSegmentMeanGrad: ['Tsegmentids'],
  SparseSegmentMeanWithNumSegments: ['Tsegmentids'],
  SparseSegmentSqrtN: ['Tsegmentids'],
  SparseSegmentSqrtNGrad: ['Tsegmentids'],
  SparseSegmentSqrtNWithNumSegments: ['Tsegmentids'],
  SparseSegmentSum: ['Tsegmentids'],
  SparseSegmentSumWithNumSegments: ['Tsegmentids'],
  TensorListSetItem: ['resize_if_index_out_of_bounds'],
  _FusedConv2D: ['use_cudnn_on_gpu', 'leakyrelu_alpha', 'explicit_paddings'],
  _FusedDepthwiseConv2dNative: ['leakyrelu_alpha', 'explicit_paddings'],
  FusedDepthwiseConv2dNative: ['leakyrelu_alpha', 'explicit_paddings'],
  _FusedMatMul: ['leakyrelu_alpha'],
};

/** Which defaults are left out: all, or those of attributes that TensorFlow 1.15 does not know. */
export type StrippedDefaults = 'all' | 'newer';

/** `attrs` of a node of type `type` without the attributes that hold their defaults. */
export function withoutDefaults(
  type: string,
  attrs: ReadonlyMap<string, AttrValue>,
  stripped: StrippedDefaults,
): ReadonlyMap<string, AttrValue> {
  const newer = Object.hasOwn(NEWER, type) ? NEWER[type] : undefined;
  if (stripped === 'newer' && newer === undefined) return attrs;
  const specs = (lookupOp(type)?.attrs ?? []).filter(
    ({ name, default: value }) =>
      value !== undefined && (stripped === 'all' || newer?.includes(name) === true),
  );
  const defaults = specs.filter(({ name, default: value }) => {
    const held = attrs.get(name);
    return held !== undefined && value !== undefined && sameAttr(held, value);
  });
  if (defaults.length === 0) return attrs;
  const names = new Set(defaults.map(({ name }) => name));
  return new Map([...attrs].filter(([name]) => !names.has(name)));
}

function sameAttr(a: AttrValue, b: AttrValue): boolean {
  if (a.kind !== b.kind) return false;
  return compareBytes(encode('AttrValue', attrToProto(a)), encode('AttrValue', attrToProto(b))) === 0;
}
