/* eslint-disable max-lines -- a generated list */
/** Interfaces of every message in proto/, as the codec reads them. Made by scripts/proto.mjs: do not edit. */
import type { Message } from './message.js';

/** Message types by their name in proto/. */
export interface MessageTypes {
  AllocationDescription: AllocationDescription;
  AllocationRecord: AllocationRecord;
  AllocatorMemoryUsed: AllocatorMemoryUsed;
  AssetFileDef: AssetFileDef;
  AttrValue: AttrValue;
  'AttrValue.ListValue': AttrValueListValue;
  AutoParallelOptions: AutoParallelOptions;
  BundleEntryProto: BundleEntryProto;
  BundleHeaderProto: BundleHeaderProto;
  CallableOptions: CallableOptions;
  CheckpointState: CheckpointState;
  ClusterDef: ClusterDef;
  CollectionDef: CollectionDef;
  'CollectionDef.AnyList': CollectionDefAnyList;
  'CollectionDef.BytesList': CollectionDefBytesList;
  'CollectionDef.FloatList': CollectionDefFloatList;
  'CollectionDef.Int64List': CollectionDefInt64List;
  'CollectionDef.NodeList': CollectionDefNodeList;
  CondContextDef: CondContextDef;
  ConfigProto: ConfigProto;
  'ConfigProto.Experimental': ConfigProtoExperimental;
  ControlFlowContextDef: ControlFlowContextDef;
  CostGraphDef: CostGraphDef;
  'CostGraphDef.AggregatedCost': CostGraphDefAggregatedCost;
  'CostGraphDef.Node': CostGraphDefNode;
  'CostGraphDef.Node.InputInfo': CostGraphDefNodeInputInfo;
  'CostGraphDef.Node.OutputInfo': CostGraphDefNodeOutputInfo;
  DebugOptions: DebugOptions;
  DebugTensorWatch: DebugTensorWatch;
  DeviceStepStats: DeviceStepStats;
  Event: Event;
  FunctionDef: FunctionDef;
  'FunctionDef.ArgAttrs': FunctionDefArgAttrs;
  FunctionDefLibrary: FunctionDefLibrary;
  GPUOptions: GPUOptions;
  'GPUOptions.Experimental': GPUOptionsExperimental;
  'GPUOptions.Experimental.VirtualDevices': GPUOptionsExperimentalVirtualDevices;
  GradientDef: GradientDef;
  GraphDef: GraphDef;
  GraphOptions: GraphOptions;
  HistogramProto: HistogramProto;
  JobDef: JobDef;
  LogMessage: LogMessage;
  MemoryStats: MemoryStats;
  MetaGraphDef: MetaGraphDef;
  'MetaGraphDef.MetaInfoDef': MetaGraphDefMetaInfoDef;
  MetaGraphObjects: MetaGraphObjects;
  NameAttrList: NameAttrList;
  NodeDef: NodeDef;
  'NodeDef.ExperimentalDebugInfo': NodeDefExperimentalDebugInfo;
  NodeExecStats: NodeExecStats;
  NodeOutput: NodeOutput;
  OpDef: OpDef;
  'OpDef.ArgDef': OpDefArgDef;
  'OpDef.AttrDef': OpDefAttrDef;
  OpDeprecation: OpDeprecation;
  OpList: OpList;
  OptimizerOptions: OptimizerOptions;
  QueueRunnerDef: QueueRunnerDef;
  RPCOptions: RPCOptions;
  RegisteredGradient: RegisteredGradient;
  ResourceHandleProto: ResourceHandleProto;
  'ResourceHandleProto.DtypeAndShape': ResourceHandleProtoDtypeAndShape;
  RewriterConfig: RewriterConfig;
  'RewriterConfig.CustomGraphOptimizer': RewriterConfigCustomGraphOptimizer;
  RunMetadata: RunMetadata;
  'RunMetadata.FunctionGraphs': RunMetadataFunctionGraphs;
  RunOptions: RunOptions;
  'RunOptions.Experimental': RunOptionsExperimental;
  'RunOptions.Experimental.RunHandlerPoolOptions': RunOptionsExperimentalRunHandlerPoolOptions;
  SaveSliceInfoDef: SaveSliceInfoDef;
  SavedConcreteFunction: SavedConcreteFunction;
  SavedModel: SavedModel;
  SavedObject: SavedObject;
  SavedObjectGraph: SavedObjectGraph;
  SavedSlice: SavedSlice;
  SavedSliceMeta: SavedSliceMeta;
  SavedTensorSliceMeta: SavedTensorSliceMeta;
  SavedTensorSlices: SavedTensorSlices;
  SaverDef: SaverDef;
  ScopedAllocatorOptions: ScopedAllocatorOptions;
  SerializedDType: SerializedDType;
  SessionLog: SessionLog;
  SessionMetadata: SessionMetadata;
  SignatureDef: SignatureDef;
  SourceMetadata: SourceMetadata;
  StepStats: StepStats;
  Summary: Summary;
  'Summary.Audio': SummaryAudio;
  'Summary.Image': SummaryImage;
  'Summary.Value': SummaryValue;
  SummaryDescription: SummaryDescription;
  SummaryMetadata: SummaryMetadata;
  'SummaryMetadata.PluginData': SummaryMetadataPluginData;
  TaggedRunMetadata: TaggedRunMetadata;
  TensorConnection: TensorConnection;
  TensorDescription: TensorDescription;
  TensorInfo: TensorInfo;
  'TensorInfo.CompositeTensor': TensorInfoCompositeTensor;
  'TensorInfo.CooSparse': TensorInfoCooSparse;
  TensorProto: TensorProto;
  TensorShapeProto: TensorShapeProto;
  'TensorShapeProto.Dim': TensorShapeProtoDim;
  TensorSliceProto: TensorSliceProto;
  'TensorSliceProto.Extent': TensorSliceProtoExtent;
  ThreadPoolOptionProto: ThreadPoolOptionProto;
  TrackableObjectGraph: TrackableObjectGraph;
  'TrackableObjectGraph.TrackableObject': TrackableObjectGraphTrackableObject;
  'TrackableObjectGraph.TrackableObject.ObjectReference': TrackableObjectGraphTrackableObjectObjectReference;
  'TrackableObjectGraph.TrackableObject.SerializedTensor': TrackableObjectGraphTrackableObjectSerializedTensor;
  'TrackableObjectGraph.TrackableObject.SlotVariableReference': TrackableObjectGraphTrackableObjectSlotVariableReference;
  ValuesDef: ValuesDef;
  VariableDef: VariableDef;
  VariantTensorDataProto: VariantTensorDataProto;
  VersionDef: VersionDef;
  WhileContextDef: WhileContextDef;
  'google.protobuf.Any': Any;
  'onnx.AttributeProto': onnxAttributeProto;
  'onnx.FunctionProto': onnxFunctionProto;
  'onnx.GraphProto': onnxGraphProto;
  'onnx.ModelProto': onnxModelProto;
  'onnx.NodeProto': onnxNodeProto;
  'onnx.OperatorSetIdProto': onnxOperatorSetIdProto;
  'onnx.StringStringEntryProto': onnxStringStringEntryProto;
  'onnx.TensorProto': onnxTensorProto;
  'onnx.TensorShapeProto': onnxTensorShapeProto;
  'onnx.TensorShapeProto.Dimension': onnxTensorShapeProtoDimension;
  'onnx.TypeProto': onnxTypeProto;
  'onnx.TypeProto.Optional': onnxTypeProtoOptional;
  'onnx.TypeProto.Sequence': onnxTypeProtoSequence;
  'onnx.TypeProto.Tensor': onnxTypeProtoTensor;
  'onnx.ValueInfoProto': onnxValueInfoProto;
}

