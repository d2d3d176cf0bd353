/** Encoding: apart from execution, because traced runs encode each dispatch into a pass of its own. */
import type { Command } from '../plan.js';

/** Encodes dispatches into a pass. Every call crosses into the binding, so none is made in vain. */
export function encodeCommands(pass: GPUComputePassEncoder, commands: readonly Command[]): void {
  let current: GPUComputePipeline | null = null;
  for (const { pipeline, bindGroup, workgroups } of commands) {
    if (pipeline !== current) pass.setPipeline((current = pipeline));
    pass.setBindGroup(0, bindGroup);
    const [x, y, z] = workgroups;
    if (z !== 1) pass.dispatchWorkgroups(x, y, z);
    else if (y !== 1) pass.dispatchWorkgroups(x, y);
    else pass.dispatchWorkgroups(x);
  }
}
