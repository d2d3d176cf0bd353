/**
 * Removes nodes that give back their input: identities, reshapes to the same shape, neutral
 * factors. Nothing here changes a value, not even NaN, infinities or signed zeros.
 */
import type { HostValues } from '../hostValues.js';
import { elements, inputOf, outputOf, type IrNode, type IrValue, type Program } from '../ir.js';
import { rebuild } from '../rebuild.js';

type Rule = (node: IrNode, host: HostValues) => readonly IrValue[] | null;

/** Applies to nodes without control inputs only. */
export function removeIdentities(program: Program, host: HostValues): Program {
  return rebuild(program, (node) => {
    if (node.controls.length > 0 || node.feed !== null) return null;
    return RULES[node.type]?.(node, host) ?? null;
  });
}

const passInputs: Rule = (node) => node.inputs;

/** The first input when it has the output's shape and dtype already. */
const sameAsInput: Rule = (node) => {
  const [input, output] = [inputOf(node, 0), outputOf(node)];
  return input.dtype === output.dtype && input.shape.join() === output.shape.join() ? [input] : null;
};

/** The other operand of a binary op whose operand `i` is one everywhere. */
function neutralOne(i: number): Rule {
  return (node, host) => {
    const other = inputOf(node, 1 - i);
    if (elements(inputOf(node, i)) > 64 || other.shape.join() !== outputOf(node).shape.join()) return null;
    const value = host.get(inputOf(node, i));
    return value?.data.every((x) => x === 1) === true ? [other] : null;
  };
}

function firstOf(...rules: Rule[]): Rule {
  return (node, host) => {
    for (const rule of rules) {
      const found = rule(node, host);
      if (found !== null) return found;
    }
    return null;
  };
}

const singleInput: Rule = (node) => (node.inputs.length === 1 ? node.inputs : null);

const RULES: Readonly<Record<string, Rule>> = {
  Identity: passInputs,
  IdentityN: passInputs,
  StopGradient: passInputs,
  PreventGradient: passInputs,
  Snapshot: passInputs,
  GuaranteeConst: passInputs,
  PlaceholderWithDefault: passInputs,
  EnsureShape: passInputs,
  Reshape: sameAsInput,
  Squeeze: sameAsInput,
  ExpandDims: sameAsInput,
  BroadcastTo: sameAsInput,
  Tile: sameAsInput,
  Cast: sameAsInput,
  AddN: singleInput,
  Mul: firstOf(neutralOne(0), neutralOne(1)),
  RealDiv: neutralOne(1),
  Div: neutralOne(1),
};
