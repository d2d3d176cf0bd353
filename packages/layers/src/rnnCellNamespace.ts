/** `fr.nn.rnnCell`: recurrent cells. */
export { RNNCell, type ActivationOptions, type ApplyCellOptions, type RNNCellOptions } from './rnnCell.js';
export { BasicRNNCell, GRUCell, type GRUCellOptions } from './rnnBasicCells.js';
export {
  BasicLSTMCell,
  LSTMCell,
  type BasicLSTMCellOptions,
  type LSTMCellOptions,
  type LSTMState,
} from './rnnLstmCells.js';
export { GRUBlockCell, GRUBlockCellV2, LSTMBlockCell, type LSTMBlockCellOptions } from './rnnBlockCells.js';
export { LSTMBlockFusedCell, type FusedCallOptions } from './rnnFusedCell.js';
export { LayerNormBasicLSTMCell, type LayerNormBasicLSTMCellOptions } from './rnnLayerNormCell.js';
export {
  DeviceWrapper,
  MultiRNNCell,
  ResidualWrapper,
  type MultiRNNCellOptions,
  type ResidualWrapperOptions,
} from './rnnWrappers.js';
export { DropoutWrapper, type DropoutWrapperOptions, type StateFilter } from './rnnDropout.js';
export { LSTMStateTuple, type Nest, type RNNState, type StateSize } from './rnnNest.js';
