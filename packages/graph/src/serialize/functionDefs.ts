/**
 * Functions as `FunctionDef` messages and back. In a function's nodes an argument is named by itself, an output by
 * `node:output_argument:position in it`.
 */
import type { AttrValue } from '../attr.js';
import { baseDType, dtypeFromNumber, dtypeToNumber, type DType } from '../dtype.js';
import { functionOp, type DeclaredArgument, type DeclaredFunction } from '../controlFlow/functionOps.js';
import { ForerunError, InvalidArgumentError } from '../errors.js';
import { FuncGraph, type ArgumentSpec } from '../funcGraph.js';
import type { Graph } from '../graph.js';
import type { HandleData } from '../opDef.js';
import type { Operation } from '../operation.js';
import { lookupOp } from '../opTable.js';
import type { Init } from '../proto/message.js';
import type { AttrValue as AttrProto, FunctionDef, NodeDef, OpDef, OpDefArgDef } from '../proto/messages.js';
import { TensorShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { attrsFromProto, attrsToProto } from './attrProto.js';
import { withoutDefaults } from './defaultAttrs.js';
import { inertOutputs } from './inertOps.js';

// ---------------------------------------------------------------------------------------------------- writing

/** A function as a message. */
export function functionToProto(fn: FuncGraph): Init<FunctionDef> {
  return new FunctionWriter(fn).write();
}

class FunctionWriter {
  /** Names of the arguments, which must be lower case. */
  readonly #arguments = new Map<Tensor, string>();
  readonly #taken = new Set<string>();

  constructor(private readonly fn: FuncGraph) {
    for (const input of fn.inputs) this.#arguments.set(input, this.argumentName(input.op.name));
  }

  private argumentName(name: string): string {
    const plain = name
      .toLowerCase()
      .replaceAll(/[^a-z0-9_]/g, '_')
      .replace(/^[^a-z]+/, '');
    const base = plain === '' ? 'arg' : plain;
    let unique = base;
    for (let i = 1; this.#taken.has(unique); i++) unique = `${base}_${i}`;
    this.#taken.add(unique);
    return unique;
  }

  write(): Init<FunctionDef> {
    const { fn } = this;
    const outputs = fn.outputs.map((output, i) => ({ output, name: this.argumentName(`output_${i}`) }));
    const isArgument = new Set(fn.inputs.map(({ op }) => op));
    const nodes = fn.operations.filter((op) => !isArgument.has(op));
    return {
      signature: {
        name: fn.functionName,
        inputArg: fn.inputs.map((input) => argDef(this.#arguments.get(input) ?? '', input.dtype)),
        outputArg: outputs.map(({ output, name }) => argDef(name, output.dtype)),
        isStateful: nodes.some((op) => op.def?.stateful === true),
        controlOutput: fn.effects.map(({ name }) => name),
      },
      nodeDef: nodes.map((op) => this.node(op)),
      ret: new Map(outputs.map(({ output, name }) => [name, this.reference(output)])),
      controlRet: new Map(fn.effects.map(({ name }) => [name, name])),
      argAttr: new Map(fn.inputs.map((input, i) => [i, { attr: argumentAttrs(input) }])),
    };
  }

  private node(op: Operation): Init<NodeDef> {
    const controls = op.controlInputs.map((control) => {
      const [output] = control.outputs;
      const argument = output === undefined ? undefined : this.#arguments.get(output);
      return `^${argument ?? control.name}`;
    });
    return {
      name: op.name,
      op: op.type,
      input: [...op.inputs.map((input) => this.reference(input)), ...controls],
      device: op.device,
      attr: attrsToProto(withoutDefaults(op.type, op.attrs.values, 'newer')),
    };
  }

  private reference(tensor: Tensor): string {
    const argument = this.#arguments.get(tensor);
    if (argument !== undefined) return argument;
    const { arg, position } = outputArgument(tensor);
    return `${tensor.op.name}:${arg}:${position}`;
  }
}

function argDef(name: string, dtype: DType): { name: string; type: number } {
  return { name, type: dtypeToNumber(baseDType(dtype)) };
}

function argumentAttrs({ shape, handle }: Tensor): Map<string, Init<AttrProto>> {
  const attrs = new Map<string, AttrValue>([['_output_shapes', { kind: 'list(shape)', value: [shape] }]]);
  if (handle !== null) {
    attrs.set('_handle_dtypes', { kind: 'list(type)', value: [handle.dtype] });
    attrs.set('_handle_shapes', { kind: 'list(shape)', value: [handle.shape] });
  }
  return attrsToProto(attrs);
}

/** The declared output argument that a tensor belongs to, and its position in it. */
function outputArgument({ op, index }: Tensor): { arg: string; position: number } {
  let first = 0;
  for (const [arg, count] of outputCounts(op)) {
    if (index < first + count) return { arg, position: index - first };
    first += count;
  }
  return { arg: 'output', position: index };
}

function outputCounts({ def, attrs }: Operation): (readonly [string, number])[] {
  return (def?.outputs ?? []).map((arg) => {
    if (arg.typeListAttr !== undefined) return [arg.name, attrs.types(arg.typeListAttr).length];
    return [arg.name, arg.numberAttr === undefined ? 1 : attrs.int(arg.numberAttr)];
  });
}

// ---------------------------------------------------------------------------------------------------- reading

/**
 * Adds the functions of a file to a graph's library. Functions may call each other. One whose nodes do not fit
 * together throws when it is called, `InvalidArgumentError` naming function and node.
 */
export function addFunctions(
  graph: Graph,
  defs: readonly FunctionDef[],
  signatures: ReadonlyMap<string, OpDef>,
): void {
  const fresh = defs.filter((def) => !graph.functions.has(def.signature?.name ?? ''));
  const readers = fresh.map((def) => new FunctionReader(graph, def, signatures));
  readers.forEach((reader) => reader.readOrNote());
}

class FunctionReader {
  readonly #fn: FuncGraph;
  readonly #tensors = new Map<string, Tensor>();
  readonly #created = new Map<string, Operation>();
  #references: ReadonlyMap<string, readonly string[]> | undefined;

  constructor(
    graph: Graph,
    private readonly def: FunctionDef,
    private readonly signatures: ReadonlyMap<string, OpDef>,
  ) {
    this.#fn = new FuncGraph(def.signature?.name ?? '', graph);
    this.#fn.isPartial = true;
    const declared = declaration(def.signature);
    if (declared !== null) this.#fn.record = functionOp(this.#fn, declared);
    graph.addFunction(this.#fn);
  }

  /** A function that makes no sense may stay in the file: only a call of it fails. */
  readOrNote(): void {
    try {
      this.read();
    } catch (error) {
      if (!(error instanceof ForerunError)) throw error;
      this.#fn.fault = error;
    }
  }

  private read(): void {
    const { signature, nodeDef, ret } = this.def;
    signature?.inputArg.forEach((arg, i) => {
      const input = this.#fn.addInput({
        ...this.argument(i),
        name: arg.name,
        dtype: dtypeFromNumber(arg.type),
      });
      this.#tensors.set(arg.name, input);
      this.#created.set(arg.name, input.op);
    });
    for (const node of inOrder(nodeDef)) this.create(node);
    this.#fn.outputs = (signature?.outputArg ?? []).map(({ name }) =>
      this.tensor(ret.get(name) ?? name, 'its results'),
    );
    this.#fn.isPartial = false;
  }

  private argument(i: number): Pick<ArgumentSpec, 'shape' | 'handle'> {
    const attrs = attrsFromProto(this.def.argAttr.get(i)?.attr ?? new Map(), `argument ${i}`);
    return { shape: firstShape(attrs, '_output_shapes'), handle: handleOf(attrs) };
  }

  private create(node: NodeDef): void {
    const what = `${node.op} "${node.name}"`;
    const attrs = attrsFromProto(node.attr, what);
    const data = node.input.filter((input) => !input.startsWith('^'));
    const controls = node.input.filter((input) => input.startsWith('^')).map((input) => input.slice(1));
    const op = this.#fn.createOp({
      type: node.op,
      name: `${node.name}/`,
      inputs: data.map((input) => this.tensor(input, what)),
      controlInputs: controls.map((name) => this.control(name, what)),
      attrs,
      device: node.device,
      outputDTypes: inertOutputs(
        node.op,
        attrs,
        this.signatures.get(node.op),
        lookupOp(node.op) === undefined ? this.referencesTo(node.name).length : 0,
      ),
    });
    this.#created.set(node.name, op);
    this.nameOutputs(op);
  }

  private nameOutputs(op: Operation): void {
    const counts =
      op.def === undefined ? op.outputs.map((_, i) => [`output_${i}`, 1] as const) : outputCounts(op);
    let next = 0;
    for (const [arg, count] of counts) {
      for (let position = 0; position < count; position++, next++) {
        this.#tensors.set(`${op.name}:${arg}:${position}`, op.output(next));
      }
    }
    if (op.def === undefined) this.nameInertOutputs(op);
    // Files of some writers leave the argument's name out.
    op.outputs.forEach((output, i) => this.#tensors.set(`${op.name}:${i}`, output));
    if (op.outputs[0] !== undefined) this.#tensors.set(op.name, op.outputs[0]);
  }

  /** What others call the outputs of a node whose op is not registered: which they are nobody says, so they come in that order. */
  private nameInertOutputs(op: Operation): void {
    const free = op.outputs.filter(
      (_, i) => !this.referencesTo(op.name).includes(`${op.name}:output_${i}:0`),
    );
    for (const reference of this.referencesTo(op.name)) {
      if (this.#tensors.has(reference)) continue;
      const output = free.shift();
      if (output !== undefined) this.#tensors.set(reference, output);
    }
  }

  /** The inputs and results of the function, `node:argument:position`, that are outputs of a node. */
  private referencesTo(node: string): readonly string[] {
    this.#references ??= referencesIn(this.def);
    return this.#references.get(node) ?? [];
  }

  private tensor(name: string, user: string): Tensor {
    const tensor = this.#tensors.get(name);
    if (tensor !== undefined) return tensor;
    throw new InvalidArgumentError(
      `function "${this.#fn.functionName}": ${user} needs "${name}", which is not there`,
    );
  }

  private control(name: string, user: string): Operation {
    const op = this.#created.get(name);
    if (op !== undefined) return op;
    throw new InvalidArgumentError(
      `function "${this.#fn.functionName}": ${user} waits for "${name}", which is not there`,
    );
  }
}

function referencesIn({ nodeDef, ret }: FunctionDef): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const reference of new Set([...nodeDef.flatMap(({ input }) => input), ...ret.values()])) {
    const [node = '', argument, position] = reference.split(':');
    if (argument === undefined || position === undefined) continue;
    const known = found.get(node);
    if (known === undefined) found.set(node, [reference]);
    else known.push(reference);
  }
  return found;
}

