/**
 * Float64 references of optimizer updates. Like those of all ops with resource inputs they return the
 * new values of the variables, in the order of the inputs.
 */
import type { HostValue } from '@forerun/graph';
import type { FamilyReferences, Reference, ReferenceContext } from '../sample.js';

/** Updates one element: takes the values of variable and slots and the gradient, returns the new ones. */
type ElementUpdate = (state: readonly number[], grad: number, parameters: readonly number[]) => number[];

/** `state` inputs first; `grad` is the gradient's position; all other inputs are parameters, in order. */
function update(state: number, grad: number, rule: (c: ReferenceContext) => ElementUpdate): Reference {
  return (c) => {
    const parameters = c.inputs
      .filter((_, i) => i >= state && i !== grad)
      .map((value) => value.data[0] ?? NaN);
    const step = rule(c);
    const results: HostValue[] = c.inputs
      .slice(0, state)
      .map((old) => ({ ...old, data: new Float64Array(old.data.length) }));
    c.input(grad).data.forEach((g, i) => {
      const old = Array.from({ length: state }, (_, k) => c.input(k).data[i] ?? NaN);
      step(old, g, parameters).forEach((x, k) => {
        const result = results[k];
        if (result !== undefined) result.data[i] = x;
      });
    });
    return results;
  };
}

export const TRAINING_REFERENCES = {
  ResourceApplyGradientDescent: update(1, 2, () => ([x = 0], g, [alpha = 0]) => [x - alpha * g]),

  ResourceApplyMomentum: update(2, 3, ({ attrs }) => ([x = 0, a = 0], g, [lr = 0, momentum = 0]) => {
    const accum = a * momentum + g;
    return [x - lr * (attrs.bool('use_nesterov') ? g + momentum * accum : accum), accum];
  }),

  ResourceApplyAdam: update(3, 9, ({ attrs }) => ([x = 0, m = 0, v = 0], g, parameters) => {
    const [power1 = 0, power2 = 0, lr = 0, beta1 = 0, beta2 = 0, epsilon = 0] = parameters;
    const newM = beta1 * m + (1 - beta1) * g;
    const newV = beta2 * v + (1 - beta2) * g ** 2;
    const direction = attrs.bool('use_nesterov') ? beta1 * newM + (1 - beta1) * g : newM;
    const rate = (lr * Math.sqrt(1 - power2)) / (1 - power1);
    return [x - (rate * direction) / (Math.sqrt(newV) + epsilon), newM, newV];
  }),
} satisfies FamilyReferences;
