/**
 * Trades time for memory: values of the forward pass that the backward pass needs are computed again there instead of
 * being kept ("rematerialization"; in segments: Chen et al., "Training Deep Nets with Sublinear Memory Cost",
 * 2016). The same kernels run on the same values, so no result changes. The program comes in the order in
 * which it would run; forward is all before the place where the most bytes are alive.
 */
import { isElementwise, kernelOf, workOf } from './fuse.js';
import { makeNode, type IrNode, type IrValue, type Program } from './ir.js';
import { aliasRoot, bytesOf, storageOf, type CopiedReads } from './storage.js';
import { isHostStep } from '../run/hostOps.js';

/** What is computed again: elementwise values; also sums, pools and moves; or all but the values between segments. */
export type Recompute =
  | { readonly kind: 'elementwise' }
  | { readonly kind: 'cheap' }
  | { readonly kind: 'segments'; readonly count: number };

export interface Rematerialized {
  readonly program: Program;
  /** Nodes that are computed a second time. */
  readonly recomputed: number;
}

const NO_COPIES: CopiedReads = new Set();

/** The program with what `level` allows computed again where that saves memory. */
export function rematerialize(program: Program, level: Recompute): Rematerialized {
  const lives = new Lives(program);
  const turn = lives.fullest();
  const kept = level.kind === 'segments' ? betweenSegments(lives, turn, level.count) : null;
  const pinned = new Set([
    ...program.targets,
    ...program.fetches.map(({ node }) => node),
    ...program.nodes.flatMap(({ controls }) => controls),
  ]);
  const isFree = (value: IrValue): boolean =>
    !pinned.has(value.node) &&
    canRepeat(value.node) &&
    (kept === null ? isCheap(value.node, level.kind) : !kept.has(value));
  const choice = new Choice(lives, turn, isFree);
  choice.choose(level.kind === 'segments');
  return rewrite(program, turn, choice);
}

/** Whether running a node again gives the same and changes nothing else. */
function canRepeat(node: IrNode): boolean {
  if (node.feed !== null || node.literal !== null || node.def.stateful || isHostStep(node.type)) return false;
  if (node.controls.length > 0 || node.inputs.some(({ variable }) => variable !== null)) return false;
  return ['elementwise', 'device', 'view'].includes(kernelOf(node).kind);
}

function isCheap(node: IrNode, level: Recompute['kind']): boolean {
  if (isElementwise(node) || kernelOf(node).kind === 'view') return true;
  return level === 'cheap' && ['reduction', 'pass'].includes(workOf(node) ?? '');
}

/** From where to where values are needed, by position in the program; views need what they look at. */
class Lives {
  readonly position = new Map<IrNode, number>();
  readonly users = new Map<IrValue, number[]>();

  constructor(readonly program: Program) {
    program.nodes.forEach((node, i) => {
      this.position.set(node, i);
      for (const input of node.inputs) this.use(input, i);
    });
    for (const value of program.fetches) this.use(value, program.nodes.length);
  }

  private use(value: IrValue, position: number): void {
    const users = this.users.get(value) ?? [];
    users.push(position);
    this.users.set(value, users);
  }

  defined(value: IrValue): number {
    return this.position.get(value.node) ?? 0;
  }

  /** The position at which the most bytes of temporaries are alive. */
  fullest(): number {
    const ends = new Map<IrValue, number>();
    for (const [value, users] of this.users) {
      const root = aliasRoot(value);
      ends.set(root, Math.max(ends.get(root) ?? 0, users.at(-1) ?? 0));
    }
    const change = new Array<number>(this.program.nodes.length + 2).fill(0);
    for (const [root, end] of ends) {
      const [bytes, start] = [temporaryBytes(root), this.defined(root)];
      change[start] = (change[start] ?? 0) + bytes;
      change[end + 1] = (change[end + 1] ?? 0) - bytes;
    }
    let [alive, most, where] = [0, 0, 0];
    change.forEach((delta, i) => {
      alive += delta;
      if (alive > most) [most, where] = [alive, i];
    });
    return where;
  }
}

/** Bytes that keeping a value costs: none for what lies in a variable, a feed or a constant. */
function temporaryBytes(value: IrValue): number {
  const storage = storageOf(value, NO_COPIES);
  return storage.kind === 'temp' ? bytesOf(storage.value) : 0;
}

