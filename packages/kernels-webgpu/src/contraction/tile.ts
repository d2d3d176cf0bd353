/**
 * The workgroup-memory form of a contraction, for real GPUs: a square of threads loads a tile of both
 * factors, neighbouring threads reading neighbouring elements, and every thread computes a few rows of
 * runs of four columns. The runs of a thread lie as far apart as all threads together are wide.
 */
import { storageType } from '../wgsl/dtype.js';
import { vectorOf, type Contraction, type Factor, type FactorCode, type TileVariant } from './contraction.js';
import { inLoops, type Split } from './loops.js';

/** Columns of a run. */
const RUN = 4;
/** Elements between the rows of a tile beyond its length, against bank conflicts. */
const PADDING = 4;

/** Rows and columns of a tile. */
export function tileSizes(v: TileVariant): { rows: number; columns: number } {
  return { rows: v.threads * v.rows, columns: v.threads * v.columns };
}

/** `var<workgroup>` declarations. */
export function tileDeclarations(x: Contraction, v: TileVariant): string {
  const { rows, columns } = tileSizes(v);
  const type = storageType(x.dtype);
  const declare = (name: string, size: number): string =>
    `var<workgroup> ${name}: array<${type}, ${v.depth * (size + PADDING)}>;`;
  return `${declare('tile_a', rows)}\n${declare('tile_b', columns)}`;
}

/** How the threads share the loads of one tile. */
interface Share {
  readonly name: 'a' | 'b';
  readonly factor: Factor;
  readonly code: FactorCode;
  /** Length of the free axis of the whole factor. */
  readonly limit: number;
  readonly origin: string;
  /** Length of the free axis of a tile. */
  readonly size: number;
}

