/**
 * Kernels that reduce every row of a matrix and then write something for every element of it, such as
 * softmax. The same steps are written for one invocation, one subgroup or one workgroup per row,
 * whichever suits the row length and the adapter.
 */
import type { AdapterFacts, Dispatch } from './kernel.js';
import type { Width } from './wgsl/dtype.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { widen } from './wgsl/library.js';
import { shader, type ShaderBinding } from './wgsl/shader.js';

/** Writes the steps of a row kernel. Positions `k` count units of `width` elements. */
export interface RowSteps {
  readonly width: Width;
  /** Scalar WGSL at this kernel's width. */
  wide(text: string): string;
  /** Runs `body`, which may use `k`, for all positions of the row. */
  each(body: string): string;
  /** Declares `name`, the combination over the whole row of `element`, which may use `k`. All are f32. */
  reduce(name: string, reduction: RowReduction): string;
  /** As `reduce` for several in one loop, whose steps begin with the statements `before`. */
  reduceAll(reductions: ReadonlyMap<string, RowReduction>, before: string): string;
  /** Runs `body` once per row. */
  once(body: string): string;
}

export interface RowReduction {
  /** A scalar. */
  readonly identity: string;
  /** Scalar WGSL that also holds for `vec4`s. */
  readonly combine: (a: string, b: string) => string;
  /** At the kernel's width. */
  readonly element: string;
}

export interface RowKernel {
  readonly label: string;
  readonly rows: number;
  /** Elements per row. */
  readonly columns: number;
  readonly width: Width;
  readonly bindings: readonly ShaderBinding[];
  /** The statements for the row called `row`. */
  readonly body: (steps: RowSteps) => string;
}

interface WithAdapter {
  readonly adapter: AdapterFacts;
}

/** Rows up to this length are taken by one invocation each. */
const SHORT_ROW = 64;
/** Workgroups that step through the rows on a software adapter. */
const SOFTWARE_GROUPS = 256;

/** The dispatch of a row kernel. `rows` and `columns` must not be 0. */
export function rowDispatch(c: WithAdapter, kernel: RowKernel): Dispatch {
  const { software, subgroupSize } = c.adapter;
  if (kernel.columns <= SHORT_ROW || (software && subgroupSize < 2)) return rowPerInvocation(c, kernel);
  return software ? rowPerSubgroup(c, kernel, subgroupSize) : rowPerWorkgroup(c, kernel);
}

/** Steps for `lanes` invocations per row; `share` leaves the combination of all lanes' `name` in `name`. */
function steps(
  { columns, width }: RowKernel,
  lanes: number,
  share: (name: string, reduction: RowReduction) => string,
): RowSteps {
  const units = columns / width;
  const each = (body: string): string => {
    const begin = lanes === 1 ? '0u' : 'local_index';
    return `for (var k = ${begin}; k < ${units}u; k += ${lanes}u) {\n${body}\n}`;
  };
  const wide = (text: string): string => widen(text, width);
  const total = (name: string, reduction: RowReduction): string => {
    const part = `${name}_part`;
    const [x, y, z, w] = ['x', 'y', 'z', 'w'].map((lane) => `${part}.${lane}`);
    const { combine } = reduction;
    const sum = width === 1 ? part : combine(combine(x ?? '', y ?? ''), combine(z ?? '', w ?? ''));
    return [`var ${name}: f32 = ${sum};`, share(name, reduction)].filter((line) => line !== '').join('\n');
  };
  const reduceAll: RowSteps['reduceAll'] = (reductions, before) => {
    const all = [...reductions];
    const steps = all.map(
      ([name, { combine, element }]) => `${name}_part = ${wide(combine(`${name}_part`, element))};`,
    );
    return [
      ...all.map(([name, { identity }]) => `var ${name}_part = ${wide(identity)};`),
      each([before, ...steps].filter((text) => text !== '').join('\n')),
      ...all.map(([name, reduction]) => total(name, reduction)),
    ].join('\n');
  };
  return {
    width,
    wide,
    each,
    reduce: (name, reduction) => reduceAll(new Map([[name, reduction]]), ''),
    reduceAll,
    once: (body) => (lanes === 1 ? body : `if (local_index == 0u) {\n${body}\n}`),
  };
}

function rowPerInvocation(c: WithAdapter, kernel: RowKernel): Dispatch {
  const size = c.adapter.software && kernel.rows < 4096 ? 8 : 64;
  const grid = gridFor(kernel.rows, 1, c.adapter, size);
  const body = kernel.body(steps(kernel, 1, () => ''));
  return shader(
    {
      label: `${kernel.label}.rowPerInvocation`,
      bindings: kernel.bindings,
      workgroups: grid.workgroups,
      workgroupSize: size,
      body: gridStride(grid, body, 'row'),
    },
    c.adapter,
  );
}

/** A loop over all rows by workgroups. */
function overRows({ rows }: RowKernel, groups: number, body: string): string {
  return `for (var row = group_id.x; row < ${rows}u; row += ${groups}u) {\n${body}\n}`;
}

/** Workgroups are single subgroups, which share by exchanging lanes. */
function rowPerSubgroup(c: WithAdapter, kernel: RowKernel, size: number): Dispatch {
  const share = (name: string, { combine }: RowReduction): string => {
    const lines: string[] = [];
    for (let distance = 1; distance < size; distance *= 2) {
      lines.push(`${name} = ${combine(name, `subgroupShuffleXor(${name}, ${distance}u)`)};`);
    }
    return lines.join('\n');
  };
  const groups = Math.min(kernel.rows, SOFTWARE_GROUPS);
  return shader(
    {
      label: `${kernel.label}.rowPerSubgroup`,
      bindings: kernel.bindings,
      workgroups: [groups, 1, 1],
      workgroupSize: size,
      body: overRows(kernel, groups, kernel.body(steps(kernel, size, share))),
    },
    c.adapter,
  );
}

/** Workgroups share through workgroup memory. */
function rowPerWorkgroup(c: WithAdapter, kernel: RowKernel): Dispatch {
  const size = Math.min(kernel.columns >= 2048 ? 256 : 64, c.adapter.maxInvocations);
  const share = (name: string, { combine }: RowReduction): string => `partial[local_index] = ${name};
workgroupBarrier();
for (var half = ${size / 2}u; half > 0u; half /= 2u) {
if (local_index < half) {
partial[local_index] = ${combine('partial[local_index]', 'partial[local_index + half]')};
}
workgroupBarrier();
}
${name} = partial[0];
workgroupBarrier();`;
  const groups = Math.min(kernel.rows, c.adapter.maxWorkgroups);
  return shader(
    {
      label: `${kernel.label}.rowPerWorkgroup`,
      bindings: kernel.bindings,
      workgroups: [groups, 1, 1],
      workgroupSize: size,
      declarations: `var<workgroup> partial: array<f32, ${size}>;`,
      body: overRows(kernel, groups, kernel.body(steps(kernel, size, share))),
    },
    c.adapter,
  );
}