/** Nodes after those that they take values from or wait for. */
function inOrder(nodes: readonly NodeDef[]): NodeDef[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const order: NodeDef[] = [];
  const done = new Map<NodeDef, boolean>();
  const stack = [...nodes].reverse();
  for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
    const state = done.get(node);
    if (state !== undefined) {
      stack.pop();
      if (!state) order.push(node);
      done.set(node, true);
      continue;
    }
    done.set(node, false);
    for (const input of node.input) {
      const source = byName.get(input.replace(/^\^/, '').split(':')[0] ?? '');
      if (source !== undefined && !done.has(source)) stack.push(source);
    }
  }
  return order;
}

/** What nodes whose type is the function's name take and give; `null` where that depends on attributes. */
function declaration(signature: OpDef | undefined): DeclaredFunction | null {
  if (signature === undefined || signature.attr.length > 0) return null;
  const declared = ({ name, type, isRef }: OpDefArgDef): DeclaredArgument => {
    const dtype = dtypeFromNumber(type);
    return { name, dtype: isRef ? `${baseDType(dtype)}_ref` : dtype };
  };
  const { inputArg, outputArg, isStateful } = signature;
  return { inputs: inputArg.map(declared), outputs: outputArg.map(declared), stateful: isStateful };
}

function firstShape(attrs: ReadonlyMap<string, AttrValue>, name: string): TensorShape {
  const attr = attrs.get(name);
  return attr?.kind === 'list(shape)' ? (attr.value[0] ?? TensorShape.UNKNOWN) : TensorShape.UNKNOWN;
}

function handleOf(attrs: ReadonlyMap<string, AttrValue>): HandleData | null {
  const dtypes = attrs.get('_handle_dtypes');
  if (dtypes?.kind !== 'list(type)' || dtypes.value[0] === undefined) return null;
  return { dtype: dtypes.value[0], shape: firstShape(attrs, '_handle_shapes') };
}
