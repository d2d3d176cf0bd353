/** Arrays that become functions in a shader's text. */
import { rewriteAccesses } from '../src/wgsl/accessors.js';

const rewritten = (text: string): string =>
  rewriteAccesses(text, [
    { name: 'x', length: 7 },
    { name: 'n', length: 3 },
  ]).text;

describe('rewritten accesses', () => {
  it('read and store, also within each other', () => {
    expect(rewritten('let a = x[x[i + 1u]] * s.x[2];')).toBe(
      'let a = x_get(u32(x_get(u32(i + 1u)))) * s.x[2];',
    );
    expect(rewritten('{ x[i] = x[j] + 1; }')).toBe('{ x_set(u32(i), x_get(u32(j)) + 1); }');
  });

  it('change in place', () => {
    expect(rewritten(';x[i] += a;')).toBe(';x_set(u32(i), x_get(u32(i)) + (a));');
    expect(rewritten(';x[i]++;')).toBe(';x_set(u32(i), x_get(u32(i)) + 1);');
  });

  it('are atomic or ask for the length', () => {
    expect(rewritten('atomicMax(&n[x[i]], k);')).toBe('n_atomicMax(u32(x_get(u32(i))), k);');
    expect(rewritten('let k = atomicLoad(&n[i]) + arrayLength(&x);')).toBe(
      'let k = n_atomicLoad(u32(i)) + 7u;',
    );
  });

  it('leave a parameter of the same name alone', () => {
    const helper = 'fn f(x: vec4<f32>) -> f32 { return x[0]; }';
    expect(rewritten(`${helper} let a = x[0];`)).toBe(`${helper} let a = x_get(u32(0));`);
  });

  it('refuse what they do not know', () => {
    expect(() => rewritten(';x[i].y = 1;')).toThrow('a part of an element of x is stored');
    expect(() => rewritten('f(&x);')).toThrow('the array x is used as a whole');
  });
});
