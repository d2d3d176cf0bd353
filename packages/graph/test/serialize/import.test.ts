/** `importGraphDef`: names, maps, order, loops, inert nodes, and every kind of bad graph. */
import {
  constant,
  Graph,
  importGraphDef,
  InvalidArgumentError,
  Operation,
  placeholder,
  proto,
  Tensor,
  UnimplementedError,
  type ImportOptions,
} from '../../src/index.js';
import { toBytes } from '../../src/proto/utf8.js';

type NodeInit = proto.Init<proto.NodeDef>;

const float: proto.Init<proto.AttrValue> = { type: 1 };
const variable = (name: string): NodeInit => ({ name, op: 'Placeholder', attr: new Map([['dtype', float]]) });
const node = (
  name: string,
  op: string,
  input: string[],
  attr: NodeInit['attr'] = new Map([['T', float]]),
): NodeInit => ({
  name,
  op,
  input,
  attr,
});

function graphDef(nodes: NodeInit[], versions: proto.Init<proto.VersionDef> = { producer: 134 }): Uint8Array {
  return proto.encode('GraphDef', { node: nodes, versions });
}

function load(nodes: NodeInit[], options: ImportOptions = {}): Graph {
  const graph = options.graph ?? new Graph();
  importGraphDef(graphDef(nodes), { name: '', ...options, graph });
  return graph;
}

const XY = [variable('x'), variable('y'), node('s/z', 'AddV2', ['x', 'y'])];

describe('names and elements', () => {
  test('nodes lie under "import", made unique', () => {
    const graph = new Graph();
    importGraphDef(graphDef(XY), { graph });
    importGraphDef(graphDef(XY), { graph });
    expect(graph.operations.map((op) => op.name)).toEqual([
      'import/x',
      'import/y',
      'import/s/z',
      'import_1/x',
      'import_1/y',
      'import_1/s/z',
    ]);
  });

  test('the scope of the caller counts', () => {
    const graph = new Graph();
    graph.nameScope('outer', () => importGraphDef(graphDef(XY), { graph, name: 'inner' }));
    expect(graph.operations[0]?.name).toBe('outer/inner/x');
  });

  test('elements are returned by their names in the file', () => {
    const graph = new Graph();
    const [z, op] = importGraphDef(graphDef(XY), { graph, returnElements: ['s/z:0', 'x'] });
    expect(z).toBeInstanceOf(Tensor);
    expect(op).toBeInstanceOf(Operation);
    expect([z?.name, op?.name]).toEqual(['import/s/z:0', 'import/x']);
    expect(() => importGraphDef(graphDef(XY), { graph, returnElements: ['s/q'] })).toThrow(
      'returnElements: "s/q" is not in the graph',
    );
  });

  test('names that differ in case only are kept', () => {
    expect(load([variable('a'), variable('A')]).operations.map((op) => op.name)).toEqual(['a', 'A']);
  });

  test('current control dependencies do not reach imported nodes', () => {
    const graph = new Graph();
    const first = graph.createOp({ type: 'NoOp' });
    graph.controlDependencies([first], () => importGraphDef(graphDef(XY), { graph }));
    expect(graph.operations.every((op) => op.controlInputs.length === 0)).toBe(true);
  });

  test('colocation follows the nodes', () => {
    const attr = new Map([['_class', { list: { s: [toBytes('loc:@x'), toBytes('loc:@elsewhere')] } }]]);
    const graph = new Graph();
    importGraphDef(graphDef([variable('x'), node('n', 'NoOp', [], attr)]), { graph });
    expect(graph.getOperationByName('import/n').attrs.strings('_class')).toEqual([
      'loc:@import/x',
      'loc:@elsewhere',
    ]);
  });

  test('device labels are kept or cleared', () => {
    const nodes = [{ ...variable('x'), device: '/gpu:0' }];
    expect(load(nodes).operations[0]?.device).toBe('/gpu:0');
    expect(load(nodes, { clearDevices: true }).operations[0]?.device).toBe('');
  });
});

