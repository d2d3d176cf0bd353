/** Ops and functions of TensorFlow 1.15 that Forerun does not have, by the reason for it; `docs/ops.md` prints them. */

export interface MissingOps {
  readonly group: string;
  readonly reason: string;
  readonly ops: readonly string[];
}

const list = (text: string): readonly string[] => text.trim().split(/\s+/);

export const MISSING_OPS: readonly MissingOps[] = [
  {
    group: 'Deprecated in TensorFlow 1',
    reason:
      'TensorFlow 1.15 itself refuses them in graphs of its own version; it has successors, which are here.',
    ops: list(
      `AdjustContrast BatchCholesky BatchCholeskyGrad BatchMatrixBandPart BatchMatrixDeterminant BatchMatrixDiag BatchMatrixDiagPart
      BatchMatrixInverse BatchMatrixSetDiag BatchMatrixSolve BatchMatrixSolveLs BatchMatrixTriangularSolve
      BatchNormWithGlobalNormalization BatchNormWithGlobalNormalizationGrad BatchSelfAdjointEig BatchSelfAdjointEigV2 BatchSvd
      Conv3DBackpropFilter Conv3DBackpropInput QuantizeAndDequantize RandomCrop SelfAdjointEig TileGrad`,
    ),
  },
  {
    group: 'Version 1 control flow',
    reason:
      'Files with these ops run: before a plan is made they are translated into functional loops and conditionals.',
    ops: list(
      `ControlTrigger Enter Exit LoopCond Merge NextIteration RefEnter RefExit RefMerge RefNextIteration RefSwitch Switch`,
    ),
  },
  {
    group: 'Input pipelines',
    reason: '`fr.data` loads, shuffles and batches outside the graph, and batches are fed.',
    ops: list(`AnonymousIterator BatchDataset BatchDatasetV2 CacheDataset ConcatenateDataset DatasetToGraph DatasetToSingleElement
      DeserializeIterator FilterDataset FixedLengthRecordDataset FlatMapDataset GeneratorDataset InterleaveDataset Iterator
      IteratorFromStringHandle IteratorGetNext IteratorGetNextSync IteratorToStringHandle IteratorV2 MakeIterator MapDataset
      MultiDeviceIterator OneShotIterator PaddedBatchDataset
      ParallelInterleaveDatasetV2 ParallelMapDataset PrefetchDataset RangeDataset ReduceDataset RepeatDataset SerializeIterator
      ShardDataset ShuffleDataset SkipDataset TakeDataset TensorDataset TensorSliceDataset TextLineDataset TFRecordDataset
      WindowDataset ZipDataset
      AnonymousIteratorV2 AnonymousMemoryCache AnonymousMultiDeviceIterator AnonymousRandomSeedGenerator AssertNextDataset
      AutoShardDataset BytesProducedStatsDataset CSVDataset CacheDatasetV2 ChooseFastestBranchDataset ChooseFastestDataset
      DatasetCardinality DatasetFromGraph DatasetToTFRecord DeleteIterator DeleteMemoryCache DeleteMultiDeviceIterator
      DeleteRandomSeedGenerator DenseToSparseBatchDataset DirectedInterleaveDataset ExperimentalAssertNextDataset
      ExperimentalAutoShardDataset ExperimentalBytesProducedStatsDataset ExperimentalCSVDataset
      ExperimentalChooseFastestDataset ExperimentalDatasetCardinality ExperimentalDatasetToTFRecord
      ExperimentalDenseToSparseBatchDataset ExperimentalDirectedInterleaveDataset ExperimentalGroupByReducerDataset
      ExperimentalGroupByWindowDataset ExperimentalIgnoreErrorsDataset ExperimentalIteratorGetDevice ExperimentalLMDBDataset
      ExperimentalLatencyStatsDataset ExperimentalMapAndBatchDataset ExperimentalMapDataset ExperimentalMatchingFilesDataset
      ExperimentalMaxIntraOpParallelismDataset ExperimentalNonSerializableDataset ExperimentalParallelInterleaveDataset
      ExperimentalParseExampleDataset ExperimentalPrivateThreadPoolDataset ExperimentalRandomDataset
      ExperimentalRebatchDataset ExperimentalScanDataset ExperimentalSetStatsAggregatorDataset ExperimentalSleepDataset
      ExperimentalSlidingWindowDataset ExperimentalSqlDataset ExperimentalStatsAggregatorHandle
      ExperimentalStatsAggregatorSummary ExperimentalTakeWhileDataset ExperimentalThreadPoolDataset
      ExperimentalThreadPoolHandle ExperimentalUnbatchDataset ExperimentalUniqueDataset FilterByLastComponentDataset
      FixedLengthRecordDatasetV2 GroupByReducerDataset GroupByWindowDataset IgnoreErrorsDataset IteratorFromStringHandleV2
      IteratorGetDevice IteratorGetNextAsOptional LMDBDataset LatencyStatsDataset MapAndBatchDataset MatchingFilesDataset
      MaxIntraOpParallelismDataset ModelDataset MultiDeviceIteratorFromStringHandle MultiDeviceIteratorGetNextFromShard
      MultiDeviceIteratorInit MultiDeviceIteratorToStringHandle NonSerializableDataset OptimizeDataset PaddedBatchDatasetV2
      ParallelInterleaveDataset ParseExampleDataset PrivateThreadPoolDataset RandomDataset RebatchDataset SamplingDataset
      ScanDataset SetStatsAggregatorDataset ShuffleAndRepeatDataset ShuffleDatasetV2 SleepDataset SlidingWindowDataset
      SnapshotDataset SparseTensorSliceDataset SqlDataset StatsAggregatorHandle StatsAggregatorHandleV2
      StatsAggregatorSetSummaryWriter StatsAggregatorSummary TakeWhileDataset ThreadPoolDataset ThreadPoolHandle
      UnbatchDataset UniqueDataset UnwrapDatasetVariant WrapDatasetVariant`),
  },
  {
    group: 'Queues, readers, barriers, stages',
    reason:
      'They feed a graph from threads of its own runtime; a JavaScript program feeds each step, while the one before runs.',
    ops: list(`Barrier BarrierClose BarrierIncompleteSize BarrierInsertMany BarrierReadySize BarrierTakeMany FIFOQueue FIFOQueueV2
      FixedLengthRecordReader IdentityReader LMDBReader MapClear MapStage MapUnstage PaddingFIFOQueue PaddingFIFOQueueV2
      PriorityQueue QueueClose QueueCloseV2 QueueDequeue QueueDequeueMany QueueDequeueUpTo QueueDequeueV2 QueueEnqueue
      QueueEnqueueMany QueueEnqueueV2 QueueIsClosed QueueSize QueueSizeV2 RandomShuffleQueue RandomShuffleQueueV2 ReaderRead
      ReaderReadUpTo ReaderReset ReaderRestoreState ReaderSerializeState RecordInput Stage TFRecordReader TextLineReader Unstage
      WholeFileReader
      FakeQueue FixedLengthRecordReaderV2 IdentityReaderV2 MapIncompleteSize MapPeek MapSize MapUnstageNoKey OrderedMapClear
      OrderedMapIncompleteSize OrderedMapPeek OrderedMapSize OrderedMapStage OrderedMapUnstage OrderedMapUnstageNoKey
      PriorityQueueV2 QueueDequeueManyV2 QueueDequeueUpToV2 QueueEnqueueManyV2 QueueIsClosedV2 ReaderNumRecordsProduced
      ReaderNumRecordsProducedV2 ReaderNumWorkUnitsCompleted ReaderNumWorkUnitsCompletedV2 ReaderReadUpToV2 ReaderReadV2
      ReaderResetV2 ReaderRestoreStateV2 ReaderSerializeStateV2 StageClear StagePeek StageSize TFRecordReaderV2
      TextLineReaderV2 WholeFileReaderV2`),
  },
  {
    group: 'Strings and parsing',
    reason: 'They read records and encodings, which the host program does before feeding.',
    ops: list(`DecodeBase64 DecodeCSV DecodeJSONExample DecodeProtoV2 DecodeRaw EncodeBase64 EncodeProto ParseExample
      ParseSequenceExample ParseSingleExample ParseTensor SerializeTensor UnicodeDecode UnicodeDecodeWithOffsets UnicodeEncode UnicodeScript UnicodeTranscode UnsortedSegmentJoin
      DecodePaddedRaw ParseExampleV2 ParseSequenceExampleV2 ParseSingleSequenceExample`),
  },
  {
    group: 'Files and media',
    reason:
      'The graph does no input or output besides checkpoints (`ImmutableConst` is a part of a mapped file); a library of the host program decodes.',
    ops: list(`AudioSpectrogram DecodeBmp DecodeCompressed DecodeGif DecodeImage DecodeJpeg DecodeAndCropJpeg DecodePng DecodeWav EncodeJpeg
      EncodePng EncodeWav ExtractJpegShape ImmutableConst MatchingFiles Mfcc ReadFile WriteFile`),
  },
  {
    group: 'Summary writers as ops',
    reason: 'Those of TensorFlow 2; `fr.summary.FileWriter` writes what summary ops give.',
    ops: list(`WriteAudioSummary WriteGraphSummary WriteHistogramSummary WriteImageSummary WriteScalarSummary WriteSummary
      CloseSummaryWriter CreateSummaryDbWriter CreateSummaryFileWriter FlushSummaryWriter ImportEvent SummaryWriter
      WriteRawProtoSummary`),
  },
  {
    group: 'Complex numbers and Fourier transforms',
    reason:
      'The device has no complex dtype, and TensorFlow has `MatrixLogarithm` for complex matrices only.',
    ops: list(`Angle BatchFFT BatchFFT2D BatchFFT3D BatchIFFT Complex ComplexAbs Conj FFT FFT2D FFT3D IFFT IFFT2D IFFT3D IRFFT
      IRFFT2D IRFFT3D Imag MatrixLogarithm RFFT RFFT2D RFFT3D Real
      BatchIFFT2D BatchIFFT3D`),
  },
  {
    group: 'Quantized arithmetic',
    reason: 'The device computes in float32 and int32; quantized weights are a matter of files.',
    ops: list(`Dequantize QuantizeDownAndShrinkRange QuantizeV2 QuantizedAdd QuantizedAvgPool QuantizedBatchNormWithGlobalNormalization
      QuantizedBiasAdd QuantizedConcat QuantizedConv2D QuantizedInstanceNorm QuantizedMatMul QuantizedMaxPool QuantizedMul
      QuantizedRelu QuantizedRelu6 QuantizedReluX QuantizedReshape QuantizedResizeBilinear RequantizationRange Requantize
      QuantizedConcatV2 QuantizedConv2DAndRelu QuantizedConv2DAndReluAndRequantize QuantizedConv2DAndRequantize
      QuantizedConv2DPerChannel QuantizedConv2DWithBias QuantizedConv2DWithBiasAndRelu
      QuantizedConv2DWithBiasAndReluAndRequantize QuantizedConv2DWithBiasAndRequantize
      QuantizedConv2DWithBiasSignedSumAndReluAndRequantize QuantizedConv2DWithBiasSumAndRelu
      QuantizedConv2DWithBiasSumAndReluAndRequantize QuantizedDepthwiseConv2D QuantizedDepthwiseConv2DWithBias
      QuantizedDepthwiseConv2DWithBiasAndRelu QuantizedDepthwiseConv2DWithBiasAndReluAndRequantize QuantizedMatMulWithBias
      QuantizedMatMulWithBiasAndDequantize QuantizedMatMulWithBiasAndRelu QuantizedMatMulWithBiasAndReluAndRequantize
      QuantizedMatMulWithBiasAndRequantize RequantizationRangePerChannel RequantizePerChannel`),
  },
  {
    group: 'Sparse tensors',
    reason:
      'A sparse tensor is three tensors; where training needs it there are dense ops, row-wise updates and segment reductions.',
    ops: list(`AddManySparseToTensorsMap AddSparseToTensorsMap DeserializeManySparse DeserializeSparse SerializeManySparse
      SerializeSparse SparseAdd SparseAddGrad SparseConcat SparseCross SparseMatMul SparseReduceMax
      SparseSlice SparseSparseMaximum SparseSparseMinimum SparseSplit SparseTensorDenseAdd
      DenseToDenseSetOperation DenseToSparseSetOperation SetSize SparseToSparseSetOperation
      CSRSparseMatrixComponents CSRSparseMatrixToDense CSRSparseMatrixToSparseTensor DenseToCSRSparseMatrix SparseMatrixAdd
      SparseMatrixMatMul SparseMatrixMul SparseMatrixNNZ SparseMatrixOrderingAMD SparseMatrixSoftmax SparseMatrixSoftmaxGrad
      SparseMatrixSparseCholesky SparseMatrixSparseMatMul SparseMatrixTranspose SparseMatrixZeros SparseReduceMaxSparse
      SparseReduceSumSparse SparseSliceGrad SparseTensorToCSRSparseMatrix TakeManySparseFromTensorsMap`),
  },
  {
    group: 'Several devices and processes',
    reason: 'A session runs on one device.',
    ops: list(`AllToAll BroadcastRecv BroadcastSend CollectiveBcastRecv CollectiveBcastSend CollectiveGather CollectiveReduce
      CollectivePermute ConfigureDistributedTPU CrossReplicaSum NcclAllReduce NcclBroadcast NcclReduce RemoteCall RemoteFusedGraphExecute
      TPUReplicate TPUReplicatedInput TPUReplicatedOutput
      CollectiveBcastRecvV2 CollectiveBcastSendV2 CollectiveGatherV2 CollectiveReduceV2 ConfigureTPUEmbedding
      EnqueueTPUEmbeddingIntegerBatch EnqueueTPUEmbeddingSparseBatch EnqueueTPUEmbeddingSparseTensorBatch InfeedDequeue
      InfeedDequeueTuple InfeedEnqueue InfeedEnqueuePrelinearizedBuffer InfeedEnqueueTuple LoadTPUEmbeddingADAMParameters
      LoadTPUEmbeddingAdadeltaParameters LoadTPUEmbeddingAdagradParameters LoadTPUEmbeddingCenteredRMSPropParameters
      LoadTPUEmbeddingFTRLParameters LoadTPUEmbeddingMDLAdagradLightParameters LoadTPUEmbeddingMomentumParameters
      LoadTPUEmbeddingProximalAdagradParameters LoadTPUEmbeddingRMSPropParameters
      LoadTPUEmbeddingStochasticGradientDescentParameters OutfeedDequeue OutfeedDequeueTuple OutfeedEnqueue
      OutfeedEnqueueTuple Prelinearize PrelinearizeTuple Recv RecvTPUEmbeddingActivations RetrieveTPUEmbeddingADAMParameters
      RetrieveTPUEmbeddingAdadeltaParameters RetrieveTPUEmbeddingAdagradParameters
      RetrieveTPUEmbeddingCenteredRMSPropParameters RetrieveTPUEmbeddingFTRLParameters
      RetrieveTPUEmbeddingMDLAdagradLightParameters RetrieveTPUEmbeddingMomentumParameters
      RetrieveTPUEmbeddingProximalAdagradParameters RetrieveTPUEmbeddingRMSPropParameters
      RetrieveTPUEmbeddingStochasticGradientDescentParameters Send SendTPUEmbeddingGradients ShutdownDistributedTPU
      TPUCompilationResult TPUEmbeddingActivations TPUOrdinalSelector TPUPartitionedCall TPUReplicateMetadata
      WorkerHeartbeat`),
  },
  {
    group: 'Accumulators and mutexes',
    reason: 'Runs of a session follow each other, so nothing accumulates beside them; a variable does.',
    ops: list(`AccumulatorApplyGradient AccumulatorNumAccumulated AccumulatorSetGlobalStep AccumulatorTakeGradient ConditionalAccumulator
      ConsumeMutexLock MutexLock MutexV2 ResourceAccumulatorApplyGradient SparseAccumulatorApplyGradient
      SparseConditionalAccumulator
      ResourceAccumulatorNumAccumulated ResourceAccumulatorSetGlobalStep ResourceAccumulatorTakeGradient
      ResourceConditionalAccumulator SparseAccumulatorTakeGradient`),
  },
  {
    group: 'Version 1 tensor arrays and stacks',
    reason:
      'Files with these ops run: before a plan is made they are translated into tensor lists, from which `fr.TensorArray` is made too.',
    ops: list(`Stack StackCloseV2 StackPop StackPopV2 StackPush StackPushV2 StackV2 TensorArrayCloseV3 TensorArrayConcatV3
      TensorArrayGatherV3 TensorArrayGradV3 TensorArrayReadV3 TensorArrayScatterV3 TensorArraySizeV3 TensorArraySplitV3
      TensorArrayV3 TensorArrayWriteV3`),
  },
  {
    group: 'cuDNN',
    reason: 'Names of one vendor’s kernels; the cells of `fr.nn.rnnCell` compute the same.',
    ops: list(`CudnnRNN CudnnRNNBackprop CudnnRNNCanonicalToParams CudnnRNNParamsSize
      CudnnRNNBackpropV2 CudnnRNNBackpropV3 CudnnRNNCanonicalToParamsV2 CudnnRNNParamsToCanonical
      CudnnRNNParamsToCanonicalV2 CudnnRNNV2 CudnnRNNV3`),
  },
  {
    group: 'Debugging and session handles',
    reason:
      'A run reports what it computes by fetches, `Print`, `CheckNumerics` and traces, with times; values stay on the device in variables. `Timestamp` gives a float64, of which the device has none.',
    ops: list(`DebugGradientIdentity DebugGradientRefIdentity DebugIdentity DebugNanCount DebugNumericSummary DeleteSessionTensor
      GetSessionHandle GetSessionHandleV2 GetSessionTensor Timestamp
      Abort CopyHost DebugIdentityV2`),
  },
  {
    group: 'Random generators as variables',
    reason: 'Random ops have seeds of their own and the session a random step, which checkpoints keep.',
    ops: list(`NonDeterministicInts RngSkip StatefulRandomBinomial StatefulStandardNormal StatefulStandardNormalV2 StatefulTruncatedNormal
      StatefulUniform StatefulUniformFullInt StatefulUniformInt
      RngReadAndSkip`),
  },
  {
    group: 'Ragged tensors',
    reason:
      'A ragged tensor is values and row splits; sequence lengths, masks and segment reductions do the same.',
    ops: list(`RaggedGather RaggedRange RaggedTensorToSparse
      RaggedTensorFromVariant RaggedTensorToVariant`),
  },
  {
    group: 'Earlier forms of checkpoints and tensor arrays',
    reason: 'TensorFlow itself has written their successors since 1.0, and these are here.',
    ops: list(`Restore RestoreSlice Save SaveSlices ShardedFilespec StackClose TensorArrayClose TensorArrayCloseV2 TensorArrayConcat
      TensorArrayConcatV2 TensorArrayGather TensorArrayGatherV2 TensorArrayGrad TensorArrayGradV2 TensorArrayGradWithShape
      TensorArrayPack TensorArrayRead TensorArrayReadV2 TensorArrayScatter TensorArrayScatterV2 TensorArraySize
      TensorArraySizeV2 TensorArraySplit TensorArraySplitV2 TensorArrayUnpack TensorArrayV2 TensorArrayWrite
      TensorArrayWriteV2`),
  },
  {
    group: 'Boosted trees',
    reason: 'Trees are grown by histograms, not by gradients of a graph.',
    ops: list(`BoostedTreesAggregateStats BoostedTreesCalculateBestFeatureSplit BoostedTreesCalculateBestFeatureSplitV2
      BoostedTreesCalculateBestGainsPerFeature BoostedTreesCenterBias BoostedTreesCreateEnsemble
      BoostedTreesCreateQuantileStreamResource BoostedTreesDeserializeEnsemble BoostedTreesEnsembleResourceHandleOp
      BoostedTreesExampleDebugOutputs BoostedTreesFlushQuantileSummaries BoostedTreesGetEnsembleStates
      BoostedTreesMakeQuantileSummaries BoostedTreesMakeStatsSummary BoostedTreesPredict
      BoostedTreesQuantileStreamResourceAddSummaries BoostedTreesQuantileStreamResourceDeserialize
      BoostedTreesQuantileStreamResourceFlush BoostedTreesQuantileStreamResourceGetBucketBoundaries
      BoostedTreesQuantileStreamResourceHandleOp BoostedTreesSerializeEnsemble BoostedTreesSparseAggregateStats
      BoostedTreesSparseCalculateBestFeatureSplit BoostedTreesTrainingPredict BoostedTreesUpdateEnsemble
      BoostedTreesUpdateEnsembleV2 IsBoostedTreesEnsembleInitialized IsBoostedTreesQuantileStreamResourceInitialized`),
  },
  {
    group: 'XLA',
    reason: 'They are parts of graphs that the XLA compiler makes for itself.',
    ops: list(`XlaBroadcastHelper XlaClusterOutput XlaConv XlaDequantize XlaDot XlaDynamicSlice XlaDynamicUpdateSlice XlaEinsum
      XlaHostCompute XlaIf XlaKeyValueSort XlaLaunch XlaPad XlaRecv XlaRecvFromHost XlaReduce XlaReduceWindow XlaReplicaId
      XlaSelectAndScatter XlaSelfAdjointEig XlaSend XlaSendToHost XlaSharding XlaSort XlaSvd XlaWhile`),
  },
  {
    group: 'Rare',
    reason: 'Not met in the training programs that were looked at; ask if yours needs one.',
    ops: list(`Batch BatchFunction BoostedTreesBucketize Copy Empty Fact FakeParam Fingerprint FixedUnigramCandidateSamplerV2 For
      FusedPadConv2D FusedResizeAndPadConv2D
      GenerateVocabRemapping LoadAndRemapMatrix MapDefun NegTrain
      SdcaFprint SdcaOptimizer Skipgram Unbatch UnbatchGrad
      WordEmbedding
      ComputeBatchSize EagerPyFunc GenerateBoundingBoxProposals ImageProjectiveTransformV2 KMC2ChainInitialization
      KmeansPlusPlusInitialization KthOrderStatistic MakeUnique NearestNeighbors SdcaOptimizerV2 SdcaShrinkL1
      ThreadUnsafeUnigramCandidateSampler TopKUnique TopKWithUnique`),
  },
];

