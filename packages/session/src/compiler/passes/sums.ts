/**
 * Sums of many gradients are added up while they are computed. A weight that is used in many places, as in every step of
 * a recurrent network, gets a sum of products; adding them at the end would keep all of them in memory. Here every
 * product adds the sum so far, in the order in which they are computed, so that two are alive at a time and the
 * additions lie in the epilogues of the products. Where each term is itself a sum over rows (the gradient of a bias), the terms'
 * rows are added up first and reduced once. Additions happen in another order than written, the same in every run.
 */
import { DISPATCH_BYTES, MOST_PACKED_BYTES, MOST_PARTS } from '../fusion/costs.js';
import { kernelOf, workOf } from '../fuse.js';
import type { HostValues } from '../hostValues.js';
import { consumersOf, inputOf, outputOf, type IrNode, type IrValue, type Program } from '../ir.js';
import { attrsKey } from '../keys.js';
import { rebuild } from '../rebuild.js';
import { aliasRoot, bytesOf } from '../storage.js';
import { isRunningSum, opFor, runningSum } from './newNodes.js';

const ADDITIONS: ReadonlySet<string> = new Set(['AddN', 'Add', 'AddV2', 'AccumulateNV2']);
/** With fewer terms there are no more of them alive than with a sum so far. */
const FEWEST_TERMS = 3;

/** Adds up products, and rows of reductions, as they are computed. */
export function accumulateSums(program: Program, host: HostValues): Program {
  const sums = new Sums(program, host);
  const now = new Map<IrValue, IrValue>();
  let position = 0;
  const added = rebuild(program, (node) => {
    const old = program.nodes[position++];
    const plan = old === undefined ? null : sums.planOf(old);
    const outputs =
      plan === null ? node.outputs : [accumulated(node, plan, (value) => now.get(value) ?? value)];
    old?.outputs.forEach((output, i) => now.set(output, outputs[i] ?? output));
    return plan === null ? null : outputs;
  });
  return atOnce(added);
}

/** The program with every sum so far just behind the later of its terms, not where the whole sum stood. */
function atOnce(program: Program): Program {
  const waiting = new Map<IrNode, IrNode[]>();
  const missing = new Map<IrNode, number>();
  for (const node of program.nodes.filter(isRunningSum)) {
    const before = new Set(node.inputs.map((input) => input.node));
    missing.set(node, before.size);
    for (const one of before) waiting.set(one, [...(waiting.get(one) ?? []), node]);
  }
  if (missing.size === 0) return program;
  const nodes: IrNode[] = [];
  for (const node of program.nodes.filter((each) => !missing.has(each))) {
    const stack = [node];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      nodes.push(next);
      for (const sum of waiting.get(next) ?? []) {
        const left = (missing.get(sum) ?? 0) - 1;
        missing.set(sum, left);
        if (left === 0) stack.push(sum);
      }
    }
  }
  return { ...program, nodes };
}

/** The terms of one sum. */
interface SumPlan {
  /** Added up one after the other, in this order. */
  readonly products: readonly IrValue[];
  /** Reductions of the same kind, whose operands are added up. */
  readonly reductions: readonly (readonly IrValue[])[];
  /** Added at the end. */
  readonly others: readonly IrValue[];
}

/** The sum under a new order of additions; `now` gives what terms have become. */
function accumulated(node: IrNode, plan: SumPlan, now: (value: IrValue) => IrValue): IrValue {
  const reduced = plan.reductions.map((terms): IrValue => {
    const [first] = terms.map((term) => now(term).node);
    if (first === undefined) return outputOf(node);
    const rows = terms.map((term) => inputOf(now(term).node, 0));
    const total = chain(first, rows.slice(0, -1), rows.slice(-1));
    return opFor(first, first.type as 'Sum', [total, ...first.inputs.slice(1)]);
  });
  const products = plan.products.map(now);
  const others = [...reduced, ...plan.others.map(now)];
  if (products.length === 0)
    return others.length === 1 ? (others[0] ?? outputOf(node)) : addAll(node, others);
  return chain(node, products.slice(0, -1), [...products.slice(-1), ...others]);
}

/** The sum of `terms`, one added to the other, and of `last`, which are added at once. */
function chain(node: IrNode, terms: readonly IrValue[], last: readonly IrValue[]): IrValue {
  const [first, ...rest] = terms;
  if (first === undefined) return addAll(node, last);
  const total = rest.reduce((sum, term) => runningSum(node, term, sum), first);
  const [head, ...others] = last;
  return head === undefined ? total : addAll(node, [head, total, ...others]);
}

function addAll(node: IrNode, terms: readonly IrValue[]): IrValue {
  const [first] = terms;
  if (first === undefined || terms.length === 1) return first ?? outputOf(node);
  return opFor(node, terms.length === 2 ? 'AddV2' : 'AddN', terms, first.shape);
}

/** What there is to add up in a program. */
class Sums {
  readonly #users: ReadonlyMap<IrValue, readonly IrNode[]>;
  readonly #pinned = new Set<IrNode>();
  readonly #positions: ReadonlyMap<IrNode, number>;

