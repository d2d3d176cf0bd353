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
  FunctionDef: FunctionDef;
  'FunctionDef.ArgAttrs': FunctionDefArgAttrs;
  FunctionDefLibrary: FunctionDefLibrary;
  GPUOptions: GPUOptions;
  'GPUOptions.Experimental': GPUOptionsExperimental;
  'GPUOptions.Experimental.VirtualDevices': GPUOptionsExperimentalVirtualDevices;
  GradientDef: GradientDef;
  GraphDef: GraphDef;
  GraphOptions: GraphOptions;
  JobDef: JobDef;
  MemoryStats: MemoryStats;
  MetaGraphDef: MetaGraphDef;
  'MetaGraphDef.MetaInfoDef': MetaGraphDefMetaInfoDef;
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
  SavedModel: SavedModel;
  SavedSlice: SavedSlice;
  SavedSliceMeta: SavedSliceMeta;
  SavedTensorSliceMeta: SavedTensorSliceMeta;
  SavedTensorSlices: SavedTensorSlices;
  SaverDef: SaverDef;
  ScopedAllocatorOptions: ScopedAllocatorOptions;
  SerializedDType: SerializedDType;
  SessionMetadata: SessionMetadata;
  SignatureDef: SignatureDef;
  StepStats: StepStats;
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
  allocationRecords: AllocationRecord[];
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
  s: Uint8Array[];
  i: bigint[];
  f: number[];
  b: boolean[];
  /** DataType. */
  type: number[];
  shape: TensorShapeProto[];
  tensor: TensorProto[];
  func: NameAttrList[];
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
  slices: TensorSliceProto[];
}

export interface BundleHeaderProto extends Message {
  numShards: number;
  /** BundleHeaderProtoEndianness. */
  endianness: number;
  version?: VersionDef | undefined;
}

export interface CallableOptions extends Message {
  feed: string[];
  fetch: string[];
  target: string[];
  runOptions?: RunOptions | undefined;
  tensorConnection: TensorConnection[];
  feedDevices: Map<string, string>;
  fetchDevices: Map<string, string>;
  fetchSkipSync: boolean;
}

export interface CheckpointState extends Message {
  modelCheckpointPath: string;
  allModelCheckpointPaths: string[];
  allModelCheckpointTimestamps: number[];
  lastPreservedTimestamp: number;
}

export interface ClusterDef extends Message {
  job: JobDef[];
}

export interface CollectionDef extends Message {
  nodeList?: CollectionDefNodeList | undefined;
  bytesList?: CollectionDefBytesList | undefined;
  int64List?: CollectionDefInt64List | undefined;
  floatList?: CollectionDefFloatList | undefined;
  anyList?: CollectionDefAnyList | undefined;
}

export interface CollectionDefAnyList extends Message {
  value: Any[];
}

export interface CollectionDefBytesList extends Message {
  value: Uint8Array[];
}

export interface CollectionDefFloatList extends Message {
  value: number[];
}

export interface CollectionDefInt64List extends Message {
  value: bigint[];
}

export interface CollectionDefNodeList extends Message {
  value: string[];
}

export interface CondContextDef extends Message {
  contextName: string;
  predName: string;
  pivotName: string;
  branch: number;
  valuesDef?: ValuesDef | undefined;
  nestedContexts: ControlFlowContextDef[];
}

export interface ConfigProto extends Message {
  deviceCount: Map<string, number>;
  intraOpParallelismThreads: number;
  placementPeriod: number;
  deviceFilters: string[];
  interOpParallelismThreads: number;
  gpuOptions?: GPUOptions | undefined;
  allowSoftPlacement: boolean;
  logDevicePlacement: boolean;
  usePerSessionThreads: boolean;
  graphOptions?: GraphOptions | undefined;
  operationTimeoutInMs: number;
  sessionInterOpThreadPool: ThreadPoolOptionProto[];
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
  node: CostGraphDefNode[];
  cost: CostGraphDefAggregatedCost[];
}

export interface CostGraphDefAggregatedCost extends Message {
  cost: number;
  dimension: string;
}

export interface CostGraphDefNode extends Message {
  name: string;
  device: string;
  id: number;
  inputInfo: CostGraphDefNodeInputInfo[];
  outputInfo: CostGraphDefNodeOutputInfo[];
  temporaryMemorySize: number;
  isFinal: boolean;
  controlInput: number[];
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
  debugTensorWatchOpts: DebugTensorWatch[];
  globalStep: bigint;
  resetDiskByteUsage: boolean;
}

