/** What the kernels of linear algebra share: one workgroup for every matrix of a batch. */
import type { KernelContext, Lowered } from './kernel.js';
import { shader, type ShaderBinding } from './wgsl/shader.js';

export const LANES = 64;
/** Makes what one invocation stored visible to the others of the workgroup. */
export const BARRIER = 'storageBarrier();\nworkgroupBarrier();';

export interface MatrixKernel {
  readonly bindings: readonly ShaderBinding[];
  readonly scratch?: readonly number[];
  readonly declarations?: string;
  /** Statements for the matrix number `matrix`; must be uniform wherever it has a barrier. */
  readonly body: string;
}

/** One workgroup for every matrix of the batch. */
export function perMatrix(c: KernelContext, batch: number, kernel: MatrixKernel): Lowered {
  if (batch === 0) return { dispatches: [] };
  const groups = Math.min(batch, c.adapter.maxWorkgroups);
  const dispatch = shader(
    {
      label: c.op,
      bindings: kernel.bindings,
      workgroups: [groups, 1, 1],
      workgroupSize: LANES,
      ...(kernel.declarations === undefined ? {} : { declarations: kernel.declarations }),
      body: `for (var matrix = group_id.x; matrix < ${batch}u; matrix += ${groups}u) {\n${kernel.body}\n${BARRIER}\n}`,
    },
    c.adapter,
  );
  return { dispatches: [dispatch], scratch: kernel.scratch ?? [] };
}

/** Shares `count` pieces of work, numbered `t`, among the invocations. */
export function share(count: string, body: string): string {
  return `for (var t = local_index; t < ${count}; t += ${LANES}u) {\n${body}\n}`;
}
