/** Messages that exercise every kind of field. */
import type { GraphDef, MetaGraphDef } from '../../src/proto/index.js';
import type { Init } from '../../src/proto/message.js';
import { toBytes } from '../../src/proto/utf8.js';

export const GRAPH: Init<GraphDef> = {
  node: [
    {
      name: 'x',
      op: 'Placeholder',
      attr: new Map([
        ['shape', { shape: { dim: [{ size: -1 }, { size: 784 }] } }],
        ['dtype', { type: 1 }],
      ]),
    },
    {
      name: 'scope/c',
      op: 'Const',
      device: '/device:GPU:0',
      attr: new Map([
        ['dtype', { type: 9 }],
        ['value', { tensor: { dtype: 9, tensorShape: {}, int64Val: [-(2n ** 63n), 2n ** 63n - 1n, 0n] } }],
        ['_flags', { list: { b: [true, false], f: [0.1, -0, 3.4e38], i: [-1n, 5n], type: [1, 3] } }],
        ['_zero', { i: 0n }],
        ['_no', { b: false }],
        ['_raw', { s: Uint8Array.of(0, 10, 255, 34, 92) }],
        ['_class', { list: { s: [toBytes('loc:@x'), toBytes('loc:@ä')] } }],
        ['_f', { func: { name: 'f', attr: new Map([['T', { type: 1 }]]) } }],
      ]),
    },
    { name: 'y', op: 'AddV2', input: ['x', 'scope/c:1', '^scope/c'], attr: new Map([['T', { type: 1 }]]) },
  ],
  library: {
    function: [
      {
        signature: { name: 'f', isStateful: true },
        ret: new Map([['out', 'y:z:0']]),
        argAttr: new Map([[1, {}]]),
      },
    ],
    gradient: [{ functionName: 'f', gradientFunc: 'g' }],
  },
  versions: { producer: 1087, minConsumer: 12, badConsumers: [7, 9] },
};

export const META: Init<MetaGraphDef> = {
  metaInfoDef: { tags: ['serve'], tensorflowVersion: '1.15.0', strippedOpList: { op: [{ name: 'Const' }] } },
  graphDef: GRAPH,
  saverDef: {
    filenameTensorName: 'save/Const:0',
    maxToKeep: 5,
    keepCheckpointEveryNHours: 10000,
    version: 2,
  },
  collectionDef: new Map([
    ['train_op', { nodeList: { value: ['train'] } }],
    ['variables', { bytesList: { value: [Uint8Array.of(1, 2, 3)] } }],
    ['steps', { int64List: { value: [2n ** 40n, -3n] } }],
    ['rates', { floatList: { value: [0.5, NaN, Infinity] } }],
  ]),
  signatureDef: new Map([
    [
      'serving_default',
      { inputs: new Map([['x', { name: 'x:0', dtype: 1 }]]), methodName: 'tensorflow/serving/predict' },
    ],
  ]),
};
