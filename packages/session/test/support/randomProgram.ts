/**
 * Random graphs for the fuzzer: tensors of any kind on top of placeholders, constants and variables,
 * updates of variables in a fixed order, gradients, fetches from anywhere. Every choice follows from
 * the seed. The interpreter computes each node as it is made, so that only sensible ones are kept.
 */
import * as fr from '@forerun/graph';
import { interpret, Random, type Variables } from '@forerun/testing';

/** A tensor of a program with its value for the first feeds. */
export interface Known {
  readonly tensor: fr.Tensor;
  readonly value: fr.HostValue;
  /** Computed by operations that do not round: float32 must give the very value. */
  readonly exact: boolean;
}

export interface RandomProgram {
  readonly graph: fr.Graph;
  readonly fetches: readonly fr.Tensor[];
  readonly exact: readonly boolean[];
  readonly initializer: fr.Operation;
  readonly variables: readonly fr.Variable[];
  /** The variables before the first run. */
  readonly state: () => Variables;
  /** Values for the placeholders with `batch` rows, and for a tensor in the middle where one is fed. */
  readonly feeds: (batch: number) => Map<fr.Tensor, fr.HostValue>;
  /** Whether something inside is fed, whose shape holds for the first batch only. */
  readonly fedInside: boolean;
  /** The largest magnitude in the program: rounding errors are in proportion to it. */
  readonly magnitude: number;
}

export const FIRST_BATCH = 5;

/** Larger values are left out, lest rounding errors outgrow every tolerance. */
const LIMIT = 200;
const MAX_ELEMENTS = 600;

/** The program of a seed, in a graph of its own. */
export function randomProgram(seed: number): RandomProgram {
  const graph = new fr.Graph();
  return graph.asDefault(() => new ProgramMaker(new Random(seed), graph).make());
}

class ProgramMaker {
  readonly #pool: Known[] = [];
  readonly #values = new Map<fr.Tensor, fr.HostValue>();
  readonly #placeholders: { tensor: fr.Tensor; tail: readonly number[] }[] = [];
  readonly #variables: { variable: fr.Variable; initial: fr.HostValue }[] = [];
  readonly #state: Variables = new Map();
  readonly #feedSeed: number;
  #lastUpdate: fr.Operation | null = null;
  #magnitude = 1;

  constructor(
    private readonly random: Random,
    private readonly graph: fr.Graph,
  ) {
    this.#feedSeed = random.integer(1, 1e6);
  }

  make(): RandomProgram {
    this.addSources();
    const steps = this.random.integer(4, 26);
    for (let i = 0; i < steps; i++) this.addStep();
    if (this.random.next() < 0.3) this.addGradients();
    return this.finish();
  }

  private addSources(): void {
    for (let i = this.random.integer(1, 4); i > 0; i--) this.addPlaceholder();
    for (let i = this.random.integer(1, 3); i > 0; i--) {
      const value = this.smallIntegers(this.shape());
      this.keep(fr.constant(fr.fromHostValue(value)), true);
    }
    this.keep(fr.constant(this.pick([0, 1, -1, 0.5, 2])), true);
    for (let i = this.random.integer(0, 3); i > 0; i--) this.addVariable();
  }

