/**
 * `Variable`: a value that the session keeps between runs, seen from the graph. It is a handle node
 * with the nodes that initialize and read it, named as TensorFlow names those of resource variables.
 */
import { convertToTensor } from './apply.js';
import { isFloating, baseDType, type BaseDType, type DType } from './dtype.js';
import { InvalidArgumentError } from './errors.js';
import type { Graph } from './graph.js';
import type { Operation } from './operation.js';
import * as scatter from './ops/scatterState.js';
import * as state from './ops/state.js';
import { controlDependencies, getDefaultGraph, inRootGraph, nameScope } from './scopes.js';
import { TensorShape, type ShapeLike } from './shape.js';
import type { Tensor, TensorConvertible, TensorLike } from './tensor.js';
import { GraphKeys } from './variableKeys.js';

/** A value, or a function that makes its nodes inside the variable's scope `<name>/Initializer`. */
export type InitialValue = TensorLike | (() => TensorLike);

/** Rows of a variable and what happens to them (`tf.IndexedSlices`). */
export interface SparseDelta {
  readonly indices: TensorLike;
  readonly values: TensorLike;
}

export interface VariableOptions {
  /** Default `Variable`. A trailing `/` asks for exactly this name. */
  readonly name?: string | undefined;
  /** Default: the dtype of the initial value. */
  readonly dtype?: DType | undefined;
  /** Default: the shape of the initial value, which must be fully known. */
  readonly shape?: ShapeLike | undefined;
  /** Whether optimizers change it by default. Default `true` for floating-point variables, else `false`. */
  readonly trainable?: boolean | undefined;
  /** Collections it joins besides `trainable_variables`; default `variables`. */
  readonly collections?: readonly string[] | undefined;
}

/** The nodes of a variable that exists in a graph, for example after an import. */
export class VariableNodes {
  constructor(
    /** Output of `VarHandleOp` (or `VariableV2`). */
    readonly handle: Tensor,
    readonly initializer: Operation,
    /** A read of the value. */
    readonly snapshot: Tensor,
    readonly initialValue: Tensor | null,
    readonly trainable: boolean,
  ) {}
}

/**
 * A variable (`tf.Variable`, resource form). Wherever a tensor is wanted it stands for its value. The
 * session must run `initializer` (see `globalVariablesInitializer`) before it is read.
 */
export class Variable implements TensorConvertible {
  readonly #nodes: VariableNodes;

  /**
   * Creates the nodes of a variable in the default graph, outside all control dependencies, and
   * adds it to its collections. Throws `InvalidArgumentError` when shape or dtype of the initial value do not fit.
   */
  constructor(initialValue: InitialValue | VariableNodes, options: VariableOptions = {}) {
    this.#nodes = initialValue instanceof VariableNodes ? initialValue : buildNodes(initialValue, options);
    if (initialValue instanceof VariableNodes) return;
    const collections = new Set(options.collections ?? [GraphKeys.GLOBAL_VARIABLES]);
    if (this.trainable) collections.add(GraphKeys.TRAINABLE_VARIABLES);
    this.graph.addToCollections([...collections], this);
  }

  /** The resource tensor that stands for the variable; gradients for a variable are taken here. */
  get handle(): Tensor {
    return this.#nodes.handle;
  }

  /** TensorFlow's name of the variable, `w:0`. */
  get name(): string {
    return this.handle.name;
  }

  /** The handle's operation; its name is the variable's name in checkpoints. */
  get op(): Operation {
    return this.handle.op;
  }

  get graph(): Graph {
    return this.handle.graph;
  }

  get device(): string {
    return this.op.device;
  }

  get dtype(): BaseDType {
    return baseDType(this.handle.handle?.dtype ?? this.handle.dtype);
  }

  get shape(): TensorShape {
    return this.handle.handle?.shape ?? this.handle.shape;
  }

  get trainable(): boolean {
    return this.#nodes.trainable;
  }

  /** The operation that assigns the initial value. */
  get initializer(): Operation {
    return this.#nodes.initializer;
  }

  /** The tensor that the initializer assigns, or `null` for imported variables whose file does not tell it. */
  get initialValue(): Tensor | null {
    return this.#nodes.initialValue;
  }

  /** False for the reference variables of older files. */
  get isResource(): boolean {
    return this.handle.dtype === 'resource';
  }

