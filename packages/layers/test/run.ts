/** Runs graphs in the tests of this package: initializes variables and evaluates tensors with the references. */
import {
  Graph,
  controlDependencies,
  constant,
  getDefaultGraph,
  identity,
  toHostValue,
  toTensorValue,
  variablesInitializer,
  type HostValue,
  type Operation,
  type Tensor,
  type ValueLike,
  type Variable,
} from '@forerun/graph';
import { interpret, type Variables } from '@forerun/testing';

/** A session of the float64 references: variables keep their values between runs. */
export class ReferenceSession {
  readonly values: Variables = new Map();

  /** Runs `build` with a new default graph. */
  static in<R>(build: (session: ReferenceSession) => R): R {
    return new Graph().asDefault(() => build(new ReferenceSession()));
  }

  /** Values of `tensors` as flat lists. */
  run(tensors: readonly Tensor[], feeds: readonly (readonly [Tensor, ValueLike])[] = []): number[][] {
    return this.evaluate(tensors, feeds).map((value) => Array.from(value.data));
  }

  /** The value of a scalar or the elements' list of one tensor. */
  get(tensor: Tensor, feeds: readonly (readonly [Tensor, ValueLike])[] = []): number[] {
    return this.run([tensor], feeds)[0] ?? [];
  }

  evaluate(tensors: readonly Tensor[], feeds: readonly (readonly [Tensor, ValueLike])[] = []): HostValue[] {
    const fed = new Map(feeds.map(([tensor, value]) => [tensor, hostOf(value, tensor)] as const));
    return interpret(tensors, fed, { variables: this.values });
  }

  /** Carries out an operation. */
  do(op: Operation, feeds: readonly (readonly [Tensor, ValueLike])[] = []): void {
    const done = controlDependencies([op], () => identity(constant(0)));
    this.evaluate([done], feeds);
  }

  initialize(variables: readonly Variable[]): void {
    this.do(variablesInitializer(variables));
  }

  /** Initializes every variable of the default graph. */
  initializeAll(): void {
    const graph = getDefaultGraph();
    const variables = [
      ...graph.getCollection('variables'),
      ...graph.getCollection('local_variables'),
    ] as Variable[];
    this.initialize(variables);
  }

  /** The elements of a variable. */
  read(variable: Variable): number[] {
    const value = this.values.get(variable.op);
    if (value === undefined) throw new Error(`${variable.name} has no value`);
    return Array.from(value.data);
  }
}

function hostOf(value: ValueLike, tensor: Tensor): HostValue {
  const host = toHostValue(toTensorValue(value, tensor.dtype));
  if (host === null) throw new Error(`${tensor.name} cannot be fed`);
  return host;
}

/** Asserts that the elements agree to `digits` decimal digits. */
export function expectNear(got: readonly number[], want: readonly number[], digits = 6): void {
  expect(got.length).toBe(want.length);
  got.forEach((x, i) => expect(x).toBeCloseTo(want[i] ?? NaN, digits));
}
