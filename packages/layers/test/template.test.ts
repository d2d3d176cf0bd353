/** Templates: variables are made by the first call and shared by the others. */
import {
  Graph,
  GraphKeys,
  InvalidArgumentError,
  NotFoundError,
  Variable,
  constant,
  getCollection,
  mul,
  zeros,
  type Tensor,
} from '@forerun/graph';
import { getVariable, makeTemplate, variableScope } from '@forerun/layers';

const inGraph = <R>(build: () => R): R => new Graph().asDefault(build);
const scaled = (x: Tensor): Tensor => mul(x, getVariable('w', { shape: [2] }).value());

describe('makeTemplate', () => {
  it('makes variables once and operations at every call', () => {
    inGraph(() => {
      const scale = makeTemplate('scale', scaled);
      const x = constant([1, 2]);
      const [first, second] = [scale(x), scale(x)];
      expect(getCollection(GraphKeys.GLOBAL_VARIABLES)).toHaveLength(1);
      expect([first.name, second.name]).toEqual(['scale/Mul:0', 'scale_1/Mul:0']);
    });
  });

  it('has a scope of its own beside templates and scopes of the same name', () => {
    inGraph(() => {
      const [a, b] = [makeTemplate('scale', scaled), makeTemplate('scale', scaled)];
      const x = constant([1, 2]);
      a(x);
      b(x);
      const names = getCollection(GraphKeys.GLOBAL_VARIABLES).map(({ name }) => name);
      expect(names).toEqual(['scale/w:0', 'scale_1/w:0']);
    });
  });

  it('takes its name from where it is made, or a given one', () => {
    inGraph(() => {
      const inside = variableScope('outer', () => makeTemplate('t', scaled, { createScopeNow: true }));
      const named = makeTemplate('t', scaled, { uniqueName: 'own' });
      const x = constant([1, 2]);
      inside(x);
      inside(x);
      named(x);
      const names = getCollection(GraphKeys.GLOBAL_VARIABLES).map(({ name }) => name);
      expect(names).toEqual(['outer/t/w:0', 'own/w:0']);
    });
  });

  it('refuses variables that the first call did not make', () => {
    inGraph(() => {
      const pick = makeTemplate('pick', (name: string) => getVariable(name, { shape: [] }));
      pick('a');
      expect(() => pick('b')).toThrow(NotFoundError);
      const fresh = makeTemplate('fresh', () => new Variable(zeros([2]), { name: 'v' }));
      fresh();
      expect(() => fresh()).toThrow(
        new InvalidArgumentError(
          'template "fresh": a later call made 1 variables anew, which are not shared. Use getVariable()',
        ),
      );
    });
  });
});