export interface AllocationDescription extends Message {
  requestedBytes: number;
  allocatedBytes: number;
  allocatorName: string;
  allocationId: bigint;
  hasSingleReference: boolean;
  ptr: bigint;
}

export interface AllocationRecord extends Message {
  allocMicros: number;
  allocBytes: number;
}

export interface AllocatorMemoryUsed extends Message {
  allocatorName: string;
  totalBytes: number;
  peakBytes: number;
  liveBytes: number;
  allocatorBytesInUse: number;
  allocationRecords: readonly AllocationRecord[];
}

export interface AssetFileDef extends Message {
  tensorInfo?: TensorInfo | undefined;
  filename: string;
}

export interface AttrValue extends Message {
  list?: AttrValueListValue | undefined;
  s?: Uint8Array | undefined;
  i?: bigint | undefined;
  f?: number | undefined;
  b?: boolean | undefined;
  /** DataType. */
  type?: number | undefined;
  shape?: TensorShapeProto | undefined;
  tensor?: TensorProto | undefined;
  placeholder?: string | undefined;
  func?: NameAttrList | undefined;
}

export interface AttrValueListValue extends Message {
  s: readonly Uint8Array[];
  i: readonly bigint[];
  f: readonly number[];
  b: readonly boolean[];
  /** DataType. */
  type: readonly number[];
  shape: readonly TensorShapeProto[];
  tensor: readonly TensorProto[];
  func: readonly NameAttrList[];
}

export interface AutoParallelOptions extends Message {
  enable: boolean;
  numReplicas: number;
}

