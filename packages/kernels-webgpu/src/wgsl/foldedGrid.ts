/**
 * Dispatches of more workgroups than the adapter takes in one dimension. Kernels do not know of the
 * limit: the grid is folded over three dimensions, and `main` first finds the numbers of its own.
 */
import { UnimplementedError } from '@forerun/graph';
import type { AdapterFacts } from '../kernel.js';

export interface FoldedGrid {
  readonly workgroups: readonly [number, number, number];
  /** Statements that begin `main`: what `group_id`, `global_id` and `num_groups` are in the unfolded grid. */
  readonly code: string;
}

/** The grid as the adapter takes it; `null` when it need not be folded. */
export function foldGrid(
  label: string,
  [x, y, z]: readonly [number, number, number],
  [sizeX, sizeY, sizeZ]: readonly [number, number, number],
  adapter: AdapterFacts,
): FoldedGrid | null {
  const most = adapter.maxWorkgroups;
  if (Math.max(x, y, z) <= most) return null;
  const total = x * y * z;
  const across = Math.min(most, Math.ceil(Math.sqrt(total)));
  const down = Math.min(most, Math.ceil(total / across));
  const deep = Math.ceil(total / (across * down));
  if (deep > most) {
    throw new UnimplementedError(
      `kernel ${label} needs ${total} workgroups, the adapter takes ${most} in each of three dimensions`,
    );
  }
  const code = [
    `let group_number = folded_id.x + (folded_id.y + folded_id.z * ${down}u) * ${across}u;`,
    `if (group_number >= ${total}u) { return; }`,
    `let group_id = vec3<u32>(group_number % ${x}u, group_number / ${x}u % ${y}u, group_number / ${x * y}u);`,
    `let global_id = group_id * vec3<u32>(${sizeX}u, ${sizeY}u, ${sizeZ}u) + local_id;`,
    `let num_groups = vec3<u32>(${x}u, ${y}u, ${z}u);`,
  ];
  return { workgroups: [across, down, deep], code: code.join('\n') };
}
