/** Merges nodes that compute the same thing: same type, attributes and inputs, no state, no ordering. */
import type { IrNode, Program } from '../ir.js';
import { attrsKey, tensorKey } from '../keys.js';
import { rebuild } from '../rebuild.js';

/** Common-subexpression elimination. */
export function mergeCommon(program: Program): Program {
  const seen = new Map<string, IrNode>();
  return rebuild(program, (node) => {
    if (node.def.stateful || node.feed !== null || node.controls.length > 0) return null;
    const key = node.literal === null ? nodeKey(node) : `Const|${tensorKey(node.literal)}`;
    const first = seen.get(key);
    if (first !== undefined) return first.outputs;
    seen.set(key, node);
    return null;
  });
}

function nodeKey(node: IrNode): string {
  const inputs = node.inputs.map((input) => `${input.node.id}:${input.index}`).join();
  return `${node.type}|${inputs}|${attrsKey(node.attrs)}`;
}
