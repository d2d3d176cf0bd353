/** The compiler's stages before the device, for tests. */
import * as fr from '@forerun/graph';
import { insertCopies } from '../../src/compiler/copies.js';
import { fuse, type Unit } from '../../src/compiler/fuse.js';
import type { HostValues } from '../../src/compiler/hostValues.js';
import type { Program } from '../../src/compiler/ir.js';
import { bindUnits, lower } from '../../src/compiler/lower.js';
import { planMemory, type MemoryPlan } from '../../src/compiler/memory.js';
import { pruneGraph } from '../../src/compiler/prune.js';
import { prune } from '../../src/compiler/rebuild.js';
import { schedule, type Schedule } from '../../src/compiler/schedule.js';
import { simplify, type PassSwitches } from '../../src/compiler/simplify.js';
import { specialize } from '../../src/compiler/specialize.js';
import { FACTS } from './adapterFacts.js';

export interface Stages {
  readonly program: Program;
  readonly host: HostValues;
  readonly units: readonly Unit[];
  readonly scheduled: Schedule;
  readonly memory: MemoryPlan;
}

/** Runs all stages before the device for fetches and fed shapes. */
export function compileStages(
  fetches: readonly fr.Tensor[],
  {
    feeds = new Map(),
    targets = [],
    passes = {},
  }: {
    feeds?: ReadonlyMap<fr.Tensor, fr.TensorValue>;
    targets?: readonly fr.Operation[];
    passes?: PassSwitches;
  } = {},
): Stages {
  const positions = new Map([...feeds.keys()].map((tensor, i) => [tensor, i]));
  const { program: exact, host } = specialize(pruneGraph(fetches, targets, positions), [...feeds.values()]);
  const { program } = simplify(prune(exact), host, passes);
  const units = fuse(program, host, FACTS.maxBindings, passes.fuse !== false);
  const scheduled = insertCopies(schedule(bindUnits(lower(units, host, FACTS), FACTS), program), FACTS);
  return { program, host, units, scheduled, memory: planMemory(program, scheduled) };
}

/** A value to feed. */
export const zeros = (...shape: number[]): fr.TensorValue =>
  new fr.TensorValue('float32', shape, new Float32Array(fr.sizeOf(shape)));

/** The types of a program's nodes, in order. */
export const types = (program: Program): string[] => program.nodes.map((node) => node.type);
