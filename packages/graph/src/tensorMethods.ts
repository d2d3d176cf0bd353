/**
 * Infix sugar: builders as methods of `Tensor` and of `Variable`, whose value they take: `x.add(y)` for
 * `add(x, y)`. They live apart from the classes because builders import these.
 */
import * as ops from './ops/index.js';
import { Tensor } from './tensor.js';
import { Variable } from './variable.js';

/** Method name to builder name. */
const BUILDERS = {
  add: 'add',
  sub: 'sub',
  mul: 'mul',
  div: 'div',
  floorDiv: 'floorDiv',
  mod: 'mod',
  pow: 'pow',
  neg: 'neg',
  abs: 'abs',
  sign: 'sign',
  square: 'square',
  sqrt: 'sqrt',
  exp: 'exp',
  log: 'log',
  maximum: 'maximum',
  minimum: 'minimum',
  equal: 'equal',
  notEqual: 'notEqual',
  less: 'less',
  lessEqual: 'lessEqual',
  greater: 'greater',
  greaterEqual: 'greaterEqual',
  logicalAnd: 'logicalAnd',
  logicalOr: 'logicalOr',
  logicalNot: 'logicalNot',
  cast: 'cast',
  matMul: 'matMul',
  reshape: 'reshape',
  slice: 'slice',
  getItem: 'getItem',
  transpose: 'transpose',
  sum: 'reduceSum',
  mean: 'reduceMean',
  max: 'reduceMax',
  min: 'reduceMin',
} as const satisfies Record<string, keyof ops.Ops>;

type Rest<F> = F extends (x: Tensor, ...rest: infer R) => Tensor ? R : never;

/** The builders that are methods too; each takes what its builder takes after the first argument. */
export type TensorMethods = {
  readonly [K in keyof typeof BUILDERS]: (...args: Rest<ops.Ops[(typeof BUILDERS)[K]]>) => Tensor;
};

declare module './tensor.js' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- declaration merging adds all members
  interface Tensor extends TensorMethods {}
}

declare module './variable.js' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- declaration merging adds all members
  interface Variable extends TensorMethods {}
}

/** Attaches the methods to `Tensor` and `Variable`. The package's index calls it once. */
export function installTensorMethods(): void {
  for (const [method, builder] of Object.entries(BUILDERS)) {
    const build = ops[builder] as (x: Tensor, ...rest: readonly unknown[]) => Tensor;
    const attributes = { configurable: true, writable: true };
    Object.defineProperty(Tensor.prototype, method, {
      ...attributes,
      value(this: Tensor, ...rest: readonly unknown[]): Tensor {
        return build(this, ...rest);
      },
    });
    Object.defineProperty(Variable.prototype, method, {
      ...attributes,
      value(this: Variable, ...rest: readonly unknown[]): Tensor {
        return build(this.asTensor(), ...rest);
      },
    });
  }
}
