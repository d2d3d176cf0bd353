import { lookupOp, op, TensorShape } from '@forerun/graph';

const infer = (): TensorShape[] => [];
const grad = (): [] => [];

/** The only attribute that a record declares by `text`. */
const attr = (text: string): unknown => op({ summary: '', infer, grad, attrs: [text] }).attrs[0];

describe('op signatures', () => {
  it.each([
    ['N: int >= 1', { name: 'N', kind: 'int', minimum: 1 }],
    ['T: type', { name: 'T', kind: 'type' }],
    ['k: bool = true', { name: 'k', kind: 'bool', default: { kind: 'bool', value: true } }],
    ['f: float = 0.5', { name: 'f', kind: 'float', default: { kind: 'float', value: 0.5 } }],
    ['s: string = "a"', { name: 's', kind: 'string', default: { kind: 'string', value: 'a' } }],
    [
      'd: list(int) = [1, 1]',
      { name: 'd', kind: 'list(int)', default: { kind: 'list(int)', value: [1, 1] } },
    ],
    ['e: list(int) = []', { name: 'e', kind: 'list(int)', default: { kind: 'list(int)', value: [] } }],
    [
      'T: {float32, int32} = int32',
      { name: 'T', kind: 'type', allowed: ['float32', 'int32'], default: { kind: 'type', value: 'int32' } },
    ],
    ['p: {"SAME", "VALID"}', { name: 'p', kind: 'string', allowed: ['SAME', 'VALID'] }],
    ['T: index', { name: 'T', kind: 'type', allowed: ['int32', 'int64'] }],
    [
      'shape: shape = <unknown>',
      { name: 'shape', kind: 'shape', default: { kind: 'shape', value: TensorShape.UNKNOWN } },
    ],
  ])('reads the attribute %s', (text, want) => {
    expect(attr(text)).toEqual(want);
  });

  it('reads arguments', () => {
    const { inputs } = op({
      summary: '',
      infer,
      grad,
      inputs: ['a: T', 'b: N * T', 'c: L', 'd: Ref(T)', 'e: int32'],
      attrs: ['T: type', 'N: int', 'L: list(type)'],
    });
    expect(inputs).toEqual([
      { name: 'a', typeAttr: 'T', isRef: false },
      { name: 'b', typeAttr: 'T', numberAttr: 'N', isRef: false },
      { name: 'c', typeListAttr: 'L', isRef: false },
      { name: 'd', typeAttr: 'T', isRef: true },
      { name: 'e', dtype: 'int32', isRef: false },
    ]);
  });

  it('rejects what it cannot read', () => {
    expect(() => attr('x')).toThrow(/malformed attribute "x"/);
    expect(() => op({ summary: '', infer, grad, inputs: ['a'] })).toThrow(/malformed argument "a"/);
    expect(() => op({ summary: '', infer, grad, inputs: ['a: T'] })).toThrow(/names neither a dtype nor/);
  });

  it('is found by op type', () => {
    expect(lookupOp('Reshape')?.inputs.map((input) => input.name)).toEqual(['tensor', 'shape']);
    expect(lookupOp('Nothing')).toBeUndefined();
  });
});
