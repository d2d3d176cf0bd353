/** Recurrent steps as plain loops over one sequence's numbers: what the cells are compared with. */

export interface LSTMWeights {
  readonly kernel: readonly number[];
  readonly bias: readonly number[];
  /** Peepholes of forget, input and output gate; empty lists without. */
  readonly diagonals?: readonly (readonly number[])[];
  readonly projection?: readonly number[];
  readonly forgetBias?: number;
  readonly cellClip?: number;
  readonly projClip?: number;
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

const clip = (x: number, bound = Infinity): number => Math.min(Math.max(x, -bound), bound);

/** A vector times a row-major matrix. */
export function times(vector: readonly number[], matrix: readonly number[]): number[] {
  const columns = matrix.length / vector.length;
  return Array.from({ length: columns }, (_, j) =>
    vector.reduce((sum, v, i) => sum + v * (matrix[i * columns + j] ?? NaN), 0),
  );
}

/** One LSTM step: the new memory and output. */
export function lstmStep(
  { kernel, bias, diagonals = [], projection = [], forgetBias = 1, cellClip, projClip }: LSTMWeights,
  x: readonly number[],
  c: readonly number[],
  h: readonly number[],
): { c: number[]; h: number[] } {
  const gates = times([...x, ...h], kernel).map((g, i) => g + (bias[i] ?? NaN));
  const n = c.length;
  const gate = (block: number, k: number): number => gates[block * n + k] ?? NaN;
  const peep = (which: number, k: number): number => diagonals[which]?.[k] ?? 0;
  const newC = c.map((old, k) => {
    const forget = sigmoid(gate(2, k) + forgetBias + peep(0, k) * old);
    return clip(forget * old + sigmoid(gate(0, k) + peep(1, k) * old) * Math.tanh(gate(1, k)), cellClip);
  });
  const out = newC.map((m, k) => sigmoid(gate(3, k) + peep(2, k) * m) * Math.tanh(m));
  const newH = projection.length === 0 ? out : times(out, projection).map((p) => clip(p, projClip));
  return { c: newC, h: newH };
}
