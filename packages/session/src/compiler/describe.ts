/** What a node of a program takes over from the operation of the graph that it stands for. */
import { UnimplementedError, type OpDef, type Operation } from '@forerun/graph';
import { saltedSeeds } from '@forerun/kernels-webgpu';
import type { IrNode } from './ir.js';
import type { Frame } from './values.js';

/** The part of a node that only depends on its operation. */
export type Described = Pick<IrNode, 'type' | 'name' | 'attrs' | 'def' | 'sources' | 'site' | 'origin'>;

/** Name, attributes and origin of a node in the graph itself. */
export function describeOp(op: Operation, def: OpDef): Described {
  const { type, name, attrs } = op;
  return { type, name, attrs, def, sources: [name], site: () => op.creationSite(), origin: op };
}

/** Name, attributes and origin of a node in a frame; random ops of a call get seeds of their own. */
export function describeIn({ path, salt, origin }: Frame, op: Operation, def: OpDef): Described {
  const described = describeOp(op, def);
  if (path === '') return described;
  const attrs = saltedSeeds(op.attrs, salt, op.name);
  const name = `${path}${op.name}`;
  return { ...described, attrs, name, sources: [name], origin };
}

/** The record of an op. Throws `UnimplementedError` for a type that is only known from a file. */
export function requireDef(op: Operation): OpDef {
  if (op.def === undefined)
    throw new UnimplementedError(`${op.describe()}: the op type is not known to Forerun`);
  return op.def;
}