  /** The read that was made with the variable, `<name>/Read/ReadVariableOp`. */
  get snapshot(): Tensor {
    return this.#nodes.snapshot;
  }

  /** The value: the read made with the variable or, under control dependencies and in functions, a new one that obeys them. */
  value(): Tensor {
    const graph = getDefaultGraph();
    const ordered =
      graph.currentControlInputs.length > 0 || (graph !== this.graph && graph.root === this.graph);
    return ordered ? state.readVariable(this) : this.snapshot;
  }

  /** A new read of the value. */
  readValue(): Tensor {
    return nameScope('Read', () => state.readVariable(this));
  }

  asTensor(): Tensor {
    return this.value();
  }

  /** See `assign`. */
  assign(value: TensorLike, options?: state.AssignOptions & { readValue?: true }): Tensor;
  assign(value: TensorLike, options: state.AssignOptions & { readValue: false }): Operation;
  assign(value: TensorLike, { name, readValue = true }: state.AssignOptions = {}): Tensor | Operation {
    return readValue ? state.assign(this, value, { name }) : state.assign(this, value, { name, readValue });
  }

  /** See `assignAdd`. */
  assignAdd(delta: TensorLike, options?: state.AssignOptions & { readValue?: true }): Tensor;
  assignAdd(delta: TensorLike, options: state.AssignOptions & { readValue: false }): Operation;
  assignAdd(delta: TensorLike, { name, readValue = true }: state.AssignOptions = {}): Tensor | Operation {
    return readValue
      ? state.assignAdd(this, delta, { name })
      : state.assignAdd(this, delta, { name, readValue });
  }

  /** See `assignSub`. */
  assignSub(delta: TensorLike, options?: state.AssignOptions & { readValue?: true }): Tensor;
  assignSub(delta: TensorLike, options: state.AssignOptions & { readValue: false }): Operation;
  assignSub(delta: TensorLike, { name, readValue = true }: state.AssignOptions = {}): Tensor | Operation {
    return readValue
      ? state.assignSub(this, delta, { name })
      : state.assignSub(this, delta, { name, readValue });
  }

  /** The value before it grows by one, up to `limit`. See the function `countUpTo`. */
  countUpTo(limit: number, { name }: { name?: string } = {}): Tensor {
    return state.countUpTo(this, limit, { name });
  }

  /** Sets a part, chosen as by `stridedSlice`, and returns the value afterwards. See `stridedSliceAssign`. */
  assignSlice(
    begin: TensorLike,
    end: TensorLike,
    value: TensorLike,
    options: state.StridedSliceAssignOptions = {},
  ): Tensor {
    return state.stridedSliceAssign(this, begin, end, value, options);
  }

  /** Rows of the value at `indices`, read without a copy of the whole. See `resourceGather`. */
  sparseRead(indices: TensorLike, { name }: { name?: string } = {}): Tensor {
    return scatter.resourceGather(this, indices, { name });
  }

  /** Parts of the value at index vectors. See `resourceGatherNd`. */
  gatherNd(indices: TensorLike, { name }: { name?: string } = {}): Tensor {
    return scatter.resourceGatherNd(this, indices, { name });
  }

  /** Replaces the rows that `delta` names, and returns the value afterwards. See the function `scatterUpdate`. */
  scatterUpdate({ indices, values }: SparseDelta, { name }: { name?: string } = {}): Tensor {
    return scatter.scatterUpdate(this, indices, values, { name });
  }

  /** Adds to the rows that `delta` names. See the function `scatterAdd`. */
  scatterAdd({ indices, values }: SparseDelta, { name }: { name?: string } = {}): Tensor {
    return scatter.scatterAdd(this, indices, values, { name });
  }

  /** Subtracts from the rows that `delta` names. See the function `scatterSub`. */
  scatterSub({ indices, values }: SparseDelta, { name }: { name?: string } = {}): Tensor {
    return scatter.scatterSub(this, indices, values, { name });
  }

  /** Replaces parts at index vectors, and returns the value afterwards. See the function `scatterNdUpdate`. */
  scatterNdUpdate(indices: TensorLike, updates: TensorLike, { name }: { name?: string } = {}): Tensor {
    return scatter.scatterNdUpdate(this, indices, updates, { name });
  }

