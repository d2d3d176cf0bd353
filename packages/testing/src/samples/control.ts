/**
 * Cases of the family `control`. There are no samples, because the ops call functions of a graph: here these only
 * return their arguments, in one order or another.
 */
import { TensorShape, type AttrInputs, type DType } from '@forerun/graph';
import type { ErrorCase, FamilySamples, FunctionCase, OpCases, ShapeCase } from '../sample.js';

const ELSEWHERE = {
  testedElsewhere:
    'testing/test/controlFlow.test.ts and session/test/controlFlow.gpu.test.ts run whole loops and conditionals',
  tolerance: 'that of the ops in its functions',
};

const func = (name: string) => ({ kind: 'func', value: { name, attrs: new Map() } }) as const;
const shaped = (...shapes: (number | null)[][]): TensorShape[] => shapes.map((dims) => new TensorShape(dims));
const types = (...value: DType[]) => ({ kind: 'list(type)', value }) as const;

/** Functions of two arguments, float32 and int32. */
const FUNCTIONS: Readonly<Record<string, FunctionCase>> = {
  same: { inputs: '?;?', dtypes: ['float32', 'int32'], returns: [0, 1] },
  swapped: { inputs: '?;?', dtypes: ['float32', 'int32'], returns: [1, 0] },
  first: { inputs: '?;?', dtypes: ['float32', 'int32'], returns: [0] },
  one: { inputs: '?', returns: [0] },
};

const PAIR = { Tout: types('float32', 'int32') };

/** The inputs and attributes of an op that calls functions; `selector` is what comes before the arguments. */
interface Caller {
  readonly selector: string;
  /** The attributes that name the functions, given two of these. */
  readonly calls: (first: string, second: string) => AttrInputs;
  /** Whether the op has the attribute `output_shapes`. */
  readonly declares: boolean;
}

function withArguments({ selector }: Caller, args: string): string {
  return selector === '' ? args : `${selector};${args}`;
}

function dtypesOf({ selector }: Caller): DType[] {
  return selector === '' ? ['float32', 'int32'] : ['int32', 'float32', 'int32'];
}

function shapesOf(caller: Caller): ShapeCase[] {
  const given = { functions: FUNCTIONS, dtypes: dtypesOf(caller) };
  const attrs = { ...caller.calls('same', 'same'), ...PAIR };
  const inputs = withArguments(caller, '[2,?];?');
  const unknown: ShapeCase = { inputs, attrs, ...given, outputs: '?;?' };
  if (!caller.declares) return [unknown];
  return [
    unknown,
    { ...unknown, attrs: { ...attrs, output_shapes: shaped([2, null], [3]) }, outputs: '[2,?];[3]' },
  ];
}

function errorsOf(caller: Caller): ErrorCase[] {
  const given = { functions: FUNCTIONS, dtypes: dtypesOf(caller), inputs: withArguments(caller, '[2];[2]') };
  const attrs = (first: string, second: string): AttrInputs => ({ ...caller.calls(first, second), ...PAIR });
  return [
    {
      ...given,
      attrs: attrs('one', 'one'),
      message: /function "one" takes \(float32\), the arguments are \(float32, int32\)/,
    },
    {
      ...given,
      attrs: attrs('same', 'swapped'),
      message: /function "swapped" gives \(int32, float32\), the results are \(float32, int32\)/,
    },
    {
      ...given,
      attrs: attrs('first', 'same'),
      message: /function "first" gives \(float32\), the results are \(float32, int32\)/,
    },
    ...(caller.declares
      ? [
          {
            ...given,
            attrs: { ...attrs('same', 'same'), output_shapes: shaped([2]) },
            message: /attribute "output_shapes" has 1 shapes for 2 results/,
          },
        ]
      : []),
  ];
}

function cases(caller: Caller, more: readonly ErrorCase[] = []): OpCases {
  return { ...ELSEWHERE, shapes: shapesOf(caller), errors: [...errorsOf(caller), ...more] };
}

const CONDITIONAL: Caller = {
  selector: '[]',
  calls: (first, second) => ({ then_branch: func(first), else_branch: func(second) }),
  declares: true,
};
const CHOICE: Caller = {
  selector: '[]',
  calls: (...names) => ({ branches: { kind: 'list(func)', value: names.map((name) => func(name).value) } }),
  declares: true,
};
/** Calls one function: the second is the one that differs where the cases have two. */
const CALL: Caller = {
  selector: '',
  calls: (first, second) => ({ f: func(first === 'same' ? second : first) }),
  declares: false,
};

