/** If, Loop and Scan of ONNX, whose bodies are graphs, as conditionals and loops of functions. */
import * as fr from '@forerun/graph';
import { InvalidArgumentError, TensorShape, type DType, type Tensor } from '@forerun/graph';
import { common, type ImportKnowledge } from './importKnowledge.js';
import type { ImportNode, NodeImporter, Subgraph } from './importNode.js';

/** The largest trip count that means one; greater ones say that there is no limit. */
const MAX_TRIPS = 2 ** 31 - 1;

export const scalar = (x: Tensor): Tensor => (x.shape.rank === 0 ? x : fr.reshape(x, []));

const conditional: NodeImporter = (node) => {
  const [yes, no] = [node.subgraph('then_branch'), node.subgraph('else_branch')];
  // Exporters leave questions about ranks and sizes in models; where the answer is known only one branch is valid.
  const known = node.knownElements(0)?.[0];
  if (known !== undefined) return (known === 0 ? no : yes).build([]);
  return eitherBranch(node.knowledge, scalar(node.input(0)), yes, no);
};

interface Branch {
  readonly subgraph: Subgraph;
  error: unknown;
  outputs: readonly Tensor[];
}

/**
 * A conditional. Models ask for ranks and sizes in conditionals and have branches that fit others than those that are known:
 * such a branch fails, with what it was refused for, when it is run.
 */
function eitherBranch(knowledge: ImportKnowledge, predicate: Tensor, yes: Subgraph, no: Subgraph): Tensor[] {
  const [then, otherwise] = [yes, no].map((subgraph): Branch => ({ subgraph, error: null, outputs: [] })) as [
    Branch,
    Branch,
  ];
  const attempt = (branch: Branch): readonly Tensor[] => {
    try {
      return (branch.outputs = branch.subgraph.build([]));
    } catch (error) {
      branch.error = error;
      throw error;
    }
  };
  const build = (a: Branch, b: Branch): Tensor[] => {
    const results: Tensor[] = fr.cond(
      a === then ? predicate : fr.logicalNot(predicate),
      () => (a.error === null ? [...attempt(a)] : failing(a.error, b)),
      () => (b.error === null ? [...attempt(b)] : failing(b.error, a)),
    );
    results.forEach((result, i) => {
      knowledge.isEither(result, a.outputs[i], b.outputs[i]);
    });
    return results;
  };
  try {
    return build(then, otherwise);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError) || (then.error === null && otherwise.error === null))
      throw error;
  }
  // The branch that can be built comes first: the other takes the form of its results.
  return then.error === null ? build(then, otherwise) : build(otherwise, then);
}

/** Results of the form that the other branch has, never reached. */
function failing(error: unknown, other: Branch): Tensor[] {
  const message = error instanceof Error ? error.message : String(error);
  const refusal = fr.assertThat(fr.constant(false), [fr.constant(message)]);
  return other.outputs.map(({ dtype, shape }) =>
    fr.controlDependencies([refusal], () =>
      dtype === 'variant'
        ? fr.optionalNone()
        : fr.identity(fr.zeros(shape.dims?.map((dim) => dim ?? 1) ?? [], { dtype })),
    ),
  );
}

/** What a loop is made of, for both kinds. */
interface LoopParts {
  /** Goes on while `i` is less. */
  readonly limit: Tensor | undefined;
  /** The condition that the body decides, with its first value. */
  readonly condition: Tensor | undefined;
  readonly initial: readonly Tensor[];
  /** Dtypes of what each iteration adds a row to. */
  readonly rows: readonly DType[];
  /** The condition, the variables, the rows. */
  readonly body: (i: Tensor, condition: Tensor, vars: readonly Tensor[]) => BodyResult;
  readonly knowledge: ImportKnowledge;
}

interface BodyResult {
  readonly condition: Tensor;
  readonly vars: readonly Tensor[];
  readonly rows: readonly Tensor[];
}

/** What is known of a loop's variables before its body is built, and of its body afterwards. */
interface LoopState {
  readonly shapes: readonly TensorShape[];
  /** For each variable, what it has been. */
  readonly sources: readonly (readonly Tensor[])[];
  /** The variables inside of the body, and what becomes of them. */
  inside: readonly Tensor[];
  vars: readonly Tensor[];
  rows: readonly Tensor[];
}

/** Runs a loop; gives the last values of its variables and the stacked rows. Variables may change their shapes. */
function loop(parts: LoopParts): Tensor[] {
  let shapes = parts.initial.map(({ shape }) => shape);
  let sources: readonly (readonly Tensor[])[] = parts.initial.map((tensor) => [tensor]);
  for (;;) {
    const state: LoopState = { shapes, sources, inside: [], vars: [], rows: [] };
    try {
      const results = build(parts, state);
      const grown = state.vars.map((later, i) => outgrows(parts, later, state.inside[i]));
      if (!grown.includes(true)) return results;
      sources = sources.map((given, i) => given.concat(state.vars[i] ?? []));
    } catch (error) {
      const relaxed = shapes.map((shape, i) => common(shape, state.vars[i]?.shape ?? shape));
      const changed = relaxed.some((shape, i) => shape.toString() !== shapes[i]?.toString());
      if (!(error instanceof InvalidArgumentError) || !changed) throw error;
      shapes = relaxed;
    }
  }
}

/** Whether a sequence gets elements in the body of which it held none before. */
function outgrows({ knowledge }: LoopParts, later: Tensor, before: Tensor | undefined): boolean {
  return before !== undefined && knowledge.outgrows(later, before);
}

