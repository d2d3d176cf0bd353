/** The session's variables: one device buffer each, alive until the session closes. */
import {
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  TensorShape,
  type DType,
  type Tensor,
  type TensorValue,
} from '@forerun/graph';
import type { VariableRef } from './compiler/ir.js';
import { REFERENCE_VARIABLES } from './compiler/references.js';
import { storageBytes } from './compiler/storage.js';
import { BufferUsage } from './device/flags.js';
import type { DeviceHandle } from './device/handle.js';
import { toWords } from './device/words.js';

export interface VariableState {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly buffer: GPUBuffer;
  initialized: boolean;
}

/** The variable behind a handle tensor: the output of `VarHandleOp` or `VariableV2`, or one that passes it on. */
export function variableRef(handle: Tensor): VariableRef {
  const { op } = handle;
  if (op.type === 'VarHandleOp' || REFERENCE_VARIABLES.has(op.type)) {
    return {
      key: (op.attrs.has('shared_name') ? op.attrs.string('shared_name') : '') || op.name,
      dtype: op.attrs.type('dtype'),
      shape: op.attrs.shape('shape'),
    };
  }
  const source = op.inputs.find((input) => input.handle !== null);
  if (source === undefined)
    throw new InvalidArgumentError(`"${handle.name}" is not the handle of a variable`);
  return variableRef(source);
}

export class VariableStore {
  readonly #states = new Map<string, VariableState>();

  constructor(private readonly handle: DeviceHandle) {}

  /** The variable's state, its buffer made on first use. Throws when the shape is unknown or differs. */
  state({ key, dtype, shape }: VariableRef): VariableState {
    const known = this.#states.get(key);
    if (known !== undefined) {
      if (known.dtype !== dtype || !shape.isCompatibleWith(new TensorShape(known.shape))) {
        throw new InvalidArgumentError(
          `variable "${key}" is ${dtype} ${shape.toString()} here, but the session holds ${known.dtype} [${known.shape.join(',')}]`,
        );
      }
      return known;
    }
    const sizes = shape.toStatic();
    const elementCount = sizes.reduce((size, dim) => size * dim, 1);
    const usage = BufferUsage.STORAGE | BufferUsage.COPY_SRC | BufferUsage.COPY_DST;
    const buffer = this.handle.createBuffer(storageBytes(elementCount, dtype), usage, `variable ${key}`);
    const state = { dtype, shape: sizes, buffer, initialized: false };
    this.#states.set(key, state);
    return state;
  }

  /** Sets a variable, given by its handle, to a value. Throws when dtype or shape do not fit. */
  assign(handle: Tensor, value: TensorValue): void {
    const ref = variableRef(handle);
    if (value.dtype !== ref.dtype || !ref.shape.isCompatibleWith(new TensorShape(value.shape))) {
      throw new InvalidArgumentError(
        `variable "${ref.key}" is ${ref.dtype} ${ref.shape.toString()}, the value ${value.dtype} [${value.shape.join(',')}]`,
      );
    }
    const state = this.state({ ...ref, shape: new TensorShape(value.shape) });
    const words = toWords(value, `variable "${ref.key}"`);
    this.handle.queue.writeBuffer(state.buffer, 0, words);
    state.initialized = true;
  }

  isInitialized(key: string): boolean {
    return this.#states.get(key)?.initialized ?? false;
  }

  /** Notes that variables have a value; makes those without elements, which no kernel wrote. Returns those that had none before. */
  markInitialized(refs: readonly VariableRef[]): readonly VariableRef[] {
    const fresh = refs.filter(({ key }) => !this.isInitialized(key));
    for (const ref of fresh) this.state(ref).initialized = true;
    return fresh;
  }

  /** Takes back what `markInitialized` noted for a run that then failed. */
  unmarkInitialized(refs: readonly VariableRef[]): void {
    for (const ref of refs) this.state(ref).initialized = false;
  }

  /** Throws `FailedPreconditionError` naming all variables of `refs` that have no value yet. */
  requireInitialized(refs: readonly VariableRef[]): void {
    const missing = refs.filter(({ key }) => !this.isInitialized(key)).map(({ key }) => `"${key}"`);
    if (missing.length === 0) return;
    const [verb, plural] = missing.length === 1 ? ['is', ''] : ['are', 's'];
    throw new FailedPreconditionError(
      `variable${plural} ${missing.join(', ')} ${verb} not initialized. Run the initializer first: ` +
        'await sess.run(fr.globalVariablesInitializer()); create it after the last variable, or restore a checkpoint',
    );
  }

  /** Makes a variable uninitialized; its buffer stays, because plans hold it. Throws `NotFoundError` unless `ignoreMissing`. */
  destroy(key: string, ignoreMissing: boolean): void {
    const state = this.#states.get(key);
    if (state === undefined && !ignoreMissing)
      throw new NotFoundError(`there is no variable "${key}" to destroy`);
    if (state === undefined) return;
    state.initialized = false;
  }

  /** Bytes of all variables. */
  get bytes(): number {
    return [...this.#states.values()].reduce((total, { buffer }) => total + buffer.size, 0);
  }

  close(): void {
    for (const { buffer } of this.#states.values()) this.handle.destroyBuffer(buffer);
    this.#states.clear();
  }
}
