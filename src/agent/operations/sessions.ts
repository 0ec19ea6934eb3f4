import type { ProcessId } from "../../model/process.ts";
import { SESSION_OVER } from "../../model/starter.ts";
import type { ResultOf } from "../../rpc/contract.ts";
import { publicState } from "../../supervisor/state.ts";
import { isRunning } from "../../system/processes.ts";
import type { Registry } from "../servers/registry.ts";
import { isDown } from "../servers/rest.ts";
import type { Supervised } from "../servers/supervised.ts";
import { isOwed } from "../servers/waiting.ts";
import { awaitRest } from "./stopping.ts";
import { failureOf } from "./targets.ts";

/** Between two looks at whether the sessions still run, ms. */
const LOOK_GAP = 1000;

/**
 * The sessions (`xy up`) that servers were started by. What a session started ends with it: when it says so, or when
 * its process is gone for whatever reason, also while there was no agent. Nothing is held by that.
 */
export class Sessions {
  readonly #registry: Registry;
  #timer: NodeJS.Timeout | undefined;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** Begins to look after the sessions there are; there is nothing to look at without any. */
  watch(): void {
    if (this.#timer || this.#owned().length === 0) return;
    this.#timer = setInterval(() => this.#look(), LOOK_GAP).unref();
    this.#look();
  }

  /** Stops what runs of a session, and settles when that is done. */
  async end(session: ProcessId): Promise<ResultOf<"session_end">> {
    const answer: ResultOf<"session_end"> = { stopped: [], failed: [] };
    const own = this.#owned().filter((server) => isSame(sessionOf(server), session));
    await Promise.all(
      own.map(async (server) => {
        const { name } = server.spec;
        try {
          await stopWithSession(server);
          answer.stopped.push(name);
        } catch (error) {
          answer.failed.push({ name, ...failureOf(error) });
        }
      }),
    );
    return answer;
  }

  #look(): void {
    const owned = this.#owned();
    // One look for each session, however much it started: a look may cost a process of its own.
    const lives = new Map<string, boolean>();
    for (const server of owned) {
      const session = sessionOf(server);
      if (!session || publicState(server.state) === "stopping") continue;
      const key = `${session.pid} ${session.start} ${session.boot}`;
      const isAlive = lives.get(key) ?? mayRun(session);
      lives.set(key, isAlive);
      // What cannot be ended says so in its own state.
      if (!isAlive) void stopWithSession(server).catch(() => {});
    }
    if (owned.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #owned(): Supervised[] {
    return this.#registry
      .all()
      .filter((server) => sessionOf(server) !== undefined && (!isDown(server) || isOwed(server)));
  }
}

async function stopWithSession(server: Supervised): Promise<void> {
  server.cease("stop", { reason: SESSION_OVER });
  await awaitRest(server);
}

/** The session that a server ends with. */
function sessionOf({ starter }: Supervised): ProcessId | undefined {
  return starter?.by === "session" ? starter.session : undefined;
}

function isSame(a: ProcessId | undefined, b: ProcessId): boolean {
  return a?.pid === b.pid && a.start === b.start && a.boot === b.boot;
}

/** True as long as nobody can look. */
function mayRun(session: ProcessId): boolean {
  try {
    return isRunning(session);
  } catch {
    return true;
  }
}
