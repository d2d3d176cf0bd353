/** Encoding: apart from execution, because traced runs encode each dispatch into a pass of its own. */
import type { Command } from '../plan.js';

/** Encodes dispatches into a pass. */
export function encodeCommands(pass: GPUComputePassEncoder, commands: readonly Command[]): void {
  for (const { pipeline, bindGroup, workgroups } of commands) {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
  }
}
