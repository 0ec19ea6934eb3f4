import { crypto } from "../system/crypto.ts";
import { oldest } from "./children.ts";
import { Session } from "./session.ts";
import type { SessionFolder } from "./session-file.ts";

/** A session that is in use is written again when the time in its record is so old, ms. */
const WRITE_GAP = 60_000;

/** All clients that have introduced themselves; those of a bridge before this one, too, if they are kept in a folder. */
export class Sessions {
  readonly #most: number;
  readonly #folder: SessionFolder | undefined;
  readonly #byId = new Map<string, Session>();
  /** Time of use in a session's record; a session that has none is not kept yet. */
  readonly #written = new Map<Session, number>();

  constructor(most: number, folder: SessionFolder | undefined) {
    this.#most = most;
    this.#folder = folder;
  }

  /** Takes up those that the folder has. */
  resume(): void {
    const kept = this.#folder?.read() ?? [];
    for (const { id, introduction, openedAt, ...rest } of kept.slice(0, this.#most)) {
      const session = new Session(id, introduction, openedAt);
      session.takeUp(rest);
      this.#byId.set(id, session);
      this.#written.set(session, session.usedAt);
    }
    for (const { id } of kept.slice(this.#most)) this.#folder?.remove(id);
  }

  get all(): Session[] {
    return [...this.#byId.values()];
  }

  get size(): number {
    return this.#byId.size;
  }

  find(id: string): Session | undefined {
    return this.#byId.get(id);
  }

  /** One that has to go, so that there is room for another; `none`: all are connected. Undefined: there is room. */
  get inTheWay(): Session | "none" | undefined {
    if (this.#byId.size < this.#most) return undefined;
    return oldest(this.all.filter((one) => !one.isBusy && !one.isConnected)) ?? "none";
  }

  /** A client introduces itself. It is kept once it was answered. */
  open(introduction: Readonly<Record<string, unknown>>, now: number): Session {
    const session = new Session(crypto().randomUUID(), introduction, now);
    this.#byId.set(session.id, session);
    return session;
  }

  /** Writes down what is to be known of it after a restart. */
  keep(session: Session): void {
    if (this.#folder === undefined || !this.#byId.has(session.id)) return;
    this.#written.set(session, session.usedAt);
    this.#folder.write(session.kept);
  }

  /** Writes down when those that are kept were used. `gap`: only where the time in the record is so much older, ms. */
  keepTimes(gap = WRITE_GAP): void {
    for (const [session, at] of this.#written) if (session.usedAt - at > gap) this.keep(session);
  }

  forget(session: Session): void {
    this.#byId.delete(session.id);
    if (this.#written.delete(session)) this.#folder?.remove(session.id);
  }
}
