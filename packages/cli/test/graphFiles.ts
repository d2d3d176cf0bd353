/** Graph files with something peculiar, made from messages because no builder would make them. */
import { Graph, matMul, placeholder, proto, reshape, writeGraphDef, add } from '@forerun/graph';
import type { Folder } from './support.js';

/** A frozen graph in binary form. */
export function writeFrozenForms(folder: Folder, graph: Graph, name = 'frozen.pb'): void {
  folder.write(name, writeGraphDef(graph));
}

type Peculiar = 'baked' | 'quotes' | 'cycle' | 'twins' | 'dangling' | 'badShapes' | 'newer';

/** The bytes of a peculiar graph. */
export function decodeGraphWith(what: Peculiar): Uint8Array {
  switch (what) {
    case 'baked':
      return baked();
    case 'quotes':
      return encode([
        placeholderNode('say "hi"\\{<x>|y}'),
        node('Identity', 'scope "1"/b', ['say "hi"\\{<x>|y}']),
        node('Identity', 'scope "1"/c', ['scope "1"/b']),
      ]);
    case 'cycle':
      return encode([node('Identity', 'a', ['b']), node('Identity', 'b', ['a'])]);
    case 'twins':
      return encode([placeholderNode('x'), placeholderNode('x')]);
    case 'dangling':
      return encode([placeholderNode('images'), node('Identity', 'y', ['image'])]);
    case 'newer':
      return proto.encode('GraphDef', {
        node: [placeholderNode('x')],
        versions: { producer: 999, minConsumer: 900 },
      });
    case 'badShapes': {
      const graph = new Graph();
      graph.asDefault(() =>
        matMul(placeholder('float32', [2, 3], { name: 'a' }), placeholder('float32', [3, 4], { name: 'b' })),
      );
      const def = proto.decode('GraphDef', writeGraphDef(graph));
      const wrong = { shape: { dim: [{ size: 5 }, { size: 4 }] } };
      const node = def.node.map((item) => (item.name === 'b' ? withAttr(item, 'shape', wrong) : item));
      return proto.encode('GraphDef', { ...def, node });
    }
  }
}

/** A graph that is right for batches of 2 only, although its input does not say so. */
function baked(): Uint8Array {
  const graph = new Graph();
  graph.asDefault(() => {
    const x = placeholder('float32', [null, 3], { name: 'x' });
    add(reshape(x, [6], { name: 'baked' }), 1, { name: 'y' });
  });
  return writeGraphDef(graph);
}

type NodeInit = proto.Init<proto.NodeDef>;

function withAttr(item: proto.NodeDef, name: string, value: proto.Init<proto.AttrValue>): NodeInit {
  const attr = new Map<string, proto.Init<proto.AttrValue>>(item.attr);
  return { ...item, attr: attr.set(name, value) };
}

function encode(nodes: readonly NodeInit[]): Uint8Array {
  return proto.encode('GraphDef', { node: [...nodes] });
}

function placeholderNode(name: string): NodeInit {
  return { name, op: 'Placeholder', attr: new Map([['dtype', { type: 1 }]]) };
}

function node(op: string, name: string, input: readonly string[]): NodeInit {
  return { name, op, input: [...input], attr: new Map([['T', { type: 1 }]]) };
}
