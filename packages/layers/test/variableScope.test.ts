/** Variable scopes and `getVariable`: names, sharing, defaults, errors with the place of the first definition. */
import {
  AlreadyExistsError,
  Graph,
  GraphKeys,
  NotFoundError,
  add,
  constant,
  getCollection,
  globalVariables,
  localVariables,
  nameScope,
  trainableVariables,
} from '@forerun/graph';
import {
  AUTO_REUSE,
  constantInitializer,
  getLocalVariable,
  getVariable,
  getVariableScope,
  l2Regularizer,
  variableScope,
  zerosInitializer,
} from '@forerun/layers';
import { ReferenceSession } from './run.js';

const inGraph = <R>(build: () => R): R => new Graph().asDefault(build);

describe('variableScope', () => {
  it('names variables by variable scopes and operations by name scopes', () => {
    inGraph(() => {
      const [v, op] = variableScope('a', () =>
        nameScope('n', () =>
          variableScope('b', (scope) => {
            expect([scope.name, scope.originalNameScope]).toEqual(['a/b', 'a/n/b/']);
            return [getVariable('w', { shape: [2] }), constant(1)] as const;
          }),
        ),
      );
      expect(v.name).toBe('a/b/w:0');
      expect(op.name).toBe('a/n/b/Const:0');
      expect(getVariableScope().name).toBe('');
    });
  });

  it('opens a new name scope but the same variable scope when it is entered again', () => {
    inGraph(() => {
      const first = variableScope('a', () => constant(1).name);
      const second = variableScope('a', (scope) => [constant(1).name, scope.name]);
      expect([first, ...second]).toEqual(['a/Const:0', 'a_1/Const:0', 'a']);
    });
  });

  it('makes default names unique', () => {
    inGraph(() => {
      const names = [1, 2, 3].map(() => variableScope(null, { defaultName: 'dense' }, (scope) => scope.name));
      expect(names).toEqual(['dense', 'dense_1', 'dense_2']);
      const inner = variableScope('outer', () =>
        variableScope(null, { defaultName: 'dense' }, (scope) => scope.name),
      );
      expect(inner).toBe('outer/dense');
    });
  });

  it('shares variables by reuse, inherited by inner scopes', () => {
    inGraph(() => {
      const first = variableScope('a', () => variableScope('b', () => getVariable('w', { shape: [2] })));
      const again = variableScope('a', { reuse: true }, () => variableScope('b', () => getVariable('w')));
      expect(again).toBe(first);
      const scope = variableScope('a', (own) => own);
      expect(variableScope(scope, { reuse: true }, () => variableScope('b', () => getVariable('w')))).toBe(
        first,
      );
      const auto = [1, 2].map(() =>
        variableScope('c', { reuse: AUTO_REUSE }, () => getVariable('w', { shape: [] })),
      );
      expect(auto[0]).toBe(auto[1]);
      variableScope('a', (own) => {
        own.reuseVariables();
        expect(variableScope('b', () => getVariable('w', { shape: [2] }))).toBe(first);
      });
    });
  });

  it('gives defaults to the variables in it', () => {
    ReferenceSession.in((session) => {
      const options = { initializer: constantInitializer(3), regularizer: l2Regularizer(0.5) };
      const [w, plain] = variableScope(
        'a',
        options,
        () =>
          [
            variableScope('b', () => getVariable('w', { shape: [2] })),
            getVariable('plain', { shape: [2], initializer: zerosInitializer(), regularizer: null }),
          ] as const,
      );
      const losses = getCollection(GraphKeys.REGULARIZATION_LOSSES);
      expect(losses.map((loss) => loss.name)).toEqual(['a/b/w/Regularizer/l2_regularizer:0']);
      session.initialize([w, plain]);
      expect(session.read(w)).toEqual([3, 3]);
      expect(session.read(plain)).toEqual([0, 0]);
      expect(session.run(losses)).toEqual([[0.5 * 9]]);
    });
  });

  it('rejects what makes no sense', () => {
    inGraph(() => {
      expect(() => variableScope(null, () => 1)).toThrow('a name or the option "defaultName" is needed');
      expect(() => variableScope(null, { defaultName: 'x', reuse: true }, () => 1)).toThrow(
        'reuse needs a name',
      );
      expect(() => variableScope('a', () => Promise.resolve(1))).toThrow(
        'variableScope() takes a synchronous callback',
      );
      expect(getVariableScope().name).toBe('');
    });
  });
});

describe('getVariable', () => {
  it('refuses a name twice, with the line of the first definition', () => {
    inGraph(() => {
      getVariable('w', { shape: [2] });
      const again = (): unknown => getVariable('w', { shape: [2] });
      expect(again).toThrow(AlreadyExistsError);
      expect(again).toThrow(
        /^variable "w" exists already \(created at variableScope\.test\.ts:\d+\)\. To share it, set reuse: true/,
      );
    });
  });

  it('refuses what reuse does not find, and other shapes and dtypes', () => {
    inGraph(() => {
      variableScope('a', () => getVariable('kernel', { shape: [2] }));
      variableScope('a', { reuse: true }, () => {
        expect(() => getVariable('kernal')).toThrow(NotFoundError);
        expect(() => getVariable('kernal')).toThrow(
          'variable "a/kernal" does not exist or was not created with getVariable(), and the scope has reuse: true. Did you mean "a/kernel"?',
        );
        expect(() => getVariable('kernel', { shape: [3] })).toThrow(
          /variable "a\/kernel" has shape \[2\], asked for was \[3\] \(created at/,
        );
        expect(() => getVariable('kernel', { dtype: 'int32' })).toThrow(/is float32, asked for was int32/);
      });
    });
  });

  it('needs a shape and an initializer that gives a tensor', () => {
    inGraph(() => {
      expect(() => getVariable('w')).toThrow(
        'variable "w" is new and needs a fully known shape, but there is none',
      );
      expect(() => getVariable('v', { shape: [2], initializer: zerosInitializer as never })).toThrow(
        'variable "v": the initializer returned a function; call it: initializer()',
      );
    });
  });

  it('takes values as initializers', () => {
    ReferenceSession.in((session) => {
      const v = getVariable('v', { initializer: [1, 2] });
      const w = getVariable('w', { initializer: add(constant([1, 2]), 1) });
      session.initialize([v, w]);
      expect([session.read(v), session.read(w)]).toEqual([
        [1, 2],
        [2, 3],
      ]);
    });
  });

  it('makes floats by Glorot and integers by zeros, the latter not trainable', () => {
    inGraph(() => {
      const w = getVariable('w', { shape: [3, 4] });
      const n = getVariable('n', { shape: [], dtype: 'int64' });
      expect(w.initialValue?.name).toMatch(/^w\/Initializer\/random_uniform/);
      expect(n.dtype).toBe('int64');
      expect(trainableVariables()).toEqual([w]);
    });
  });

  it('may be local: not trained, not saved', () => {
    inGraph(() => {
      const w = variableScope('a', () => getLocalVariable('w', { shape: [2], collections: ['mine'] }));
      expect(w.op.name).toBe('a/w');
      expect([localVariables(), globalVariables(), trainableVariables()]).toEqual([[w], [], []]);
      expect(getCollection('mine')).toEqual([w]);
    });
  });
});
