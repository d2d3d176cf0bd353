/**
 * Loops as TensorFlow 1.15 writes them without functional control flow, with what the way back needs of them. The
 * builders follow `control_flow_state.py` and `tensor_array_grad.py` in what they make of a loop.
 */
import { F, I, R, enter, merge, node, scalar, type Attrs } from './nodes.js';

/** A loop under construction; `nodes` is text of a `GraphDef`. */
export class Loop {
  readonly nodes: string[] = [];
  #next = 0;

  constructor(
    readonly scope: string,
    readonly frame = `${scope}/while_context`,
  ) {}

  add(name: string, op: string, inputs: string, attrs: Attrs = {}): string {
    this.nodes.push(node(`${this.scope}/${name}`, op, inputs, attrs));
    return `${this.scope}/${name}`;
  }

  /** A value from outside that is the same in every iteration. */
  constant(name: string, value: string, type: Attrs): string {
    this.nodes.push(enter(`${this.scope}/${name}`, value, this.frame, type, true));
    return `${this.scope}/${name}`;
  }

  /** A loop variable: the names of its `Merge`, and of its value in the body. */
  variable(
    initial: string,
    type: Attrs,
  ): { merge: string; body: string; finish: (next: string, controls?: string) => string } {
    const suffix = this.#next === 0 ? '' : `_${this.#next}`;
    this.#next++;
    this.nodes.push(enter(`${this.scope}/Enter${suffix}`, initial, this.frame, type));
    this.nodes.push(
      merge(
        `${this.scope}/Merge${suffix}`,
        `${this.scope}/Enter${suffix}`,
        `${this.scope}/NextIteration${suffix}`,
        type,
      ),
    );
    const switched = this.add(
      `Switch${suffix}`,
      'Switch',
      `${this.scope}/Merge${suffix} ${this.scope}/LoopCond`,
      type,
    );
    const body = this.add(`Identity${suffix}`, 'Identity', `${switched}:1`, type);
    return {
      merge: `${this.scope}/Merge${suffix}`,
      body,
      finish: (next, controls = '') => {
        this.add(`NextIteration${suffix}`, 'NextIteration', `${next} ${controls}`, type);
        return this.add(`Exit${suffix}`, 'Exit', switched, type);
      },
    };
  }

  condition(pred: string): void {
    this.add('LoopCond', 'LoopCond', pred);
  }
}

/** The stacks by which a loop hands values to the loop that goes backward (`AddForwardAccumulator`). */
export class History {
  readonly nodes: string[] = [];
  readonly #pushes: string[] = [];
  #index = '';
  readonly #count: ReturnType<Loop['variable']>;

  constructor(
    private readonly forward: Loop,
    controls = '',
  ) {
    this.nodes.push(scalar(`${forward.scope}/f_count`, 0, controls, 'INT32'));
    this.#count = forward.variable(`${forward.scope}/f_count`, I);
    forward.nodes.push(scalar(`${forward.scope}/f_count/one`, 1, `^${this.#count.body}`, 'INT32'));
    this.#index = forward.add('f_count/Add', 'Add', `${this.#count.body} ${forward.scope}/f_count/one`, I);
  }

  /** Pushes a value of the forward loop; the stack. */
  push(value: string, type: Attrs, context: (stack: string) => string = (stack) => stack): string {
    const id = this.#pushes.length;
    const stack = `${this.forward.scope}/f_acc_${id}`;
    const dtype = type.T ?? '';
    this.nodes.push(scalar(`${stack}/max_size`, -1, '', 'INT32'));
    this.nodes.push(node(stack, 'StackV2', `${stack}/max_size`, { elem_type: dtype, stack_name: 's: ""' }));
    const entered = context(this.forward.constant(`f_acc_${id}/Enter`, stack, R));
    this.#pushes.push(
      this.forward.add(`push_${id}`, 'StackPushV2', `${entered} ${value} ^${this.#index}`, type),
    );
    return stack;
  }

  /** Ends the counter, which comes after all pushes; the number of iterations. */
  finish(through = ''): string {
    const pushes = through === '' ? this.#pushes.map((push) => `^${push}`).join(' ') : through;
    return this.#count.finish(this.#index, pushes);
  }

  get pushes(): readonly string[] {
    return this.#pushes;
  }
}

/** The loop that goes backward: counts down, pops, accumulates. */
export class Backward extends Loop {
  readonly #pops: string[] = [];
  readonly #outside: string[] = [];
  readonly #count: ReturnType<Loop['variable']>;
  readonly #index: string;

  constructor(scope: string, count: string) {
    super(scope);
    this.#outside.push(scalar(`${scope}/b_count`, 1, '', 'INT32'));
    this.#count = this.variable(count, I);
    const one = this.constant('GreaterEqual/Enter', `${scope}/b_count`, I);
    this.condition(this.add('GreaterEqual', 'GreaterEqual', `${this.#count.merge} ${one}`, I));
    this.#index = this.add('Sub', 'Sub', `${this.#count.body} ${one}`, I);
  }

  pop(stack: string, type: Attrs, context: (stack: string) => string = (entered) => entered): string {
    const id = this.#pops.length;
    const entered = context(this.constant(`pop_${id}/Enter`, stack, R));
    const pop = this.add(`pop_${id}`, 'StackPopV2', `${entered} ^${this.#index}`, {
      elem_type: type.T ?? '',
    });
    this.#pops.push(pop);
    return pop;
  }

  /** The sum of a gradient over the iterations (`AddBackpropAccumulator`). */
  accumulate(name: string, zero: string, value: string): string {
    this.#outside.push(zero);
    const acc = this.variable(`${this.scope}/${name}/b_acc`, F);
    return acc.finish(this.add(`${name}/Add`, 'Add', `${acc.body} ${value}`, F));
  }

  text(): string {
    const sync = this.add('b_sync', 'ControlTrigger', this.#pops.map((pop) => `^${pop}`).join(' '));
    this.#count.finish(this.#index, `^${sync}`);
    return [...this.#outside, ...this.nodes].join('');
  }
}

/** A constant of zeros. */
export function zeros(name: string, shape: readonly number[]): string {
  const dims = shape.map((size) => `dim { size: ${size} }`).join(' ');
  return node(name, 'Const', '', {
    dtype: 'type: DT_FLOAT',
    value: `tensor { dtype: DT_FLOAT tensor_shape { ${dims} } float_val: 0 }`,
  });
}

export const input = (name: string, shape: readonly number[]): string =>
  node(name, 'Placeholder', '', {
    dtype: 'type: DT_FLOAT',
    shape: `shape { ${shape.map((size) => `dim { size: ${size} }`).join(' ')} }`,
  });
export const array = (name: string, size: string, dynamic = false): string =>
  node(name, 'TensorArrayV3', size, {
    dtype: 'type: DT_FLOAT',
    element_shape: 'shape { unknown_rank: true }',
    dynamic_size: `b: ${dynamic}`,
    clear_after_read: 'b: true',
    identical_element_shapes: 'b: true',
    tensor_array_name: `s: "${name}"`,
  });
export const gradient = (name: string, handle: string, flow: string): string =>
  node(`${name}/TensorArrayGradV3`, 'TensorArrayGradV3', `${handle} ${flow}`, { source: 's: "gradients"' }) +
  node(`${name}/gradient_flow`, 'Identity', `${flow} ^${name}/TensorArrayGradV3`, F);
export const mat = (transposeA = false, transposeB = false): Attrs => ({
  ...F,
  transpose_a: `b: ${transposeA}`,
  transpose_b: `b: ${transposeB}`,
});
