/**
 * Ops that the session carries out on the host between device work: questions about variables,
 * checkpoint files. A plan is cut at each of them, and only there.
 */
import { TensorValue } from '@forerun/graph';
import type { IrNode, VariableRef } from '../compiler/ir.js';
import type { TableStore } from '../tables.js';
import type { VariableStore } from '../variables.js';
import { mergeV2Checkpoints, saveV2, shardedFilename } from '../checkpoint/hostOps.js';
import { DEBUG_STEPS } from './debugSteps.js';
import { learnedUnigram } from './learnedSampler.js';
import type { RandomWords } from './random.js';
import { SUMMARY_STEPS } from '../summary/steps.js';
import { STRING_STEPS } from './stringSteps.js';
import { TABLE_STEPS } from './tableSteps.js';

export interface HostEnvironment {
  readonly variables: VariableStore;
  readonly tables: TableStore;
  /** Of the run, or of the body that is run. */
  readonly random: RandomWords;
  /** Takes what the graph prints. */
  readonly print: (text: string, stream: 'stdout' | 'stderr') => void;
}

/** What a host step sees of its node. */
export interface HostStepNode extends Pick<IrNode, 'type' | 'name' | 'attrs' | 'site'> {
  /** The variables and tables among its inputs. */
  readonly resources: readonly VariableRef[];
}

/** Carries out one node. Gets the values of all inputs that are not resources. */
export type HostStepFn = (
  node: HostStepNode,
  inputs: readonly TensorValue[],
  environment: HostEnvironment,
) => Promise<readonly TensorValue[]> | readonly TensorValue[];

const HOST_STEPS: Readonly<Record<string, HostStepFn>> = {
  VarIsInitializedOp: ({ resources: [variable] }, _, { variables }) => {
    const key = variable?.key ?? '';
    return [new TensorValue('bool', [], Uint8Array.of(variables.isInitialized(key) ? 1 : 0))];
  },
  DestroyResourceOp: ({ attrs, resources: [resource] }, _, { variables, tables }) => {
    const [key, ignoreMissing] = [resource?.key ?? '', attrs.bool('ignore_lookup_error')];
    if (resource?.table === undefined) variables.destroy(key, ignoreMissing);
    else tables.destroy(key, ignoreMissing);
    return [];
  },
  ...DEBUG_STEPS,
  ...STRING_STEPS,
  ...SUMMARY_STEPS,
  ...TABLE_STEPS,
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
