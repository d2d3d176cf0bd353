/** Turns a contraction and a variant into dispatches: the grid, the shader, the sum of split parts. */
import type { Dispatch, KernelContext, Lowered, Revisit } from '../kernel.js';
import { gridFor, gridStride } from '../wgsl/indexing.js';
import { scratchBinding, shader, type ShaderBinding } from '../wgsl/shader.js';
import { vectorType, storageType, type Width } from '../wgsl/dtype.js';
import {
  turned,
  variantName,
  type Contraction,
  type FragmentVariant,
  type OutputCode,
  type TileVariant,
  type Variant,
} from './contraction.js';
import { fragmentBody, fragmentRevisit } from './fragment.js';
import { fragmentWidths } from './fragmentFrame.js';
import { linearOutput } from './linear.js';
import type { Split } from './loops.js';
import { tileBody, tileDeclarations, tileSizes } from './tile.js';

/** Invocations of a workgroup of the form without subgroups. */
const UNSHARED_THREADS = 64;
/** The place of a workgroup among the tiles. */
const GROUP_NUMBERS = 'let group_x = group_id.x;\nlet group_y = group_id.y;\nlet group_z = group_id.z;';

/** The dispatches of `x`. With splits, `x.output` must be row-major `[batch, rows, columns]`. */
export function lowerContraction(c: KernelContext, x: Contraction, v: Variant): Lowered {
  const size = x.batch * x.rows * x.columns;
  if (size === 0) return { dispatches: [] };
  if (x.depth === 0 || x.loops.some(({ count }) => count === 0)) return { dispatches: [zeros(c, x, size)] };
  if (v.splits === 1) return { dispatches: [contract(c, x, v, null)] };
  const bytes = size * v.splits * 4;
  if (bytes > c.adapter.maxBindingBytes) return { dispatches: [contract(c, x, { ...v, splits: 1 }, null)] };
  const partial = linearOutput({
    binding: scratchBinding(0, 'partial', x.dtype),
    columns: x.columns,
    rowStride: x.columns,
    columnStride: 1,
    terms: [
      ['split', size],
      ['batch', x.rows * x.columns],
    ],
  });
  const split = { variable: 'split', parts: v.splits };
  const parts = contract(c, { ...x, output: partial }, v, split);
  return { dispatches: [parts, addParts(c, x, size, v.splits)], scratch: [bytes] };
}

function contract(c: KernelContext, x: Contraction, v: Variant, split: Split | null): Dispatch {
  if (v.form === 'tile') return contractTile(c, x, v, split);
  return contractFragment(c, v.turned === true ? turned(x) : x, v, split);
}

function contractFragment(
  c: KernelContext,
  x: Contraction,
  v: FragmentVariant,
  split: Split | null,
): Dispatch {
  const tiles = [Math.ceil(x.columns / (v.columns * v.lanes)), Math.ceil(x.rows / v.rows)] as const;
  const across = v.lanes > 1 ? 1 : Math.min(8, 2 ** Math.ceil(Math.log2(tiles[0])));
  const down = v.lanes > 1 ? 1 : UNSHARED_THREADS / across;
  const z = x.batch * v.splits;
  const [column, row] =
    v.lanes > 1
      ? ['group_x', 'group_y']
      : [`(group_x * ${across}u + local_id.x)`, `(group_y * ${down}u + local_id.y)`];
  const widths = fragmentWidths(x, v);
  return shader(
    {
      label: `${x.label}.${variantName({ ...v, splits: 1 })}`,
      bindings: bindings(x, widths.a, widths.b, widths.output),
      workgroups: [Math.ceil(tiles[0] / across), Math.ceil(tiles[1] / down), z],
      workgroupSize: v.lanes > 1 ? v.lanes : [across, down, 1],
      body: [
        GROUP_NUMBERS,
        groupVariables(x, split),
        `let tile_row = ${row} * ${v.rows}u;`,
        `let tile_col = ${column} * ${v.columns * v.lanes}u;`,
        fragmentBody(x, v, split),
      ].join('\n'),
      ...(c.adapter.software ? { revisit: revisit(x, v) } : {}),
    },
    c.adapter,
  );
}

function revisit(x: Contraction, v: FragmentVariant): Revisit {
  return {
    name: x.output.binding.name,
    loop: (visit) => fragmentRevisit(x, v, visit),
    addsAtStores: x.loops.length === 0,
  };
}

function contractTile(c: KernelContext, x: Contraction, v: TileVariant, split: Split | null): Dispatch {
  const size = tileSizes(v);
  const z = x.batch * v.splits;
  return shader(
    {
      label: `${x.label}.${variantName({ ...v, splits: 1 })}`,
      bindings: bindings(x, 1, 1, 1),
      workgroups: [Math.ceil(x.columns / size.columns), Math.ceil(x.rows / size.rows), z],
      workgroupSize: v.threads * v.threads,
      declarations: tileDeclarations(x, v),
      body: [
        GROUP_NUMBERS,
        groupVariables(x, split),
        `let tile_row = group_y * ${size.rows}u;\nlet tile_col = group_x * ${size.columns}u;`,
        tileBody(x, v, split),
      ].join('\n'),
    },
    c.adapter,
  );
}

function groupVariables(x: Contraction, split: Split | null): string {
  const batch = x.batch === 1 ? '0u' : split === null ? 'group_z' : `group_z % ${x.batch}u`;
  const part = split === null ? '' : `\nlet ${split.variable} = group_z / ${x.batch}u;`;
  return `let batch = ${batch};${part}`;
}

/** The factors, once where both are the same tensor in the same width, and the output. */
function bindings(x: Contraction, a: Width, b: Width, output: Width): ShaderBinding[] {
  return [
    { ...x.a.binding, width: a },
    { ...x.b.binding, width: b },
    { ...x.output.binding, width: output },
  ];
}

function zeros(c: KernelContext, x: Contraction, size: number): Dispatch {
  const grid = gridFor(size, 1, c.adapter);
  const body = `${x.output.binding.name}[i] = ${storageType(x.dtype)}(0);`;
  return shader(
    {
      label: `${x.label}.empty`,
      bindings: [x.output.binding],
      workgroups: grid.workgroups,
      body: gridStride(grid, body),
    },
    c.adapter,
  );
}

/** What `addParts` needs to know of the sums. */
export type PartialSums = Pick<Contraction, 'label' | 'dtype' | 'columns'> & {
  readonly output: Pick<OutputCode, 'binding'>;
};

/** Adds the parts in scratch buffer 0 in a fixed order, so that results are the same on every run. */
export function addParts(c: KernelContext, x: PartialSums, size: number, parts: number): Dispatch {
  const width: Width = x.columns % 4 === 0 ? 4 : 1;
  const grid = gridFor(size, width, c.adapter);
  const type = vectorType(storageType(x.dtype), width);
  const body = [
    `var total = ${type}(0);`,
    `for (var part = 0u; part < ${parts}u; part++) {`,
    `total += partial[part * ${size / width}u + i];`,
    '}',
    `${x.output.binding.name}[i] = total;`,
  ].join('\n');
  return shader(
    {
      label: `${x.label}.addParts${parts}`,
      bindings: [
        { ...scratchBinding(0, 'partial', x.dtype, width), access: 'read' },
        { ...x.output.binding, width },
      ],
      workgroups: grid.workgroups,
      body: gridStride(grid, body),
    },
    c.adapter,
  );
}