/** Functions of Python's `tf.math`, `nn`, `linalg`, `image`, `random`, `train`, `sparse` and others that have no counterpart. */
export const MISSING_NAMES: readonly MissingOps[] = [
  {
    group: 'Complex numbers',
    reason: 'The device has no complex dtype; spectra can be computed before feeding.',
    ops: list(`math.angle math.conj math.imag math.real linalg.logm signal.fft signal.ifft signal.rfft signal.irfft signal.stft
      signal.inverse_stft signal.dct signal.idct signal.mdct`),
  },
  {
    group: 'Framing and windows of sound',
    reason: 'They prepare inputs of Fourier transforms, and belong before feeding with them.',
    ops: list(`signal.frame signal.overlap_and_add signal.hann_window signal.hamming_window signal.kaiser_window signal.vorbis_window
      signal.linear_to_mel_weight_matrix signal.mfccs_from_log_mel_spectrograms`),
  },
  {
    group: 'Sets and strings',
    reason:
      'Sets are sparse tensors of rows, mostly of texts: use the sets of JavaScript. `StringNGrams` runs in graphs of files; ragged tensors are not here.',
    ops: list(`sets.difference sets.intersection sets.set_size sets.union strings.ngrams strings.unicode_decode
      strings.unicode_encode`),
  },
  {
    group: 'Linear operators',
    reason: 'Classes over the functions of `fr.linalg`, which take the matrices themselves.',
    ops: list(`linalg.LinearOperator linalg.LinearOperatorDiag linalg.LinearOperatorFullMatrix linalg.LinearOperatorIdentity
      linalg.LinearOperatorLowRankUpdate linalg.LinearOperatorLowerTriangular linalg.LinearOperatorKronecker linalg.LinearOperatorCirculant`),
  },
  {
    group: 'Image files',
    reason: 'A library of the host program decodes and encodes; `fr.data` takes pixels.',
    ops: list(`image.adjust_jpeg_quality image.random_jpeg_quality image.decode_image image.decode_jpeg image.decode_png image.decode_gif
      image.encode_jpeg image.encode_png image.is_jpeg`),
  },
  {
    group: 'Quantized kernels',
    reason:
      'The device computes in float32 and int32; `fr.quantization` has what training for quantized inference needs.',
    ops: list(`nn.quantized_avg_pool nn.quantized_conv2d nn.quantized_max_pool nn.quantized_relu_x quantization.dequantize
      quantization.quantize quantization.quantized_concat`),
  },
  {
    group: 'Sparse tensors, the rest',
    reason:
      '`dynamicStitch`, `booleanMask`, segment reductions and hash buckets of `fr.strings` do what these do.',
    ops: list(
      `sparse.cross sparse.mask sparse.reduce_max sparse.reduce_max_sparse sparse.reduce_sum_sparse sparse.reset_shape`,
    ),
  },
  {
    group: 'Functions of Python in the graph',
    reason: '`jsFunc` runs a function of JavaScript in the graph; `customGradient` gives it a gradient.',
    ops: list(`py_func numpy_function py_function`),
  },
  {
    group: 'Records and texts of examples',
    reason:
      'A library of the host program reads and parses them; `fr.data.Dataset.fromGenerator` makes batches of what it gives.',
    ops: list(`io.TFRecordWriter io.tf_record_iterator io.parse_example io.parse_single_example io.parse_sequence_example io.decode_csv io.decode_raw
      io.decode_json_example io.FixedLenFeature io.FixedLenSequenceFeature io.VarLenFeature train.Example train.Feature train.Features train.SequenceExample
      data.TFRecordDataset data.TextLineDataset data.FixedLengthRecordDataset`),
  },
  {
    group: 'Distributions',
    reason: 'Their densities and draws are short formulas over `fr.math` and `fr.random`.',
    ops: list(`distributions.Bernoulli distributions.Beta distributions.Categorical distributions.Dirichlet distributions.DirichletMultinomial
      distributions.Exponential distributions.Gamma distributions.Laplace distributions.Multinomial distributions.Normal distributions.StudentT
      distributions.Uniform distributions.kl_divergence`),
  },
  {
    group: 'Switches and tools of TensorFlow’s own run-time',
    reason: 'There is one mode, the graph; variables are resource variables; a session runs on one device.',
    ops: list(`enable_eager_execution executing_eagerly disable_eager_execution enable_resource_variables enable_v2_behavior disable_v2_behavior
      function wrap_function GradientTape init_scope get_default_session InteractiveSession colocate_with container DeviceSpec ConfigProto
      GPUOptions OptimizerOptions AggregationMethod load_op_library register_tensor_conversion_function variable_creator_scope`),
  },
  {
    group: 'Sessions with hooks, coordinators, queues and servers',
    reason:
      'A program of one process calls `sess.run` in its own loop and saves, logs and stops there; batches come from `fr.data`.',
    ops: list(`train.MonitoredSession train.MonitoredTrainingSession train.SessionRunHook train.CheckpointSaverHook train.LoggingTensorHook
      train.StopAtStepHook train.NanTensorHook train.Scaffold train.Supervisor train.Coordinator train.QueueRunner train.start_queue_runners
      train.batch train.shuffle_batch train.string_input_producer train.slice_input_producer train.Server train.ClusterSpec
      train.SyncReplicasOptimizer train.replica_device_setter train.Checkpoint train.CheckpointManager`),
  },
  {
    group: 'Partitioners',
    reason:
      'They spread a variable over parameter servers, which are not here; `nn.embeddingLookup` takes tables in several parts, and parts in a checkpoint are read as one tensor.',
    ops: list(
      `create_partitioned_variables fixed_size_partitioner min_max_variable_partitioner variable_axis_size_partitioner`,
    ),
  },
];
