/** Event files, which TensorBoard shows: summaries, graphs and times of kernels, a record each (`tf.summary.FileWriter`). */
import {
  FailedPreconditionError,
  type Graph,
  InvalidArgumentError,
  NotFoundError,
  proto,
  UnavailableError,
  writeGraphDef,
  TensorValue,
} from '@forerun/graph';
import { fileSystem } from '../checkpoint/remote.js';
import { readFileIfPresent } from '../checkpoint/files.js';
import type { RunMetadata } from '../metadata.js';
import { bytesOfText } from '../run/texts.js';
import { recordOf, recordsIn } from './records.js';

export interface FileWriterOptions {
  /** A graph for TensorBoard's graph page. */
  readonly graph?: Graph;
  /** Events that wait to be written at most; default 10. */
  readonly maxQueue?: number;
  /** Seconds that an event waits at most; default 120. */
  readonly flushSeconds?: number;
  /** Behind the file's name. */
  readonly filenameSuffix?: string;
}

type Event = proto.Init<proto.Event>;

/** Writers that were made, so that two of one second have names of their own. */
let made = 0;

/**
 * Writes an event file into `logdir`, which is made where it is missing. Adding does not wait: events are written together,
 * and what goes wrong then is thrown by the next `flush` or `close`. Node only: elsewhere the constructor throws `UnavailableError`.
 */