function build({ limit, condition, initial, rows, body, knowledge }: LoopParts, state: LoopState): Tensor[] {
  const first = condition ?? fr.constant(true);
  const known = limit === undefined ? undefined : fr.constantValue(limit)?.data[0];
  const fixed = condition === undefined && known !== undefined && !Number.isNaN(known);
  const arrays = rows.map(
    (dtype) => new fr.TensorArray(dtype, fixed ? { size: known } : { size: 0, dynamicSize: true }),
  );
  const zero = fr.constant(0, { dtype: 'int32' });
  const [, , vars, written] = fr.whileLoop(
    (i, goesOn) => (limit === undefined ? goesOn : fr.logicalAnd(fr.less(i, limit), goesOn)),
    (i, goesOn, current, into) => {
      state.inside = current;
      current.forEach((tensor, k) => {
        knowledge.isEither(tensor, ...(state.sources[k] ?? []));
      });
      const result = body(i, goesOn, current);
      [state.vars, state.rows] = [result.vars, result.rows];
      return [
        fr.add(i, fr.constant(1, { dtype: 'int32' })),
        result.condition,
        [...result.vars],
        into.map((array, k) => array.write(i, result.rows[k] ?? zero)),
      ];
    },
    [zero, first, [...initial], arrays],
    { shapeInvariants: [zero.shape, first.shape, ...state.shapes, ...arrays.map(() => undefined)] },
  );
  vars.forEach((tensor, k) => {
    knowledge.isEither(tensor, ...(state.sources[k] ?? []), state.vars[k]);
  });
  const stacked = written.map((array, k) => {
    const y = array.stack();
    const dims = state.rows[k]?.shape.dims;
    if (dims !== null && dims !== undefined) y.setShape(new TensorShape([fixed ? known : null, ...dims]));
    return y;
  });
  return [...vars, ...stacked];
}

/** Dtypes of what a body gives, from one of its outputs on. */
export function rowTypes(node: ImportNode, body: Subgraph, from: number): DType[] {
  return body.outputs
    .slice(from)
    .map(({ name, dtype }) => dtype ?? node.fail(`the type of the body's output "${name}" is not given`));
}

const loopNode: NodeImporter = (node) => {
  const body = node.subgraph('body');
  const initial = node.inputs.slice(2).map((_, i) => node.input(i + 2));
  const trips = node.has(0) ? fr.constantValue(node.input(0))?.data[0] : undefined;
  const unlimited = !node.has(0) || (trips !== undefined && trips > MAX_TRIPS);
  // A body that hands its condition on unchanged, as one that has none does, counts only.
  const counts = !node.has(1) || fr.constantValue(scalar(node.input(1)))?.data[0] === 1;
  const free = counts && body.outputs[0]?.name !== undefined && body.passesCondition;
  return loop({
    knowledge: node.knowledge,
    limit: unlimited ? undefined : fr.cast(scalar(node.input(0)), 'int32'),
    condition: free ? undefined : node.has(1) ? scalar(node.input(1)) : fr.constant(true),
    initial,
    rows: rowTypes(node, body, 1 + initial.length),
    body: (i, condition, vars) => {
      const [goesOn, ...rest] = body.build([fr.cast(i, 'int64'), condition, ...vars]);
      return {
        condition: free ? condition : scalar(goesOn ?? condition),
        vars: rest.slice(0, vars.length),
        rows: rest.slice(vars.length),
      };
    },
  });
};

const scanNode: NodeImporter = (node) => {
  if (node.opset < 9) node.fail('scans of batches, as before operator set 9, are not supported');
  const body = node.subgraph('body');
  const scanned = node.int('num_scan_inputs', 0);
  const states = node.inputs.length - scanned;
  const initial = node.inputs.slice(0, states).map((_, i) => node.input(i));
  const [directions, axes] = [node.ints('scan_input_directions') ?? [], node.ints('scan_input_axes') ?? []];
  const sequences = node.inputs.slice(states).map((_, i) => {
    const first = axisMoved(node.input(states + i), axes[i] ?? 0, 0);
    return directions[i] === 1 ? fr.reverse(first, [0]) : first;
  });
  const [first = node.fail('there is nothing to scan')] = sequences;
  const count = first.shape.dim(0);
  const size = count ?? fr.gather(fr.shape(first), 0);
  const arrays = sequences.map((rows) => new fr.TensorArray(rows.dtype, { size }).unstack(rows));
  const results = loop({
    knowledge: node.knowledge,
    limit: count === null ? fr.gather(fr.shape(first), 0) : fr.constant(count, { dtype: 'int32' }),
    condition: undefined,
    initial,
    rows: rowTypes(node, body, states),
    body: (i, condition, vars) => {
      const built = body.build([...vars, ...arrays.map((array) => array.read(i))]);
      return { condition, vars: built.slice(0, states), rows: built.slice(states) };
    },
  });
  const [turned, targets] = [node.ints('scan_output_directions') ?? [], node.ints('scan_output_axes') ?? []];
  return results.map((tensor, i) => {
    if (i < states) return tensor;
    const rows = turned[i - states] === 1 ? fr.reverse(tensor, [0]) : tensor;
    return axisMoved(rows, 0, targets[i - states] ?? 0);
  });
};

/** The tensor with one axis at another place. */
export function axisMoved(x: Tensor, from: number, to: number): Tensor {
  if (from === to) return x;
  const rank = x.shape.rank ?? 0;
  const [source, target] = [from, to].map((axis) => (axis < 0 ? axis + rank : axis));
  const perm = Array.from({ length: rank }, (_, i) => i).filter((axis) => axis !== source);
  perm.splice(target ?? 0, 0, source ?? 0);
  return fr.transpose(x, { perm });
}

export const CONTROL_OPS: Readonly<Record<string, NodeImporter>> = {
  If: conditional,
  Loop: loopNode,
  Scan: scanNode,
};