  private addPlaceholder(): void {
    const tail = this.pick([[], [1], [3], [4], [2, 3], [0], [4, 4]]);
    const dtype = this.pick(['float32', 'float32', 'float32', 'int32'] as const);
    const declared = this.random.next() < 0.1 ? null : [null, ...tail];
    const tensor = fr.placeholder(dtype, declared);
    this.#placeholders.push({ tensor, tail });
    const value = feedValue(tensor, [FIRST_BATCH, ...tail], this.#feedSeed + this.#placeholders.length);
    this.remember(tensor, value, true);
  }

  private addVariable(): void {
    const initial = this.smallIntegers(this.pick([[], [3], [4], [4, 4], [5, 3], [2, 3]]));
    const variable = new fr.Variable(fr.constant(fr.fromHostValue(initial)));
    this.#variables.push({ variable, initial });
    this.#state.set(variable.handle.op, initial);
    this.keepRead(this.inOrder(() => variable.readValue()));
  }

  /** One more node. Builders refuse shapes that do not fit; then nothing was added. */
  private addStep(): void {
    const before = this.#pool.length;
    for (let attempt = 0; attempt < 8 && this.#pool.length === before; attempt++) {
      const chosen = this.random.next();
      if (chosen < 0.18 && this.#variables.length > 0) this.addUpdateOrRead();
      else if (chosen < 0.26) this.withWait(() => this.addAny());
      else this.addAny();
    }
  }

  /** Runs `add` where what it makes waits for some node. */
  private withWait(add: () => void): void {
    fr.controlDependencies([this.pick(this.#pool).tensor], add);
  }

  private addAny(): void {
    const x = this.pick(this.#pool);
    const y = this.pick(this.#pool);
    if (x.tensor.dtype === 'float32') this.addFloat(x, y);
    else if (x.tensor.dtype === 'int32') this.addInteger(x, y);
    else if (x.tensor.dtype === 'bool') this.addBool(x, y);
  }

  private addFloat(x: Known, y: Known): void {
    const kind = this.random.next();
    if (kind < 0.3 && y.tensor.dtype === 'float32') this.addBinary(x, y);
    else if (kind < 0.5) this.addUnary(x);
    else if (kind < 0.7) this.addMove(x);
    else if (kind < 0.8) this.addReduction(x);
    else if (kind < 0.86 && y.tensor.dtype === 'float32') this.addJoin(x, y);
    else this.addNeural(x, y);
  }

  private addBinary(x: Known, y: Known): void {
    const exact = x.exact && y.exact;
    const [a, b] = [x.tensor, y.tensor];
    const build = this.pick([
      fr.add,
      fr.add,
      fr.sub,
      fr.mul,
      fr.mul,
      fr.maximum,
      fr.minimum,
      fr.squaredDifference,
    ]);
    this.tryKeep(() => build(a, b), exact);
    if (exact && this.random.next() < 0.2) {
      const compare = this.pick([fr.less, fr.equal, fr.greaterEqual, fr.notEqual]);
      this.tryKeep(() => compare(a, b), true);
    }
  }

  private addUnary({ tensor, exact }: Known): void {
    const exactBuilders = [
      fr.neg,
      fr.abs,
      fr.square,
      fr.relu,
      fr.identity,
      fr.stopGradient,
      fr.zerosLike,
      fr.onesLike,
    ];
    if (this.random.next() < 0.5) this.tryKeep(() => this.pick(exactBuilders)(tensor), exact);
    else this.tryKeep(() => this.pick([fr.tanh, fr.sigmoid, fr.sin, fr.softplus, fr.cos])(tensor), false);
    if (exact && this.random.next() < 0.15) this.tryKeep(() => fr.cast(tensor, 'int32'), true);
  }

  /** Views and moves: the elements stay, the places change. */
  private addMove({ tensor, exact, value: { shape } }: Known): void {
    const axis = this.random.integer(0, Math.max(1, shape.length));
    const last = Math.max(0, shape.length - 1);
    const moves: readonly (() => fr.Tensor)[] = [
      () => fr.reshape(tensor, [-1]),
      () => fr.reshape(tensor, fr.concat([fr.shape(tensor), fr.constant([1])], 0)),
      () => fr.expandDims(tensor, axis),
      () => fr.squeeze(tensor),
      () => fr.transpose(tensor),
      () => fr.transpose(tensor, { perm: shape.map((_, d) => (d + 1) % shape.length) }),
      () =>
        fr.tile(
          tensor,
          shape.map((_, d) => (d === axis ? 2 : 1)),
        ),
      () =>
        fr.pad(
          tensor,
          shape.map((_, d) => (d === axis ? [1, 2] : [0, 0])),
        ),
      () =>
        fr.slice(
          tensor,
          shape.map((_, d) => (d === last ? 1 : 0)),
          shape.map(() => -1),
        ),
      () => fr.reverse(tensor, [axis]),
      () => fr.broadcastTo(tensor, fr.concat([fr.constant([2]), fr.shape(tensor)], 0)),
      () => fr.stack([tensor, tensor], { axis }),
      () => fr.unstack(tensor, { axis: last })[0] ?? tensor,
      () => fr.split(tensor, 2, { axis: last })[1] ?? tensor,
    ];
    this.tryKeep(this.pick(moves), exact);
  }

  private addReduction({ tensor, exact, value: { shape } }: Known): void {
    const axis = this.pick([null, 0, shape.length - 1]);
    const options = { keepdims: this.random.next() < 0.4, ...(axis === null ? {} : { axis }) };
    const build = this.pick([fr.reduceSum, fr.reduceMax, fr.reduceMin, fr.reduceMean]);
    if (build !== fr.reduceSum && shape.includes(0)) return;
    this.tryKeep(() => build(tensor, options), exact && build !== fr.reduceMean);
  }

  private addJoin(x: Known, y: Known): void {
    const [own, other] = [x.value.shape, y.value.shape];
    const axis = this.random.integer(0, Math.max(1, own.length));
    // The references trust shapes that are not known in the graph.
    if (own.length === other.length && own.every((dim, d) => d === axis || dim === other[d]))
      this.tryKeep(() => fr.concat([x.tensor, y.tensor, x.tensor], axis), x.exact && y.exact);
    if (own.join() === other.join())
      this.tryKeep(() => fr.addN([x.tensor, y.tensor, x.tensor]), x.exact && y.exact);
  }

  private addNeural(x: Known, y: Known): void {
    const condition = this.pick(this.#pool);
    if (condition.tensor.dtype === 'bool' && y.tensor.dtype === 'float32') {
      this.tryKeep(() => fr.whereV2(condition.tensor, x.tensor, y.tensor), x.exact && y.exact);
      return;
    }
    const last = x.value.shape.at(-1) ?? 0;
    const parts: readonly (() => void)[] = [
      () => this.tryKeep(() => fr.softmax(x.tensor), false),
      () => this.tryKeep(() => fr.biasAdd(x.tensor, fr.constant(new Array<number>(last).fill(0.5))), x.exact),
      () =>
        this.tryKeep(
          () => fr.matMul(x.tensor, y.tensor, { transposeB: this.random.next() < 0.5 }),
          x.exact && y.exact,
        ),
      () => this.tryKeep(() => fr.matMul(x.tensor, x.tensor, { transposeA: true }), x.exact),
      () => this.addDense(x, last),
      () => this.tryKeep(() => fr.cumsum(x.tensor), x.exact),
    ];
    this.pick(parts)();
  }

  private addDense({ tensor, exact, value: { shape } }: Known, last: number): void {
    if (shape.length < 2) return;
    this.tryKeep(() => fr.biasAdd(fr.matMul(tensor, fr.ones([last, 4])), [1, 2, 3, 4]), exact);
  }

  private addInteger(x: Known, y: Known): void {
    const [a, b] = [x.tensor, y.tensor];
    const choice = this.random.integer(0, 5);
    if (choice === 0) this.tryKeep(() => fr.cast(a, this.pick(['float32', 'bool', 'int64'] as const)), true);
    else if (choice === 1) this.addMove(x);
    else if (choice === 2) this.tryKeep(() => fr.reduceSum(a), true);
    else if (b.dtype === 'int32')
      this.tryKeep(
        () => this.pick([fr.add, fr.mul, fr.sub, fr.maximum, fr.floorDiv, fr.floorMod])(a, b),
        true,
      );
    else this.tryKeep(() => fr.less(a, 1), true);
  }

  private addBool(x: Known, y: Known): void {
    const [a, b] = [x.tensor, y.tensor];
    const choice = this.random.integer(0, 4);
    if (choice === 0) this.tryKeep(() => fr.cast(a, this.pick(['float32', 'int32', 'uint8'] as const)), true);
    else if (choice === 1) this.addMove(x);
    else if (b.dtype === 'bool')
      this.tryKeep(() => this.pick([fr.logicalAnd, fr.logicalOr, fr.equal])(a, b), true);
    else this.tryKeep(() => fr.logicalNot(a), true);
  }

  /** Reads and updates happen one after the other, in the order in which they are made. */
  private addUpdateOrRead(): void {
    const { variable, initial } = this.pick(this.#variables);
    if (this.random.next() < 0.4) {
      this.keepRead(this.inOrder(() => variable.readValue()));
      return;
    }
    const fits = this.#pool.filter(
      ({ tensor, value }) =>
        tensor.dtype === 'float32' &&
        tensor.shape.isFullyDefined &&
        value.shape.join() === initial.shape.join(),
    );
    if (fits.length === 0) return;
    const { tensor } = this.pick(fits);
    const { op } = this.inOrder(() => this.update(variable, tensor));
    const read = fr.controlDependencies([op], () => variable.readValue());
    this.keepRead(read);
  }

  private update(variable: fr.Variable, tensor: fr.Tensor): { op: fr.Operation } {
    const kind = this.random.integer(0, 3);
    const options = { readValue: false } as const;
    if (kind === 0) return { op: variable.assign(tensor, options) };
    return { op: kind === 1 ? variable.assignAdd(tensor, options) : variable.assignSub(tensor, options) };
  }

  private inOrder<R>(build: () => R): R {
    return this.#lastUpdate === null ? build() : fr.controlDependencies([this.#lastUpdate], build);
  }

  private keepRead(read: fr.Tensor): void {
    this.#lastUpdate = read.op;
    // Everything behind the read runs again from the first state, in order.
    const [value] = interpret([read], this.feeds(FIRST_BATCH), { variables: new Map(this.#state) });
    if (value !== undefined) this.remember(read, value, false);
  }

  private addGradients(): void {
    const sources = this.#pool.filter(({ tensor }) => tensor.dtype === 'float32').slice(0, 3);
    const targets = this.#pool.filter(({ tensor }) => tensor.dtype === 'float32');
    if (targets.length === 0) return;
    const { tensor } = this.pick(targets);
    let found: (fr.Tensor | null)[];
    try {
      found = fr.gradients(
        fr.reduceSum(tensor),
        sources.map((source) => source.tensor),
      );
    } catch (error) {
      if (error instanceof fr.UnimplementedError || error instanceof fr.InvalidArgumentError) return;
      throw error;
    }
    for (const gradient of found) if (gradient !== null) this.tryEvaluate(gradient, false);
  }

  private tryKeep(build: () => fr.Tensor, exact: boolean): void {
    let tensor: fr.Tensor;
    try {
      tensor = build();
    } catch (error) {
      if (error instanceof fr.InvalidArgumentError) return;
      throw error;
    }
    this.tryEvaluate(tensor, exact);
  }

  private tryEvaluate(tensor: fr.Tensor, exact: boolean): void {
    let value: fr.HostValue | undefined;
    try {
      checkShapes(tensor.op, interpret(tensor.op.inputs, this.#values, { variables: new Map(this.#state) }));
      [value] = interpret([tensor], this.#values, { variables: new Map(this.#state) });
    } catch (error) {
      if (error instanceof fr.InvalidArgumentError) return;
      throw error;
    }
    if (value !== undefined) this.remember(tensor, value, exact);
  }

  private keep(tensor: fr.Tensor, exact: boolean): void {
    this.tryEvaluate(tensor, exact);
  }

  private remember(tensor: fr.Tensor, value: fr.HostValue, exact: boolean): void {
    const largest = value.data.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    if (value.data.length > MAX_ELEMENTS || value.shape.length > 5 || !(largest <= LIMIT)) return;
    this.#magnitude = Math.max(this.#magnitude, largest);
    this.#values.set(tensor, value);
    this.#pool.push({ tensor, value, exact: exact && value.data.every((x) => Number.isInteger(x * 1024)) });
  }

  private finish(): RandomProgram {
    const last = this.#lastUpdate;
    const candidates = this.#pool.slice(-8);
    const fetched = new Set(candidates.filter(() => this.random.next() < 0.6));
    fetched.add(this.pick(this.#pool));
    fetched.add(candidates.at(-1) ?? this.pick(this.#pool));
    const fetches = [...fetched];
    if (last !== null) {
      const end = fr.controlDependencies([last], () => fr.identity(fr.constant(1)));
      this.tryEvaluateAll(end, fetches);
    }
    // A fed read would no longer hold an update that uses it in its place.
    const feedable = this.#pool.filter(({ tensor }) => tensor.op.type !== 'ReadVariableOp');
    const inside = this.random.next() < 0.25 ? this.pick(feedable) : null;
    return {
      graph: this.graph,
      fetches: fetches.map(({ tensor }) => tensor),
      exact: fetches.map(({ exact }) => exact),
      initializer: fr.globalVariablesInitializer(),
      variables: this.#variables.map(({ variable }) => variable),
      state: () => new Map(this.#state),
      feeds: (batch) => {
        const feeds = this.feeds(batch);
        if (inside !== null && !feeds.has(inside.tensor)) feeds.set(inside.tensor, inside.value);
        return feeds;
      },
      fedInside: inside !== null,
      magnitude: this.#magnitude,
    };
  }

  private tryEvaluateAll(end: fr.Tensor, fetches: Known[]): void {
    fetches.push({
      tensor: end,
      value: { dtype: 'float32', shape: [], data: Float64Array.of(1) },
      exact: true,
    });
  }

  private feeds(batch: number): Map<fr.Tensor, fr.HostValue> {
    return new Map(
      this.#placeholders.map(({ tensor, tail }, i) => [
        tensor,
        feedValue(tensor, [batch, ...tail], this.#feedSeed + i + 1),
      ]),
    );
  }

  private shape(): readonly number[] {
    return this.pick([[], [1], [3], [4], [2, 3], [4, 4], [5, 1], [0], [1, 3]]);
  }

  private smallIntegers(shape: readonly number[]): fr.HostValue {
    const data = Float64Array.from({ length: fr.sizeOf(shape) }, () => this.random.integer(-3, 4) / 2);
    return { dtype: 'float32', shape, data };
  }

  private pick<T>(items: readonly T[]): T {
    const item = items[this.random.integer(0, items.length)];
    if (item === undefined) throw new fr.InternalError('there is nothing to pick from');
    return item;
  }
}

/** Throws where the op's own rule refuses the shapes: the references trust what the graph does not know. */
export function checkShapes(op: fr.Operation, inputs: readonly fr.HostValue[]): void {
  const shapes = inputs.map(({ shape }) => new fr.TensorShape(shape));
  op.def?.infer({
    attrs: op.attrs,
    shapes,
    dtypes: op.inputs.map(({ dtype }) => dtype),
    compiling: true,
    shape: (i) => shapes[i] ?? fr.TensorShape.UNKNOWN,
    constant: (i) => inputs[i] ?? null,
    handle: (i) => op.inputs[i]?.handle ?? null,
    fail: (rule) => {
      throw new fr.InvalidArgumentError(rule);
    },
  });
}

/** Halves between -1.5 and 1.5; integers for integer placeholders. */
function feedValue({ dtype }: fr.Tensor, shape: readonly number[], seed: number): fr.HostValue {
  const random = new Random(seed);
  const divisor = dtype === 'int32' ? 1 : 2;
  const data = Float64Array.from({ length: fr.sizeOf(shape) }, () => random.integer(-3, 4) / divisor);
  return { dtype, shape, data };
}
