/** Boxes and edges as text for Graphviz. */
import type { Box, Collapsed, Edge } from './collapse.js';

/** A quoted string, in which nothing of a name can end the string or act as an escape. */
export function quote(text: string): string {
  return `"${text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\r?\n/g, '\\n')}"`;
}

/** A label of two lines. */
function lines(first: string, second: string): string {
  return `${quote(first).slice(0, -1)}\\n${quote(second).slice(1)}`;
}

/** An undirected tree of clusters. */
interface Cluster {
  readonly path: string;
  readonly boxes: Box[];
  readonly children: Map<string, Cluster>;
}

/** The graph as Graphviz text, ready for `dot -Tsvg`. */
export function renderDot(title: string, { boxes, edges }: Collapsed): string {
  return [
    'digraph forerun {',
    `  label=${quote(title)}; labelloc=t; rankdir=TB; compound=true; newrank=true;`,
    '  fontname="Helvetica"; fontsize=12; nodesep=0.3; ranksep=0.4;',
    '  node [fontname="Helvetica", fontsize=10, shape=box, style="rounded,filled", fillcolor="#ffffff", color="#8c959f"];',
    '  edge [fontname="Helvetica", fontsize=8, color="#57606a", fontcolor="#57606a", arrowsize=0.6];',
    ...clusterLines(clusterTree(boxes), 1),
    ...edges.map(edgeLine),
    '}',
  ].join('\n');
}

function clusterTree(boxes: readonly Box[]): Cluster {
  const root: Cluster = { path: '', boxes: [], children: new Map() };
  for (const box of boxes) {
    let at = root;
    for (const path of box.clusters) {
      const child = at.children.get(path) ?? { path, boxes: [], children: new Map<string, Cluster>() };
      at.children.set(path, child);
      at = child;
    }
    at.boxes.push(box);
  }
  return root;
}

function clusterLines(cluster: Cluster, level: number): string[] {
  const indent = '  '.repeat(level);
  const inner = [...cluster.boxes.map((box) => indent + boxLine(box))];
  for (const child of cluster.children.values()) {
    inner.push(
      `${indent}subgraph ${quote(`cluster_${child.path}`)} {`,
      `${indent}  label=${quote(child.path.split('/').at(-1) ?? '')}; style="rounded,filled"; color="#d0d7de"; fillcolor="${shade(level)}";`,
      ...clusterLines(child, level + 1),
      `${indent}}`,
    );
  }
  return inner;
}

/** Deeper scopes are darker. */
function shade(level: number): string {
  const shades = ['#f6f8fa', '#eaeef2', '#dde2e7', '#d0d7de'];
  return shades[Math.min(level, shades.length) - 1] ?? '#f6f8fa';
}

function boxLine({ id, label, op, nodes, outside }: Box): string {
  const second = op ?? (nodes === 1 ? '1 node' : `${nodes} nodes`);
  const text = op === label ? quote(label) : lines(label, second);
  return `${quote(id)} [label=${text}, tooltip=${quote(id)}${boxStyle(op, outside)}];`;
}

function boxStyle(op: string | undefined, outside: boolean): string {
  if (outside) return ', style="rounded,dashed", fontcolor="#8c959f"';
  if (op === undefined) return ', shape=box3d, style=filled, fillcolor="#ddf4ff", color="#54aeff"';
  if (op.startsWith('Placeholder'))
    return ', shape=ellipse, style=filled, fillcolor="#dafbe1", color="#4ac26b"';
  if (op === 'Const') return ', style=filled, fillcolor="#f6f8fa", fontcolor="#57606a"';
  return /^(VarHandleOp|Variable(V2)?)$/.test(op)
    ? ', shape=cylinder, style=filled, fillcolor="#fff8c5", color="#d4a72c"'
    : '';
}

function edgeLine({ from, to, tensors, label }: Edge): string {
  const attrs = tensors === 0 ? ' [style=dashed, color="#8c959f"]' : ` [label=${quote(label)}]`;
  return `  ${quote(from)} -> ${quote(to)}${attrs};`;
}
