/** What the passes over arithmetic and layout make of programs, without a device. */
import * as fr from '@forerun/graph';
import { compileStages, types, zeros } from './support/compileStages.js';

/** Types of the program's nodes behind those that are fed and constants. */
function compiled(
  build: (x: fr.Tensor) => fr.Tensor,
  shape: readonly number[],
  dtype: fr.DType = 'float32',
): string[] {
  const x = fr.placeholder(dtype, shape);
  const value =
    dtype === 'float32'
      ? zeros(...shape)
      : new fr.TensorValue(dtype, shape, new Int32Array(fr.sizeOf(shape)));
  const { program } = compileStages([build(x)], { feeds: new Map([[x, value]]) });
  return types(program).filter((type) => type !== 'Placeholder' && type !== 'Const');
}

beforeEach(() => fr.resetDefaultGraph());

describe('arithmetic', () => {
  test.each<[string, (x: fr.Tensor) => fr.Tensor, string[]]>([
    ['a quotient by a power of two is a product', (x) => fr.realDiv(x, 8), ['Mul']],
    ['a quotient by 3 stays', (x) => fr.realDiv(x, 3), ['RealDiv']],
    [
      'a quotient by a number whose reciprocal is subnormal stays',
      (x) => fr.realDiv(x, 2 ** 127),
      ['RealDiv'],
    ],
    ['a quotient by 0 stays', (x) => fr.realDiv(x, 0), ['RealDiv']],
    ['a second power is a square', (x) => fr.pow(x, 2), ['Square']],
    ['a first power is nothing', (x) => fr.exp(fr.pow(x, 1)), ['Exp']],
    ['a power of -1 is a reciprocal', (x) => fr.pow(x, -1), ['Reciprocal']],
    ['a power of 0.5 stays', (x) => fr.pow(x, 0.5), ['Pow']],
    ['adding what is negated subtracts', (x) => fr.add(fr.exp(x), fr.neg(x)), ['Exp', 'Sub']],
    ['subtracting what is negated adds', (x) => fr.sub(fr.exp(x), fr.neg(x)), ['Exp', 'AddV2']],
    ['subtracting 0 is nothing', (x) => fr.exp(fr.sub(x, 0)), ['Exp']],
    ['subtracting -0 stays', (x) => fr.exp(fr.sub(x, fr.constant(-0))), ['Sub', 'Exp']],
    ['signs of factors cancel', (x) => fr.mul(fr.neg(x), fr.neg(fr.exp(x))), ['Exp', 'Mul']],
    ['two negations are nothing', (x) => fr.exp(fr.neg(fr.neg(x))), ['Exp']],
    ['a second relu is nothing', (x) => fr.relu(fr.relu(x)), ['Relu']],
    ['a square needs no sign', (x) => fr.square(fr.abs(x)), ['Square']],
  ])('%s', (_, build, expected) => {
    expect(compiled(build, [2, 3])).toEqual(expected);
  });

  test.each<[string, (x: fr.Tensor) => fr.Tensor, string[]]>([
    ['a floored quotient by 8 shifts', (x) => fr.floorDiv(x, 8), ['RightShift']],
    ['a floored quotient by -8 stays', (x) => fr.floorDiv(x, -8), ['FloorDiv']],
    ['a floored quotient by 6 stays', (x) => fr.floorDiv(x, 6), ['FloorDiv']],
    ['a remainder by 16 keeps bits', (x) => fr.floorMod(x, 16), ['BitwiseAnd']],
    ['a remainder by 0 stays', (x) => fr.floorMod(x, 0), ['FloorMod']],
  ])('%s', (_, build, expected) => {
    expect(compiled(build, [2, 3], 'int32')).toEqual(expected);
  });
});

describe('layout', () => {
  const toLast = { perm: [0, 2, 3, 1] };
  const toFirst = { perm: [0, 3, 1, 2] };

  test.each<[string, (x: fr.Tensor) => fr.Tensor, string[]]>([
    ['two transposes become one', (x) => fr.transpose(fr.transpose(x, toLast), toLast), ['Transpose']],
    [
      'a transpose and its inverse are nothing',
      (x) => fr.exp(fr.transpose(fr.transpose(x, toLast), toFirst)),
      ['Exp'],
    ],
    [
      'a permutation that moves nothing is nothing',
      (x) => fr.exp(fr.transpose(x, { perm: [0, 1, 2, 3] })),
      ['Exp'],
    ],
    [
      'elementwise ops between them are done in the first order',
      (x) => fr.transpose(fr.relu(fr.mul(fr.transpose(x, toLast), 0.3)), toFirst),
      ['Mul', 'Relu'],
    ],
    [
      'operands with a value for each channel are moved as views',
      (x) => fr.transpose(fr.add(fr.transpose(x, toLast), fr.constant([1, 2, 3])), toFirst),
      ['Reshape', 'Add'],
    ],
    [
      'nothing is moved where another transpose would be needed',
      (x) => fr.transpose(fr.add(fr.transpose(x, toLast), fr.reshape(x, [2, 4, 5, 3])), toFirst),
      ['Transpose', 'Reshape', 'Add', 'Transpose'],
    ],
    [
      'a sum over transposed axes sums the axes themselves',
      (x) => fr.reduceSum(fr.transpose(x, toLast), { axis: [0, 1, 2] }),
      ['Sum'],
    ],
    [
      'axes that stay keep their places',
      (x) => fr.reduceMax(fr.transpose(x, toLast), { axis: [-1], keepDims: true }),
      ['Max', 'Reshape'],
    ],
    [
      'a sum that would leave the rest in another order stays',
      (x) => fr.reduceSum(fr.transpose(x, toLast), { axis: 1 }),
      ['Transpose', 'Sum'],
    ],
  ])('%s', (_, build, expected) => {
    expect(compiled(build, [2, 3, 4, 5])).toEqual(expected);
  });

  test('a transpose that moves only axes of size 1 is a view', () => {
    expect(compiled((x) => fr.exp(fr.transpose(x, { perm: [1, 0, 2] })), [1, 4, 5])).toEqual([
      'Reshape',
      'Exp',
    ]);
  });

  test('products read their factors transposed', () => {
    const x = fr.placeholder('float32', [2, 3, 4]);
    const product = fr.matMul(fr.transpose(x, { perm: [0, 2, 1] }), x);
    const { program } = compileStages([product], { feeds: new Map([[x, zeros(2, 3, 4)]]) });
    const [node] = program.nodes.filter(({ type }) => type.startsWith('BatchMatMul'));
    expect(types(program)).not.toContain('Transpose');
    expect([node?.attrs.bool('adj_x'), node?.attrs.bool('adj_y')]).toEqual([true, false]);
  });

  test('what waits for something stays', () => {
    const x = fr.placeholder('float32', [2, 3]);
    const v = new fr.Variable(fr.constant(1), { name: 'v' });
    const turned = fr.controlDependencies([v.assign(2)], () => fr.transpose(x));
    const back = fr.transpose(turned);
    const { program } = compileStages([back], { feeds: new Map([[x, zeros(2, 3)]]) });
    expect(types(program).filter((type) => type === 'Transpose')).toHaveLength(2);
  });
});