describe('inputMap', () => {
  const mapped = (): { graph: Graph; x: Tensor } => {
    const graph = new Graph();
    return { graph, x: graph.asDefault(() => placeholder('float32', [2], { name: 'mine' })) };
  };

  test('by node name, by tensor name, and for control inputs', () => {
    const { graph, x } = mapped();
    const nodes = [...XY, { ...node('w', 'Neg', ['y:0', '^x']) }];
    const [z, w, y] = importGraphDef(graphDef(nodes), {
      graph,
      inputMap: { x, 'y:0': x, '^x': x.op },
      returnElements: ['s/z', 'w', 'y:0'],
    });
    expect((z as Operation).inputs).toEqual([x, x]);
    expect((w as Operation).controlInputs).toEqual([x.op]);
    expect(y).toBe(x);
    expect((z as Operation).output(0).shape.toString()).toBe('[2]');
  });

  test('may supply what the file lacks', () => {
    const { graph, x } = mapped();
    load([node('z', 'Neg', ['gone'])], { graph, inputMap: new Map([['gone', x]]) });
    expect(graph.getOperationByName('z').inputs).toEqual([x]);
  });

  test('a key that nothing uses is an error', () => {
    const { graph, x } = mapped();
    expect(() => importGraphDef(graphDef(XY), { graph, inputMap: { q: x } })).toThrow(
      new InvalidArgumentError('inputMap: no node of the graph has an input "q"'),
    );
  });

  test('a tensor of the wrong dtype is named', () => {
    const graph = new Graph();
    const x = graph.asDefault(() => constant(1, { dtype: 'int32', name: 'number' }));
    expect(() => importGraphDef(graphDef(XY), { graph, inputMap: { x } })).toThrow(
      'AddV2 "import/s/z": input "x" must be float32 (T), number:0 is int32',
    );
  });
});

describe('content', () => {
  test('nodes in any order', () => {
    const graph = load([...XY].reverse());
    expect(graph.operations.map((op) => op.name)).toEqual(['x', 'y', 's/z']);
  });

  test('a long chain in reverse order', () => {
    const chain = Array.from({ length: 20_000 }, (_, i) => node(`n${i + 1}`, 'Identity', [`n${i}`]));
    const graph = load([...chain.reverse(), variable('n0')]);
    expect(graph.operations.at(-1)?.name).toBe('n20000');
  });

  test('missing attributes get their defaults', () => {
    const graph = load([variable('x'), node('m', 'MatMul', ['x', 'x'])]);
    expect(graph.getOperationByName('m').attrs.bool('transpose_a')).toBe(false);
  });

  test('attributes that the op does not declare are kept', () => {
    const graph = load([
      {
        ...variable('x'),
        attr: new Map<string, proto.Init<proto.AttrValue>>([
          ['dtype', float],
          ['_mine', { i: 2n ** 60n }],
          ['newer', { b: true }],
        ]),
      },
    ]);
    expect(graph.operations[0]?.attrs.values.get('_mine')).toEqual({ kind: 'int', value: 2n ** 60n });
    expect(graph.operations[0]?.attrs.bool('newer')).toBe(true);
  });

  test('unknown ops are inert and fit everywhere', () => {
    const graph = load([
      variable('x'),
      node('u', 'FancyOp', ['x', '^x'], new Map()),
      node('n', 'Neg', ['u:2']),
    ]);
    const fancy = graph.getOperationByName('u');
    expect([fancy.def, fancy.outputs.map((output) => output.dtype)]).toEqual([
      undefined,
      ['invalid', 'invalid', 'invalid'],
    ]);
    expect(graph.getTensorByName('n:0').dtype).toBe('float32');
  });

  test('known shapes of inert nodes are used', () => {
    const shapes = { list: { shape: [{ dim: [{ size: 2 }] }] } };
    const graph = load([
      node('u', 'FancyOp', [], new Map([['_output_shapes', shapes]])),
      node('n', 'Neg', ['u']),
    ]);
    expect(graph.getTensorByName('n:0').shape.toString()).toBe('[2]');
  });

  test('reference variables', () => {
    const attr = new Map<string, proto.Init<proto.AttrValue>>([
      ['dtype', float],
      ['shape', { shape: { dim: [{ size: 2 }] } }],
    ]);
    const graph = load([
      { name: 'v', op: 'VariableV2', attr },
      node(
        'init',
        'Const',
        [],
        new Map<string, proto.Init<proto.AttrValue>>([
          ['dtype', float],
          ['value', { tensor: { dtype: 1, tensorShape: { dim: [{ size: 2 }] } } }],
        ]),
      ),
      node('v/Assign', 'Assign', ['v', 'init']),
      node('v/read', 'Identity', ['v']),
    ]);
    expect(graph.getTensorByName('v:0').dtype).toBe('float32_ref');
    expect(graph.getTensorByName('v/read:0').dtype).toBe('float32');
  });

  test('scalar placeholders of old producers have an unknown shape', () => {
    const nodes = [
      {
        ...variable('x'),
        attr: new Map<string, proto.Init<proto.AttrValue>>([
          ['dtype', float],
          ['shape', { shape: {} }],
        ]),
      },
    ];
    const shapeOf = (producer: number): string => {
      const graph = new Graph();
      const [x] = importGraphDef(graphDef(nodes, { producer }), { graph, returnElements: ['x:0'] });
      return (x as Tensor).shape.toString();
    };
    expect([shapeOf(21), shapeOf(22)]).toEqual(['<unknown>', '[]']);
  });
});

