/**
 * The workgroup-memory form of a contraction, for real GPUs: a square of threads loads a tile of both
 * factors, neighbouring threads reading neighbouring elements, and every thread computes 4 x 4 results.
 */
import { storageType } from '../wgsl/dtype.js';
import { vectorOf, type Contraction, type Factor, type FactorCode, type TileVariant } from './contraction.js';
import { inLoops, type Split } from './loops.js';

/** Results per thread along each axis. */
const PER_THREAD = 4;

/** Rows and columns of a tile. */
export function tileSize(v: TileVariant): number {
  return v.threads * PER_THREAD;
}

/** `var<workgroup>` declarations. Rows are padded against bank conflicts. */
export function tileDeclarations(x: Contraction, v: TileVariant): string {
  const elements = v.depth * (tileSize(v) + 4);
  const type = storageType(x.dtype);
  return `var<workgroup> tile_a: array<${type}, ${elements}>;\nvar<workgroup> tile_b: array<${type}, ${elements}>;`;
}

/** How the threads share the loads of one tile. */
interface Share {
  readonly name: 'a' | 'b';
  readonly factor: Factor;
  readonly code: FactorCode;
  /** Length of the free axis of the whole factor. */
  readonly limit: number;
  readonly origin: string;
}

/** Statements of `main` after `tile_row`, `tile_col` and `batch` are known. */
export function tileBody(x: Contraction, v: TileVariant, split: Split | null): string {
  const a: Share = { name: 'a', factor: x.a, code: x.a.code(1), limit: x.rows, origin: 'tile_row' };
  const b: Share = { name: 'b', factor: x.b, code: x.b.code(1), limit: x.columns, origin: 'tile_col' };
  const type = storageType(x.dtype);
  const accumulators = [0, 1, 2, 3].map((r) => `var acc${r} = ${vectorOf(type, 4)}(0);`);
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
    stores(x),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

/** Loads per thread and tile. */
function loads(v: TileVariant): number {
  return (tileSize(v) * v.depth) / (v.threads * v.threads);
}

/** Positions on the free axis that a thread loads: all the same when threads lie along that axis. */
function setups({ name, factor }: Share, v: TileVariant): string[] {
  return Array.from({ length: factor.contiguous === 'depth' ? loads(v) : 1 }, (_, i) => `${name}${i}`);
}

function start(share: Share, v: TileVariant): string {
  const { name, factor, code, limit, origin } = share;
  const size = tileSize(v);
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
  const { name, factor, code } = share;
  const size = tileSize(v);
  const pitch = size + 4;
  const threads = v.threads * v.threads;
  const lines = [`let ${name}_k = k0 + ${name}_depth;`];
  for (let i = 0; i < loads(v); i++) {
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
  const pitch = tileSize(v) + 4;
  const read = (name: string, tile: string, thread: string): string => {
    const at = [0, 1, 2, 3].map((i) => `${tile}[at + ${thread} * 4u + ${i}u]`);
    return `let ${name} = ${vectorOf(type, 4)}(${at.join(', ')});`;
  };
  return [
    `for (var step = 0u; step < ${v.depth}u; step++) {`,
    `let at = step * ${pitch}u;`,
    read('left', 'tile_a', 'thread_y'),
    read('right', 'tile_b', 'thread_x'),
    ...[0, 1, 2, 3].map((r) => `acc${r} += left.${'xyzw'.charAt(r)} * right;`),
    '}',
  ].join('\n');
}

function stores(x: Contraction): string {
  const lines = [`let column = tile_col + thread_x * ${PER_THREAD}u;`];
  for (let r = 0; r < PER_THREAD; r++) {
    const id = `o${r}`;
    const row = `tile_row + thread_y * ${PER_THREAD}u + ${r}u`;
    const exists = x.output.valid === undefined ? '' : ` && ${x.output.valid(id)}`;
    const first = `(${id}_at + column * ${x.output.columnStride}u)`;
    lines.push(
      `{\n${x.output.row(id, row, 1)}`,
      `let value = ${x.epilogue?.expression(`acc${r}`, 'column', 4, first) ?? `acc${r}`};`,
      `if (${row} < ${x.rows}u${exists}) {`,
      ...[0, 1, 2, 3].map((i) => {
        const at = `${id}_at + (column + ${i}u) * ${x.output.columnStride}u`;
        return `if (column + ${i}u < ${x.columns}u) { ${x.output.binding.name}[${at}] = value.${'xyzw'.charAt(i)}; }`;
      }),
      '}\n}',
    );
  }
  return lines.join('\n');
}
