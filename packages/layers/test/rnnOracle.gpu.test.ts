/** Recurrent cells over time against independently computed values and gradients, by a session on the device. */
import { fromHostValue, toHostValue } from '@forerun/graph';
import { Session } from '@forerun/session';
import { expectClose } from '@forerun/testing';
import { RNN_CASES, RUNNERS, buildCase } from './rnnOracle.js';

describe.each(RUNNERS)('the oracle through %s', (runner) => {
  it.each(RNN_CASES)('$name', async (json) => {
    const { graph, feeds, variables, checks } = buildCase(json, runner);
    const assigns = graph.asDefault(() =>
      [...variables].map(([variable, value]) => variable.assign(fromHostValue(value), { readValue: false })),
    );
    const sess = await Session.create({ graph });
    try {
      await sess.run(assigns);
      const fed = new Map([...feeds].map(([tensor, value]) => [tensor, fromHostValue(value)] as const));
      const results = await sess.run(
        checks.map(({ tensor }) => tensor),
        fed,
      );
      checks.forEach(({ want, label }, i) => {
        const result = results[i];
        const got = result === undefined ? null : toHostValue(result);
        if (got === null) throw new Error(`${label} has no value`);
        expectClose(got, want, json.tolerance, label);
      });
    } finally {
      sess.close();
    }
  });
});