const CHOICE_ERRORS: readonly ErrorCase[] = [
  {
    inputs: '[2];[2];[2]',
    dtypes: ['int32', 'float32', 'int32'],
    functions: FUNCTIONS,
    attrs: { ...CHOICE.calls('same', 'same'), ...PAIR },
    message: /branch_index must be a scalar, got shape \[2\]/,
  },
  {
    inputs: '[];[2];[2]',
    dtypes: ['int32', 'float32', 'int32'],
    attrs: { branches: { kind: 'list(func)', value: [] }, ...PAIR },
    message: /attribute "branches" must be at least 1, got 0/,
  },
];

const LOOP_FUNCTIONS: Readonly<Record<string, FunctionCase>> = {
  ...FUNCTIONS,
  both: { inputs: '?;?', dtypes: ['float32', 'int32'], returns: [0, 1] },
};

/** Loops take and give the same values; the condition gives one. */
function loop(): OpCases {
  const given = { functions: LOOP_FUNCTIONS, dtypes: ['float32', 'int32'] as const };
  const attrs = (cond: string, body: string): AttrInputs => ({ cond: func(cond), body: func(body) });
  const plain = attrs('first', 'same');
  return {
    ...ELSEWHERE,
    shapes: [
      { inputs: '[2,?];?', attrs: plain, ...given, outputs: '?;?' },
      {
        inputs: '[2,?];?',
        attrs: { ...plain, output_shapes: shaped([2, null], [3]) },
        ...given,
        outputs: '[2,?];[3]',
      },
    ],
    errors: [
      {
        inputs: '[2];[2]',
        attrs: attrs('both', 'same'),
        ...given,
        message: /function "both" must give one result, it gives \(float32, int32\)/,
      },
      {
        inputs: '[2];[2]',
        attrs: attrs('one', 'same'),
        ...given,
        message: /function "one" takes \(float32\), the arguments are \(float32, int32\)/,
      },
      {
        inputs: '[2];[2]',
        attrs: attrs('first', 'swapped'),
        ...given,
        message: /function "swapped" gives \(int32, float32\), the results are \(float32, int32\)/,
      },
      {
        inputs: '[2];[2]',
        attrs: { ...plain, output_shapes: shaped([2]) },
        ...given,
        message: /attribute "output_shapes" has 1 shapes for 2 results/,
      },
    ],
  };
}

/** The gradient of a function of one argument, or of one of two. */
function symbolicGradient(): OpCases {
  const given = { functions: FUNCTIONS };
  const of = (name: string, ...Tout: DType[]): AttrInputs => ({ f: func(name), Tout: types(...Tout) });
  return {
    testedElsewhere:
      'testing/test/gradientPrograms.ts and session/test/tensorflowPrograms.gpu.test.ts run whole functions',
    tolerance: 'that of the ops in its function',
    shapes: [
      { inputs: '[2,?];[2,3]', attrs: of('one', 'float32'), ...given, outputs: '[2,?]' },
      { inputs: '?;[2]', attrs: of('one', 'float32'), ...given, outputs: '?' },
      { inputs: '[2];[3];[2]', dtypes: ['float32', 'int32', 'float32'], attrs: of('first', 'float32', 'int32'), ...given, outputs: '[2];[3]' }, // prettier-ignore
    ],
    errors: [
      {
        inputs: '[2]',
        attrs: of('one', 'float32'),
        ...given,
        message: /the gradient of function "one" takes \(float32, float32\), the arguments are \(float32\)/,
      },
      {
        inputs: '[2];[3];[2]',
        dtypes: ['float32', 'int32', 'float32'],
        attrs: of('first', 'float32'),
        ...given,
        message: /function "first" has 2 arguments, the node gives 1 gradients/,
      },
      {
        inputs: '[2]',
        attrs: of('one', 'float32', 'float32'),
        ...given,
        message: /gives 2 gradients for 1 inputs, of which some are arguments/,
      },
    ],
  };
}

export const CONTROL_SAMPLES = {
  If: cases(CONDITIONAL),
  StatelessIf: cases(CONDITIONAL),
  Case: cases(CHOICE, CHOICE_ERRORS),
  StatelessCase: cases(CHOICE, CHOICE_ERRORS),
  While: loop(),
  StatelessWhile: loop(),
  PartitionedCall: cases(CALL),
  StatefulPartitionedCall: cases(CALL),
  SymbolicGradient: symbolicGradient(),
} satisfies FamilySamples;
