/** The elementwise ops of a chain as one program: the programs of the ops, joined step by step. */
import { InternalError } from '@forerun/graph';
import {
  computedDType,
  computedOperand,
  elementwiseOfOp,
  type AdapterFacts,
  type ElementRef,
  type ElementwiseProgram,
  type ElementwiseStep,
  type Operand,
} from '@forerun/kernels-webgpu';
import type { Alike } from './alike.js';
import { isLiteral, kernelOf, type Unit } from './fuse.js';
import type { HostValues } from './hostValues.js';
import { describe, inputOf, outputOf, type IrNode, type IrValue } from './ir.js';
import { contextOf, operandOf } from './kernelContext.js';

/** An input of a joined program: the value, and the shape under which a step reads it. */
interface JoinedInput {
  readonly value: IrValue;
  readonly operand: Operand;
}

export class ChainProgram {
  readonly #inputs: JoinedInput[] = [];
  readonly #steps: ElementwiseStep[] = [];
  readonly #results = new Map<IrValue, ElementRef>();

  constructor(
    private readonly unit: Unit,
    private readonly host: HostValues,
    private readonly adapter: AdapterFacts,
    private readonly programs: Alike<ElementwiseProgram>,
  ) {}

  /** The values that the joined program reads, in the order of its inputs. */
  get inputs(): IrValue[] {
    return this.#inputs.map(({ value }) => value);
  }

  add(node: IrNode): void {
    const kernel = kernelOf(node);
    if (kernel.kind !== 'elementwise') throw new InternalError(`${describe(node)} is not elementwise`);
    const context = contextOf(node, this.host, this.adapter);
    const program = this.programs.get(context, (c) => elementwiseOfOp(kernel, c));
    const base = this.#steps.length;
    for (const step of program.steps) {
      const operands: Record<string, ElementRef> = {};
      for (const [name, ref] of Object.entries(step.operands)) {
        operands[name] = this.relocate(ref, node, program.inputs, base);
      }
      this.#steps.push({ ...step, operands });
    }
    this.#results.set(outputOf(node), { kind: 'step', index: base + (program.outputs[0] ?? 0) });
  }

  private relocate(ref: ElementRef, node: IrNode, operands: readonly Operand[], base: number): ElementRef {
    if (ref.kind === 'literal') return ref;
    if (ref.kind === 'step') return { kind: 'step', index: ref.index + base };
    const value = inputOf(node, ref.index);
    return this.reference(value, operands[ref.index] ?? computedOperand(operandOf(value)));
  }

  private reference(value: IrValue, operand: Operand): ElementRef {
    const result = this.#results.get(value);
    if (result !== undefined) return result;
    if (isLiteral(value, this.host)) {
      const literal = this.host.get(value)?.data[0];
      if (literal !== undefined)
        return { kind: 'literal', value: literal, dtype: computedDType(value.dtype) };
    }
    const shape = operand.shape.join();
    const known = this.#inputs.findIndex(
      (input) => input.value === value && input.operand.shape.join() === shape,
    );
    if (known >= 0) return { kind: 'input', index: known };
    this.#inputs.push({ value, operand });
    return { kind: 'input', index: this.#inputs.length - 1 };
  }

  finish(): ElementwiseProgram {
    return {
      label: this.unit.nodes.map((node) => node.type).join('+'),
      shape: outputOf(this.unit.root).shape,
      inputs: this.#inputs.map(({ operand }) => operand),
      steps: this.#steps,
      outputs: [this.#steps.length - 1],
    };
  }
}
