/** `fr.lookup`: hash tables (`tf.lookup`, and of `tf.contrib.lookup` the tables whose entries can be set). */
export {
  KeyValueTensorInitializer,
  MutableHashTable,
  StaticHashTable,
  StaticHashTable as HashTable,
  TextFileIndex,
  TextFileInitializer,
  type KeyValueTensorInitializerOptions,
  type TableInitializer,
  type TextFileInitializerOptions,
} from '@forerun/graph';
