/**
 * Drivers translate a shader when it is first dispatched. Warming up dispatches every pipeline once over no workgroups,
 * with the plan's own bind groups: the driver does its work, no invocation runs, and no value changes. The
 * number of workgroups comes from a buffer, since a dispatch of 0 workgroups in the call itself could be dropped.
 */
import type { DeviceHandle } from '../device/handle.js';
import type { Command, Plan } from '../plan.js';

/** Pipelines per submit: progress is told after each. */
const PER_SUBMIT = 8;

/** Touches the pipelines of a plan that nothing has dispatched yet. `onProgress` gets how many of them are done. */
export async function warmUp(
  handle: DeviceHandle,
  plan: Plan,
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  const commands = untouched(handle, plan);
  onProgress(0, commands.length);
  for (let i = 0; i < commands.length; i += PER_SUBMIT) {
    const some = commands.slice(i, i + PER_SUBMIT);
    const encoder = handle.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const { pipeline, bindGroup } of some) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroupsIndirect(handle.noWorkgroups, 0);
    }
    pass.end();
    handle.queue.submit([encoder.finish()]);
    await handle.wait(handle.queue.onSubmittedWorkDone());
    onProgress(i + some.length, commands.length);
  }
}

/** One dispatch for each pipeline that has not been warmed up. */
function untouched({ warmed }: DeviceHandle, plan: Plan): Command[] {
  const commands: Command[] = [];
  for (const step of plan.init.steps) {
    if (step.kind !== 'device') continue;
    for (const command of step.commands) {
      if (warmed.has(command.pipeline)) continue;
      warmed.add(command.pipeline);
      commands.push(command);
    }
  }
  return commands;
}
