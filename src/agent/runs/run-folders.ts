import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { ensurePrivateDir } from "../../system/paths.ts";
import { makeFifos } from "./keeper.ts";

/** How many folders are kept ready: enough for a few restarts at once. The starts of an apply share one call anyway. */
const KEPT_READY = 4;
/**
 * How long nothing must have started before more folders are made, ms: that work must not slow down starts, and an agent
 * that is told to end right after them need not do it.
 */
const CALM = 1000;

/**
 * Makes run folders. Node cannot make a fifo itself, and running mkfifo(1) takes longer than anything else between the
 * exit of a program and its next start. So some folders are kept ready, and the others, of servers that start at the same
 * moment, share one call.
 */
export class RunFolders {
  readonly #ready: string[] = [];
  /** Where folders are kept ready; undefined: none are kept. */
  #shelf: string | undefined;
  #made = 0;
  #calm: NodeJS.Timeout | undefined;
  #queue: { readonly dirs: string[]; readonly made: Promise<void> } | undefined;

  /**
   * Some folders are kept ready in the state folder: from now on with `atOnce`, else after the first start. Those of an
   * earlier agent are removed.
   */
  keepReady(state: string, { atOnce }: { atOnce: boolean }): void {
    this.#shelf = join(state, "ready");
    removeIfPossible(this.#shelf);
    if (atOnce) this.#makeReadyWhenCalm();
  }

  /** Removes the folders that are ready, and keeps none ready any more. */
  dropReady(): void {
    clearTimeout(this.#calm);
    if (this.#shelf !== undefined) removeIfPossible(this.#shelf);
    this.#shelf = undefined;
    this.#ready.length = 0;
  }

  /** Makes a run folder with its fifos. Rejects if that fails. */
  async make(dir: string): Promise<void> {
    if (this.#takeReady(dir)) return;
    ensurePrivateDir(dir);
    await this.#queueFifos(dir);
  }

  #takeReady(dir: string): boolean {
    if (this.#shelf === undefined) return false;
    this.#makeReadyWhenCalm();
    const one = this.#ready.pop();
    if (one === undefined) return false;
    try {
      ensurePrivateDir(dirname(dir));
      fs.renameSync(one, dir);
      // The age of the folder is that of the run: see `madeAt`.
      const now = new Date();
      fs.utimesSync(join(dir, "release"), now, now);
      return true;
    } catch {
      // Somebody removed it, or its new place is taken: make it there instead.
      return false;
    }
  }

  #makeReadyWhenCalm(): void {
    clearTimeout(this.#calm);
    this.#calm = setTimeout(() => void this.#makeReady(), CALM).unref();
  }

  async #makeReady(): Promise<void> {
    if (this.#shelf === undefined) return;
    const fresh: string[] = [];
    try {
      while (this.#ready.length + fresh.length < KEPT_READY) {
        const dir = join(this.#shelf, String(++this.#made));
        ensurePrivateDir(dir);
        fresh.push(dir);
      }
      if (fresh.length > 0) await makeFifos(fresh);
      this.#ready.push(...fresh);
    } catch {
      // A full disk, say. The next start makes its own folder, and reports why that fails.
      for (const dir of fresh) removeIfPossible(dir);
    }
  }

  /** Servers that start at the same moment share one call of mkfifo. */
  #queueFifos(dir: string): Promise<void> {
    if (!this.#queue) {
      const dirs: string[] = [];
      const made = new Promise<void>((resolve, reject) => {
        setImmediate(() => {
          this.#queue = undefined;
          makeFifos(dirs).then(resolve, reject);
        });
      });
      this.#queue = { dirs, made };
    }
    this.#queue.dirs.push(dir);
    return this.#queue.made;
  }
}

/**
 * What made a folder useless, such as a disk that is read-only now, may also keep it, and so does a mkfifo that still
 * writes into it: the next agent removes it.
 */
function removeIfPossible(dir: string): void {
  try {
    fs.rmSync(dir, { recursive: true, force: true });
  } catch {
    // Nothing depends on it.
  }
}
