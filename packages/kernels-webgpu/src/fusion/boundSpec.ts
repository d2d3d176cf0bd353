/** Kernels that are made of others bind their dispatches anew; the spec that fusion works on then follows. */
import type { Dispatch } from '../kernel.js';

/** The dispatch with a spec whose bindings are bound as its own are. */
export function withBoundSpec(dispatch: Dispatch): Dispatch {
  const { spec, bindings } = dispatch;
  const bound = spec.bindings.map((binding, i) => {
    const own = bindings[i];
    if (own === undefined || own.source === binding.source) return binding;
    return { ...binding, source: own.source, access: own.access };
  });
  if (bound.every((binding, i) => binding === spec.bindings[i])) return dispatch;
  return { ...dispatch, spec: { ...spec, bindings: bound } };
}