export interface BundleEntryProto extends Message {
  /** DataType. */
  dtype: number;
  shape?: TensorShapeProto | undefined;
  shardId: number;
  offset: number;
  size: number;
  crc32c: number;
  slices: readonly TensorSliceProto[];
}

export interface BundleHeaderProto extends Message {
  numShards: number;
  /** BundleHeaderProtoEndianness. */
  endianness: number;
  version?: VersionDef | undefined;
}

export interface CallableOptions extends Message {
  feed: readonly string[];
  fetch: readonly string[];
  target: readonly string[];
  runOptions?: RunOptions | undefined;
  tensorConnection: readonly TensorConnection[];
  feedDevices: Map<string, string>;
  fetchDevices: Map<string, string>;
  fetchSkipSync: boolean;
}

export interface CheckpointState extends Message {
  modelCheckpointPath: string;
  allModelCheckpointPaths: readonly string[];
  allModelCheckpointTimestamps: readonly number[];
  lastPreservedTimestamp: number;
}

export interface ClusterDef extends Message {
  job: readonly JobDef[];
}

export interface CollectionDef extends Message {
  nodeList?: CollectionDefNodeList | undefined;
  bytesList?: CollectionDefBytesList | undefined;
  int64List?: CollectionDefInt64List | undefined;
  floatList?: CollectionDefFloatList | undefined;
  anyList?: CollectionDefAnyList | undefined;
}

export interface CollectionDefAnyList extends Message {
  value: readonly Any[];
}

export interface CollectionDefBytesList extends Message {
  value: readonly Uint8Array[];
}

export interface CollectionDefFloatList extends Message {
  value: readonly number[];
}

export interface CollectionDefInt64List extends Message {
  value: readonly bigint[];
}

export interface CollectionDefNodeList extends Message {
  value: readonly string[];
}

export interface CondContextDef extends Message {
  contextName: string;
  predName: string;
  pivotName: string;
  branch: number;
  valuesDef?: ValuesDef | undefined;
  nestedContexts: readonly ControlFlowContextDef[];
}

export interface ConfigProto extends Message {
  deviceCount: Map<string, number>;
  intraOpParallelismThreads: number;
  placementPeriod: number;
  deviceFilters: readonly string[];
  interOpParallelismThreads: number;
  gpuOptions?: GPUOptions | undefined;
  allowSoftPlacement: boolean;
  logDevicePlacement: boolean;
  usePerSessionThreads: boolean;
  graphOptions?: GraphOptions | undefined;
  operationTimeoutInMs: number;
  sessionInterOpThreadPool: readonly ThreadPoolOptionProto[];
  rpcOptions?: RPCOptions | undefined;
  clusterDef?: ClusterDef | undefined;
  isolateSessionState: boolean;
  experimental?: ConfigProtoExperimental | undefined;
  shareClusterDevicesInSession: boolean;
}

export interface ConfigProtoExperimental extends Message {
  collectiveGroupLeader: string;
  executorType: string;
  recvBufMaxChunk: number;
  useNumaAffinity: boolean;
  collectiveDeterministicSequentialExecution: boolean;
  collectiveNccl: boolean;
  shareSessionStateInClusterspecPropagation: boolean;
  disableThreadSpinning: boolean;
  shareClusterDevicesInSession: boolean;
  sessionMetadata?: SessionMetadata | undefined;
  optimizeForStaticGraph: boolean;
}

export interface ControlFlowContextDef extends Message {
  condCtxt?: CondContextDef | undefined;
  whileCtxt?: WhileContextDef | undefined;
}

export interface CostGraphDef extends Message {
  node: readonly CostGraphDefNode[];
  cost: readonly CostGraphDefAggregatedCost[];
}

export interface CostGraphDefAggregatedCost extends Message {
  cost: number;
  dimension: string;
}

export interface CostGraphDefNode extends Message {
  name: string;
  device: string;
  id: number;
  inputInfo: readonly CostGraphDefNodeInputInfo[];
  outputInfo: readonly CostGraphDefNodeOutputInfo[];
  temporaryMemorySize: number;
  isFinal: boolean;
  controlInput: readonly number[];
  computeCost: number;
  hostTempMemorySize: number;
  deviceTempMemorySize: number;
  persistentMemorySize: number;
  computeTime: number;
  memoryTime: number;
  devicePersistentMemorySize: number;
  inaccurate: boolean;
}

export interface CostGraphDefNodeInputInfo extends Message {
  precedingNode: number;
  precedingPort: number;
}

export interface CostGraphDefNodeOutputInfo extends Message {
  size: number;
  aliasInputPort: number;
  shape?: TensorShapeProto | undefined;
  /** DataType. */
  dtype: number;
}

