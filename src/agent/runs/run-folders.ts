import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { ensurePrivateDir } from "../../system/paths.ts";
import { makeFifos } from "./keeper.ts";

/**
 * Makes run folders. Node cannot make a fifo by itself, and to run mkfifo(1) takes longer than anything else between
 * the end of a program and its next start: so some folders are kept ready, and the rest, of servers that start in the
 * same turn, share one call.
 */

/** Folders kept ready: for the few that are brought back at once. An apply of many starts is served by one call. */
const KEPT_READY = 4;
/** Time without a start after which folders are made ready again, ms: not beside what is being started. */
const CALM = 100;

const ready: string[] = [];
let shelf: string | undefined;
let made = 0;
let calm: NodeJS.Timeout | undefined;

/** From now on some folders are kept ready in the state folder. What an earlier agent had ready is removed. */
export function keepReady(state: string): void {
  shelf = join(state, "ready");
  fs.rmSync(shelf, { recursive: true, force: true });
  makeReadyWhenCalm();
}

/** The opposite: none is kept any more. */
export function dropReady(): void {
  clearTimeout(calm);
  if (shelf !== undefined) fs.rmSync(shelf, { recursive: true, force: true });
  shelf = undefined;
  ready.length = 0;
}

/** Makes a run folder with its fifos. Rejects when that cannot be done. */
export async function makeRunFolder(dir: string): Promise<void> {
  if (takeReady(dir)) return;
  ensurePrivateDir(dir);
  await queueFifos(dir);
}

function takeReady(dir: string): boolean {
  if (shelf === undefined) return false;
  makeReadyWhenCalm();
  const one = ready.pop();
  if (one === undefined) return false;
  try {
    ensurePrivateDir(dirname(dir));
    fs.renameSync(one, dir);
    // The age of the folder is that of the run: see `madeAt`.
    const now = new Date();
    fs.utimesSync(join(dir, "release"), now, now);
    return true;
  } catch {
    // Somebody removed it, or what is to be its place is not empty: it is made in its place.
    return false;
  }
}

function makeReadyWhenCalm(): void {
  clearTimeout(calm);
  calm = setTimeout(() => void makeReady(), CALM).unref();
}

async function makeReady(): Promise<void> {
  if (shelf === undefined) return;
  const fresh: string[] = [];
  try {
    while (ready.length + fresh.length < KEPT_READY) {
      const dir = join(shelf, String(++made));
      ensurePrivateDir(dir);
      fresh.push(dir);
    }
    if (fresh.length > 0) await makeFifos(fresh);
    ready.push(...fresh);
  } catch {
    // A full disk, say. Whoever starts a program makes its folder then, and tells why that fails.
    for (const dir of fresh) fs.rmSync(dir, { recursive: true, force: true });
  }
}

interface FifoQueue {
  readonly dirs: string[];
  readonly made: Promise<void>;
}
let fifoQueue: FifoQueue | undefined;

/** Servers that start in the same turn share one call of mkfifo. */
function queueFifos(dir: string): Promise<void> {
  if (!fifoQueue) {
    const dirs: string[] = [];
    const made = new Promise<void>((resolve, reject) => {
      setImmediate(() => {
        fifoQueue = undefined;
        makeFifos(dirs).then(resolve, reject);
      });
    });
    fifoQueue = { dirs, made };
  }
  fifoQueue.dirs.push(dir);
  return fifoQueue.made;
}
