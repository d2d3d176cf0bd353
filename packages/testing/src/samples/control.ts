/** Samples of the family `control`: there are none, because the ops need the functions and lists of a graph. */
import type { FamilySamples } from '../sample.js';

const elsewhere = {
  testedElsewhere: 'graph/test/controlFlow and session/test/controlFlow build whole loops and conditionals',
};

export const CONTROL_SAMPLES = {
  If: elsewhere,
  StatelessIf: elsewhere,
  Case: elsewhere,
  StatelessCase: elsewhere,
  While: elsewhere,
  StatelessWhile: elsewhere,
  PartitionedCall: elsewhere,
  StatefulPartitionedCall: elsewhere,
} satisfies FamilySamples;
