/**
 * Sets the shapes of a graph's inputs before its operations are built, so that shape inference gives the
 * shape of everything else. Where no shape is given, an unknown first dimension is taken for a batch: of the size that the given
 * shapes have in theirs, or of 1.
 */
import {
  attrFromProto,
  shapeFromProto,
  shapeToProto,
  TensorShape,
  nearestNames,
  proto,
} from '@forerun/graph';
import { FileError, UsageError } from './errors.js';
import { formatShape } from './format.js';
import type { LoadedGraph } from './load.js';

/** Shapes by the name of the placeholder. */
export type InputShapes = ReadonlyMap<string, readonly number[]>;

/** What became of one input that had unknown dimensions. */
export interface InputShape {
  readonly name: string;
  readonly shape: TensorShape;
  /** `given` on the command line, `assumed` to have the batch of those or of 1, or still `unknown`. */
  readonly source: 'given' | 'assumed' | 'unknown' | 'file';
}

/** Reads `--shape x=128,28,28,1`; an empty list means a scalar. Throws `UsageError`. */
export function parseShape(text: string, known: InputShapes = new Map()): InputShapes {
  const [, name, list] = /^([^=]+)=\[?([\d,\sx]*)\]?$/.exec(text) ?? [];
  const dims = (list ?? '').split(/[,x]/).map((dim) => dim.trim());
  const isScalar = dims.length === 1 && dims[0] === '';
  if (name === undefined || (!isScalar && dims.some((dim) => !/^\d+$/.test(dim)))) {
    throw new UsageError(`--shape: "${text}" is not of the form NAME=DIM,DIM,... such as images=128,28,28,1`);
  }
  const shape = isScalar ? [] : dims.map(Number);
  if (!shape.every(Number.isSafeInteger))
    throw new UsageError(`--shape: "${text}" has too large a dimension`);
  return new Map([...known, [name.replace(/:0$/, ''), shape]]);
}

/**
 * A copy of the graph with these shapes in its placeholders, and what is known of each of them.
 * Throws `FileError` for names that are no input, `UsageError` for shapes that contradict the graph.
 */
export function withInputShapes(
  { graphDef, metaGraph }: Pick<LoadedGraph, 'graphDef' | 'metaGraph'>,
  shapes: InputShapes,
): { readonly graphDef: proto.GraphDef; readonly inputs: readonly InputShape[] } {
  const placeholders = graphDef.node.filter((node) => node.op.startsWith('Placeholder'));
  const names = placeholders.map((node) => node.name);
  for (const name of shapes.keys()) {
    if (!names.includes(name)) throw new FileError(noInput(name, names));
  }
  const signed = signatureShapes(metaGraph);
  const batch = batchOf(placeholders, shapes);
  const inputs: InputShape[] = [];
  const node = graphDef.node.map((def) => {
    if (!placeholders.includes(def)) return def;
    const known = { given: shapes.get(def.name), signed: signed.get(def.name), batch };
    const input = resolveShape(def, known);
    inputs.push(input);
    if (input.source === 'unknown' || declaredShape(def).isFullyDefined) return def;
    // Encoding and decoding completes the message.
    const shape = proto.decode('AttrValue', proto.encode('AttrValue', { shape: shapeToProto(input.shape) }));
    return { ...def, attr: new Map([...def.attr, ['shape', shape]]) };
  });
  return { graphDef: { ...graphDef, node }, inputs };
}

/** What signatures say of the shapes of inputs; nodes may say less. */
function signatureShapes(metaGraph: proto.MetaGraphDef | undefined): Map<string, TensorShape> {
  const infos = [...(metaGraph?.signatureDef.values() ?? [])].flatMap(({ inputs }) => [...inputs.values()]);
  return new Map(
    infos.flatMap(({ name = '', tensorShape }) =>
      tensorShape === undefined ? [] : [[name.replace(/:0$/, ''), shapeFromProto(tensorShape)] as const],
    ),
  );
}

/** The size of the unknown first dimensions that shapes are given for, where they agree, else 1. */
function batchOf(placeholders: readonly proto.NodeDef[], shapes: InputShapes): number {
  const sizes = placeholders.flatMap((def) => {
    const isOpen = declaredShape(def).dims?.[0] === null;
    return isOpen ? (shapes.get(def.name)?.[0] ?? []) : [];
  });
  const [size = 1] = sizes;
  return sizes.every((other) => other === size) ? size : 1;
}

/** What is known of an input besides its declaration. */
interface KnownShape {
  readonly given: readonly number[] | undefined;
  /** By a signature. */
  readonly signed: TensorShape | undefined;
  readonly batch: number;
}

function resolveShape(def: proto.NodeDef, { given, signed, batch }: KnownShape): InputShape {
  const own = declaredShape(def);
  const declared = (signed === undefined ? null : own.mergeWith(signed)) ?? own;
  if (given !== undefined) {
    const shape = declared.mergeWith(TensorShape.of(given));
    if (shape !== null) return { name: def.name, shape, source: 'given' };
    throw new UsageError(
      `--shape: "${def.name}" is declared as ${formatShape(declared)}, which ${formatShape(given)} contradicts`,
    );
  }
  if (declared.isFullyDefined) return { name: def.name, shape: declared, source: 'file' };
  const dims = declared.dims ?? [null];
  const onlyBatch = declared.dims !== null && dims.slice(1).every((dim) => dim !== null);
  if (!onlyBatch) return { name: def.name, shape: declared, source: 'unknown' };
  return { name: def.name, shape: new TensorShape([batch, ...dims.slice(1)]), source: 'assumed' };
}

function declaredShape(def: proto.NodeDef): TensorShape {
  const shape = def.attr.get('shape');
  const value = shape === undefined ? undefined : attrFromProto(shape);
  return value?.kind === 'shape' ? value.value : TensorShape.UNKNOWN;
}

function noInput(name: string, names: readonly string[]): string {
  if (names.length === 0) return `--shape: the graph has no input "${name}"; it has none at all`;
  const [near] = nearestNames(name, names);
  const hint = near === undefined ? `Its inputs: ${names.join(', ')}` : `Did you mean "${near}"?`;
  return `--shape: the graph has no input "${name}". ${hint}`;
}