export interface DebugTensorWatch extends Message {
  nodeName: string;
  outputSlot: number;
  debugOps: string[];
  debugUrls: string[];
  tolerateDebugOpCreationFailures: boolean;
}

export interface DeviceStepStats extends Message {
  device: string;
  nodeStats: NodeExecStats[];
  threadNames: Map<number, string>;
}

export interface FunctionDef extends Message {
  signature?: OpDef | undefined;
  nodeDef: NodeDef[];
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
  function: FunctionDef[];
  gradient: GradientDef[];
  registeredGradients: RegisteredGradient[];
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
  virtualDevices: GPUOptionsExperimentalVirtualDevices[];
  useUnifiedMemory: boolean;
  numDevToDevCopyStreams: number;
  collectiveRingOrder: string;
  timestampedAllocator: boolean;
  kernelTrackerMaxInterval: number;
  kernelTrackerMaxBytes: number;
  kernelTrackerMaxPending: number;
}

export interface GPUOptionsExperimentalVirtualDevices extends Message {
  memoryLimitMb: number[];
}

export interface GradientDef extends Message {
  functionName: string;
  gradientFunc: string;
}

export interface GraphDef extends Message {
  node: NodeDef[];
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

export interface JobDef extends Message {
  name: string;
  tasks: Map<number, string>;
}

export interface MemoryStats extends Message {
  tempMemorySize: number;
  deviceTempMemorySize: number;
  persistentMemorySize: number;
  devicePersistentMemorySize: number;
  persistentTensorAllocIds: bigint[];
  devicePersistentTensorAllocIds: bigint[];
}

export interface MetaGraphDef extends Message {
  metaInfoDef?: MetaGraphDefMetaInfoDef | undefined;
  graphDef?: GraphDef | undefined;
  saverDef?: SaverDef | undefined;
  collectionDef: Map<string, CollectionDef>;
  signatureDef: Map<string, SignatureDef>;
  assetFileDef: AssetFileDef[];
}

export interface MetaGraphDefMetaInfoDef extends Message {
  metaGraphVersion: string;
  strippedOpList?: OpList | undefined;
  anyInfo?: Any | undefined;
  tags: string[];
  tensorflowVersion: string;
  tensorflowGitVersion: string;
  strippedDefaultAttrs: boolean;
  functionAliases: Map<string, string>;
}

export interface NameAttrList extends Message {
  name: string;
  attr: Map<string, AttrValue>;
}

export interface NodeDef extends Message {
  name: string;
  op: string;
  input: string[];
  device: string;
  attr: Map<string, AttrValue>;
  experimentalDebugInfo?: NodeDefExperimentalDebugInfo | undefined;
}

export interface NodeDefExperimentalDebugInfo extends Message {
  originalNodeNames: string[];
  originalFuncNames: string[];
}

export interface NodeExecStats extends Message {
  nodeName: string;
  allStartMicros: number;
  opStartRelMicros: number;
  opEndRelMicros: number;
  allEndRelMicros: number;
  memory: AllocatorMemoryUsed[];
  output: NodeOutput[];
  timelineLabel: string;
  scheduledMicros: number;
  threadId: number;
  referencedTensor: AllocationDescription[];
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
  inputArg: OpDefArgDef[];
  outputArg: OpDefArgDef[];
  attr: OpDefAttrDef[];
  summary: string;
  description: string;
  deprecation?: OpDeprecation | undefined;
  isAggregate: boolean;
  isStateful: boolean;
  isCommutative: boolean;
  allowsUninitializedInput: boolean;
  controlOutput: string[];
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
  handleData: ResourceHandleProtoDtypeAndShape[];
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
  op: OpDef[];
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
  enqueueOpName: string[];
  closeOpName: string;
  cancelOpName: string;
  /** errorCode. */
  queueClosedExceptionTypes: number[];
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
  dtypesAndShapes: ResourceHandleProtoDtypeAndShape[];
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
  optimizers: string[];
  customOptimizers: RewriterConfigCustomGraphOptimizer[];
}

export interface RewriterConfigCustomGraphOptimizer extends Message {
  name: string;
  parameterMap: Map<string, AttrValue>;
}

export interface RunMetadata extends Message {
  stepStats?: StepStats | undefined;
  costGraph?: CostGraphDef | undefined;
  partitionGraphs: GraphDef[];
  functionGraphs: RunMetadataFunctionGraphs[];
}

export interface RunMetadataFunctionGraphs extends Message {
  partitionGraphs: GraphDef[];
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
  fullShape: number[];
  varOffset: number[];
  varShape: number[];
}

export interface SavedModel extends Message {
  savedModelSchemaVersion: number;
  metaGraphs: MetaGraphDef[];
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
  slice: TensorSliceProto[];
}

export interface SavedTensorSliceMeta extends Message {
  tensor: SavedSliceMeta[];
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
  enableOp: string[];
}

export interface SerializedDType extends Message {
  /** DataType. */
  datatype: number;
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

export interface StepStats extends Message {
  devStats: DeviceStepStats[];
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
  components: TensorInfo[];
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
  floatVal: number[];
  doubleVal: number[];
  intVal: number[];
  stringVal: Uint8Array[];
  scomplexVal: number[];
  int64Val: bigint[];
  boolVal: boolean[];
  dcomplexVal: number[];
  halfVal: number[];
  resourceHandleVal: ResourceHandleProto[];
  variantVal: VariantTensorDataProto[];
  uint32Val: number[];
  uint64Val: bigint[];
  float8Val: Uint8Array;
}

export interface TensorShapeProto extends Message {
  dim: TensorShapeProtoDim[];
  unknownRank: boolean;
}

export interface TensorShapeProtoDim extends Message {
  size: number;
  name: string;
}

export interface TensorSliceProto extends Message {
  extent: TensorSliceProtoExtent[];
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
  nodes: TrackableObjectGraphTrackableObject[];
}

export interface TrackableObjectGraphTrackableObject extends Message {
  children: TrackableObjectGraphTrackableObjectObjectReference[];
  attributes: TrackableObjectGraphTrackableObjectSerializedTensor[];
  slotVariables: TrackableObjectGraphTrackableObjectSlotVariableReference[];
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
  values: string[];
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
  tensors: TensorProto[];
}

export interface VersionDef extends Message {
  producer: number;
  minConsumer: number;
  badConsumers: number[];
}

export interface WhileContextDef extends Message {
  contextName: string;
  parallelIterations: number;
  backProp: boolean;
  swapMemory: boolean;
  pivotName: string;
  pivotForPredName: string;
  pivotForBodyName: string;
  loopExitNames: string[];
  valuesDef?: ValuesDef | undefined;
  loopEnterNames: string[];
  maximumIterationsName: string;
  nestedContexts: ControlFlowContextDef[];
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
  floats: number[];
  ints: bigint[];
  strings: Uint8Array[];
  tensors: onnxTensorProto[];
  graphs: onnxGraphProto[];
  docString: string;
  tp?: onnxTypeProto | undefined;
  /** onnxAttributeProtoAttributeType. */
  type: number;
  refAttrName: string;
}

export interface onnxFunctionProto extends Message {
  name: string;
  input: string[];
  output: string[];
  attribute: string[];
  node: onnxNodeProto[];
  docString: string;
  opsetImport: onnxOperatorSetIdProto[];
  domain: string;
  attributeProto: onnxAttributeProto[];
  overload: string;
}

export interface onnxGraphProto extends Message {
  node: onnxNodeProto[];
  name: string;
  initializer: onnxTensorProto[];
  docString: string;
  input: onnxValueInfoProto[];
  output: onnxValueInfoProto[];
  valueInfo: onnxValueInfoProto[];
}

export interface onnxModelProto extends Message {
  irVersion: number;
  producerName: string;
  producerVersion: string;
  domain: string;
  modelVersion: bigint;
  docString: string;
  graph?: onnxGraphProto | undefined;
  opsetImport: onnxOperatorSetIdProto[];
  functions: onnxFunctionProto[];
}

export interface onnxNodeProto extends Message {
  input: string[];
  output: string[];
  name: string;
  opType: string;
  attribute: onnxAttributeProto[];
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
  dims: number[];
  dataType: number;
  floatData: number[];
  int32Data: number[];
  stringData: Uint8Array[];
  int64Data: bigint[];
  name: string;
  rawData: Uint8Array;
  doubleData: number[];
  uint64Data: bigint[];
  docString: string;
  externalData: onnxStringStringEntryProto[];
  dataLocation: number;
}

export interface onnxTensorShapeProto extends Message {
  dim: onnxTensorShapeProtoDimension[];
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
