/** Boxes and edges as a picture: laid out in layers by dagre, scopes as frames, in SVG that needs nothing else. */
import { createRequire } from 'node:module';
import type { Box, Collapsed, Edge } from './collapse.js';

/** What is used of dagre, whose own declarations do not resolve in ES modules. */
interface LayoutGraph {
  setGraph(label: object): void;
  setDefaultEdgeLabel(make: () => object): void;
  setNode(id: string, label: object): void;
  setParent(id: string, parent: string): void;
  setEdge(from: string, to: string, label: object): void;
  graph(): { readonly width?: number; readonly height?: number };
  node(id: string): Place;
  edge(from: string, to: string): LaidOutEdge;
}
interface Dagre {
  readonly graphlib: { readonly Graph: new (options: { compound: boolean }) => LayoutGraph };
  layout(graph: LayoutGraph): void;
}

const CHARACTER = 6.2;
const HEIGHT = 34;
const MARGIN = 16;
const TITLE_CHARACTER = 7.8;
/** Height of a frame's name, which the layout knows nothing of. */
const FRAME_TITLE = 9;

const COLORS = {
  input: ['#dafbe1', '#4ac26b'],
  scope: ['#ddf4ff', '#54aeff'],
  variable: ['#fff8c5', '#d4a72c'],
  other: ['#ffffff', '#8c959f'],
} as const;

interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The graph as an SVG document. */
export function renderSvg(title: string, { boxes, edges }: Collapsed): string {
  const layout = layOut(boxes, edges);
  const { width = 0, height = 0 } = layout.graph();
  const places = new Map(boxes.map((box) => [box.id, layout.node(box.id)]));
  const top = 28;
  const wide = Math.max(width, title.length * TITLE_CHARACTER + 2 * MARGIN);
  const view = `0 0 ${round(wide)} ${round(height + top)}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${round(wide)}" height="${round(height + top)}" viewBox="${view}" font-family="Helvetica, Arial, sans-serif" font-size="10">`,
    `<title>${escaped(title)}</title>`,
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto"><path d="M0 0L8 4L0 8z" fill="#57606a"/></marker></defs>',
    '<rect width="100%" height="100%" fill="#ffffff"/>',
    `<text x="${MARGIN}" y="18" font-size="13" font-weight="bold">${escaped(title)}</text>`,
    `<g transform="translate(${round((wide - width) / 2)} ${top})">`,
    ...clustersOf(boxes).map((path) => frame(path, layout.node(clusterId(path)))),
    ...edges.map((edge) => line(edge, layout.edge(edge.from, edge.to))),
    ...boxes.map((box) => rectangle(box, places.get(box.id))),
    ...edges.map((edge) => edgeText(edge, layout.edge(edge.from, edge.to))),
    '</g>',
    '</svg>',
  ].join('\n');
}

interface LaidOutEdge {
  readonly points: readonly { readonly x: number; readonly y: number }[];
  readonly x?: number;
  readonly y?: number;
}

function clusterId(path: string): string {
  return `cluster ${path}`;
}

/** Open scopes, outer ones first. */
function clustersOf(boxes: readonly Box[]): string[] {
  return [...new Set(boxes.flatMap(({ clusters }) => clusters))].sort((a, b) => a.length - b.length);
}

function layOut(boxes: readonly Box[], edges: readonly Edge[]): LayoutGraph {
  const dagre = createRequire(import.meta.url)('@dagrejs/dagre') as Dagre;
  const graph = new dagre.graphlib.Graph({ compound: true });
  graph.setGraph({ rankdir: 'TB', nodesep: 18, ranksep: 30, marginx: MARGIN, marginy: MARGIN });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const path of clustersOf(boxes)) graph.setNode(clusterId(path), {});
  for (const path of clustersOf(boxes)) {
    const outer = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    if (outer !== '') graph.setParent(clusterId(path), clusterId(outer));
  }
  for (const box of boxes) {
    const width = Math.max(box.label.length, secondLine(box).length) * CHARACTER + 16;
    graph.setNode(box.id, { width, height: HEIGHT });
    const inner = box.clusters.at(-1);
    if (inner !== undefined) graph.setParent(box.id, clusterId(inner));
  }
  for (const { from, to, label } of edges) {
    graph.setEdge(from, to, { width: label.length * 4.6, height: label === '' ? 0 : 10, labelpos: 'c' });
  }
  dagre.layout(graph);
  return graph;
}

