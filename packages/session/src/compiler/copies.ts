/** Gives the reads that need it (see schedule.ts) a kernel that copies the variable. */
import {
  adapted,
  computedOperand,
  lowerElementwise,
  type AdapterFacts,
  type Operand,
} from '@forerun/kernels-webgpu';
import { inputOf, outputOf } from './ir.js';
import type { LoweredUnit } from './lower.js';
import type { Schedule } from './schedule.js';

/** The schedule with copying reads turned into device units. */
export function insertCopies({ order, copied }: Schedule, adapter: AdapterFacts): Schedule {
  return {
    copied,
    order: order.map((lowered) => (needsCopy(lowered, copied) ? copyUnit(lowered, adapter) : lowered)),
  };
}

function needsCopy({ unit }: LoweredUnit, copied: Schedule['copied']): boolean {
  return unit.root.type === 'ReadVariableOp' && copied.has(outputOf(unit.root));
}

function copyUnit(unit: LoweredUnit, adapter: AdapterFacts): LoweredUnit {
  const { root } = unit.unit;
  const [handle, output] = [inputOf(root, 0), outputOf(root)];
  const stored: Operand = { dtype: output.dtype, shape: output.shape };
  const operand = computedOperand(stored);
  const lowered = lowerElementwise(
    {
      label: 'copyVariable',
      shape: output.shape,
      inputs: [operand],
      steps: [{ expression: 'x', operands: { x: { kind: 'input', index: 0 } }, dtype: operand.dtype }],
      outputs: [0],
    },
    adapter,
  );
  const { dispatches } = adapted(lowered, { input: () => stored, output: () => stored }, adapter);
  return {
    ...unit,
    kind: dispatches.length === 0 ? 'none' : 'device',
    dispatches: dispatches.map((dispatch) => ({
      dispatch,
      bindings: dispatch.bindings.map(({ source, access, window }) => ({
        source: { kind: 'value', value: source.kind === 'input' ? handle : output },
        access,
        window,
      })),
    })),
  };
}
