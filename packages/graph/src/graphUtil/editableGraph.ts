/**
 * A GraphDef that passes edit: nodes by name, their users, constants as values. Passes replace nodes and redirect
 * inputs; what nothing needs any more is dropped at the end.
 */
import { InvalidArgumentError, NotFoundError } from '../errors.js';
import { nearestNames } from '../names.js';
import { neededFunctions } from './neededFunctions.js';
import { lookupOp } from '../opTable.js';
import { complete } from '../proto/complete.js';
import type { Init } from '../proto/message.js';
import type { AttrValue, GraphDef, NodeDef } from '../proto/messages.js';
import { dtypeToNumber } from '../dtype.js';
import { attrFromProto, attrToProto } from '../serialize/attrProto.js';
import type { TensorValue } from '../value.js';

/** A node of an editable graph. */
export interface EditableNode extends Omit<Init<NodeDef>, 'name' | 'op' | 'input' | 'attr'> {
  readonly name: string;
  readonly op: string;
  /** Data inputs (`x`, `x:1`), then control inputs (`^x`). */
  readonly input: readonly string[];
  readonly attr: ReadonlyMap<string, Init<AttrValue>>;
}

/** The node's name in an input: without the output's number and the mark of control inputs. */
export function nodeNameOf(input: string): string {
  return input.replace(/^\^/, '').replace(/:\d+$/, '');
}

export const isControl = (input: string): boolean => input.startsWith('^');

/** `x:0` and `x` are the same tensor. */
export function canonical(input: string): string {
  return input.replace(/:0$/, '');
}

export class EditableGraph {
  readonly nodes = new Map<string, EditableNode>();

  /** Throws `InvalidArgumentError` for two nodes of one name. */
  constructor(private def: Init<GraphDef>) {
    for (const node of def.node ?? []) {
      const { name = '', op = '', input = [], attr = new Map() } = node;
      if (this.nodes.has(name))
        throw new InvalidArgumentError(`two nodes are named "${name}"`, { node: name });
      this.nodes.set(name, { ...node, name, op, input: input.map(canonical), attr });
    }
  }

  /** The node of a name or an input. Throws `NotFoundError` with the nearest names. */
  node(input: string): EditableNode {
    const name = nodeNameOf(input);
    const node = this.nodes.get(name);
    if (node !== undefined) return node;
    const near = nearestNames(name, this.nodes.keys()).map((other) => `"${other}"`);
    throw new NotFoundError(
      `the graph has no node "${name}"${near.length === 0 ? '' : `. Did you mean ${near.join(', ')}?`}`,
    );
  }

  set(node: EditableNode): void {
    this.nodes.set(node.name, node);
  }

  /** Data inputs of a node. */
  data({ input }: EditableNode): string[] {
    return input.filter((item) => !isControl(item));
  }

  /** Nodes by the names of the nodes whose outputs or completion they need. */
  users(): Map<string, EditableNode[]> {
    const users = new Map<string, EditableNode[]>();
    for (const node of this.nodes.values()) {
      for (const source of new Set(node.input.map(nodeNameOf))) {
        const list = users.get(source);
        if (list === undefined) users.set(source, [node]);
        else list.push(node);
      }
    }
    return users;
  }

  /** Replaces inputs: a tensor by a tensor (`x` to `y:1`). Control inputs are left alone. */
  redirect(tensors: ReadonlyMap<string, string>): void {
    if (tensors.size === 0) return;
    const follow = (input: string): string => {
      let [at, steps] = [input, 0];
      for (let next = tensors.get(at); next !== undefined; next = tensors.get(at)) {
        if (++steps > tensors.size)
          throw new InvalidArgumentError(`inputs are redirected in a circle at "${input}"`);
        at = next;
      }
      return at;
    };
    for (const node of this.nodes.values()) {
      if (!node.input.some((input) => tensors.has(input))) continue;
      this.set({ ...node, input: node.input.map((input) => (isControl(input) ? input : follow(input))) });
    }
  }

  /** A name that no node has: `base`, `base_1` … */
  freeName(base: string): string {
    let name = base;
    for (let i = 1; this.nodes.has(name); i++) name = `${base}_${i}`;
    return name;
  }

  /** The value of a constant without control inputs, else `null`. */
  constant(input: string): TensorValue | null {
    const node = this.nodes.get(nodeNameOf(input));
    if (node?.op !== 'Const' || node.input.length > 0) return null;
    const attr = node.attr.get('value');
    if (attr === undefined) return null;
    const value = attrFromProto(complete('AttrValue', attr));
    return value.kind === 'tensor' ? value.value : null;
  }

  /** Adds a constant, or replaces the node of this name by it. */
  addConstant(name: string, value: TensorValue, device = ''): void {
    const attr = new Map<string, Init<AttrValue>>([
      ['dtype', { type: dtypeToNumber(value.dtype) }],
      ['value', attrToProto({ kind: 'tensor', value })],
    ]);
    this.set({ name, op: 'Const', input: [], device, attr });
  }

  /** Keeps only what `roots` need, through data and control inputs. */
  keepOnly(roots: readonly string[]): void {
    const needed = new Set<string>();
    const stack = roots.map((root) => this.node(root).name);
    for (let name = stack.pop(); name !== undefined; name = stack.pop()) {
      if (needed.has(name)) continue;
      needed.add(name);
      for (const input of this.node(name).input) stack.push(nodeNameOf(input));
    }
    for (const name of [...this.nodes.keys()]) if (!needed.has(name)) this.nodes.delete(name);
  }

  /** Nodes after those that they need, otherwise in their order; loops of version 1 are entered where they begin. */
  executionOrder(): EditableNode[] {
    const order: EditableNode[] = [];
    const state = new Map<string, 'open' | 'done'>();
    for (const root of this.nodes.values()) {
      const stack: { node: EditableNode; next: number }[] = [{ node: root, next: 0 }];
      for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
        const { node } = top;
        if (top.next === 0 && state.has(node.name)) {
          stack.pop();
          continue;
        }
        state.set(node.name, 'open');
        const input = node.input[top.next++];
        if (input === undefined) {
          state.set(node.name, 'done');
          order.push(node);
          stack.pop();
          continue;
        }
        const source = this.nodes.get(nodeNameOf(input));
        if (source !== undefined && !state.has(source.name)) stack.push({ node: source, next: 0 });
      }
    }
    return order;
  }

  /** The graph as a message, with the functions that it needs. */
  /** Drops the functions that no node calls; how many these were. */
  dropFunctions(): number {
    const { library } = this.def;
    if (library === undefined) return 0;
    const kept = neededFunctions(library, [...this.nodes.values()]);
    const dropped = (library.function?.length ?? 0) - (kept?.function?.length ?? 0);
    this.def = { ...this.def, library: kept };
    return dropped;
  }

  toGraphDef(): Init<GraphDef> {
    return { ...this.def, node: [...this.nodes.values()] };
  }
}

/** Whether running the node does something besides computing its outputs. Unknown ops may. */
export function hasEffect(node: EditableNode): boolean {
  const def = lookupOp(node.op);
  if (CONTROL_FLOW.has(node.op)) return false;
  return def === undefined || def.stateful;
}

/** Control flow of version 1: not registered, without effects of its own. */
export const CONTROL_FLOW: ReadonlySet<string> = new Set([
  'Switch',
  'Merge',
  'Enter',
  'Exit',
  'NextIteration',
  'LoopCond',
  'ControlTrigger',
  'RefSwitch',
  'RefMerge',
  'RefEnter',
  'RefExit',
  'RefNextIteration',
]);