export class FileWriter {
  readonly #path: string;
  readonly #options: Required<Pick<FileWriterOptions, 'maxQueue' | 'flushSeconds'>>;
  readonly #fs: NonNullable<ReturnType<typeof fileSystem>>;
  /** Tags whose metadata were written: once is enough. */
  readonly #known = new Set<string>();
  #queue: Uint8Array[] = [];
  #writing: Promise<void>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(
    readonly logdir: string,
    { graph, maxQueue = 10, flushSeconds = 120, filenameSuffix = '' }: FileWriterOptions = {},
  ) {
    const fs = fileSystem();
    if (fs === undefined) throw new UnavailableError('event files need the file system of Node');
    this.#fs = fs;
    this.#options = { maxQueue, flushSeconds };
    const seconds = String(Math.floor(Date.now() / 1000)).padStart(10, '0');
    const { hostname } = process.getBuiltinModule('node:os');
    this.#path = `${logdir}/events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${made++}${filenameSuffix}`;
    this.#writing = fs.mkdir(logdir, { recursive: true }).then(() => undefined);
    // Heard by `flush`; before that it is not unhandled.
    this.#writing.catch(() => undefined);
    this.addEvent({ fileVersion: 'brain.Event:2', sourceMetadata: { writer: 'forerun' } });
    this.write();
    if (graph !== undefined) this.addGraph(graph);
  }

  /** The file. */
  get path(): string {
    return this.#path;
  }

  /** Adds a summary: what a summary op gave, its bytes, or the message. Throws `InvalidArgumentError` for other tensors. */
  addSummary(
    summary: TensorValue | Uint8Array | proto.Init<proto.Summary>,
    globalStep: number | bigint = 0,
  ): void {
    const { value = [] } = messageOf(summary);
    this.addEvent({ step: BigInt(globalStep), summary: { value: value.map((item) => this.once(item)) } });
  }

  /** Adds numbers under tags, without an op for them. */
  addScalars(values: Readonly<Record<string, number>>, globalStep: number | bigint = 0): void {
    const value = Object.entries(values).map(([tag, simpleValue]) => ({ tag, simpleValue }));
    this.addSummary({ value }, globalStep);
  }

  addGraph(graph: Graph | proto.Init<proto.GraphDef>, globalStep: number | bigint = 0): void {
    this.addEvent({ step: BigInt(globalStep), graphDef: writeGraphDef(graph) });
  }

  addMetaGraph(metaGraph: proto.Init<proto.MetaGraphDef>, globalStep: number | bigint = 0): void {
    this.addEvent({ step: BigInt(globalStep), metaGraphDef: proto.encode('MetaGraphDef', metaGraph) });
  }

  addSessionLog(sessionLog: proto.Init<proto.SessionLog>, globalStep: number | bigint = 0): void {
    this.addEvent({ step: BigInt(globalStep), sessionLog });
  }

  /** Adds the times of a traced run under `tag`; the graph page shows them by node. */
  addRunMetadata({ stepStats }: RunMetadata, tag: string, globalStep: number | bigint = 0): void {
    const devStats = stepStats.devStats.map(({ device, nodeStats }) => ({
      device,
      nodeStats: nodeStats.map(({ nodeName, timelineLabel, ...times }) => ({
        nodeName,
        timelineLabel,
        allStartMicros: Math.round(times.allStartMicros),
        opStartRelMicros: Math.round(times.opStartRelMicros),
        opEndRelMicros: Math.round(times.opEndRelMicros),
        allEndRelMicros: Math.round(times.allEndRelMicros),
      })),
    }));
    const runMetadata = proto.encode('RunMetadata', { stepStats: { devStats } });
    this.addEvent({ step: BigInt(globalStep), taggedRunMetadata: { tag, runMetadata } });
  }

  /** Adds any event; its time is now unless it has one. Throws `FailedPreconditionError` after `close`. */
  addEvent(event: Event): void {
    if (this.#closed) throw new FailedPreconditionError(`the event file "${this.#path}" is closed`);
    this.#queue.push(recordOf(proto.encode('Event', { wallTime: Date.now() / 1000, ...event })));
    if (this.#queue.length >= this.#options.maxQueue) this.write();
    else this.#timer ??= this.later();
  }

  /** Waits until all is on disk. Throws what went wrong while writing. */
  async flush(): Promise<void> {
    this.write();
    await this.#writing;
  }

  /** Flushes; nothing can be added any more. Closing twice does nothing. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Writes in a while. Does not keep the process alive. */
  private later(): ReturnType<typeof setTimeout> {
    const timer = setTimeout(() => this.write(), 1000 * this.#options.flushSeconds);
    timer.unref();
    return timer;
  }

  /** Writes what waits, behind what is being written. */
  private write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const records = this.#queue;
    if (records.length === 0) return;
    this.#queue = [];
    this.#writing = this.#writing.then(() => this.#fs.appendFile(this.#path, Buffer.concat(records)));
    this.#writing.catch(() => undefined);
  }

  /** The value, without metadata that the file has already. */
  private once(value: proto.Init<proto.SummaryValue>): proto.Init<proto.SummaryValue> {
    const { tag = '', metadata } = value;
    if (metadata === undefined) return value;
    const isKnown = this.#known.has(tag);
    this.#known.add(tag);
    return isKnown ? { ...value, metadata: undefined } : value;
  }
}

function messageOf(summary: TensorValue | Uint8Array | proto.Init<proto.Summary>): proto.Init<proto.Summary> {
  if (summary instanceof Uint8Array) return proto.decode('Summary', summary);
  if (!(summary instanceof TensorValue)) return summary;
  const { dtype, shape, data } = summary;
  if (dtype !== 'string' || data.length !== 1)
    throw new InvalidArgumentError(
      `a summary is a string scalar, as summary ops give it, not ${dtype} [${shape.join()}]`,
    );
  return proto.decode('Summary', bytesOfText(data[0]));
}

/**
 * The events of a file in order (`tf.train.summary_iterator`). Throws `NotFoundError` when there is none, `DataLossError` saying where it
 * is damaged.
 */
export async function* summaryIterator(path: string): AsyncGenerator<proto.Event> {
  const bytes = await readFileIfPresent(path);
  if (bytes === undefined) throw new NotFoundError(`there is no file "${path}"`);
  for (const record of recordsIn(bytes, `event file "${path}"`)) yield proto.decode('Event', record);
}
