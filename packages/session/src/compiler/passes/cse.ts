/** Merges nodes that compute the same thing: same type, attributes and inputs, no state, no ordering. */
import type { AttrValue, Attrs, TensorValue } from '@forerun/graph';
import type { IrNode, Program } from '../ir.js';
import { rebuild } from '../rebuild.js';

/** Larger constants are compared by identity. */
const MAX_COMPARED_ELEMENTS = 256;

/** Common-subexpression elimination. */
export function mergeCommon(program: Program): Program {
  const tensorIds = new Map<TensorValue, number>();
  const seen = new Map<string, IrNode>();
  return rebuild(program, (node) => {
    if (node.def.stateful || node.feed !== null || node.controls.length > 0) return null;
    const key =
      node.literal === null ? nodeKey(node, tensorIds) : `Const|${tensorKey(node.literal, tensorIds)}`;
    const first = seen.get(key);
    if (first !== undefined) return first.outputs;
    seen.set(key, node);
    return null;
  });
}

function nodeKey(node: IrNode, tensorIds: Map<TensorValue, number>): string {
  const inputs = node.inputs.map((input) => `${input.node.id}:${input.index}`).join();
  return `${node.type}|${inputs}|${attrsKey(node.attrs, tensorIds)}`;
}

function attrsKey(attrs: Attrs, tensorIds: Map<TensorValue, number>): string {
  return [...attrs.values]
    .filter(([name]) => !name.startsWith('_'))
    .map(([name, value]) => `${name}=${attrKey(value, tensorIds)}`)
    .sort()
    .join(';');
}

function attrKey(attr: AttrValue, tensorIds: Map<TensorValue, number>): string {
  if (attr.kind === 'tensor') return tensorKey(attr.value, tensorIds);
  if (attr.kind === 'func') return attr.value.name + attrsKeyOfMap(attr.value.attrs, tensorIds);
  const items: readonly unknown[] = Array.isArray(attr.value) ? attr.value : [attr.value];
  return `${attr.kind}:${items.map(String).join()}`;
}

function attrsKeyOfMap(attrs: ReadonlyMap<string, AttrValue>, tensorIds: Map<TensorValue, number>): string {
  return [...attrs].map(([name, value]) => `(${name}=${attrKey(value, tensorIds)})`).join('');
}

function tensorKey(value: TensorValue, tensorIds: Map<TensorValue, number>): string {
  const head = `${value.dtype}[${value.shape.join()}]`;
  if (value.data.length <= MAX_COMPARED_ELEMENTS && value.dtype !== 'string') {
    const { data } = value;
    return `${head}:${elementTexts(data).join()}`;
  }
  const id = tensorIds.get(value) ?? tensorIds.size;
  tensorIds.set(value, id);
  return `${head}#${id}`;
}

function elementTexts(data: TensorValue['data']): string[] {
  const texts: string[] = [];
  for (const x of data) texts.push(Object.is(x, -0) ? '-0' : String(x));
  return texts;
}
