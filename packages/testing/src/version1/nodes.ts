/** Nodes of version 1 graphs in a short notation that gives text files. */

/** Attributes in the text format, by op. */
export type Attrs = Readonly<Record<string, string>>;

export const F = { T: 'type: DT_FLOAT' };
export const I = { T: 'type: DT_INT32' };
export const B = { T: 'type: DT_BOOL' };
export const R = { T: 'type: DT_RESOURCE' };

export function node(name: string, op: string, inputs: string, attrs: Attrs = {}): string {
  const lines = [
    `name: "${name}"`,
    `op: "${op}"`,
    ...inputs
      .split(' ')
      .filter((input) => input !== '')
      .map((input) => `input: "${input}"`),
    ...Object.entries(attrs).map(([key, value]) => `attr { key: "${key}" value { ${value} } }`),
  ];
  return `node {\n  ${lines.join('\n  ')}\n}\n`;
}

export function scalar(name: string, value: number, control = '', type: 'FLOAT' | 'INT32' = 'FLOAT'): string {
  const field = type === 'FLOAT' ? 'float_val' : 'int_val';
  return node(name, 'Const', control, {
    dtype: `type: DT_${type}`,
    value: `tensor { dtype: DT_${type} tensor_shape { } ${field}: ${value} }`,
  });
}

export function placeholder(name: string, type: string): string {
  return node(name, 'Placeholder', '', { dtype: `type: DT_${type}`, shape: 'shape { }' });
}

export function enter(name: string, input: string, frame: string, type: Attrs, constant = false): string {
  return node(name, 'Enter', input, {
    ...type,
    frame_name: `s: "${frame}"`,
    is_constant: `b: ${constant}`,
    parallel_iterations: 'i: 10',
  });
}

export const merge = (name: string, a: string, b: string, type: Attrs): string =>
  node(name, 'Merge', `${a} ${b}`, { ...type, N: 'i: 2' });
