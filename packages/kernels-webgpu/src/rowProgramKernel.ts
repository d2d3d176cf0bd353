/** Writes the kernels of row programs. */
import { readsVectors, type ElementRef, type ElementwiseStep } from './elementwiseProgram.js';
import { stepStatements } from './elementwise.js';
import type { AdapterFacts, Dispatch, ShaderBinding } from './kernel.js';
import { rowDispatch, type RowReduction, type RowSteps } from './rowKernel.js';
import {
  firstColumn,
  rowStrides,
  stagesOf,
  type RowInput,
  type RowProgram,
  type RowStages,
} from './rowProgram.js';
import { literal, loaded, storageType, stored, valueType, type Width } from './wgsl/dtype.js';
import { collapseStrides, linearIndex, unflatten, withOffset } from './wgsl/indexing.js';
import { widen } from './wgsl/library.js';

/** The dispatch of a row program: its inputs and outputs are bound as inputs and outputs of their own numbers. */
export function lowerRows(program: RowProgram, adapter: AdapterFacts): Dispatch {
  const writer = new RowWriter(program);
  return rowDispatch(
    { adapter },
    {
      label: program.label,
      rows: program.rows,
      columns: program.columns,
      width: writer.width,
      bindings: writer.bindings(),
      body: (steps) => writer.body(steps),
    },
  );
}

/** Where an input per element lies: at the sum of a part for the row and a part for the column, from `offset` on. */
interface Place {
  readonly offset: number;
  readonly row: { readonly shape: readonly number[]; readonly strides: readonly number[] };
  readonly column: { readonly shape: readonly number[]; readonly strides: readonly number[] };
}

function placeOf(input: RowInput, columns: number): Place {
  const strides = rowStrides(input);
  const first = input.level === 'row' ? input.shape.length : firstColumn(input.shape, columns);
  const rows = collapseStrides(input.shape.slice(0, first), [strides.slice(0, first)]);
  const across = collapseStrides(input.shape.slice(first), [strides.slice(first)]);
  return {
    offset: input.operand.part?.offset ?? 0,
    row: { shape: rows.shape, strides: rows.strides[0] ?? [] },
    column: { shape: across.shape, strides: across.strides[0] ?? [] },
  };
}

class RowWriter {
  readonly width: Width;
  readonly #places: readonly Place[];
  readonly #stages: RowStages;

  constructor(private readonly program: RowProgram) {
    this.#places = program.inputs.map((input) => placeOf(input, program.columns));
    this.#stages = stagesOf(program);
    const wide = program.inputs.every(({ level, operand }, k) => {
      const place = this.#places[k];
      if (level === 'row' || place === undefined) return true;
      const { row, column } = place;
      return (
        (column.shape.at(-1) ?? 4) % 4 === 0 && readsVectors(operand, [...row.strides, ...column.strides])
      );
    });
    const stored = program.outputs.every((value) => (this.periodOf(value) ?? 4) % 4 === 0);
    this.width = wide && stored && program.columns % 4 === 0 ? 4 : 1;
  }

  bindings(): ShaderBinding[] {
    const { inputs, outputs } = this.program;
    return [
      ...inputs.map(({ operand }, index): ShaderBinding => ({
        name: `in${index}`,
        source: { kind: 'input', index },
        dtype: operand.dtype,
        width: this.inputWidth(index),
        access: 'read',
      })),
      ...outputs.map((value, index): ShaderBinding => ({
        name: `out${index}`,
        source: { kind: 'output', index },
        dtype: this.dtypeOf(value),
        width: this.isElement(value) ? this.width : 1,
      })),
    ];
  }