function secondLine({ op, label, nodes }: Box): string {
  if (op !== undefined) return op === label ? '' : op;
  return nodes === 1 ? '1 node' : `${nodes} nodes`;
}

function frame(path: string, { x, y, width, height }: Place): string {
  const name = path.split('/').at(-1) ?? path;
  const wide = Math.max(width, name.length * CHARACTER + 12);
  const [left, above] = [round(x - wide / 2), round(y - height / 2 - FRAME_TITLE)];
  return (
    `<rect x="${left}" y="${above}" width="${round(wide)}" height="${round(height + FRAME_TITLE)}" rx="6" fill="#8c959f" fill-opacity="0.08" stroke="#d0d7de"/>` +
    `<text x="${left + 6}" y="${above + 12}" fill="#57606a" font-style="italic">${escaped(name)}</text>`
  );
}

function rectangle(box: Box, place: Place | undefined): string {
  if (place === undefined) return '';
  const { x, y, width, height } = place;
  const [fill, stroke] = COLORS[kindOf(box)];
  const second = secondLine(box);
  const dash = box.outside ? ' stroke-dasharray="3 2"' : '';
  const round4 = kindOf(box) === 'input' ? height / 2 : 4;
  return (
    `<g><title>${escaped(box.id)}</title><rect x="${round(x - width / 2)}" y="${round(y - height / 2)}" width="${round(width)}" height="${height}" rx="${round4}" fill="${fill}" stroke="${stroke}"${dash}/>` +
    `<text x="${round(x)}" y="${round(y + (second === '' ? 3.5 : -2))}" text-anchor="middle" font-weight="bold">${escaped(box.label)}</text>` +
    (second === ''
      ? ''
      : `<text x="${round(x)}" y="${round(y + 11)}" text-anchor="middle" fill="#57606a">${escaped(second)}</text>`) +
    '</g>'
  );
}

function kindOf({ op }: Box): keyof typeof COLORS {
  if (op === undefined) return 'scope';
  if (op.startsWith('Placeholder')) return 'input';
  return /^(VarHandleOp|Variable(V2)?)$/.test(op) ? 'variable' : 'other';
}

function line({ tensors }: Edge, { points }: LaidOutEdge): string {
  const dash = tensors === 0 ? ' stroke-dasharray="4 3"' : '';
  return `<path d="${curve(points)}" fill="none" stroke="#57606a" stroke-width="0.9" marker-end="url(#arrow)"${dash}/>`;
}

/** A curve that begins and ends in the first and last point and has the others as its controls. */
function curve(points: LaidOutEdge['points']): string {
  const at = ({ x, y }: { readonly x: number; readonly y: number }): string => `${round(x)} ${round(y)}`;
  const [first, ...rest] = points;
  const last = rest.at(-1);
  if (first === undefined || last === undefined) return '';
  const parts = rest.slice(0, -1).map((point, i) => {
    const next = rest[i + 1] ?? last;
    const isLast = i === rest.length - 2;
    return `Q${at(point)} ${at(isLast ? last : { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 })}`;
  });
  return `M${at(first)}${parts.length === 0 ? `L${at(last)}` : parts.join('')}`;
}

/** The label of an edge, with a light rim that sets it off from lines behind it. */
function edgeText({ label }: Edge, { x, y }: LaidOutEdge): string {
  if (label === '' || x === undefined || y === undefined) return '';
  return `<text x="${round(x)}" y="${round(y + 3)}" text-anchor="middle" font-size="8" fill="#57606a" stroke="#ffffff" stroke-width="3" stroke-linejoin="round" paint-order="stroke">${escaped(label)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
