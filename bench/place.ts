import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processesWith, until } from "./measure.ts";

/**
 * A folder for everything that the bench makes. Every process started in it has its path in its environment, so that it is
 * found and ended even if the bench is interrupted.
 */
export class Place {
  readonly path: string;
  #homes = 0;

  constructor(parent = tmpdir()) {
    this.path = realpathSync(mkdtempSync(join(parent, "xb-")));
  }

  /** An environment with its own home, and nothing from the account's. */
  home(): { path: string; env: NodeJS.ProcessEnv } {
    const path = join(this.path, String(++this.#homes));
    mkdirSync(path);
    const { PATH, SHELL } = process.env;
    return { path, env: { PATH, SHELL, LANG: "C.UTF-8", HOME: path } };
  }

  async close(): Promise<void> {
    await until("all that was started is ended", () => {
      const left = processesWith(this.path).filter((pid) => pid !== process.pid && !isGone(pid));
      for (const pid of left) kill(pid);
      return left.length === 0;
    });
    rmSync(this.path, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** An interrupted bench leaves nothing behind. */
export function endAtSignals(places: readonly Place[]): void {
  let isEnding = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      // A terminal and npm both send it: the second one must not interrupt the clean-up after the first.
      if (isEnding) return;
      isEnding = true;
      console.error(`\ninterrupted by ${signal}: ends what was started`);
      void Promise.all(places.map((place) => place.close())).finally(() => process.exit(1));
    });
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It is gone.
  }
}

/** Whether it is a zombie. */
function isGone(pid: number): boolean {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return true;
  }
}