describe('sums', () => {
  const TYPES = ['Mean', 'Max', 'MatMul', 'AddV2', 'AddN', 'Sum', 'Neg'];
  /** Types in order, of `build` over so many values of a shape. */
  function summed(
    build: (xs: readonly fr.Tensor[]) => fr.Tensor,
    shape: readonly number[],
    count = 4,
  ): string {
    const feeds = new Map<fr.Tensor, fr.TensorValue>();
    const xs = Array.from({ length: count }, () => fr.placeholder('float32', shape));
    xs.forEach((x) => feeds.set(x, zeros(...shape)));
    const { program } = compileStages([build(xs)], { feeds });
    return types(program)
      .filter((type) => TYPES.includes(type))
      .join(' ');
  }
  const products = (xs: readonly fr.Tensor[]): fr.Tensor[] => xs.map((x) => fr.matMul(x, x));
  const chained = 'MatMul MatMul AddV2 MatMul AddV2 MatMul AddV2';

  test.each<[string, (xs: readonly fr.Tensor[]) => fr.Tensor, string]>([
    ['a sum of products is added up as they come', (xs) => fr.addN(products(xs)), chained],
    [
      'whichever way it is written',
      (xs) => products(xs).reduceRight((sum, product) => fr.add(sum, product)),
      chained,
    ],
    [
      'other terms come last',
      (xs) =>
        fr.addN([fr.neg(fr.constant(1, { shape: [80, 80] })), ...products(xs)].map((x) => fr.identity(x))),
      'MatMul MatMul AddV2 MatMul AddV2 MatMul AddN',
    ],
    [
      'a product with another reader is one of those',
      (xs) => {
        const [first = fr.constant(0), ...rest] = products(xs);
        return fr.matMul(fr.addN([first, ...rest]), first);
      },
      'MatMul MatMul MatMul AddV2 MatMul AddN MatMul',
    ],
    ['a product that counts twice stays', (xs) => fr.addN([...products(xs), ...products(xs)]), ''],
  ])('%s', (_, build, expected) => {
    const found = summed(build, [80, 80]);
    if (expected === '') expect(found).toBe('MatMul MatMul MatMul MatMul AddN');
    else expect(found.replace('Neg ', '')).toBe(expected);
  });

  test.each<[string, readonly number[], number, string]>([
    ['two products', [80, 80], 2, 'MatMul MatMul AddN'],
    ['products that share a dispatch', [16, 16], 4, 'MatMul MatMul MatMul MatMul AddN'],
  ])('%s stay apart', (_, shape, count, expected) => {
    expect(summed((xs) => fr.addN(products(xs)), shape, count)).toBe(expected);
  });

  test('rows are added up before their columns are', () => {
    const sums = (xs: readonly fr.Tensor[]): fr.Tensor =>
      fr.addN(xs.map((x) => fr.reduceSum(fr.matMul(x, x), { axis: 0 })));
    expect(summed(sums, [128, 128])).toBe('MatMul MatMul AddV2 MatMul AddV2 MatMul AddV2 Sum');
    expect(summed(sums, [256, 256])).toBe('MatMul Sum MatMul Sum MatMul Sum MatMul Sum AddN');
  });

  test('so are rows of means, but not those of maxima', () => {
    const of =
      (reduce: (x: fr.Tensor, options: { axis: number }) => fr.Tensor) =>
      (xs: readonly fr.Tensor[]): fr.Tensor =>
        fr.addN(xs.map((x) => reduce(fr.matMul(x, x), { axis: 0 })));
    expect(summed(of(fr.reduceMean), [128, 128], 3)).toBe('MatMul MatMul AddV2 MatMul AddV2 Mean');
    expect(summed(of(fr.reduceMax), [128, 128], 3)).toBe('MatMul Max MatMul Max MatMul Max AddN');
  });
});