export interface DebugOptions extends Message {
  debugTensorWatchOpts: readonly DebugTensorWatch[];
  globalStep: bigint;
  resetDiskByteUsage: boolean;
}

export interface DebugTensorWatch extends Message {
  nodeName: string;
  outputSlot: number;
  debugOps: readonly string[];
  debugUrls: readonly string[];
  tolerateDebugOpCreationFailures: boolean;
}

export interface DeviceStepStats extends Message {
  device: string;
  nodeStats: readonly NodeExecStats[];
  threadNames: Map<number, string>;
}

export interface Event extends Message {
  wallTime: number;
  step: bigint;
  fileVersion?: string | undefined;
  graphDef?: Uint8Array | undefined;
  summary?: Summary | undefined;
  logMessage?: LogMessage | undefined;
  sessionLog?: SessionLog | undefined;
  taggedRunMetadata?: TaggedRunMetadata | undefined;
  metaGraphDef?: Uint8Array | undefined;
  sourceMetadata?: SourceMetadata | undefined;
}

export interface FunctionDef extends Message {
  signature?: OpDef | undefined;
  nodeDef: readonly NodeDef[];
  ret: Map<string, string>;
  attr: Map<string, AttrValue>;
  controlRet: Map<string, string>;
  argAttr: Map<number, FunctionDefArgAttrs>;
  resourceArgUniqueId: Map<number, number>;
}

export interface FunctionDefArgAttrs extends Message {
  attr: Map<string, AttrValue>;
}

export interface FunctionDefLibrary extends Message {
  function: readonly FunctionDef[];
  gradient: readonly GradientDef[];
  registeredGradients: readonly RegisteredGradient[];
}

export interface GPUOptions extends Message {
  perProcessGpuMemoryFraction: number;
  allocatorType: string;
  deferredDeletionBytes: number;
  allowGrowth: boolean;
  visibleDeviceList: string;
  pollingActiveDelayUsecs: number;
  pollingInactiveDelayMsecs: number;
  forceGpuCompatible: boolean;
  experimental?: GPUOptionsExperimental | undefined;
}

export interface GPUOptionsExperimental extends Message {
  virtualDevices: readonly GPUOptionsExperimentalVirtualDevices[];
  useUnifiedMemory: boolean;
  numDevToDevCopyStreams: number;
  collectiveRingOrder: string;
  timestampedAllocator: boolean;
  kernelTrackerMaxInterval: number;
  kernelTrackerMaxBytes: number;
  kernelTrackerMaxPending: number;
}

export interface GPUOptionsExperimentalVirtualDevices extends Message {
  memoryLimitMb: readonly number[];
}

export interface GradientDef extends Message {
  functionName: string;
  gradientFunc: string;
}

export interface GraphDef extends Message {
  node: readonly NodeDef[];
  library?: FunctionDefLibrary | undefined;
  version: number;
  versions?: VersionDef | undefined;
}

export interface GraphOptions extends Message {
  enableRecvScheduling: boolean;
  optimizerOptions?: OptimizerOptions | undefined;
  buildCostModel: number;
  inferShapes: boolean;
  placePrunedGraph: boolean;
  enableBfloat16Sendrecv: boolean;
  timelineStep: number;
  buildCostModelAfter: number;
  rewriteOptions?: RewriterConfig | undefined;
}

export interface HistogramProto extends Message {
  min: number;
  max: number;
  num: number;
  sum: number;
  sumSquares: number;
  bucketLimit: readonly number[];
  bucket: readonly number[];
}

export interface JobDef extends Message {
  name: string;
  tasks: Map<number, string>;
}

export interface LogMessage extends Message {
  /** LogMessageLevel. */
  level: number;
  message: string;
}

export interface MemoryStats extends Message {
  tempMemorySize: number;
  deviceTempMemorySize: number;
  persistentMemorySize: number;
  devicePersistentMemorySize: number;
  persistentTensorAllocIds: readonly bigint[];
  devicePersistentTensorAllocIds: readonly bigint[];
}

export interface MetaGraphDef extends Message {
  metaInfoDef?: MetaGraphDefMetaInfoDef | undefined;
  graphDef?: GraphDef | undefined;
  saverDef?: SaverDef | undefined;
  collectionDef: Map<string, CollectionDef>;
  signatureDef: Map<string, SignatureDef>;
  assetFileDef: readonly AssetFileDef[];
}

export interface MetaGraphDefMetaInfoDef extends Message {
  metaGraphVersion: string;
  strippedOpList?: OpList | undefined;
  anyInfo?: Any | undefined;
  tags: readonly string[];
  tensorflowVersion: string;
  tensorflowGitVersion: string;
  strippedDefaultAttrs: boolean;
  functionAliases: Map<string, string>;
}