/** The values that cross the borders between `count` segments of the forward pass, which take equal bytes. */
function betweenSegments(lives: Lives, turn: number, count: number): ReadonlySet<IrValue> {
  const forward = lives.program.nodes.slice(0, turn);
  const bytes = forward.map((node) => node.outputs.reduce((sum, value) => sum + temporaryBytes(value), 0));
  const total = bytes.reduce((sum, each) => sum + each, 0);
  const borders: number[] = [];
  let passed = 0;
  bytes.forEach((each, i) => {
    passed += each;
    if (passed >= ((borders.length + 1) * total) / count) borders.push(i);
  });
  const crossing = new Set<IrValue>();
  for (const [value, users] of lives.users) {
    const [start, end] = [lives.defined(value), users.findLast((user) => user < turn) ?? -1];
    if (borders.some((border) => start <= border && border < end)) crossing.add(value);
  }
  return crossing;
}

/** Which values that are made before the turn and used after it are kept, and which are made again. */
class Choice {
  /** Values that stay alive over the turn. */
  readonly #alive = new Set<IrValue>();
  readonly #again = new Set<IrValue>();

  constructor(
    private readonly lives: Lives,
    private readonly turn: number,
    private readonly isFree: (value: IrValue) => boolean,
  ) {
    for (const [value, users] of lives.users) {
      if (lives.defined(value) <= turn && (users.at(-1) ?? 0) > turn) this.#alive.add(value);
    }
  }

  /** Gives up values, the latest first: all that can be, or those whose bytes exceed what they make stay alive. */
  choose(all: boolean): void {
    const candidates = [...this.#alive].filter(this.isFree);
    candidates.sort((a, b) => this.lives.defined(b) - this.lives.defined(a));
    for (const value of candidates) {
      this.#alive.delete(value);
      const needed = this.sources(value).filter((source) => !this.#alive.has(source));
      const price = needed.reduce((sum, source) => sum + temporaryBytes(source), 0);
      if (all || price < temporaryBytes(value)) {
        this.#again.add(value);
        needed.forEach((source) => this.#alive.add(source));
      } else this.#alive.add(value);
    }
  }

  /** What a value is made from again. */
  private sources(value: IrValue): IrValue[] {
    const found = new Set<IrValue>();
    const seen = new Set<IrValue>([value]);
    const stack = [...value.node.inputs];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      if (this.#alive.has(next) || !this.isFree(next)) found.add(next);
      else stack.push(...next.node.inputs);
    }
    return [...found];
  }

  /** Whether users after the turn get a second copy of the value. */
  isAgain(value: IrValue): boolean {
    if (this.lives.defined(value) > this.turn || this.#alive.has(value)) return false;
    return this.#again.has(value) || this.isFree(value);
  }
}

function rewrite(program: Program, turn: number, choice: Choice): Rematerialized {
  const nodes: IrNode[] = [];
  const values = new Map<IrValue, IrValue>();
  const changed = new Map<IrNode, IrNode>();
  const copies = new Map<IrNode, IrNode>();
  const put = (node: IrNode, inputs: readonly IrValue[]): IrNode => {
    const made = makeNode(
      { ...node, inputs, controls: node.controls.map((c) => changed.get(c) ?? c) },
      node.outputs,
    );
    nodes.push(made);
    return made;
  };
  const again = (value: IrValue): IrValue => {
    if (!choice.isAgain(value)) return values.get(value) ?? value;
    let copy = copies.get(value.node);
    if (copy === undefined) {
      copy = put(value.node, value.node.inputs.map(again));
      copies.set(value.node, copy);
    }
    return copy.outputs[value.index] ?? value;
  };
  program.nodes.forEach((node, i) => {
    const inputs = i <= turn ? node.inputs : node.inputs.map(again);
    const isSame =
      inputs.every((input, k) => input === node.inputs[k]) && !node.controls.some((c) => changed.has(c));
    if (isSame) {
      nodes.push(node);
      return;
    }
    const made = put(node, inputs);
    changed.set(node, made);
    node.outputs.forEach((output, k) => values.set(output, made.outputs[k] ?? output));
  });
  return {
    program: {
      nodes,
      fetches: program.fetches.map((value) => values.get(value) ?? value),
      targets: program.targets.map((node) => changed.get(node) ?? node),
    },
    recomputed: copies.size,
  };
}
