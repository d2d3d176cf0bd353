/** `fr.strings`: hashes of texts, and numbers as texts. */
export {
  asString,
  stringToHashBucket as toHashBucket,
  stringToHashBucketFast as toHashBucketFast,
  stringToHashBucketStrong as toHashBucketStrong,
  type AsStringOptions,
} from '@forerun/graph';