export interface MetaGraphObjects extends Message {
  objectGraphDef?: SavedObjectGraph | undefined;
}

export interface NameAttrList extends Message {
  name: string;
  attr: Map<string, AttrValue>;
}

export interface NodeDef extends Message {
  name: string;
  op: string;
  input: readonly string[];
  device: string;
  attr: Map<string, AttrValue>;
  experimentalDebugInfo?: NodeDefExperimentalDebugInfo | undefined;
}

export interface NodeDefExperimentalDebugInfo extends Message {
  originalNodeNames: readonly string[];
  originalFuncNames: readonly string[];
}

export interface NodeExecStats extends Message {
  nodeName: string;
  allStartMicros: number;
  opStartRelMicros: number;
  opEndRelMicros: number;
  allEndRelMicros: number;
  memory: readonly AllocatorMemoryUsed[];
  output: readonly NodeOutput[];
  timelineLabel: string;
  scheduledMicros: number;
  threadId: number;
  referencedTensor: readonly AllocationDescription[];
  memoryStats?: MemoryStats | undefined;
  allStartNanos: bigint;
  opStartRelNanos: number;
  opEndRelNanos: number;
  allEndRelNanos: number;
  scheduledNanos: bigint;
}

export interface NodeOutput extends Message {
  slot: number;
  tensorDescription?: TensorDescription | undefined;
}

export interface OpDef extends Message {
  name: string;
  inputArg: readonly OpDefArgDef[];
  outputArg: readonly OpDefArgDef[];
  attr: readonly OpDefAttrDef[];
  summary: string;
  description: string;
  deprecation?: OpDeprecation | undefined;
  isAggregate: boolean;
  isStateful: boolean;
  isCommutative: boolean;
  allowsUninitializedInput: boolean;
  controlOutput: readonly string[];
  isDistributedCommunication: boolean;
}

export interface OpDefArgDef extends Message {
  name: string;
  description: string;
  /** DataType. */
  type: number;
  typeAttr: string;
  numberAttr: string;
  typeListAttr: string;
  handleData: readonly ResourceHandleProtoDtypeAndShape[];
  isRef: boolean;
}

export interface OpDefAttrDef extends Message {
  name: string;
  type: string;
  defaultValue?: AttrValue | undefined;
  description: string;
  hasMinimum: boolean;
  minimum: bigint;
  allowedValues?: AttrValue | undefined;
}

export interface OpDeprecation extends Message {
  version: number;
  explanation: string;
}

export interface OpList extends Message {
  op: readonly OpDef[];
}

export interface OptimizerOptions extends Message {
  doCommonSubexpressionElimination: boolean;
  doConstantFolding: boolean;
  /** OptimizerOptionsLevel. */
  optLevel: number;
  doFunctionInlining: boolean;
  /** OptimizerOptionsGlobalJitLevel. */
  globalJitLevel: number;
  maxFoldedConstantInBytes: number;
}

export interface QueueRunnerDef extends Message {
  queueName: string;
  enqueueOpName: readonly string[];
  closeOpName: string;
  cancelOpName: string;
  /** errorCode. */
  queueClosedExceptionTypes: readonly number[];
}

export interface RPCOptions extends Message {
  useRpcForInprocessMaster: boolean;
  compressionAlgorithm: string;
  compressionLevel: number;
  cacheRpcResponse: boolean;
  disableSessionConnectionSharing: boolean;
  numChannelsPerTarget: number;
}

export interface RegisteredGradient extends Message {
  gradientFunc: string;
  registeredOpType: string;
}

export interface ResourceHandleProto extends Message {
  device: string;
  container: string;
  name: string;
  hashCode: bigint;
  maybeTypeName: string;
  dtypesAndShapes: readonly ResourceHandleProtoDtypeAndShape[];
}

export interface ResourceHandleProtoDtypeAndShape extends Message {
  /** DataType. */
  dtype: number;
  shape?: TensorShapeProto | undefined;
}

