/**
 * Where the nodes of version 1 control flow lie: every node belongs to the root, to a loop or to a branch of a
 * conditional, nested to any depth. `Enter` leads into a loop and `Exit` out of it, `Switch` leads into
 * a branch and `Merge` out of it; all other nodes lie where the innermost of their inputs does.
 */
import { UnimplementedError } from '../../errors.js';
import type { Operation } from '../../operation.js';
import type { Tensor } from '../../tensor.js';

export interface Region {
  readonly parent: Region | null;
  readonly depth: number;
  readonly kind: 'root' | 'loop' | 'branch';
  /** Name of the loop's frame. */
  readonly frame: string;
  /** Of a branch: what decides, and for which output of `Switch` it stands. */
  readonly predicate: Tensor | null;
  readonly side: 0 | 1;
}

const plain = (op: Operation): string => op.type.replace(/^Ref(?=[A-Z])/, '');
export const isSwitch = (op: Operation): boolean => plain(op) === 'Switch';
export const isMerge = (op: Operation): boolean => plain(op) === 'Merge';
export const isEnter = (op: Operation): boolean => plain(op) === 'Enter';
export const isExit = (op: Operation): boolean => plain(op) === 'Exit';
export const isNextIteration = (op: Operation): boolean => plain(op) === 'NextIteration';
export const isLoopSwitch = (op: Operation): boolean => isSwitch(op) && op.inputs[1]?.op.type === 'LoopCond';
/** A `Merge` that begins a loop variable, not one that joins branches. */
export const isLoopMerge = (op: Operation): boolean =>
  isMerge(op) && op.inputs.some((input) => isEnter(input.op) || isNextIteration(input.op));
export const isTrigger = (op: Operation): boolean => op.type === 'ControlTrigger';
const CONTROL_FLOW: ReadonlySet<string> = new Set(
  ['Switch', 'Merge', 'Enter', 'Exit'].flatMap((type) => [type, `Ref${type}`]),
);
export const isControlFlow = ({ type }: Operation): boolean =>
  CONTROL_FLOW.has(type) || type.startsWith('TensorArray') || type.startsWith('Stack');

export function frameName(op: Operation): string {
  return op.attrs.string('frame_name');
}

/** Whether `outer` is `inner` or around it. */
export function contains(outer: Region, inner: Region): boolean {
  let region: Region | null = inner;
  while (region !== null && region.depth > outer.depth) region = region.parent;
  return region === outer;
}

/** The regions of operations that are given with every one after its inputs, but for the ends of loops. */
export class Regions {
  readonly root: Region = {
    parent: null,
    depth: 0,
    kind: 'root',
    frame: '',
    predicate: null,
    side: 0,
  };
  /** The two branches of each predicate, by the region around them. */
  readonly #branches = new Map<Region, Map<Tensor, readonly Region[]>>();
  readonly #of = new Map<Operation, Region>();
  /** What leads into each pair of branches, and passes the predicate on to that: found by the branch for false. */
  readonly #entries = new Map<Region, Set<Operation>>();
  readonly #frames = new Map<string, Region>();

