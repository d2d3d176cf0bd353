/** `cond`, `case`, `switchCase`: builds the functions of conditionals from callbacks. */
import { constant, convertToTensor } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import type { FuncGraph } from '../funcGraph.js';
import { notEqual } from '../ops/comparison.js';
import { cast } from '../ops/unary.js';
import type { Operation } from '../operation.js';
import { getDefaultGraph, nameScope } from '../scopes.js';
import { TensorShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { type TensorLike } from '../tensor.js';
import { funcAttr, inside, isStateful, newFunction, register, shareCaptures } from './functions.js';
import { flatten, type Flat, type Nest, type Nested, type NestLike } from './nest.js';

export interface CondOptions {
  readonly name?: string | undefined;
}

/** What a branch may return: nothing, an operation, or any nesting of tensors. */
export type BranchResult = NestLike | Operation | undefined;
type Result<R> = R extends Operation | undefined ? Operation : Nested<R>;

/**
 * The results of `trueFn` where `pred` (a bool scalar) holds, else those of `falseFn` (`tf.cond`). Only the chosen
 * branch runs. Both return the same structure with the same dtypes; shapes may differ. When they return nothing or
 * an operation, the result is the operation that runs the branch. Throws `InvalidArgumentError` when they differ.
 */
export function cond<const R extends BranchResult>(
  pred: TensorLike,
  trueFn: () => R,
  falseFn: () => NoInfer<R> | BranchResult,
  { name }: CondOptions = {},
): Result<R> {
  return nameScope(name ?? 'cond', () => {
    const selector = toPredicate(convertToTensor(pred));
    return choose('If', selector, ['true', 'false'], [trueFn, falseFn], 'cond') as Result<R>;
  });
}

/** Numbers count as true unless they are zero, as TensorFlow's `If` takes them. */
function toPredicate(pred: Tensor): Tensor {
  if ((pred.shape.rank ?? 0) !== 0) {
    throw new InvalidArgumentError(
      `cond: pred must be a scalar, ${pred.name} has shape ${pred.shape.toString()}`,
    );
  }
  return pred.dtype === 'bool' ? pred : notEqual(pred, constant(0, { dtype: pred.dtype }));
}

/**
 * The results of the branch with number `branchIndex` (an int32 scalar), of `default` or else the last branch when
 * there is none (`tf.switch_case`). Branches as in `cond`.
 */
export function switchCase<const R extends BranchResult>(
  branchIndex: TensorLike,
  branchFns: readonly (() => R)[] | Readonly<Record<number, () => R>>,
  { default: fallback, name }: CondOptions & { readonly default?: (() => R) | undefined } = {},
): Result<R> {
  return nameScope(name ?? 'switch_case', () => {
    const listed = Array.isArray(branchFns)
      ? (branchFns as (() => R)[])
      : inOrder(branchFns as Record<number, () => R>);
    const branches = fallback === undefined ? listed : [...listed, fallback];
    if (branches.length === 0) throw new InvalidArgumentError('switchCase: there are no branches');
    const given = convertToTensor(branchIndex, typeof branchIndex === 'number' ? { dtype: 'int32' } : {});
    const index = given.dtype === 'int32' ? given : cast(given, 'int32');
    return choose(
      'Case',
      index,
      branches.map((_, i) => `branch${i}`),
      branches,
      'switchCase',
    ) as Result<R>;
  });
}

function inOrder<R>(fns: Readonly<Record<number, () => R>>): (() => R)[] {
  const keys = Object.keys(fns)
    .map(Number)
    .sort((a, b) => a - b);
  if (keys.some((key, i) => key !== i)) {
    throw new InvalidArgumentError(
      `switchCase: branches must be numbered 0 to ${keys.length - 1}, got ${keys.join(', ')}`,
    );
  }
  return keys.flatMap((key) => fns[key] ?? []);
}

export interface CaseOptions<R> extends CondOptions {
  /** Runs when no predicate holds; without it that is an error, and the last branch runs. */
  readonly default?: (() => R) | undefined;
}

/**
 * The results of the first branch whose predicate holds (`tf.case`): a chain of `cond`. `pairs` are
 * `[predicate, function]`. Without `default` the last pair runs when no predicate holds.
 */
export function caseOf<const R extends BranchResult>(
  pairs: readonly (readonly [TensorLike, () => R])[],
  { default: fallback, name }: CaseOptions<R> = {},
): Result<R> {
  return nameScope(name ?? 'case', () => {
    const last = fallback ?? pairs.at(-1)?.[1];
    if (last === undefined) throw new InvalidArgumentError('case: there are no pairs');
    const chain = fallback === undefined ? pairs.slice(0, -1) : pairs;
    const build = chain.reduceRight<() => R>(
      (otherwise, [pred, fn]) =>
        () =>
          cond(pred, fn, otherwise) as R,
      last,
    );
    return build() as Result<R>;
  });
}

function choose(
  type: 'If' | 'Case',
  selector: Tensor,
  roles: readonly string[],
  fns: readonly (() => BranchResult)[],
  what: string,
): Nest | Operation {
  const scope = getDefaultGraph().currentScope.replace(/\/$/, '').replaceAll('/', '_');
  const branches = fns.map((build, i) => branch(newFunction(`${scope}_${roles[i] ?? ''}`), build, what));
  const results = branches.map(({ result }) => result);
  checkAlike(results, what);
  const functions = branches.map(({ fn }) => fn);
  const captured = shareCaptures(functions);
  const waits = register(functions);
  const [first] = results;
  if (first === undefined) throw new InvalidArgumentError(`${what}: there are no branches`);
  const op = getDefaultGraph().createOp({
    type: functions.some(isStateful) ? type : `Stateless${type}`,
    name: type,
    inputs: [selector, ...captured],
    controlInputs: waits.filter((wait) => wait.graph === getDefaultGraph()),
    attrs: {
      ...(type === 'If'
        ? { then_branch: branchFunction(functions, 0), else_branch: branchFunction(functions, 1) }
        : { branches: { kind: 'list(func)', value: functions.map((fn) => funcAttr(fn).value) } }),
      Tout: { kind: 'list(type)', value: first.tensors.map(({ dtype }) => dtype) },
      output_shapes: first.tensors.map((_, i) => commonShape(results.map(({ tensors }) => tensors[i]))),
    },
  });
  return first.describe === NOTHING ? op : first.rebuild(op.outputs);
}

function branchFunction(functions: readonly FuncGraph[], i: number): ReturnType<typeof funcAttr> {
  const fn = functions[i];
  if (fn === undefined) throw new InvalidArgumentError('cond takes two branches');
  return funcAttr(fn);
}

const NOTHING = 'nothing';

function branch(fn: FuncGraph, build: () => BranchResult, what: string): { fn: FuncGraph; result: Flat } {
  const result = inside(
    fn,
    () => {
      const given = build();
      if (isNothing(given)) return { tensors: [], rebuild: () => [], describe: NOTHING };
      const flat = flatten(given);
      return { ...flat, tensors: flat.tensors.map((tensor) => fn.capture(tensor)) };
    },
    what,
  );
  fn.outputs = [...result.tensors];
  return { fn, result };
}

function isNothing(value: BranchResult): value is Operation | undefined {
  return value === undefined || (typeof value === 'object' && 'controlInputs' in value && 'outputs' in value);
}

function checkAlike(results: readonly Flat[], what: string): void {
  const [first] = results;
  results.forEach((other, i) => {
    if (first === undefined) return;
    if (other.describe !== first.describe) {
      throw new InvalidArgumentError(
        `${what}: branch 0 returns ${first.describe}, branch ${i} returns ${other.describe}`,
      );
    }
    other.tensors.forEach((tensor, k) => {
      const want = first.tensors[k]?.dtype;
      if (tensor.dtype !== want) {
        throw new InvalidArgumentError(
          `${what}: result ${k} is ${String(want)} in branch 0 and ${tensor.dtype} in branch ${i}`,
        );
      }
    });
  });
}

/** What is true of the shapes of all branches. */
function commonShape(tensors: readonly (Tensor | undefined)[]): TensorShape {
  const shapes = tensors.map((tensor) => tensor?.shape.dims ?? null);
  const [first] = shapes;
  if (first === null || first === undefined) return TensorShape.UNKNOWN;
  if (shapes.some((dims) => dims?.length !== first.length)) return TensorShape.UNKNOWN;
  return new TensorShape(first.map((dim, i) => (shapes.every((dims) => dims?.[i] === dim) ? dim : null)));
}