/** Statements of `main` after `tile_row`, `tile_col` and `batch` are known. */
export function tileBody(x: Contraction, v: TileVariant, split: Split | null): string {
  const { rows, columns } = tileSizes(v);
  const a: Share = {
    name: 'a',
    factor: x.a,
    code: x.a.code(1),
    limit: x.rows,
    origin: 'tile_row',
    size: rows,
  };
  const b: Share = {
    name: 'b',
    factor: x.b,
    code: x.b.code(1),
    limit: x.columns,
    origin: 'tile_col',
    size: columns,
  };
  const type = storageType(x.dtype);
  const accumulators = results(v).map(({ name }) => `var ${name} = ${vectorOf(type, RUN)}(0);`);
  const inner = [
    ...[a, b].flatMap((share) => setups(share, v).map((id) => share.code.step(id))),
    `for (var k0 = 0u; k0 < ${x.depth}u; k0 += ${v.depth}u) {`,
    'workgroupBarrier();',
    fill(a, x, v, type),
    fill(b, x, v, type),
    'workgroupBarrier();',
    multiply(v, type),
    '}',
  ].join('\n');
  return [
    x.prologue ?? '',
    `let thread_x = local_index % ${v.threads}u;\nlet thread_y = local_index / ${v.threads}u;`,
    start(a, v),
    start(b, v),
    ...accumulators,
    inLoops(x.loops, split, inner),
    stores(x, v),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

/** The vectors of results of a thread: row `r`, run `g`. */
function results(v: TileVariant): { name: string; r: number; g: number }[] {
  const runs = v.columns / RUN;
  return Array.from({ length: v.rows * runs }, (_, i) => {
    const [r, g] = [Math.floor(i / runs), i % runs];
    return { name: `acc${r}_${g}`, r, g };
  });
}

/** Loads per thread and tile. */
function loads(size: number, v: TileVariant): number {
  return (size * v.depth) / (v.threads * v.threads);
}

/** Positions on the free axis that a thread loads: all the same when threads lie along that axis. */
function setups({ name, factor, size }: Share, v: TileVariant): string[] {
  return Array.from({ length: factor.contiguous === 'depth' ? loads(size, v) : 1 }, (_, i) => `${name}${i}`);
}

function start(share: Share, v: TileVariant): string {
  const { name, factor, code, limit, origin, size } = share;
  const along = factor.contiguous === 'depth' ? v.depth : size;
  const [fast, slow] = [`local_index % ${along}u`, `local_index / ${along}u`];
  const [free, depth] = factor.contiguous === 'depth' ? [slow, fast] : [fast, slow];
  const rowsPerPass = (v.threads * v.threads) / v.depth;
  const lines = [`let ${name}_free = ${free};`, `let ${name}_depth = ${depth};`];
  setups(share, v).forEach((id, i) => {
    lines.push(code.start(id, `min(${origin} + ${name}_free + ${i * rowsPerPass}u, ${limit - 1}u)`));
  });
  return lines.join('\n');
}

function fill(share: Share, x: Contraction, v: TileVariant, type: string): string {
  const { name, factor, code, size } = share;
  const pitch = size + PADDING;
  const threads = v.threads * v.threads;
  const lines = [`let ${name}_k = k0 + ${name}_depth;`];
  for (let i = 0; i < loads(size, v); i++) {
    const alongDepth = factor.contiguous === 'depth';
    const freeOffset = alongDepth ? (i * threads) / v.depth : 0;
    const depthOffset = alongDepth ? 0 : (i * threads) / size;
    const value = code.load(`${name}${alongDepth ? i : 0}`, `${name}_k`, depthOffset);
    const masked =
      x.depth % v.depth === 0
        ? value
        : `select(${type}(0), ${value}, ${name}_k + ${depthOffset}u < ${x.depth}u)`;
    lines.push(
      `tile_${name}[(${name}_depth + ${depthOffset}u) * ${pitch}u + ${name}_free + ${freeOffset}u] = ${masked};`,
    );
  }
  return lines.join('\n');
}

function multiply(v: TileVariant, type: string): string {
  const { rows, columns } = tileSizes(v);
  const read = (name: string, tile: string, at: string): string => {
    const elements = [0, 1, 2, 3].map((i) => `${tile}[${at} + ${i}u]`);
    return `let ${name} = ${vectorOf(type, RUN)}(${elements.join(', ')});`;
  };
  const groups = (length: number): number[] => Array.from({ length: length / RUN }, (_, i) => i);
  return [
    `for (var step = 0u; step < ${v.depth}u; step++) {`,
    `let at_a = step * ${rows + PADDING}u + thread_y * ${v.rows}u;`,
    `let at_b = step * ${columns + PADDING}u + thread_x * ${RUN}u;`,
    ...groups(v.rows).map((g) => read(`left${g}`, 'tile_a', `at_a + ${g * RUN}u`)),
    ...groups(v.columns).map((g) => read(`right${g}`, 'tile_b', `at_b + ${g * RUN * v.threads}u`)),
    ...results(v).map(({ name, r, g }) => {
      const left = `left${Math.floor(r / RUN)}.${'xyzw'.charAt(r % RUN)}`;
      return `${name} += ${left} * right${g};`;
    }),
    '}',
  ].join('\n');
}

function stores(x: Contraction, v: TileVariant): string {
  const lines = [`let column = tile_col + thread_x * ${RUN}u;`];
  for (let r = 0; r < v.rows; r++) {
    const id = `o${r}`;
    const row = `tile_row + thread_y * ${v.rows}u + ${r}u`;
    const exists = x.output.valid === undefined ? '' : ` && ${x.output.valid(id)}`;
    lines.push(
      `{\n${x.output.row(id, row, 1)}`,
      `if (${row} < ${x.rows}u${exists}) {`,
      ...results(v).flatMap((result) => (result.r === r ? storeRun(x, v, id, result) : [])),
      '}\n}',
    );
  }
  return lines.join('\n');
}

function storeRun(
  x: Contraction,
  v: TileVariant,
  id: string,
  { name, g }: { name: string; g: number },
): string[] {
  const { binding, columnStride } = x.output;
  return [
    ...[0, 1, 2, 3].map((i) => {
      const column = `column + ${g * RUN * v.threads + i}u`;
      const place = `${id}_at + (${column}) * ${columnStride}u`;
      return `if (${column} < ${x.columns}u) { ${binding.name}[${place}] = ${name}.${'xyzw'.charAt(i)}; }`;
    }),
  ];
}