  constructor(
    operations: readonly Operation[],
    private readonly isFed: (tensor: Tensor) => boolean,
  ) {
    const enters = new Map<string, Operation[]>();
    for (const op of operations.filter(isEnter)) {
      enters.set(frameName(op), [...(enters.get(frameName(op)) ?? []), op]);
    }
    for (const op of operations) {
      const region = this.place(op);
      this.#of.set(op, region);
      if (!isEnter(op) || this.#frames.has(frameName(op))) continue;
      // All entries of a frame lie around it, the innermost decides where the frame is.
      const around = (enters.get(frameName(op)) ?? []).map((enter) => this.place(enter));
      const parent = around.reduce(
        (deepest, other) => (other.depth > deepest.depth ? other : deepest),
        region,
      );
      this.#frames.set(frameName(op), {
        ...this.root,
        parent,
        depth: parent.depth + 1,
        kind: 'loop',
        frame: frameName(op),
      });
    }
  }

  /** Where the node is computed. */
  of(op: Operation): Region {
    return this.#of.get(op) ?? this.root;
  }

  /** Where the value is. */
  ofTensor(tensor: Tensor): Region {
    const { op, index } = tensor;
    if (this.isFed(tensor)) return this.root;
    const region = this.of(op);
    if (isEnter(op)) return this.#frames.get(frameName(op)) ?? region;
    if (isExit(op)) return this.loopAround(op, region).parent ?? this.root;
    if (isSwitch(op) && !isLoopSwitch(op)) return this.branch(op, region, index === 0 ? 0 : 1);
    if (isMerge(op) && !isLoopMerge(op)) return this.joined(op).parent ?? this.root;
    return region;
  }

  /** Where those are that wait for the node. */
  ofControl(op: Operation): Region {
    const [output] = op.outputs;
    return output === undefined || isSwitch(op) || isEnter(op) ? this.of(op) : this.ofTensor(output);
  }

  /** A trigger runs whichever branches did not: it lies around them. */
  private waitedFor(control: Operation, op: Operation): Region {
    let region = this.ofControl(control);
    while (isTrigger(op) && region.kind === 'branch' && region.parent !== null) region = region.parent;
    return region;
  }

  /** The branch that `Merge` leaves on the side of one of its inputs. */
  joined(merge: Operation): Region {
    const regions = merge.inputs.map((input) => this.ofTensor(input));
    const branch = regions.find(({ kind }) => kind === 'branch');
    if (branch !== undefined) return branch;
    throw new UnimplementedError(
      `${merge.describe()} joins values of which none is in a branch of a conditional`,
      {
        node: merge.name,
      },
    );
  }

  /** The `Switch` nodes of a conditional, and the nodes by which they are given the predicate. */
  entries([falsy]: readonly [Region, Region]): readonly Operation[] {
    return [...(this.#entries.get(falsy) ?? [])];
  }

  private branch(op: Operation, parent: Region, side: 0 | 1): Region {
    const given = op.inputs[1];
    if (given === undefined) return parent;
    const passes = this.passes(given);
    const predicate = passes.at(-1)?.inputs[0] ?? given;
    const known = this.#branches.get(parent) ?? new Map<Tensor, readonly Region[]>();
    this.#branches.set(parent, known);
    const make = (own: 0 | 1): Region => ({
      ...{ parent, depth: parent.depth + 1, kind: 'branch', frame: '', predicate, side: own },
    });
    const pair = known.get(predicate) ?? [make(0), make(1)];
    known.set(predicate, pair);
    this.noteEntries(pair[0] ?? parent, [op, ...passes]);
    return pair[side] ?? parent;
  }

  private noteEntries(falsy: Region, entries: readonly Operation[]): void {
    const known = this.#entries.get(falsy) ?? new Set<Operation>();
    this.#entries.set(falsy, known);
    for (const op of entries) known.add(op);
  }

  /** A conditional names its predicate in two ways: itself, and through an `Identity`. Those on the way to the predicate. */
  private passes(predicate: Tensor): readonly Operation[] {
    const { op } = predicate;
    const [source] = op.inputs;
    if (op.type !== 'Identity' || source === undefined || this.isFed(predicate)) return [];
    return [op, ...this.passes(source)];
  }

  private loopAround(op: Operation, region: Region): Region {
    if (region.kind === 'loop') return region;
    throw new UnimplementedError(`${op.describe()} leaves a loop from elsewhere than the loop itself`, {
      node: op.name,
    });
  }

  private place(op: Operation): Region {
    const values = op.inputs.filter((input) => !isMerge(op) || !isNextIteration(input.op));
    const found = [
      ...values.map((input) => this.ofTensor(input)),
      ...op.controlInputs.map((control) => this.waitedFor(control, op)),
    ];
    const deepest = found.reduce((a, b) => (b.depth > a.depth ? b : a), this.root);
    const sides = isMerge(op) && !isLoopMerge(op);
    const stray = sides ? undefined : found.find((region) => !contains(region, deepest));
    if (stray === undefined) return sides ? (deepest.parent ?? this.root) : deepest;
    throw new UnimplementedError(
      `${op.describe()} uses values of different loops or branches at once, which is no structured control flow`,
      { node: op.name },
    );
  }
}