  /** Adds to parts at index vectors. See the function `scatterNdAdd`. */
  scatterNdAdd(indices: TensorLike, updates: TensorLike, { name }: { name?: string } = {}): Tensor {
    return scatter.scatterNdAdd(this, indices, updates, { name });
  }

  /** Subtracts from parts at index vectors. See the function `scatterNdSub`. */
  scatterNdSub(indices: TensorLike, updates: TensorLike, { name }: { name?: string } = {}): Tensor {
    return scatter.scatterNdSub(this, indices, updates, { name });
  }

  /** Whether the variable has a value, as a bool scalar. */
  isInitialized({ name }: { name?: string } = {}): Tensor {
    return state.isVariableInitialized(this, { name });
  }

  toString(): string {
    return `<Variable "${this.name}" shape=${this.shape.toString()} dtype=${this.dtype}>`;
  }
}

/** The fields of a `VariableDef` message, by which a file's collections name a variable. */
export interface VariableDefFields {
  readonly variableName: string;
  readonly initializerName: string;
  readonly snapshotName: string;
  readonly initialValueName: string;
  readonly isResource: boolean;
  readonly trainable: boolean;
}

/** What a file's collections say of a variable. */
export function variableToDef(variable: Variable): VariableDefFields {
  return {
    variableName: variable.name,
    initializerName: variable.initializer.name,
    snapshotName: variable.snapshot.name,
    initialValueName: variable.initialValue?.name ?? '',
    isResource: variable.isResource,
    trainable: variable.trainable,
  };
}

/**
 * The variable that a file's collections describe; its nodes must be in `graph` already, their names
 * below `scope` (`''` or with a trailing `/`). Throws `NotFoundError` naming a node that is missing.
 */
export function variableFromDef(graph: Graph, def: VariableDefFields, scope = ''): Variable {
  const tensor = (name: string): Tensor => graph.getTensorByName(scope + name);
  const nodes = new VariableNodes(
    tensor(def.variableName),
    graph.getOperationByName(scope + def.initializerName),
    tensor(def.snapshotName === '' ? def.variableName : def.snapshotName),
    def.initialValueName === '' ? null : tensor(def.initialValueName),
    def.trainable,
  );
  return new Variable(nodes);
}

function buildNodes(
  initialValue: InitialValue,
  { name = 'Variable', dtype, shape, trainable }: VariableOptions,
): VariableNodes {
  return inRootGraph(() =>
    controlDependencies(null, () =>
      nameScope(name, (scope) => {
        const value = makeInitialValue(initialValue, dtype);
        const fullShape = variableShape(scope.slice(0, -1), value, shape);
        const sharedName = scope.slice(0, -1);
        const handle = state.varHandle(baseDType(value.dtype), fullShape, { name: scope, sharedName });
        nameScope('IsInitialized', () => state.isVariableInitialized(handle));
        const attrs = { dtype: baseDType(value.dtype) };
        const graph = getDefaultGraph();
        const initializer = graph.createOp({
          type: 'AssignVariableOp',
          name: 'Assign',
          inputs: [handle, value],
          attrs,
        });
        const snapshot = nameScope('Read', () => state.readVariable(handle));
        return new VariableNodes(handle, initializer, snapshot, value, trainable ?? isFloating(value.dtype));
      }),
    ),
  );
}

function makeInitialValue(initialValue: InitialValue, dtype: DType | undefined): Tensor {
  return nameScope('Initializer', () => {
    const value = typeof initialValue === 'function' ? initialValue() : initialValue;
    return convertToTensor(value, { name: 'initial_value', dtype });
  });
}

function variableShape(name: string, value: Tensor, shape: ShapeLike | undefined): TensorShape {
  const full = shape === undefined ? value.shape : TensorShape.of(shape).mergeWith(value.shape);
  if (full === null) {
    throw new InvalidArgumentError(
      `variable "${name}": the initial value has shape ${value.shape.toString()}, the variable ${TensorShape.of(shape ?? null).toString()}`,
    );
  }
  if (!full.isFullyDefined) {
    throw new InvalidArgumentError(
      `variable "${name}": the shape ${full.toString()} of the initial value is not fully known; give the option "shape"`,
    );
  }
  return full;
}
