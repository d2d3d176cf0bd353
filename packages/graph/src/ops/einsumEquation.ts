/**
 * Equations of `Einsum`: `"...ij,jk->...ik"`. A label stands for a dimension; the dimensions of an ellipsis get
 * labels of their own, counted from the last (`.0`, `.1` …), so that all that follows knows labels only.
 */

/** Labels of all operands and of the output. */
export interface EinsumLabels {
  readonly inputs: readonly (readonly string[])[];
  readonly output: readonly string[];
}

const TERM = /^[A-Za-z]*(\.\.\.)?[A-Za-z]*$/;

/** The parts of an equation, or what is wrong with it. The output is `null` without an arrow. */
export function splitEquation(equation: string): { inputs: string[]; output: string | null } | string {
  const sides = equation.replace(/\s/g, '').split('->');
  const [left = '', right = null] = sides;
  if (sides.length > 2) return `the equation "${equation}" has more than one "->"`;
  const inputs = left.split(',');
  const wrong = [...inputs, right ?? ''].find((term) => !TERM.test(term));
  if (wrong !== undefined) {
    return `"${wrong}" in the equation "${equation}" must be of letters with at most one "..."`;
  }
  const foreign = lettersOf(right ?? '').find((label) => !left.includes(label));
  if (foreign !== undefined) return `label "${foreign}" of the output of "${equation}" is in no input`;
  return { inputs, output: right };
}

/** The output that an equation without an arrow means: the ellipsis, then labels that occur once, sorted. */
export function impliedOutput(inputs: readonly string[]): string {
  const all = lettersOf(inputs.join(''));
  const once = all.filter((label) => all.indexOf(label) === all.lastIndexOf(label)).sort();
  return (inputs.some((term) => term.includes('...')) ? '...' : '') + once.join('');
}

export function lettersOf(term: string): string[] {
  return term.replace('...', '').split('');
}

/** Labels of operands of the given ranks, or what is wrong. */
export function labelEquation(equation: string, ranks: readonly number[]): EinsumLabels | string {
  const parts = splitEquation(equation);
  if (typeof parts === 'string') return parts;
  if (parts.output === null) return `the equation "${equation}" has no "->"`;
  if (parts.inputs.length !== ranks.length) {
    return `the equation "${equation}" is for ${parts.inputs.length} inputs, got ${ranks.length}`;
  }
  const widths = parts.inputs.map((term, i) => (ranks[i] ?? 0) - lettersOf(term).length);
  for (const [i, term] of parts.inputs.entries()) {
    const width = widths[i] ?? 0;
    if (term.includes('...') ? width < 0 : width !== 0) {
      return `"${term}" in the equation "${equation}" does not fit input ${i} of rank ${ranks[i] ?? 0}`;
    }
  }
  const widest = Math.max(0, ...widths);
  return {
    inputs: parts.inputs.map((term, i) => expand(term, widths[i] ?? 0)),
    output: expand(parts.output, widest),
  };
}

function expand(term: string, width: number): string[] {
  const [before = '', after] = term.split('...');
  if (after === undefined) return before.split('');
  const dots = Array.from({ length: width }, (_, i) => `.${width - 1 - i}`);
  return [...before.split(''), ...dots, ...after.split('')];
}
