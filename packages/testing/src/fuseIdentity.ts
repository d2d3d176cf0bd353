/**
 * Fuses a kernel with programs that change nothing, at every input and output where its text allows it: the
 * results must stay what they are. So every kernel's text is read as fusion reads it.
 */
import {
  fuseLoads,
  fuseStores,
  programEffect,
  shader,
  type AdapterFacts,
  type BindingSource,
  type ElementwiseProgram,
  type KernelContext,
  type Lowered,
  type Operand,
  type ShaderSpec,
} from '@forerun/kernels-webgpu';

/** The kernel with all fusions that it takes. */
export function fuseIdentities(lowered: Lowered, context: KernelContext): Lowered {
  const { adapter } = context;
  const outputs = context.outputs.reduce(
    (result, operand, index) => everywhere(result, adapter, (spec) => store(spec, operand, index)),
    lowered,
  );
  return context.inputs.reduce(
    (result, operand, index) =>
      operand.dtype === 'resource'
        ? result
        : everywhere(result, adapter, (spec) => load(spec, operand, index)),
    outputs,
  );
}

/** Applies a fusion to all dispatches, or to none where one does not take it. */
function everywhere(
  lowered: Lowered,
  adapter: AdapterFacts,
  fuse: (spec: ShaderSpec) => ShaderSpec | null,
): Lowered {
  const specs = lowered.dispatches.map(({ spec }) => fuse(spec));
  const dispatches = specs.flatMap((spec) =>
    spec === null || spec.bindings.length > adapter.maxBindings ? [] : [shader(spec, adapter)],
  );
  return dispatches.length < lowered.dispatches.length ? lowered : { ...lowered, dispatches };
}

function identity({ dtype, shape }: Operand): ElementwiseProgram {
  return {
    label: 'same',
    shape,
    inputs: [{ dtype, shape }],
    steps: [{ expression: 'x', operands: { x: { kind: 'input', index: 0 } }, dtype }],
    outputs: [0],
  };
}

function store(spec: ShaderSpec, operand: Operand, index: number): ShaderSpec | null {
  const source: BindingSource = { kind: 'output', index };
  const same = programEffect(identity(operand), [0]);
  return fuseStores(spec, {
    target: source,
    keep: false,
    label: 'same',
    effect: (width, prefix) => {
      const code = same(width, prefix);
      return { ...code, bindings: code.bindings.map((binding) => ({ ...binding, source })) };
    },
  });
}

function load(spec: ShaderSpec, operand: Operand, index: number): ShaderSpec | null {
  const source: BindingSource = { kind: 'input', index };
  const moved = <T extends object>(binding: T): T & { source: BindingSource } => ({ ...binding, source });
  return fuseLoads(spec, { target: source, program: identity(operand), moved });
}
