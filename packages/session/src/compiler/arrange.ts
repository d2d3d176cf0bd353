/** Stages 7a to 7c together: of the orders of units the one that needs the least memory. */
import type { AdapterFacts } from '@forerun/kernels-webgpu';
import { insertCopies } from './copies.js';
import { computeInPlace } from './inPlace.js';
import type { Program } from './ir.js';
import type { LoweredUnit } from './lower.js';
import { planMemory, type MemoryPlan } from './memory.js';
import { schedule, type Schedule, type UnitOrder } from './schedule.js';

export interface Arrangement {
  readonly scheduled: Schedule;
  readonly memory: MemoryPlan;
}

export interface ArrangeOptions {
  readonly adapter: AdapterFacts;
  /** Whether results may be stored in the place of operands. */
  readonly inPlace: boolean;
}

const ORDERS: readonly UnitOrder[] = ['program', 'short'];

/** Orders units and assigns buffers. Of two orders that need the same memory the first wins, where none copies more. */
export function arrange(
  lowered: readonly LoweredUnit[],
  program: Program,
  { adapter, inPlace }: ArrangeOptions,
): Arrangement {
  const candidates = ORDERS.map((order): Arrangement => {
    const apart = insertCopies(schedule(lowered, program, order), adapter);
    if (!inPlace) return { scheduled: apart, memory: planMemory(program, apart) };
    const { scheduled, placeOf } = computeInPlace(program, apart);
    return { scheduled, memory: planMemory(program, scheduled, placeOf) };
  });
  const copies = Math.min(...candidates.map(({ scheduled }) => scheduled.copied.size));
  return candidates
    .filter(({ scheduled }) => scheduled.copied.size === copies)
    .reduce((best, next) => (next.memory.peakBytes < best.memory.peakBytes ? next : best));
}
