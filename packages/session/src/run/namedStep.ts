/** Host steps whose errors name their node. */
import { ForerunError } from '@forerun/graph';
import type { HostStepFn, HostStepNode } from './hostOps.js';

/** The step, with its node and where that was made in what it refuses. */
export function namedStep(run: HostStepFn): HostStepFn {
  return async (node, inputs, environment) => {
    try {
      return await run(node, inputs, environment);
    } catch (error) {
      throw error instanceof ForerunError ? named(error, node) : error;
    }
  };
}

function named(error: ForerunError, node: HostStepNode): Error {
  const Kind = error.constructor as new (message: string, options: ErrorOptions & { node: string }) => Error;
  const message = `${node.type} "${node.name}": ${error.message}${node.site()}`;
  return new Kind(message, { node: node.name, cause: error });
}
