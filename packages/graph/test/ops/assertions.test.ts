/** Assertions: what they make of true and false conditions, and what the shapes tell at once. */
import {
  Graph,
  assertEqual,
  assertGreater,
  assertGreaterEqual,
  assertInteger,
  assertLess,
  assertLessEqual,
  assertNear,
  assertNegative,
  assertNonNegative,
  assertNonPositive,
  assertNoneEqual,
  assertPositive,
  assertRank,
  assertRankAtLeast,
  assertRankIn,
  assertSameFloatDtype,
  assertScalar,
  assertType,
  constant,
  placeholder,
  type Operation,
  type Tensor,
} from '@forerun/graph';
import { interpret } from '@forerun/testing';

const inGraph = <R>(build: () => R): R => new Graph().asDefault(build);
/** The condition that an assertion checks. */
const conditionOf = (op: Operation): Tensor => {
  const [condition] = op.inputs;
  if (op.type !== 'Assert' || condition === undefined) throw new Error(`${op.type} asserts nothing`);
  return condition;
};
const holds = (op: Operation): boolean => interpret([conditionOf(op)])[0]?.data[0] === 1;

it.each([
  ['assertEqual', assertEqual, [1, 2], [1, 2], [1, 3]],
  ['assertNoneEqual', assertNoneEqual, [1, 2], [2, 1], [2, 2]],
  ['assertLess', assertLess, [1, 2], [2, 3], [2, 2]],
  ['assertLessEqual', assertLessEqual, [1, 2], 2, 1],
  ['assertGreater', assertGreater, [1, 2], 0, 1],
  ['assertGreaterEqual', assertGreaterEqual, [1, 2], 1, [1, 3]],
  ['assertNear', assertNear, [1, 2], [1 + 1e-7, 2], [1 + 1e-5, 2]],
] as const)('%s compares element by element', (_, assert, x, good, bad) => {
  inGraph(() => {
    expect(holds(assert(constant(x), good))).toBe(true);
    expect(holds(assert(constant(x), bad))).toBe(false);
    const shown = assert(constant(x), bad, { message: 'the sizes:', summarize: 7 });
    expect(shown.attrs.int('summarize')).toBe(7);
    expect(String(shown.inputs[1]?.op.attrs.tensor('value').data[0])).toMatch(
      /the sizes: x .* y does not hold/,
    );
  });
});

it.each([
  ['assertPositive', assertPositive, [1, 2], [0, 1]],
  ['assertNegative', assertNegative, [-1], [0]],
  ['assertNonNegative', assertNonNegative, [0, 1], [-1]],
  ['assertNonPositive', assertNonPositive, [0, -1], [1]],
] as const)('%s compares with 0', (_, assert, good, bad) => {
  inGraph(() => {
    expect(holds(assert(constant(good, { dtype: 'int32' })))).toBe(true);
    expect(holds(assert(constant(bad)))).toBe(false);
  });
});

it('ranks, dtypes and scalars are checked at once where they are known', () => {
  inGraph(() => {
    const [x, open] = [placeholder('float32', [null, 3], { name: 'x' }), placeholder('int32', null)];
    for (const op of [
      assertRank(x, 2),
      assertRankAtLeast(x, 1),
      assertRankIn(x, [1, 2]),
      assertType(x, 'float32'),
    ]) {
      expect(op.type).toBe('NoOp');
    }
    expect(() => assertRank(x, 3, { message: 'images' })).toThrow(
      /images: x:0 must have rank 3, its shape is \[\?,3\]/,
    );
    expect(() => assertRankAtLeast(x, 3)).toThrow(/x:0 must have rank 3 or more, its shape is \[\?,3\]/);
    expect(() => assertRankIn(x, [0, 1])).toThrow(/x:0 must have rank 0 or 1/);
    expect(() => assertScalar(x)).toThrow(/x:0 must be a scalar/);
    expect(() => assertType(x, 'int32')).toThrow(/x:0 must be int32, it is float32/);
    expect(() => assertInteger(x)).toThrow(/x:0 must hold integers, it is float32/);
    expect(() => assertSameFloatDtype([x, open])).toThrow(/must be float32, it is int32/);
    expect(assertSameFloatDtype([x])).toBe('float32');
    const feed = (size: number[]) =>
      new Map([
        [
          open,
          { dtype: 'int32' as const, shape: size, data: new Float64Array(size.reduce((a, b) => a * b, 1)) },
        ],
      ]);
    const later = conditionOf(assertRankIn(open, [1, 3]));
    expect(interpret([later], feed([2]))[0]?.data[0]).toBe(1);
    expect(interpret([later], feed([2, 2]))[0]?.data[0]).toBe(0);
  });
});
