/** Ops that look at values on their way: assertions, printing, host functions. */
import { apply, applyOp, convertToTensor, type NameOptions } from '../apply.js';
import { checkOptions } from '../checkOptions.js';
import type { DType } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import { noOutputs, sameShape } from '../inferHelpers.js';
import { gradientMissing, notDifferentiable, op, type InferContext, type OpDef } from '../opDef.js';
import type { Operation } from '../operation.js';
import { TensorShape, type ShapeLike } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import type { TensorValue, ValueLike } from '../value.js';

function scalarCondition(c: InferContext): TensorShape[] {
  if ((c.shape(0).rank ?? 0) !== 0) c.fail(`condition must be a scalar, got shape ${c.shape(0).toString()}`);
  return noOutputs();
}

const STREAMS = ['stdout', 'stderr', 'log(info)', 'log(warning)', 'log(error)'];

function checkStream(c: InferContext, stream: string): void {
  if (STREAMS.includes(stream) || stream.startsWith('file://')) return;
  c.fail(`output_stream must be ${STREAMS.join(', ')} or a file:// path, got "${stream}"`);
}

function hostFunction(summary: string, stateful: boolean): OpDef {
  return op({
    summary,
    inputs: ['input: Tin'],
    outputs: ['output: Tout'],
    attrs: ['token: string', 'Tin: list(type) >= 0', 'Tout: list(type) >= 0'],
    infer: (c) => c.attrs.types('Tout').map(() => TensorShape.UNKNOWN),
    grad: gradientMissing('a host function has a gradient only when jsFunc is given one'),
    stateful,
  });
}

export const DEBUG = {
  Assert: op({
    summary: 'Fails, showing tensors, when a condition does not hold.',
    inputs: ['condition: bool', 'data: T'],
    attrs: ['T: list(type) >= 1', 'summarize: int = 3'],
    infer: scalarCondition,
    grad: notDifferentiable('it has no result'),
    stateful: true,
  }),
  Print: op({
    summary: 'The input, unchanged; prints other tensors.',
    inputs: ['input: T', 'data: U'],
    outputs: ['output: T'],
    attrs: [
      'T: type',
      'U: list(type) >= 0',
      'message: string = ""',
      'first_n: int = -1',
      'summarize: int = 3',
    ],
    infer: sameShape,
    grad: ({ inputs, dy }) => inputs.map((_, i) => (i === 0 ? dy : null)),
    stateful: true,
  }),
  PrintV2: op({
    summary: 'Prints a string.',
    inputs: ['input: string'],
    attrs: ['output_stream: string = "stderr"', 'end: string = "\\n"'],
    infer: (c) => {
      if ((c.shape(0).rank ?? 0) !== 0) c.fail(`input must be a scalar, got shape ${c.shape(0).toString()}`);
      checkStream(c, c.attrs.string('output_stream'));
      return noOutputs();
    },
    grad: notDifferentiable('it has no result'),
    stateful: true,
  }),
  StringFormat: op({
    summary: 'A text with tensors in the place of placeholders.',
    inputs: ['inputs: T'],
    outputs: ['output: string'],
    attrs: [
      'T: list(type) >= 0',
      'template: string = "%s"',
      'placeholder: string = "%s"',
      'summarize: int = 3',
    ],
    infer: (c) => {
      const [template, placeholder] = [c.attrs.string('template'), c.attrs.string('placeholder')];
      const count = template.split(placeholder).length - 1;
      if (count !== c.shapes.length) {
        c.fail(
          `the template "${template}" has ${count} placeholders "${placeholder}" for ${c.shapes.length} inputs`,
        );
      }
      return [TensorShape.SCALAR];
    },
    grad: notDifferentiable('a text is no number'),
  }),
  CheckNumerics: op({
    summary: 'The input, unchanged; fails when an element is NaN or infinite.',
    inputs: ['tensor: T'],
    outputs: ['output: T'],
    attrs: ['T: {bfloat16, float16, float32, float64}', 'message: string'],
    infer: sameShape,
    grad: ({ ops, dy }) => [
      ops.checkNumerics(dy, 'Not a number (NaN) or infinity (Inf) values detected in gradient.'),
    ],
    stateful: true,
  }),
  PyFunc: hostFunction('The results of a function of the host program.', true),
  PyFuncStateless: hostFunction(
    'The results of a function of the host program that depend on its arguments alone.',
    false,
  ),
} satisfies Record<string, OpDef>;

/**
 * An operation that fails with `InvalidArgumentError`, showing `data`, when `condition` (a bool scalar) does not hold
 * (`tf.Assert`). Put what must not run then under `controlDependencies([assertion])`. `summarize`: elements shown.
 */
export function assertThat(
  condition: TensorLike,
  data: readonly TensorLike[],
  { summarize = 3, name }: NameOptions & { readonly summarize?: number } = {},
): Operation {
  return applyOp('Assert', [condition, data.map((item) => convertToTensor(item))], {
    name: name ?? 'Assert',
    attrs: { summarize },
  });
}