  constructor(
    program: Program,
    private readonly host: HostValues,
  ) {
    this.#users = consumersOf(program);
    this.#positions = new Map(program.nodes.map((node, position) => [node, position]));
    for (const value of program.fetches) this.#pinned.add(value.node);
    for (const node of program.targets) this.#pinned.add(node);
    for (const node of program.nodes) for (const control of node.controls) this.#pinned.add(control);
  }

  /** How to add up the sum that ends in `node`; `null` where it is none, or nothing is gained. */
  planOf(node: IrNode): SumPlan | null {
    if (!isAddition(node) || this.isInner(node)) return null;
    const terms = this.termsOf(node);
    if (terms.length < FEWEST_TERMS || new Set(terms).size < terms.length) return null;
    const products = terms.filter((term) => this.isProduct(term));
    const reductions = this.reductionsOf(terms);
    const kept = products.length < FEWEST_TERMS ? [] : this.inOrder(products);
    if (kept.length + reductions.length === 0) return null;
    const taken = new Set([...kept, ...reductions.flat()]);
    return { products: kept, reductions, others: terms.filter((term) => !taken.has(term)) };
  }

  /** Whether a sum is a term of another one alone. */
  private isInner(node: IrNode): boolean {
    const users = this.#users.get(outputOf(node)) ?? [];
    const [user] = users;
    if (users.length !== 1 || user === undefined || this.#pinned.has(node)) return false;
    return (
      isAddition(user) && sameShape(outputOf(user), outputOf(node)) && timesUsed(user, outputOf(node)) === 1
    );
  }

  private termsOf(node: IrNode): IrValue[] {
    const terms: IrValue[] = [];
    const stack = [...node.inputs].reverse();
    for (let term = stack.pop(); term !== undefined; term = stack.pop()) {
      if (isAddition(term.node) && this.isInner(term.node)) stack.push(...[...term.node.inputs].reverse());
      else terms.push(term);
    }
    return terms;
  }

  /** Whether nobody else uses a value, under any of its shapes. */
  private isOnlyTerm(term: IrValue): boolean {
    for (let value = term; ; value = inputOf(value.node, 0)) {
      if (this.#pinned.has(value.node) || (this.#users.get(value) ?? []).length !== 1) return false;
      if (aliasRoot(value) === value) return true;
    }
  }

  /** Whether the sum so far can be added to a term before it is stored. Smaller products share a dispatch, which they cannot when each waits for the one before. */
  private isProduct(term: IrValue): boolean {
    const { node } = aliasRoot(term);
    if (workOf(node) !== 'contraction' || node.controls.length > 0 || !this.isOnlyTerm(term)) return false;
    return bytesTouched(node) > MOST_PACKED_BYTES;
  }

  /** Groups of terms that reduce values of one shape in the same way. */
  private reductionsOf(terms: readonly IrValue[]): IrValue[][] {
    const groups = new Map<string, IrValue[]>();
    for (const term of terms) {
      const { node } = term;
      if (!isLinearReduction(node) || node.controls.length > 0 || !this.isOnlyTerm(term)) continue;
      if (!isAddedCheaply(node)) continue;
      const axes = node.inputs.slice(1).map((input) => this.host.get(input)?.data.join() ?? input.node.id);
      const key = [node.type, inputOf(node, 0).shape.join(), axes.join(), attrsKey(node.attrs)].join('|');
      groups.set(key, [...(groups.get(key) ?? []), term]);
    }
    const worthwhile = [...groups.values()].filter((group) => group.length >= FEWEST_TERMS);
    return worthwhile.map((group) => this.inOrder(group));
  }

  /** Terms in the order in which their operands are computed. */
  private inOrder(terms: readonly IrValue[]): IrValue[] {
    const position = (term: IrValue): number => this.#positions.get(aliasRoot(term).node) ?? 0;
    return [...terms].sort((a, b) => position(a) - position(b));
  }
}

function isAddition(node: IrNode): boolean {
  if (!ADDITIONS.has(node.type) || node.controls.length > 0 || node.feed !== null) return false;
  const output = outputOf(node);
  // A sum so far that is stored in fewer bits would lose some at every step.
  return output.dtype === 'float32' && node.inputs.every((input) => sameShape(input, output));
}

function isLinearReduction(node: IrNode): boolean {
  const kernel = kernelOf(node);
  return kernel.kind === 'device' && kernel.work === 'reduction' && kernel.linear === true;
}

function sameShape(a: IrValue, b: IrValue): boolean {
  return a.shape.join() === b.shape.join();
}

function timesUsed(node: IrNode, value: IrValue): number {
  return node.inputs.filter((input) => input === value).length;
}

function bytesTouched(node: IrNode): number {
  return [...node.inputs, ...node.outputs].reduce((sum, value) => sum + bytesOf(value), 0);
}

/**
 * Whether adding the operand of a reduction to others, which loads and stores a sum so far where the reduction loads the
 * operand, moves fewer bytes than the reduction's dispatch, or its part of one, costs.
 */
function isAddedCheaply(node: IrNode): boolean {
  const dispatch = bytesTouched(node) > MOST_PACKED_BYTES ? DISPATCH_BYTES : DISPATCH_BYTES / MOST_PARTS;
  return bytesOf(inputOf(node, 0)) <= dispatch;
}
