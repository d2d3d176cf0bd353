/** Shape rules of ops that work on variables behind resource handles. */
import type { HandleData, InferContext } from '../opDef.js';

/** The variable behind resource input `i`, checked against attribute `attr`; `null` when it is not known. */
export function inferHandle(c: InferContext, i: number, attr: string): HandleData | null {
  const handle = c.handle(i);
  if (handle !== null && handle.dtype !== c.attrs.type(attr)) {
    c.fail(`the variable is ${handle.dtype}, attribute "${attr}" says ${c.attrs.type(attr)}`);
  }
  return handle;
}

/** Rejects input `i` unless its shape could be that of the variable behind input 0. */
export function checkVariableShape(c: InferContext, i: number, what: string, attr = 'dtype'): void {
  const handle = inferHandle(c, 0, attr);
  if (handle !== null && !handle.shape.isCompatibleWith(c.shape(i))) {
    c.fail(`${what} has shape ${c.shape(i).toString()}, the variable has ${handle.shape.toString()}`);
  }
}
