/** `forerun ops`, `node`, `tree` and `dot`. */
import { spawnSync } from 'node:child_process';
import { writeGraphDef } from '@forerun/graph';
import { decodeGraphWith } from './graphFiles.js';
import { buildNetwork, Folder, forerun, forerunJson, GOLDEN, writeCheckpoint } from './support.js';

const folder = new Folder();
const graphPath = folder.at('graph.pb');

beforeAll(() => {
  folder.write('graph.pb', writeGraphDef(buildNetwork()));
  folder.write('quotes.pb', decodeGraphWith('quotes'));
  writeCheckpoint(folder, 'model.ckpt');
});
afterAll(() => folder.remove());

describe('ops', () => {
  test('counts types, the most frequent first', async () => {
    const { ops } = await forerunJson<{ ops: { type: string; nodes: number; supported: boolean }[] }>(
      'ops',
      graphPath,
    );
    const counts = ops.map(({ nodes }) => nodes);
    expect(counts).toEqual([...counts].sort((a, b) => b - a));
    expect(counts.reduce((a, b) => a + b, 0)).toBe(buildNetwork().operations.length);
    expect(ops.every(({ supported }) => supported)).toBe(true);
  });

  test('tells what cannot run', async () => {
    const { out } = await forerun(['ops', `${GOLDEN}/graph.pb`, '--unsupported']);
    expect(out).toMatch(/Foreign +1 +no: the op is not known/);
    expect(out).not.toContain('MatMul');
    expect((await forerun(['ops', graphPath, '--unsupported'])).out).toBe('All ops can run.\n');
  });

  test('lists the nodes of one type with their shapes', async () => {
    const { out } = await forerun(['ops', graphPath, '--type', 'Conv2D']);
    expect(out).toContain('Conv2D: 1 node, can run');
    expect(out).toMatch(/conv\/Conv2D +\[\?,8,8,1\] \[3,3,1,4\] +\[\?,8,8,4\] +float32/);
    const json = await forerunJson<{ nodes: unknown[] }>('ops', graphPath, '--type', 'Conv2D');
    expect(json).toMatchObject({
      type: 'Conv2D',
      supported: true,
      nodes: [
        {
          name: 'conv/Conv2D',
          outputs: [{ name: 'conv/Conv2D:0', dtype: 'float32', shape: [null, 8, 8, 4] }],
        },
      ],
    });
  });

  test('suggests a type that is there', async () => {
    const { code, err } = await forerun(['ops', graphPath, '--type', 'conv2d']);
    expect(code).toBe(1);
    expect(err).toBe(`forerun: ${graphPath}: no node has the type "conv2d". Did you mean "Conv2D"?\n`);
  });
});

describe('node', () => {
  test('shows attributes, inputs, outputs and consumers', async () => {
    const { out } = await forerun(['node', graphPath, 'conv/Conv2D']);
    expect(out).toContain('conv/Conv2D: Conv2D\n');
    expect(out).toMatch(/padding +"SAME" +string/);
    expect(out).toMatch(/strides +\[1, 1, 1, 1\] +list\(int\)/);
    expect(out).toMatch(/filter +conv\/kernel\/Read\/ReadVariableOp +float32 +\[3,3,1,4\]/);
    expect(out).toMatch(/:0 +conv\/BiasAdd +BiasAdd +as value/);
  });

  test('as JSON', async () => {
    const json = await forerunJson('node', graphPath, 'conv/Conv2D');
    expect(json).toMatchObject({
      name: 'conv/Conv2D',
      op: 'Conv2D',
      supported: true,
      device: '',
      attributes: { padding: { kind: 'string', value: 'SAME' }, T: { kind: 'type', value: 'float32' } },
      inputs: [{ name: 'images:0' }, { name: 'conv/kernel/Read/ReadVariableOp:0', shape: [3, 3, 1, 4] }],
      controlInputs: [],
      outputs: [{ name: 'conv/Conv2D:0', shape: [null, 8, 8, 4] }],
    });
  });

  test('control inputs and the variable behind a handle', async () => {
    const train = await forerunJson<{ controlInputs: string[] }>('node', graphPath, 'train');
    expect(train.controlInputs.length).toBeGreaterThan(0);
    const handle = await forerunJson<{ outputs: unknown[] }>('node', graphPath, 'conv/kernel');
    expect(handle.outputs).toMatchObject([
      { dtype: 'resource', variable: { dtype: 'float32', shape: [3, 3, 1, 4] } },
    ]);
  });

  test('a constant shows its value, an unknown op says that it cannot run', async () => {
    const constant = (await forerun(['node', `${GOLDEN}/graph.pb`, 'Const'])).out;
    expect(constant).toContain('float32 [3,2] = [1, 2, 3, 4, 5, 6]');
    expect((await forerun(['node', `${GOLDEN}/graph.pb`, 'foreign'])).out).toContain(
      'It cannot run: the op is not known.',
    );
  });

  test('the name of a tensor means its node', async () => {
    expect((await forerun(['node', graphPath, 'conv/Conv2D:0'])).out).toContain('conv/Conv2D: Conv2D\n');
  });

  test('a misspelt name gives the nearest, a scope what to do', async () => {
    const misspelt = await forerun(['node', graphPath, 'conv/Conv2d']);
    expect([misspelt.code, misspelt.out]).toEqual([1, '']);
    expect(misspelt.err).toContain('the graph has no operation "conv/Conv2d". Did you mean "conv/Conv2D"');
    expect((await forerun(['node', graphPath, 'conv'])).err).toContain('it is a scope of');
  });
});