export interface RewriterConfig extends Message {
  /** RewriterConfigToggle. */
  layoutOptimizer: number;
  disableModelPruning: boolean;
  /** RewriterConfigToggle. */
  constantFolding: number;
  /** RewriterConfigMemOptType. */
  memoryOptimization: number;
  autoParallel?: AutoParallelOptions | undefined;
  memoryOptimizerTargetNodeNameScope: string;
  /** RewriterConfigToggle. */
  arithmeticOptimization: number;
  /** RewriterConfigToggle. */
  dependencyOptimization: number;
  /** RewriterConfigToggle. */
  loopOptimization: number;
  /** RewriterConfigToggle. */
  functionOptimization: number;
  /** RewriterConfigToggle. */
  debugStripper: number;
  /** RewriterConfigNumIterationsType. */
  metaOptimizerIterations: number;
  /** RewriterConfigToggle. */
  shapeOptimization: number;
  /** RewriterConfigToggle. */
  remapping: number;
  /** RewriterConfigToggle. */
  scopedAllocatorOptimization: number;
  scopedAllocatorOpts?: ScopedAllocatorOptions | undefined;
  minGraphNodes: number;
  /** RewriterConfigToggle. */
  pinToHostOptimization: number;
  disableMetaOptimizer: boolean;
  metaOptimizerTimeoutMs: number;
  failOnOptimizerErrors: boolean;
  /** RewriterConfigToggle. */
  implementationSelector: number;
  /** RewriterConfigToggle. */
  autoMixedPrecision: number;
  /** RewriterConfigToggle. */
  commonSubgraphElimination: number;
  optimizers: readonly string[];
  customOptimizers: readonly RewriterConfigCustomGraphOptimizer[];
}

export interface RewriterConfigCustomGraphOptimizer extends Message {
  name: string;
  parameterMap: Map<string, AttrValue>;
}

export interface RunMetadata extends Message {
  stepStats?: StepStats | undefined;
  costGraph?: CostGraphDef | undefined;
  partitionGraphs: readonly GraphDef[];
  functionGraphs: readonly RunMetadataFunctionGraphs[];
}

export interface RunMetadataFunctionGraphs extends Message {
  partitionGraphs: readonly GraphDef[];
  preOptimizationGraph?: GraphDef | undefined;
  postOptimizationGraph?: GraphDef | undefined;
}

export interface RunOptions extends Message {
  /** RunOptionsTraceLevel. */
  traceLevel: number;
  timeoutInMs: number;
  interOpThreadPool: number;
  outputPartitionGraphs: boolean;
  debugOptions?: DebugOptions | undefined;
  reportTensorAllocationsUponOom: boolean;
  experimental?: RunOptionsExperimental | undefined;
}

export interface RunOptionsExperimental extends Message {
  collectiveGraphKey: bigint;
  useRunHandlerPool: boolean;
  runHandlerPoolOptions?: RunOptionsExperimentalRunHandlerPoolOptions | undefined;
}

export interface RunOptionsExperimentalRunHandlerPoolOptions extends Message {
  priority: bigint;
}

export interface SaveSliceInfoDef extends Message {
  fullName: string;
  fullShape: readonly number[];
  varOffset: readonly number[];
  varShape: readonly number[];
}

export interface SavedConcreteFunction extends Message {
  boundInputs: readonly number[];
}

export interface SavedModel extends Message {
  savedModelSchemaVersion: number;
  metaGraphs: readonly MetaGraphDef[];
}

export interface SavedObject extends Message {
  children: readonly TrackableObjectGraphTrackableObjectObjectReference[];
}

export interface SavedObjectGraph extends Message {
  nodes: readonly SavedObject[];
  concreteFunctions: Map<string, SavedConcreteFunction>;
}

export interface SavedSlice extends Message {
  name: string;
  slice?: TensorSliceProto | undefined;
  data?: TensorProto | undefined;
}

export interface SavedSliceMeta extends Message {
  name: string;
  shape?: TensorShapeProto | undefined;
  /** DataType. */
  type: number;
  slice: readonly TensorSliceProto[];
}

export interface SavedTensorSliceMeta extends Message {
  tensor: readonly SavedSliceMeta[];
  versions?: VersionDef | undefined;
}

export interface SavedTensorSlices extends Message {
  meta?: SavedTensorSliceMeta | undefined;
  data?: SavedSlice | undefined;
}

export interface SaverDef extends Message {
  filenameTensorName: string;
  saveTensorName: string;
  restoreOpName: string;
  maxToKeep: number;
  sharded: boolean;
  keepCheckpointEveryNHours: number;
  /** SaverDefCheckpointFormatVersion. */
  version: number;
}

export interface ScopedAllocatorOptions extends Message {
  enableOp: readonly string[];
}

export interface SerializedDType extends Message {
  /** DataType. */
  datatype: number;
}

export interface SessionLog extends Message {
  /** SessionLogSessionStatus. */
  status: number;
  checkpointPath: string;
  msg: string;
}

export interface SessionMetadata extends Message {
  name: string;
  version: bigint;
}

export interface SignatureDef extends Message {
  inputs: Map<string, TensorInfo>;
  outputs: Map<string, TensorInfo>;
  methodName: string;
  defaults: Map<string, TensorProto>;
}

