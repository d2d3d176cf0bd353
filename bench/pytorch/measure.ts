/** The workloads in PyTorch on the CPU, where the machine has it: native code beside a software GPU. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Measurement } from '../src/measure.js';
import {
  LEARNING_RATE,
  LSTM,
  RESNET_STAGES,
  SPECS,
  TRANSFORMER,
  type WorkloadName,
} from '../workloads/specs.js';

const script = fileURLToPath(new URL('../../pytorch/steps.py', import.meta.url));

/** `FORERUN_PYTHON` names another interpreter. */
const python = process.env.FORERUN_PYTHON ?? 'python3';

/** Whether Python can import PyTorch. */
export function hasPytorch(): boolean {
  return spawnSync(python, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0;
}

/** Measures one workload. Throws with what Python wrote when it fails. */
export function measurePytorch(name: WorkloadName): Measurement {
  const { batch, steps, input, labels, classes } = SPECS[name];
  const sizes = { lstm: LSTM, transformer: TRANSFORMER, stages: RESNET_STAGES };
  const asked = { name, batch, steps, input, labels, classes, learning_rate: LEARNING_RATE, ...sizes };
  const { status, stdout, stderr } = spawnSync(python, [script], {
    input: JSON.stringify(asked),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`PyTorch failed on ${name}:\n${stderr}`);
  return { adapter: 'CPU', ...(JSON.parse(stdout) as Omit<Measurement, 'adapter'>) };
}
