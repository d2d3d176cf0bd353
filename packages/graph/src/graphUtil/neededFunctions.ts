/** Which functions of a library a graph still calls, after nodes were dropped or took other functions. */
import type { Init } from '../proto/message.js';
import type { AttrValue, FunctionDefLibrary, NodeDef } from '../proto/messages.js';

type Library = Init<FunctionDefLibrary>;
type Node = Pick<Init<NodeDef>, 'op' | 'attr'>;

/** Names of functions that an attribute holds, in the attributes of functions too. */
function functionsIn({ func, list }: Init<AttrValue>): string[] {
  const functions = [...(func === undefined ? [] : [func]), ...(list?.func ?? [])];
  return functions.flatMap(({ name = '', attr }) => [
    name,
    ...[...(attr?.values() ?? [])].flatMap(functionsIn),
  ]);
}

class Search {
  readonly needed = new Set<string>();
  /** Names under which nodes ask for gradients of their own. */
  readonly gradientTypes = new Set<string>();

  constructor(private readonly library: Library) {}

  run(nodes: readonly Node[]): void {
    const functions = new Map((this.library.function ?? []).map((fn) => [fn.signature?.name ?? '', fn]));
    const stack = nodes.flatMap((node) => this.calledBy(node));
    for (let name = stack.pop(); name !== undefined; name = stack.pop()) {
      const fn = functions.get(name);
      if (fn === undefined || this.needed.has(name)) continue;
      this.needed.add(name);
      stack.push(...(fn.nodeDef ?? []).flatMap((node) => this.calledBy(node)), ...this.gradientsOf(name));
    }
  }

  private gradientsOf(name: string): string[] {
    const own = (this.library.gradient ?? []).filter(({ functionName }) => functionName === name);
    return own.map(({ gradientFunc = '' }) => gradientFunc);
  }

  private calledBy({ op = '', attr }: Node): string[] {
    const called = [op, ...[...(attr?.values() ?? [])].flatMap(functionsIn)];
    const asked = attr?.get('_gradient_op_type')?.s;
    if (asked === undefined) return called;
    const type = new TextDecoder().decode(asked);
    this.gradientTypes.add(type);
    const registered = (this.library.registeredGradients ?? []).filter(
      ({ registeredOpType }) => registeredOpType === type,
    );
    return [...called, ...registered.map(({ gradientFunc = '' }) => gradientFunc)];
  }
}

/** The library with what `nodes` call, directly or through functions, and the gradients of that; `undefined` where nothing is left. */
export function neededFunctions(library: Library, nodes: readonly Node[]): Library | undefined {
  const search = new Search(library);
  search.run(nodes);
  const { needed, gradientTypes } = search;
  const kept = {
    function: (library.function ?? []).filter((fn) => needed.has(fn.signature?.name ?? '')),
    gradient: (library.gradient ?? []).filter(({ functionName = '' }) => needed.has(functionName)),
    registeredGradients: (library.registeredGradients ?? []).filter(({ registeredOpType = '' }) =>
      gradientTypes.has(registeredOpType),
    ),
  };
  return Object.values(kept).every((list) => list.length === 0) ? undefined : { ...library, ...kept };
}