describe('loops of version 1 control flow', () => {
  const loop = [
    node(
      'enter',
      'Enter',
      ['x'],
      new Map<string, proto.Init<proto.AttrValue>>([
        ['T', float],
        ['frame_name', { s: toBytes('f') }],
      ]),
    ),
    node('merge', 'Merge', ['enter', 'next']),
    node('cond', 'LoopCond', ['pred'], new Map()),
    node('switch', 'Switch', ['merge', 'cond']),
    node('body', 'Neg', ['switch:1']),
    node('next', 'NextIteration', ['body']),
    node('exit', 'Exit', ['switch']),
    { ...variable('pred'), attr: new Map([['dtype', { type: 10 }]]) },
    variable('x'),
  ];

  test('their back edge is allowed and ends where it should', () => {
    const graph = load(loop);
    const merge = graph.getOperationByName('merge');
    expect(merge.inputs.map((input) => input.name)).toEqual(['enter:0', 'next:0']);
    expect(graph.getTensorByName('switch:1').dtype).toBe('float32');
  });

  test('they survive a file', () => {
    const graph = load(loop);
    const copy = load([]);
    importGraphDef(proto.decode('GraphDef', graphDef(loop)), { graph: copy, name: '' });
    expect(copy.operations.map((op) => op.name)).toEqual(graph.operations.map((op) => op.name));
  });
});

