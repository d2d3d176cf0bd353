/** Files by URL: read whole with `fetch`, told apart when they are absent, refused or out of reach; never written. */
import { createServer, type Server } from 'node:http';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  add,
  constant,
  globalVariablesInitializer,
  Graph,
  NotFoundError,
  UnavailableError,
  Variable,
} from '@forerun/graph';
import { listVariables, loadVariable, openWeights, readGraph, Saver, saveGraphModel, Session, writeGraph, loadGraphModel } from '@forerun/session'; // prettier-ignore

let directory: string;
let server: Server;
let base: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'forerun-remote-'));
  await writeFiles();
  server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? '', 'http://localhost');
    if (search === '?broken') response.writeHead(503).end();
    else {
      try {
        response.end(readFileSync(join(directory, pathname)));
      } catch {
        response.writeHead(404).end();
      }
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(directory, { recursive: true });
});

function counter(): Variable {
  return new Variable(constant([1, 2, 3]), { name: 'counter' });
}

async function writeFiles(): Promise<void> {
  const graph = new Graph();
  const saver = graph.asDefault(() => {
    counter();
    return new Saver();
  });
  const sess = await Session.create({ graph });
  await sess.run(graph.asDefault(() => globalVariablesInitializer()));
  await saver.save(sess, join(directory, 'model.ckpt'));
  sess.close();
  const small = new Graph();
  small.asDefault(() => add(constant([1, 2], { name: 'pair' }), constant([3, 4]), { name: 'sum' }));
  await writeGraph(small, directory, 'graph.pb', { asText: false, externalWeights: { minBytes: 1 } });
  await saveGraphModel(small, join(directory, 'web'));
}

test('graphs with weights beside them, and graph models with a query', async () => {
  const graph = new Graph();
  await readGraph(`${base}/graph.pb`, { graph, name: '' });
  await loadGraphModel(`${base}/web/model.json?version=1/2`, { graph, name: 'web' });
  const sess = await Session.create({ graph });
  const values = await sess.run(['sum:0', 'web/sum:0']);
  expect(values.map((value) => value.toArray())).toEqual([
    [4, 6],
    [4, 6],
  ]);
  sess.close();
});

test('checkpoints by their prefix', async () => {
  expect(await listVariables(`${base}/model.ckpt`)).toContainEqual(['counter', [3]]);
  expect((await loadVariable(`${base}/model.ckpt`, 'counter')).toArray()).toEqual([1, 2, 3]);
  const { format, close } = await openWeights(`${base}/model.ckpt`);
  expect(format).toBe('checkpoint');
  await close();
});

test('bytes in the URL itself', async () => {
  const graph = new Graph();
  const url = `data:application/octet-stream;base64,${Buffer.from('node { name: "n" op: "NoOp" }').toString('base64')}`;
  await readGraph(url, { graph, name: '' });
  expect(graph.operations.map(({ name }) => name)).toEqual(['n']);
});

test('what is absent, refused or out of reach', async () => {
  const graph = new Graph();
  await expect(readGraph(`${base}/absent.pb`, { graph })).rejects.toThrow(NotFoundError);
  await expect(readGraph(`${base}/absent.pb`, { graph })).rejects.toThrow(
    `there is no file "${base}/absent.pb"`,
  );
  await expect(openWeights(`${base}/absent.npz`)).rejects.toThrow(NotFoundError);
  await expect(listVariables(`${base}/absent.ckpt`)).rejects.toThrow(
    /there is no checkpoint at .*absent\.ckpt/,
  );
  await expect(readGraph(`${base}/graph.pb?broken`, { graph })).rejects.toThrow(UnavailableError);
  await expect(readGraph(`${base}/graph.pb?broken`, { graph })).rejects.toThrow(
    `"${base}/graph.pb?broken" cannot be fetched: 503 Service Unavailable`,
  );
  await expect(readGraph('http://127.0.0.1:1/graph.pb', { graph })).rejects.toThrow(/cannot be fetched: /);
  expect(graph.operations).toEqual([]);
});