export interface SourceMetadata extends Message {
  writer: string;
}

export interface StepStats extends Message {
  devStats: readonly DeviceStepStats[];
}

export interface Summary extends Message {
  value: readonly SummaryValue[];
}

export interface SummaryAudio extends Message {
  sampleRate: number;
  numChannels: bigint;
  lengthFrames: bigint;
  encodedAudioString: Uint8Array;
  contentType: string;
}

export interface SummaryImage extends Message {
  height: number;
  width: number;
  colorspace: number;
  encodedImageString: Uint8Array;
}

export interface SummaryValue extends Message {
  tag: string;
  simpleValue?: number | undefined;
  obsoleteOldStyleHistogram?: Uint8Array | undefined;
  image?: SummaryImage | undefined;
  histo?: HistogramProto | undefined;
  audio?: SummaryAudio | undefined;
  nodeName: string;
  tensor?: TensorProto | undefined;
  metadata?: SummaryMetadata | undefined;
}

export interface SummaryDescription extends Message {
  typeHint: string;
}

export interface SummaryMetadata extends Message {
  pluginData?: SummaryMetadataPluginData | undefined;
  displayName: string;
  summaryDescription: string;
  /** DataClass. */
  dataClass: number;
}

export interface SummaryMetadataPluginData extends Message {
  pluginName: string;
  content: Uint8Array;
}

export interface TaggedRunMetadata extends Message {
  tag: string;
  runMetadata: Uint8Array;
}

export interface TensorConnection extends Message {
  fromTensor: string;
  toTensor: string;
}

export interface TensorDescription extends Message {
  /** DataType. */
  dtype: number;
  shape?: TensorShapeProto | undefined;
  allocationDescription?: AllocationDescription | undefined;
}

export interface TensorInfo extends Message {
  name?: string | undefined;
  /** DataType. */
  dtype: number;
  tensorShape?: TensorShapeProto | undefined;
  cooSparse?: TensorInfoCooSparse | undefined;
  compositeTensor?: TensorInfoCompositeTensor | undefined;
}

export interface TensorInfoCompositeTensor extends Message {
  typeSpec: Uint8Array;
  components: readonly TensorInfo[];
}

export interface TensorInfoCooSparse extends Message {
  valuesTensorName: string;
  indicesTensorName: string;
  denseShapeTensorName: string;
}

export interface TensorProto extends Message {
  /** DataType. */
  dtype: number;
  tensorShape?: TensorShapeProto | undefined;
  versionNumber: number;
  tensorContent: Uint8Array;
  floatVal: readonly number[];
  doubleVal: readonly number[];
  intVal: readonly number[];
  stringVal: readonly Uint8Array[];
  scomplexVal: readonly number[];
  int64Val: readonly bigint[];
  boolVal: readonly boolean[];
  dcomplexVal: readonly number[];
  halfVal: readonly number[];
  resourceHandleVal: readonly ResourceHandleProto[];
  variantVal: readonly VariantTensorDataProto[];
  uint32Val: readonly number[];
  uint64Val: readonly bigint[];
  float8Val: Uint8Array;
}

export interface TensorShapeProto extends Message {
  dim: readonly TensorShapeProtoDim[];
  unknownRank: boolean;
}

export interface TensorShapeProtoDim extends Message {
  size: number;
  name: string;
}

export interface TensorSliceProto extends Message {
  extent: readonly TensorSliceProtoExtent[];
}

export interface TensorSliceProtoExtent extends Message {
  start: number;
  length?: number | undefined;
}

export interface ThreadPoolOptionProto extends Message {
  numThreads: number;
  globalName: string;
}

export interface TrackableObjectGraph extends Message {
  nodes: readonly TrackableObjectGraphTrackableObject[];
}

export interface TrackableObjectGraphTrackableObject extends Message {
  children: readonly TrackableObjectGraphTrackableObjectObjectReference[];
  attributes: readonly TrackableObjectGraphTrackableObjectSerializedTensor[];
  slotVariables: readonly TrackableObjectGraphTrackableObjectSlotVariableReference[];
}

export interface TrackableObjectGraphTrackableObjectObjectReference extends Message {
  nodeId: number;
  localName: string;
}

export interface TrackableObjectGraphTrackableObjectSerializedTensor extends Message {
  name: string;
  fullName: string;
  checkpointKey: string;
}

export interface TrackableObjectGraphTrackableObjectSlotVariableReference extends Message {
  originalVariableNodeId: number;
  slotName: string;
  slotVariableNodeId: number;
}

export interface ValuesDef extends Message {
  values: readonly string[];
  externalValues: Map<string, string>;
}