export interface PrintOptions extends NameOptions {
  readonly message?: string;
  /** Prints only so many times; -1 (the default) always. */
  readonly firstN?: number;
  /** Elements shown of each tensor; default 3. */
  readonly summarize?: number;
}

/** `input`; prints `data` whenever it is computed (`tf.Print`). */
export function printTensor(
  input: TensorLike,
  data: readonly TensorLike[],
  options: PrintOptions = {},
): Tensor {
  const {
    message = '',
    firstN = -1,
    summarize = 3,
    name,
  } = checkOptions('Print', options, '{ message: "loss" }');
  return apply('Print', [input, data.map((item) => convertToTensor(item))], {
    name: name ?? 'Print',
    attrs: { message, first_n: firstN, summarize },
  });
}

/** A string scalar: `template` with the values of `inputs` in the place of `placeholder`s (`tf.strings.format`). */
export function stringFormat(
  template: string,
  inputs: TensorLike | readonly TensorLike[],
  {
    placeholder = '{}',
    summarize = 3,
    name,
  }: NameOptions & { readonly placeholder?: string; readonly summarize?: number } = {},
): Tensor {
  const list = (Array.isArray(inputs) ? (inputs as readonly TensorLike[]) : [inputs as TensorLike]).map(
    (item) => convertToTensor(item),
  );
  const count = template.split(placeholder).length - 1;
  if (count !== list.length) {
    throw new InvalidArgumentError(
      `stringFormat: the template "${template}" has ${count} placeholders "${placeholder}" for ${list.length} inputs`,
    );
  }
  return apply('StringFormat', [list], {
    name: name ?? 'StringFormat',
    attrs: { template, placeholder, summarize },
  });
}

/** Prints a string scalar (`PrintV2`); `outputStream` is `stderr` or `stdout`. */
export function printV2(
  input: TensorLike,
  { outputStream = 'stderr', name }: NameOptions & { readonly outputStream?: 'stderr' | 'stdout' } = {},
): Operation {
  return applyOp('PrintV2', [input], { name, attrs: { output_stream: outputStream } });
}

/** `tensor`; fails with `InvalidArgumentError` and `message` when an element is NaN or infinite (`tf.debugging.check_numerics`). */
export function checkNumerics(tensor: TensorLike, message: string, { name }: NameOptions = {}): Tensor {
  return apply('CheckNumerics', [tensor], { name, attrs: { message } });
}

/** A function of the host program, as `jsFunc` takes it. */
export type HostFunction = (
  ...inputs: TensorValue[]
) =>
  ValueLike | TensorValue | readonly (ValueLike | TensorValue)[] | Promise<ValueLike | readonly ValueLike[]>;

const hostFunctions = new Map<string, HostFunction>();

/** The function behind the token of a `PyFunc` node, or `undefined` when it is not of this process. */
export function hostFunctionOf(token: string): HostFunction | undefined {
  return hostFunctions.get(token);
}

/** Keeps a function for `PyFunc` nodes and returns their token. */
export function registerHostFunction(func: HostFunction): string {
  const token = `jsfunc_${hostFunctions.size}`;
  hostFunctions.set(token, func);
  return token;
}

export interface JsFuncOptions extends NameOptions {
  /** Whether it must run whenever it is needed (default), or only depends on its arguments. */
  readonly stateful?: boolean;
  /** Shapes of the results, where they are always the same: then what follows is compiled at once. */
  readonly outputShapes?: readonly ShapeLike[];
}

/**
 * Runs a function of the host program in the graph (`tf.py_func`): it gets the inputs' values as `TensorValue` and
 * returns one value per dtype of `Tout` (a list when there are several), or a promise of it. The run waits for it. A
 * graph file keeps the node, not the function. For a gradient wrap it in `customGradient`.
 */
export function jsFunc(
  func: HostFunction,
  inputs: readonly TensorLike[],
  Tout: DType | readonly DType[],
  { stateful = true, outputShapes, name }: JsFuncOptions = {},
): Tensor[] {
  const types: readonly DType[] = typeof Tout === 'string' ? [Tout] : Tout;
  if (outputShapes !== undefined && outputShapes.length !== types.length) {
    throw new InvalidArgumentError(`jsFunc: ${outputShapes.length} outputShapes for ${types.length} results`);
  }
  const token = registerHostFunction(func);
  const made = applyOp(
    stateful ? 'PyFunc' : 'PyFuncStateless',
    [inputs.map((input) => convertToTensor(input))],
    {
      name: name ?? 'JsFunc',
      attrs: { token, Tout: types },
    },
  );
  made.outputs.forEach((output, i) => output.setShape(outputShapes?.[i] ?? null));
  return made.outputs;
}
