/** A graph drawn coarsely: scopes below some depth become one box each, and the edges between boxes are merged. */
import type { Operation, Tensor } from '@forerun/graph';
import { formatShape } from './format.js';

export interface CollapseOptions {
  /** Levels of scopes (below `scope`) that stay open. */
  readonly depth: number;
  /** Only what lies below this scope, and what it is connected with; empty for all. */
  readonly scope: string;
  /** Draws constants too, and scopes of nothing else. */
  readonly constants: boolean;
  /** Draws variables and their reads too, and scopes of nothing else. */
  readonly variables: boolean;
}

/** A node, or a closed scope with several nodes. */
export interface Box {
  readonly id: string;
  /** Open scopes around it, outermost first; each is a prefix of the next. */
  readonly clusters: readonly string[];
  readonly label: string;
  /** Op type, where it stands for a single node. */
  readonly op?: string;
  readonly nodes: number;
  /** Outside the chosen scope. */
  readonly outside: boolean;
}

export interface Edge {
  readonly from: string;
  readonly to: string;
  /** How many tensors it stands for; 0 for control dependencies only. */
  readonly tensors: number;
  /** Dtype and shape, where it stands for one tensor. */
  readonly label: string;
}

export interface Collapsed {
  readonly boxes: readonly Box[];
  readonly edges: readonly Edge[];
}

/** Boxes and edges, in the order in which the nodes were created. */
export function collapse(operations: readonly Operation[], options: CollapseOptions): Collapsed {
  const closed = closedScopes(operations, options);
  const ids = new Map<Operation, string>();
  const idOf = (op: Operation): string => {
    let id = ids.get(op);
    if (id === undefined) ids.set(op, (id = boxId(op.name, options, closed)));
    return id;
  };
  const hidden = hiddenBoxes(operations, idOf, options);
  const isHidden = (op: Operation): boolean => hidden.has(idOf(op));
  const edges = new Map<string, { from: string; to: string; tensors: Set<Tensor> }>();
  const connect = (from: Operation, to: Operation, tensor?: Tensor): void => {
    const touches = isInside(from.name, options.scope) || isInside(to.name, options.scope);
    const [a, b] = [idOf(from), idOf(to)];
    if (!touches || a === b || isHidden(from) || isHidden(to)) return;
    const key = JSON.stringify([a, b]);
    const edge = edges.get(key) ?? { from: a, to: b, tensors: new Set() };
    edges.set(key, edge);
    if (tensor !== undefined) edge.tensors.add(tensor);
  };
  for (const op of operations) {
    for (const input of op.inputs) connect(input.op, op, input);
    for (const control of op.controlInputs) connect(control, op);
  }
  const connected = new Set([...edges.values()].flatMap(({ from, to }) => [from, to]));
  const shown = operations.filter(
    (op) => !isHidden(op) && (isInside(op.name, options.scope) || connected.has(idOf(op))),
  );
  return {
    boxes: withoutLoneClusters(boxesOf(shown, idOf, options), options),
    edges: [...edges.values()].map(({ from, to, tensors }) => ({
      from,
      to,
      tensors: tensors.size,
      label: edgeLabel(tensors),
    })),
  };
}

/** Boxes of nothing but values that are there from the start; none where nothing else is left of the chosen scope. */
function hiddenBoxes(
  operations: readonly Operation[],
  idOf: (op: Operation) => string,
  { scope, constants, variables }: CollapseOptions,
): ReadonlySet<string> {
  const isSource = ({ type }: Operation): boolean => {
    if (type === 'Const') return !constants;
    return !variables && /^(VarHandleOp|Variable(V2)?|ReadVariableOp)$/.test(type);
  };
  const drawn = new Set(operations.filter((op) => !isSource(op)).map(idOf));
  const inside = operations.filter(({ name }) => isInside(name, scope));
  if (inside.every((op) => !drawn.has(idOf(op)))) return new Set();
  return new Set(operations.map(idOf).filter((id) => !drawn.has(id)));
}

function isInside(name: string, scope: string): boolean {
  return scope === '' || name === scope || name.startsWith(`${scope}/`);
}

/** The first `levels` parts of a name's scope, or `undefined` when the name is not that deep. */
function scopeAt(name: string, levels: number): string | undefined {
  const parts = name.split('/');
  return parts.length > levels ? parts.slice(0, levels).join('/') : undefined;
}

/** Levels of scope at which boxes close. */
function closingLevel({ depth, scope }: CollapseOptions): number {
  return depth + 1 + (scope === '' ? 0 : scope.split('/').length);
}

/** What lies outside the chosen scope is drawn by outermost scope. */
function levelOf(name: string, options: CollapseOptions): number {
  return isInside(name, options.scope) ? closingLevel(options) : 1;
}

function closedScopes(operations: readonly Operation[], options: CollapseOptions): Set<string> {
  const scopes = operations.map(({ name }) => scopeAt(name, levelOf(name, options)));
  return new Set(scopes.filter((scope) => scope !== undefined));
}

/** A node belongs to the closed scope around it, and to the one of its own name: a variable to its initializer's. */
function boxId(name: string, options: CollapseOptions, closed: ReadonlySet<string>): string {
  const scope = scopeAt(name, levelOf(name, options));
  if (scope !== undefined) return `${scope}/`;
  return closed.has(name) ? `${name}/` : name;
}

function boxesOf(
  shown: readonly Operation[],
  idOf: (op: Operation) => string,
  options: CollapseOptions,
): Box[] {
  const groups = new Map<string, Operation[]>();
  for (const op of shown) {
    const group = groups.get(idOf(op));
    if (group === undefined) groups.set(idOf(op), [op]);
    else group.push(op);
  }
  return [...groups].map(([id, members]) => {
    const name = id.replace(/\/$/, '');
    const parts = name.split('/');
    const outside = !isInside(name, options.scope);
    const [only] = members;
    const op = members.length === 1 ? only?.type : undefined;
    return {
      id,
      clusters: outside ? [] : parts.slice(1).map((_, i) => parts.slice(0, i + 1).join('/')),
      label: outside ? name : (parts.at(-1) ?? name),
      ...(op === undefined ? {} : { op }),
      nodes: members.length,
      outside,
    };
  });
}

/** A frame around one box says no more than the box does with the frame's name. */
function withoutLoneClusters(boxes: readonly Box[], { scope }: CollapseOptions): Box[] {
  const counts = new Map<string, number>();
  for (const path of boxes.flatMap(({ clusters }) => clusters)) counts.set(path, (counts.get(path) ?? 0) + 1);
  return boxes.map((box) => {
    const clusters = [...box.clusters];
    let { label } = box;
    for (let path = clusters.at(-1); path !== undefined; path = clusters.at(-1)) {
      if (counts.get(path) !== 1 || path === scope || scope.startsWith(`${path}/`)) break;
      clusters.pop();
      const name = path.split('/').at(-1) ?? path;
      label = label === box.op ? name : `${name}/${label}`;
    }
    return { ...box, clusters, label };
  });
}

function edgeLabel(tensors: ReadonlySet<Tensor>): string {
  const [tensor] = tensors;
  if (tensor === undefined) return '';
  if (tensors.size > 1) return `${tensors.size} tensors`;
  return tensor.dtype === 'resource' ? 'variable' : formatShape(tensor.shape);
}