  /** Loads and steps per row, then loop after loop, with what can be computed per row after each. */
  body(steps: RowSteps): string {
    const { values, inputs, outputs, columns } = this.program;
    const lines = [`let row_base = row * ${columns / this.width}u;`];
    inputs.forEach((_, k) => lines.push(this.rowLoad(k)));
    this.#stages.loops.forEach((_, stage) => {
      values.forEach((value, i) => {
        if (value.kind !== 'step' || value.level !== 'row' || this.#stages.stageOf[i] !== stage) return;
        lines.push(this.statements([value.step], 1, `v${i}_`, (ref) => ref));
      });
      lines.push(this.loop(stage, steps));
    });
    const rowOutputs = outputs.flatMap((value, k) =>
      this.isElement(value) ? [] : [this.rowStore(value, k)],
    );
    if (rowOutputs.length > 0) lines.push(steps.once(rowOutputs.join('\n')));
    return lines.filter((line) => line !== '').join('\n');
  }

  private isElement(value: number): boolean {
    return this.program.values[value]?.level === 'element';
  }

  private periodOf(value: number): number | undefined {
    const found = this.program.values[value];
    return found?.kind === 'step' ? found.period : undefined;
  }

  private dtypeOf(value: number): ElementwiseStep['dtype'] {
    const found = this.program.values[value];
    return found?.kind === 'step' ? found.step.dtype : 'float32';
  }

  /** Whether an input has one value per row. */
  private isPerRow(k: number): boolean {
    return this.#places[k]?.column.strides.every((stride) => stride === 0) !== false;
  }

  private inputWidth(k: number): Width {
    return !this.isPerRow(k) && this.#places[k]?.column.strides.at(-1) === 1 ? this.width : 1;
  }

  /** The value of an input per row, or where the row of an input per element begins. */
  private rowLoad(k: number): string {
    const { operand } = this.program.inputs[k] ?? {};
    const place = this.#places[k];
    if (operand === undefined || place === undefined) return '';
    const { code, names } = unflatten('row', place.row.shape, `r${k}_`);
    const width = this.inputWidth(k);
    const strides = place.row.strides.map((stride) => stride / width);
    const index = withOffset(linearIndex(names, strides), place.offset / width);
    const text = this.isPerRow(k)
      ? `let y${k} = ${loaded(`in${k}[${index}]`, operand.dtype)};`
      : `let base${k} = ${index};`;
    return [code, text].filter((line) => line !== '').join('\n');
  }

  private rowStore(value: number, k: number): string {
    return `out${k}[row] = ${stored(`v${value}_0`, this.dtypeOf(value))};`;
  }

  /** The loop of a stage; empty where nothing ends in it. */
  private loop(stage: number, steps: RowSteps): string {
    const { values, outputs } = this.program;
    const loop = this.#stages.loops[stage];
    if (loop === undefined) return '';
    const reductions = new Map<string, RowReduction>();
    const finishes: string[] = [];
    const at = new Map(loop.values.map((value, position) => [value, position]));
    const name = (ref: ElementRef): string =>
      ref.kind === 'step' ? `e${stage}_${at.get(ref.index) ?? 0}` : this.reference(ref);
    values.forEach((value, i) => {
      if (value.kind !== 'reduce' || this.#stages.stageOf[i] !== stage + 1) return;
      const { identity, map, combine, finish } = value.reducer;
      reductions.set(`t${i}`, {
        identity: literal(identity('float32'), 'float32'),
        combine: (a, b) => combine(a, b, 'float32'),
        element: map === undefined ? name(value.of) : map(name(value.of), 'float32'),
      });
      finishes.push(`let v${i}_0 = ${finish?.(`t${i}`, this.program.columns, 'float32') ?? `t${i}`};`);
    });
    const stores = outputs.flatMap((value, k) => {
      if (!this.isElement(value) || this.#stages.stageOf[value] !== stage) return [];
      const result = widen(stored(`e${stage}_${at.get(value) ?? 0}`, this.dtypeOf(value)), this.width);
      const period = this.periodOf(value);
      if (period === undefined) return [`out${k}[row_base + k] = ${result};`];
      const units = period / this.width;
      return [`if (k < ${units}u) {\nout${k}[row * ${units}u + k] = ${result};\n}`];
    });
    if (reductions.size + stores.length === 0) return '';
    const own = loop.values.flatMap((i) => {
      const value = values[i];
      return value?.kind === 'step' ? [value.step] : [];
    });
    const computed = this.statements(own, this.width, `e${stage}_`, (ref) => {
      const position = ref.kind === 'step' ? at.get(ref.index) : undefined;
      return position === undefined ? null : { kind: 'step', index: position };
    });
    const before = [...loop.inputs.map((k) => this.elementLoad(k)), computed, ...stores]
      .filter((text) => text !== '')
      .join('\n');
    if (reductions.size === 0) return steps.each(before);
    return [steps.reduceAll(reductions, before), ...finishes].join('\n');
  }

  /** Declares `x…`, the element of input `k` at position `k` of the row. */
  private elementLoad(k: number): string {
    const { operand } = this.program.inputs[k] ?? {};
    const place = this.#places[k];
    if (operand === undefined || place === undefined || this.isPerRow(k)) return '';
    const { shape, strides } = place.column;
    const [own, width] = [this.inputWidth(k), this.width];
    const dims = shape.map((dim, d) => (d === shape.length - 1 ? dim / width : dim));
    const { code, names } = unflatten('k', dims, `c${k}_`);
    const scaled = strides.map((stride, d) => (own === 4 && d < strides.length - 1 ? stride / 4 : stride));
    const element = `in${k}[base${k} + ${linearIndex(names, scaled)}]`;
    const splat = own === width ? element : `${storageType(operand.dtype)}(${element})`;
    return [code, `let x${k} = ${widen(loaded(splat, operand.dtype), width)};`]
      .filter((line) => line !== '')
      .join('\n');
  }

  /** Steps as `let` statements; `local` gives what names a step of the same list, else values per row are meant. */
  private statements(
    steps: readonly ElementwiseStep[],
    width: Width,
    prefix: string,
    local: (ref: ElementRef) => ElementRef | null,
  ): string {
    const outside: ElementRef[] = [];
    const moved = (ref: ElementRef): ElementRef => {
      if (ref.kind === 'literal') return ref;
      const own = local(ref);
      if (own !== null && own !== ref) return own;
      return { kind: 'input', index: outside.push(ref) - 1 };
    };
    const own = steps.map((step) => ({
      ...step,
      operands: Object.fromEntries(Object.entries(step.operands).map(([name, ref]) => [name, moved(ref)])),
    }));
    return stepStatements(own, (index) => this.reference(outside[index]), width, prefix);
  }

  /** WGSL for an input or a value per row; those per row are given the width by `widen`. */
  private reference(ref: ElementRef | undefined): string {
    if (ref?.kind === 'step') return `${valueType(this.dtypeOf(ref.index))}(v${ref.index}_0)`;
    if (ref?.kind !== 'input') return 'f32(0.0)';
    if (!this.isPerRow(ref.index)) return `x${ref.index}`;
    return `${valueType(this.program.inputs[ref.index]?.operand.dtype ?? 'float32')}(y${ref.index})`;
  }
}
