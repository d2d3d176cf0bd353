/**
 * Ops that the session carries out on the host between device work: questions about variables,
 * checkpoint files. A plan is cut at each of them, and only there.
 */
import { TensorValue } from '@forerun/graph';
import type { IrNode } from '../compiler/ir.js';
import { inputOf } from '../compiler/ir.js';
import type { VariableStore } from '../variables.js';
import { mergeV2Checkpoints, saveV2, shardedFilename } from '../checkpoint/hostOps.js';
import { DEBUG_STEPS } from './debugSteps.js';
import { learnedUnigram } from './learnedSampler.js';
import type { RandomWords } from './random.js';

export interface HostEnvironment {
  readonly variables: VariableStore;
  /** Of the run, or of the body that is run. */
  readonly random: RandomWords;
  /** Takes what the graph prints. */
  readonly print: (text: string, stream: 'stdout' | 'stderr') => void;
}

/** What a host step sees of its node. */
export type HostStepNode = Pick<IrNode, 'type' | 'name' | 'attrs' | 'inputs' | 'site'>;

/** Carries out one node. Gets the values of all inputs that are not resources. */
export type HostStepFn = (
  node: HostStepNode,
  inputs: readonly TensorValue[],
  environment: HostEnvironment,
) => Promise<readonly TensorValue[]> | readonly TensorValue[];

const HOST_STEPS: Readonly<Record<string, HostStepFn>> = {
  VarIsInitializedOp: (node, _, { variables }) => {
    const key = inputOf(node, 0).variable?.key ?? '';
    return [new TensorValue('bool', [], Uint8Array.of(variables.isInitialized(key) ? 1 : 0))];
  },
  DestroyResourceOp: (node, _, { variables }) => {
    variables.destroy(inputOf(node, 0).variable?.key ?? '', node.attrs.bool('ignore_lookup_error'));
    return [];
  },
  ...DEBUG_STEPS,
  LearnedUnigramCandidateSampler: learnedUnigram,
  MergeV2Checkpoints: mergeV2Checkpoints,
  SaveV2: saveV2,
  ShardedFilename: shardedFilename,
};

export function isHostStep(type: string): boolean {
  return Object.hasOwn(HOST_STEPS, type);
}

export function hostStep(type: string): HostStepFn | undefined {
  return HOST_STEPS[type];
}
