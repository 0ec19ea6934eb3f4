import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { serverDir } from "../../src/system/paths.ts";
import { eventually } from "./eventually.ts";
import type { Puppet } from "./puppet.ts";
import { PROJECT } from "./spec.ts";

export const STREAMS = ["out", "err"] as const;
export type Stream = (typeof STREAMS)[number];

/** The log files of a server, oldest first. An agent killed while it rotated leaves a gap in their numbers. */
export function logFiles(state: string, name: string): string[] {
  const dir = join(serverDir(state, PROJECT, name), "log");
  const numbers = readdirSync(dir).flatMap((file) => /^(\d+)\.log$/.exec(file)?.[1] ?? []);
  const rotated = numbers.map(Number).sort((a, b) => b - a);
  const files = [...rotated.map((n) => `${n}.log`), "current.log"].map((file) => join(dir, file));
  return files.filter((file) => existsSync(file));
}

const HEAD = /^\S{24} \[(out|err)(\+?)\] /;
/** All that is left of a record when its writer was killed in the middle of the write: that stops at a page's end. */
const TORN_HEAD = /^[\dTZ:.-]{0,24}( (\[[a-z]{0,3}\+?\]? ?)?)?$/;

/** What a server printed on a stream, as its log files have it: read by other means than the product's. */
export function printedIn(state: string, name: string, stream: Stream): Buffer {
  return Buffer.concat(
    logFiles(state, name).map((file) => partsIn(file, readFileSync(file, "latin1"), stream)),
  );
}

/** How much of a file is looked at for its end, characters. */
const END = 1 << 20;

/** As {@link printedIn}, no more than the end of that: to look at all of it takes long. */
function lastPrintedIn(state: string, name: string, stream: Stream): Buffer {
  const ends = logFiles(state, name).slice(-2);
  return Buffer.concat(
    ends.map((file) => {
      const text = readFileSync(file, "latin1");
      const begin = text.length > END ? text.indexOf("\n", text.length - END) + 1 : 0;
      return partsIn(file, text.slice(begin), stream);
    }),
  );
}

/** What the records in a file's text say of a stream. */
function partsIn(file: string, text: string, stream: Stream): Buffer {
  const printed: string[] = [];
  for (const record of text.split("\n")) {
    const head = HEAD.exec(record);
    if (!head && !TORN_HEAD.test(record)) throw new Error(`no record in ${file}: ${record.slice(0, 100)}`);
    if (head?.[1] !== stream) continue;
    printed.push(record.slice(head[0].length));
    if (head[2] === "") printed.push("\n");
  }
  return Buffer.from(printed.join(""), "latin1");
}

export interface Count {
  /** Lines printed that are not in the files. */
  readonly missing: number;
  /** Places at which lines are missing, and the bytes missing at the worst of them. */
  readonly gaps: number;
  readonly widestGap: number;
  /** Lines that are there again, or before one that was printed earlier. */
  readonly misplaced: number;
  /** Lines that no puppet printed so: what is left of one whose beginning or end was lost. */
  readonly torn: number;
}

const LINE_BYTES = "000000000 000000000 .\n".length;

/** Counts the numbered lines of a puppet that printed `printed` of them. */
export function countLines(text: Buffer, printed: number): Count {
  let [last, found, gaps, widest, misplaced, torn] = [-1, 0, 0, 0, 0, 0];
  const take = (n: number) => {
    if (n !== last + 1) gaps++;
    widest = Math.max(widest, n - last - 1);
    last = n;
  };
  for (const line of text.toString("latin1").split("\n")) {
    if (line === "") continue;
    const match = /^(\d{9}) (\d{9}) \.$/.exec(line);
    const n = Number(match?.[1]);
    if (!match || match[1] !== match[2]) torn++;
    else if (n <= last || n >= printed) misplaced++;
    else {
      found++;
      take(n);
    }
  }
  take(printed);
  return { missing: printed - found, gaps, widestGap: widest * LINE_BYTES, misplaced, torn };
}

/** Lets a puppet be quiet, waits until its last line is in the files, and counts what is there of each stream. */
export async function countsOf(state: string, puppet: Puppet) {
  const { name } = puppet.hello;
  const printed = (await puppet.do({ deed: "hush" })) as number;
  const last = Buffer.from(`${String(printed - 1).padStart(9, "0")} .\n`);
  await eventually(() => {
    const isThere = (stream: Stream) =>
      lastPrintedIn(state, name, stream).subarray(-last.length).equals(last);
    if (!STREAMS.every(isThere)) throw new Error(`${name}: the end is missing`);
  });
  return STREAMS.map((stream) => ({
    name,
    stream,
    ...countLines(printedIn(state, name, stream), printed),
  }));
}
