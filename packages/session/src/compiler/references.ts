/**
 * Reference variables, the form of files from before resource variables: `VariableV2` gives a
 * reference that `Assign` and its kin pass on. Inside a program they become resource variables: a
 * reference is a handle and the updates it comes after, and whoever wants a value reads through it.
 */
import {
  Attrs,
  isRefDType,
  OPS,
  TensorShape,
  type AttrValue,
  type OpDef,
  type OpName,
  type Operation,
  type Tensor,
} from '@forerun/graph';
import { inputOf, makeNode, type IrNode, type IrValue } from './ir.js';

/** The ops that declare, update or ask about a reference, and what each becomes. */
const EQUIVALENTS: Readonly<Record<string, OpName>> = {
  Variable: 'VarHandleOp',
  VariableV2: 'VarHandleOp',
  TemporaryVariable: 'VarHandleOp',
  Assign: 'AssignVariableOp',
  AssignAdd: 'AssignAddVariableOp',
  AssignSub: 'AssignSubVariableOp',
  IsVariableInitialized: 'VarIsInitializedOp',
  HashTable: 'HashTableV2',
  MutableHashTable: 'MutableHashTableV2',
  MutableHashTableOfTensors: 'MutableHashTableOfTensorsV2',
  MutableDenseHashTable: 'MutableDenseHashTableV2',
  InitializeTable: 'InitializeTableV2',
  InitializeTableFromTextFile: 'InitializeTableFromTextFileV2',
  LookupTableFind: 'LookupTableFindV2',
  LookupTableInsert: 'LookupTableInsertV2',
  LookupTableImport: 'LookupTableImportV2',
  LookupTableSize: 'LookupTableSizeV2',
  LookupTableExport: 'LookupTableExportV2',
  StridedSliceAssign: 'ResourceStridedSliceAssign',
  ScatterUpdate: 'ResourceScatterUpdate',
  ScatterAdd: 'ResourceScatterAdd',
  ScatterSub: 'ResourceScatterSub',
  ScatterMul: 'ResourceScatterMul',
  ScatterDiv: 'ResourceScatterDiv',
  ScatterMin: 'ResourceScatterMin',
  ScatterMax: 'ResourceScatterMax',
  ScatterNdUpdate: 'ResourceScatterNdUpdate',
  ScatterNdAdd: 'ResourceScatterNdAdd',
  ScatterNdSub: 'ResourceScatterNdSub',
};

/** The optimizer updates, `Apply…` and `SparseApply…`, become those of the same name for resources. */
function equivalentOf(type: string): OpName | undefined {
  if (Object.hasOwn(EQUIVALENTS, type)) return EQUIVALENTS[type];
  const resource = `Resource${type}`;
  return /^(Sparse)?Apply[A-Z]/.test(type) && isOpName(resource) ? resource : undefined;
}

function isOpName(type: string): type is OpName {
  return Object.hasOwn(OPS, type);
}

/** Types of the ops that declare a reference variable. */
export const REFERENCE_VARIABLES: ReadonlySet<string> = new Set([
  'Variable',
  'VariableV2',
  'TemporaryVariable',
]);

/** The resource op that stands for an op on references, or `undefined` for other ops. */
export function resourceEquivalent(type: string): { type: OpName; def: OpDef } | undefined {
  const equivalent = equivalentOf(type);
  return equivalent === undefined ? undefined : { type: equivalent, def: OPS[equivalent] };
}

/** A reference inside a program. */
export interface Reference {
  readonly handle: IrValue;
  /** The updates that a read through this reference must see. */
  readonly after: readonly IrNode[];
}

/** Which tensors of a graph are references, and to what. */
export class References {
  readonly #of = new Map<Tensor, Reference>();

  get(tensor: Tensor): Reference | undefined {
    return this.#of.get(tensor);
  }

  /** Makes a tensor a reference to the variable behind a handle. */
  declare(tensor: Tensor, handle: IrValue): void {
    this.#of.set(tensor, { handle, after: [] });
  }

  /** Lets a tensor be the reference that another is, also after `updates`. */
  pass(given: Tensor | undefined, to: Tensor, updates: readonly IrNode[] = []): void {
    const reference = given === undefined ? undefined : this.#of.get(given);
    if (reference === undefined) return;
    this.#of.set(to, { ...reference, after: [...new Set([...reference.after, ...updates])] });
  }

  /** Notes the reference that an op on references gives: the variable itself, or the variable after the update `node`. */
  note(op: Operation, node: IrNode): void {
    const [output] = op.outputs;
    if (output === undefined || !isRefDType(output.dtype)) return;
    const declared = node.outputs[0];
    if (declared !== undefined) this.declare(output, declared);
    else this.#of.set(output, { handle: inputOf(node, 0), after: [node] });
  }
}

/** A node that reads the variable behind a reference, on behalf of `reader`. */
export function readReference(
  { handle, after }: Reference,
  reader: Pick<IrNode, 'name' | 'sources' | 'site' | 'controls' | 'origin'>,
): IrNode {
  const dtype = handle.variable?.dtype ?? 'float32';
  const shape = (handle.variable?.shape ?? TensorShape.UNKNOWN).toStatic();
  const attrs = new Attrs(
    new Map<string, AttrValue>([['dtype', { kind: 'type', value: dtype }]]),
    reader.name,
  );
  return makeNode(
    {
      ...reader,
      type: 'ReadVariableOp',
      def: OPS.ReadVariableOp,
      attrs,
      inputs: [handle],
      controls: [...new Set([...after, ...reader.controls])],
      literal: null,
      feed: null,
    },
    [{ dtype, shape, variable: null }],
  );
}
