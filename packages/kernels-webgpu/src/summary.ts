/** Kernels of the family `summary`: messages are texts, which live on the host. */
import type { OpName } from '@forerun/graph';
import { hostOp, type Kernel } from './kernel.js';

const onHost = hostOp('messages are put together on the host');

export const SUMMARY_KERNELS = {
  ScalarSummary: onHost,
  HistogramSummary: onHost,
  ImageSummary: onHost,
  AudioSummary: onHost,
  AudioSummaryV2: onHost,
  TensorSummary: onHost,
  TensorSummaryV2: onHost,
  MergeSummary: onHost,
} satisfies Partial<Record<OpName, Kernel>>;
