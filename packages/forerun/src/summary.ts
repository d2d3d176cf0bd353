/** `fr.summary`: what TensorBoard shows of a run, and the files that it reads (`tf.summary`). */
export {
  audioSummary as audio,
  histogramSummary as histogram,
  imageSummary as image,
  mergeSummaries as merge,
  mergeAllSummaries as mergeAll,
  scalarSummary as scalar,
  tensorSummary,
  textSummary as text,
  type ImageSummaryOptions,
  type MergeSummaryOptions,
  type SummaryOptions,
} from '@forerun/graph';
export { FileWriter, summaryIterator, type FileWriterOptions } from '@forerun/session';