describe('bad graphs', () => {
  test.each<[string, NodeInit[], string]>([
    [
      'two nodes with one name',
      [variable('x'), node('x', 'NoOp', [])],
      'two nodes with the name "x": Placeholder "x" and NoOp "x"',
    ],
    ['a node without name', [node('', 'NoOp', [])], 'node 0 of type "NoOp" has no name'],
    ['a node without type', [node('x', '', [])], 'node "x" has no op type'],
    [
      'a cycle',
      [node('a', 'Neg', ['c']), node('b', 'Neg', ['a']), node('c', 'Neg', ['b']), node('d', 'Neg', ['a'])],
      'the graph has a cycle: "a" -> "b" -> "c" -> "a"',
    ],
    ['a node that feeds itself', [node('a', 'Neg', ['a'])], 'the graph has a cycle: "a" -> "a"'],
    [
      'a cycle by control inputs',
      [node('a', 'NoOp', ['^b']), node('b', 'NoOp', ['^a'])],
      'the graph has a cycle: "a" -> "b" -> "a"',
    ],
    [
      'an input that names nothing',
      [variable('kernel'), node('n', 'Neg', ['kernal'])],
      'Neg "n": input "kernal" names a node that is not in the graph. Did you mean "kernel"?',
    ],
    [
      'a control input that names nothing',
      [node('n', 'NoOp', ['^gone'])],
      'NoOp "n": input "^gone" names a node that is not in the graph',
    ],
    [
      'an output that is not there',
      [variable('x'), node('n', 'Neg', ['x:1'])],
      'Neg "n": Placeholder "x" has 1 outputs, there is no output 1',
    ],
    [
      'too few inputs',
      [variable('x'), node('n', 'AddV2', ['x'])],
      'AddV2 "n": input "y" is missing: 1 inputs given',
    ],
    ['too many inputs', [variable('x'), node('n', 'Neg', ['x', 'x'])], 'Neg "n": takes 1 inputs, 2 given'],
    [
      'a data input after a control input',
      [variable('x'), node('n', 'AddV2', ['x', '^x', 'x'])],
      'AddV2 "n": input "x" comes after a control input',
    ],
    [
      'an attribute of the wrong kind',
      [variable('x'), node('n', 'MatMul', ['x', 'x'], new Map([['transpose_a', { i: 1n }]]))],
      'MatMul "n": attribute "transpose_a" must be of kind bool, got int',
    ],
    [
      'an attribute that a call would give its value, outside of functions',
      [variable('x'), node('n', 'MatMul', ['x', 'x'], new Map([['transpose_a', { placeholder: 't' }]]))],
      'MatMul "n": attribute "transpose_a" stands for the attribute "t" of a function, but the node is in none',
    ],
    [
      'billions of outputs',
      [
        variable('x'),
        { ...variable('i'), attr: new Map([['dtype', { type: 3 }]]) },
        node('n', 'Split', ['i', 'x'], new Map([['num_split', { i: 2n ** 31n }]])),
      ],
      'Split "n": attribute "num_split" asks for 2147483648 outputs, a node has at most 1048576',
    ],
    [
      'an attribute with nothing in it',
      [variable('x'), node('n', 'Neg', ['x'], new Map([['T', {}]]))],
      'Neg "n": attribute "T": it has no value',
    ],
    [
      'an unknown dtype',
      [node('n', 'Neg', [], new Map([['T', { type: 77 }]]))],
      'Neg "n": attribute "T": unknown data type number 77',
    ],
    [
      'dtypes that differ',
      [
        variable('x'),
        { ...variable('i'), attr: new Map([['dtype', { type: 3 }]]) },
        node('n', 'AddV2', ['x', 'i']),
      ],
      'AddV2 "n": input "y" must be float32 (T), i:0 is int32',
    ],
    [
      'a constant of the wrong size',
      [
        node(
          'c',
          'Const',
          [],
          new Map<string, proto.Init<proto.AttrValue>>([
            ['dtype', float],
            [
              'value',
              { tensor: { dtype: 1, tensorShape: { dim: [{ size: 3 }] }, tensorContent: new Uint8Array(5) } },
            ],
          ]),
        ),
      ],
      'Const "c": attribute "value": a float32 tensor of shape [3] has 5 bytes of content, not 12',
    ],
    [
      'a loop without beginning',
      [node('m', 'Merge', ['n']), node('n', 'NextIteration', ['m'])],
      'Merge "m": the loop of input "n" has no beginning',
    ],
  ])('%s', (_, nodes, message) => {
    expect(() => load(nodes)).toThrow(InvalidArgumentError);
    expect(() => load(nodes)).toThrow(message);
  });

  test('checks of names and order come before any node is made', () => {
    const graph = new Graph();
    expect(() => load([variable('x'), node('n', 'Neg', ['y'])], { graph })).toThrow(InvalidArgumentError);
    expect(graph.operations).toHaveLength(0);
    load([variable('x')], { graph });
    expect(() => load([variable('y'), variable('x')], { graph })).toThrow(
      'two nodes with the name "x": the graph has one already',
    );
    expect(graph.operations).toHaveLength(1);
  });

  test('a file for newer readers only', () => {
    const attempt = (versions: proto.Init<proto.VersionDef>) => () =>
      importGraphDef(graphDef(XY, versions), { graph: new Graph() });
    expect(attempt({ producer: 3000, minConsumer: 2000 })).toThrow(
      new UnimplementedError(
        'the GraphDef (producer 3000) needs a reader of version 2000 or later; this one is version 134',
      ),
    );
    expect(attempt({ producer: 200, badConsumers: [134] })).toThrow(
      'other than 134; this one is version 134',
    );
    expect(attempt({ producer: 3000, minConsumer: 12 })).not.toThrow();
  });

  test('a long cycle is cut short in the message', () => {
    const nodes = Array.from({ length: 40 }, (_, i) => node(`n${i}`, 'Neg', [`n${(i + 39) % 40}`]));
    expect(() => load(nodes)).toThrow(/… 28 more …$/);
  });
});