export interface VariableDef extends Message {
  variableName: string;
  initializerName: string;
  snapshotName: string;
  saveSliceInfoDef?: SaveSliceInfoDef | undefined;
  isResource: boolean;
  initialValueName: string;
  trainable: boolean;
  /** VariableSynchronization. */
  synchronization: number;
  /** VariableAggregation. */
  aggregation: number;
}

export interface VariantTensorDataProto extends Message {
  typeName: string;
  metadata: Uint8Array;
  tensors: readonly TensorProto[];
}

export interface VersionDef extends Message {
  producer: number;
  minConsumer: number;
  badConsumers: readonly number[];
}

export interface WhileContextDef extends Message {
  contextName: string;
  parallelIterations: number;
  backProp: boolean;
  swapMemory: boolean;
  pivotName: string;
  pivotForPredName: string;
  pivotForBodyName: string;
  loopExitNames: readonly string[];
  valuesDef?: ValuesDef | undefined;
  loopEnterNames: readonly string[];
  maximumIterationsName: string;
  nestedContexts: readonly ControlFlowContextDef[];
}

export interface Any extends Message {
  typeUrl: string;
  value: Uint8Array;
}

export interface onnxAttributeProto extends Message {
  name: string;
  f: number;
  i: bigint;
  s: Uint8Array;
  t?: onnxTensorProto | undefined;
  g?: onnxGraphProto | undefined;
  floats: readonly number[];
  ints: readonly bigint[];
  strings: readonly Uint8Array[];
  tensors: readonly onnxTensorProto[];
  graphs: readonly onnxGraphProto[];
  docString: string;
  tp?: onnxTypeProto | undefined;
  /** onnxAttributeProtoAttributeType. */
  type: number;
  refAttrName: string;
}

export interface onnxFunctionProto extends Message {
  name: string;
  input: readonly string[];
  output: readonly string[];
  attribute: readonly string[];
  node: readonly onnxNodeProto[];
  docString: string;
  opsetImport: readonly onnxOperatorSetIdProto[];
  domain: string;
  attributeProto: readonly onnxAttributeProto[];
  overload: string;
}

export interface onnxGraphProto extends Message {
  node: readonly onnxNodeProto[];
  name: string;
  initializer: readonly onnxTensorProto[];
  docString: string;
  input: readonly onnxValueInfoProto[];
  output: readonly onnxValueInfoProto[];
  valueInfo: readonly onnxValueInfoProto[];
}

export interface onnxModelProto extends Message {
  irVersion: number;
  producerName: string;
  producerVersion: string;
  domain: string;
  modelVersion: bigint;
  docString: string;
  graph?: onnxGraphProto | undefined;
  opsetImport: readonly onnxOperatorSetIdProto[];
  functions: readonly onnxFunctionProto[];
}

export interface onnxNodeProto extends Message {
  input: readonly string[];
  output: readonly string[];
  name: string;
  opType: string;
  attribute: readonly onnxAttributeProto[];
  docString: string;
  domain: string;
  overload: string;
}

export interface onnxOperatorSetIdProto extends Message {
  domain: string;
  version: number;
}

export interface onnxStringStringEntryProto extends Message {
  key: string;
  value: string;
}

export interface onnxTensorProto extends Message {
  dims: readonly number[];
  dataType: number;
  floatData: readonly number[];
  int32Data: readonly number[];
  stringData: readonly Uint8Array[];
  int64Data: readonly bigint[];
  name: string;
  rawData: Uint8Array;
  doubleData: readonly number[];
  uint64Data: readonly bigint[];
  docString: string;
  externalData: readonly onnxStringStringEntryProto[];
  dataLocation: number;
}

export interface onnxTensorShapeProto extends Message {
  dim: readonly onnxTensorShapeProtoDimension[];
}

export interface onnxTensorShapeProtoDimension extends Message {
  dimValue?: number | undefined;
  dimParam?: string | undefined;
  denotation: string;
}

export interface onnxTypeProto extends Message {
  tensorType?: onnxTypeProtoTensor | undefined;
  sequenceType?: onnxTypeProtoSequence | undefined;
  denotation: string;
  optionalType?: onnxTypeProtoOptional | undefined;
}

export interface onnxTypeProtoOptional extends Message {
  elemType?: onnxTypeProto | undefined;
}

export interface onnxTypeProtoSequence extends Message {
  elemType?: onnxTypeProto | undefined;
}

export interface onnxTypeProtoTensor extends Message {
  elemType: number;
  shape?: onnxTensorShapeProto | undefined;
}

export interface onnxValueInfoProto extends Message {
  name: string;
  type?: onnxTypeProto | undefined;
  docString: string;
}