interface Tree {
  readonly name: string;
  readonly nodes: number;
  readonly parameters: number;
  readonly children?: Tree[];
}

describe('tree', () => {
  test('sums parameters by scope, without those of the optimizer', async () => {
    const root = await forerunJson<Tree>('tree', graphPath);
    expect(root.nodes).toBe(buildNetwork().operations.length);
    // 365 weights, global_step and the two powers of Adam.
    expect(root.parameters).toBe(368);
    const conv = root.children?.find(({ name }) => name === 'conv');
    expect(conv?.parameters).toBe(40);
    expect(conv?.children?.map(({ name, parameters }) => [name, parameters])).toEqual([
      ['conv/kernel', 36],
      ['conv/bias', 4],
    ]);
  });

  test('text with branches', async () => {
    const { out } = await forerun(['tree', graphPath, '--scope', 'conv', '--depth', '1', '--nodes']);
    expect(out.split('\n').map((line) => line.trim().split(/ {2,}/)[0])).toEqual([
      'scope',
      'conv',
      '|- kernel',
      '|- bias',
      '|- Conv2D',
      '`- BiasAdd',
      '',
    ]);
  });

  test('depth', async () => {
    const flat = await forerunJson<Tree>('tree', graphPath, '--depth', '0');
    expect(flat.children).toBeUndefined();
    const deep = await forerunJson<Tree>('tree', graphPath, '--depth', '3');
    expect(
      deep.children?.find(({ name }) => name === 'conv')?.children?.[0]?.children?.length,
    ).toBeGreaterThan(0);
  });

  test('the variables of a checkpoint', async () => {
    const { out } = await forerun(['tree', folder.at('model.ckpt')]);
    expect(out).toMatch(/\|- fc +3 +14 +56 B/);
    expect(out).toMatch(/`- global_step +1 +8 B +int64 \[\]/);
  });

  test('an unknown scope gives the nearest', async () => {
    const { code, err } = await forerun(['tree', graphPath, '--scope', 'logit']);
    expect([code, err]).toEqual([
      1,
      `forerun: ${graphPath}: there is no scope "logit". Did you mean "logits"?\n`,
    ]);
  });
});

interface Drawing {
  readonly boxes: { id: string; clusters: string[]; nodes: number; op?: string; outside: boolean }[];
  readonly edges: { from: string; to: string; tensors: number; label: string }[];
}

/** What Graphviz says of a text, where it is installed. */
function renderSvg(text: string): string | undefined {
  const child = spawnSync('dot', ['-Tsvg'], { input: text, encoding: 'utf8' });
  if (child.error !== undefined) return undefined;
  if (child.status !== 0 || child.stderr !== '')
    throw new Error(`dot ended with ${child.status}: ${child.stderr}`);
  return child.stdout;
}

describe('dot', () => {
  test('closed scopes are boxes, edges carry shapes', async () => {
    const { boxes, edges } = await forerunJson<Drawing>('dot', graphPath, '--all', '--depth', '0');
    expect(boxes.find(({ id }) => id === 'conv/')?.nodes).toBeGreaterThan(4);
    expect(boxes.find(({ id }) => id === 'images')).toMatchObject({
      op: 'Placeholder',
      nodes: 1,
      clusters: [],
    });
    expect(edges).toContainEqual({ from: 'images', to: 'conv/', tensors: 1, label: '[?,8,8,1]' });
    expect(edges).toContainEqual({ from: 'conv/', to: 'pool/', tensors: 1, label: '[?,8,8,4]' });
    // Control dependencies only.
    expect(edges).toContainEqual({ from: 'conv/', to: 'init', tensors: 0, label: '' });
  });

  test('every edge ends in boxes that are drawn, no box is its own neighbour', async () => {
    for (const depth of ['0', '1', '9']) {
      const { boxes, edges } = await forerunJson<Drawing>('dot', graphPath, '--all', '--depth', depth);
      const ids = new Set(boxes.map(({ id }) => id));
      expect(ids.size).toBe(boxes.length);
      for (const { from, to } of edges) {
        expect(ids.has(from) && ids.has(to)).toBe(true);
        expect(from).not.toBe(to);
      }
    }
  });

  test('the model alone unless all is asked for', async () => {
    const ids = (await forerunJson<Drawing>('dot', graphPath, '--depth', '0')).boxes.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(['images', 'conv/', 'pool/', 'logits/', 'probabilities']));
    expect(ids.filter((id) => /gradients|train|init|Adam/.test(id))).toEqual([]);
    const gradients = (await forerunJson<Drawing>('dot', graphPath, '--scope', 'gradients')).boxes;
    expect(gradients.some(({ outside }) => !outside)).toBe(true);
  });

  test('constants are drawn on request', async () => {
    const without = (await forerunJson<Drawing>('dot', graphPath, '--all', '--depth', '9')).boxes;
    const all = (await forerunJson<Drawing>('dot', graphPath, '--all', '--depth', '9', '--constants')).boxes;
    expect(without.some(({ op }) => op === 'Const')).toBe(false);
    expect(all.reduce((sum, { nodes }) => sum + nodes, 0)).toBe(buildNetwork().operations.length);
  });

  test('one scope with its neighbours', async () => {
    const { boxes } = await forerunJson<Drawing>(
      'dot',
      graphPath,
      '--all',
      '--scope',
      'conv',
      '--depth',
      '0',
    );
    expect(boxes.filter(({ outside }) => !outside).map(({ id }) => id)).toEqual(
      expect.arrayContaining(['conv/kernel/', 'conv/bias/', 'conv/Conv2D', 'conv/BiasAdd']),
    );
    expect(boxes.filter(({ outside }) => outside).map(({ id }) => id)).toEqual(
      expect.arrayContaining(['images', 'pool/', 'init']),
    );
  });

  test('the text is well-formed', async () => {
    const { out } = await forerun(['dot', graphPath, '--all', '--depth', '2']);
    expect(out.startsWith('digraph forerun {\n')).toBe(true);
    expect(out.endsWith('\n}\n')).toBe(true);
    // Braces outside of strings are balanced, and every string is closed on its line.
    const bare = out.replace(/"(?:[^"\\\n]|\\.)*"/g, '');
    expect(bare).not.toContain('"');
    expect(bare.split('{').length).toBe(bare.split('}').length);
    expect(out).toContain('subgraph "cluster_conv" {');
    expect(out).toContain('"images" -> "conv/Conv2D" [label="[?,8,8,1]"];');
    expect(out).toMatch(/"init" \[label="init\\nNoOp"/);
    expect(renderSvg(out) ?? '</svg>').toContain('</svg>');
  });

  test('names with quotes, backslashes and brackets are escaped', async () => {
    const { out } = await forerun(['dot', folder.at('quotes.pb')]);
    const name = '"say \\"hi\\"\\\\{<x>|y}"';
    expect(out).toContain(`${name} [label="say \\"hi\\"\\\\{<x>|y}\\nPlaceholder"`);
    expect(out).toContain(`${name} -> "scope \\"1\\"/b"`);
    expect(out).toContain('subgraph "cluster_scope \\"1\\"" {');
    expect(renderSvg(out) ?? 'say &quot;hi&quot;\\{&lt;x&gt;|y}').toContain(
      'say &quot;hi&quot;\\{&lt;x&gt;|y}',
    );
  });
});
