import type { Command } from "./child.ts";
import { Host } from "./host.ts";
import type { Known } from "./lists.ts";
import { isNews, mostWanted, type Session } from "./session.ts";
import { VERSIONS } from "./versions.ts";

/** Which clients hear what a child says, and are asked what it asks. */

/** What the places for children have in common. */
export interface Common extends Means {
  /** What is known of children that were introduced like this. */
  readonly known: (introduction: unknown) => Known;
  /** Settles when a child may be started. */
  readonly turn: () => Promise<void>;
  /** A child ended by itself. */
  readonly crashed: (why: string) => void;
}

export interface Means {
  readonly command: Command;
  /** Version of xy, which a shared child is told. */
  readonly version: string;
  /** Writes a line of a child. `who`: the session that it belongs to. */
  readonly says: (stream: "out" | "err", who: string | undefined, text: string) => void;
}

/** The place for the child of one session. */
export function hostOf(session: Session, { command, says, known, turn, crashed }: Common): Host {
  return new Host(
    command,
    {
      turn,
      notified: (method, text) => void session.tell(text, isNews(method)),
      asked: (id, text) => {
        session.questions.add(id);
        return session.tell(text) || !session.questions.delete(id);
      },
      unasked: (id) => session.takeBack(id),
      says: (stream, text) => says(stream, session.label, text),
      ended: (why) => {
        says("err", session.label, `(the server ended: ${why})`);
        crashed(why);
      },
    },
    () => session.memory,
    false,
    known,
  );
}

/** The place for the child that all sessions share. */
export function sharedHost(
  sessions: () => Session[],
  { command, says, version, known, turn, crashed }: Common,
): Host {
  const introduction = {
    protocolVersion: VERSIONS[0],
    // What a client can do would count for all of them. Never roots: they are one client's walls.
    capabilities: {},
    clientInfo: { name: "xy", version },
  };
  return new Host(
    command,
    {
      turn,
      notified: (method, text, params) => {
        for (const session of sessions())
          if (session.hears(method, params)) session.tell(text, isNews(method));
      },
      asked: (id, text) => {
        const [busy, another] = sessions().filter(({ isBusy }) => isBusy);
        if (busy === undefined || another !== undefined) return false;
        busy.questions.add(id);
        return busy.tell(text) || !busy.questions.delete(id);
      },
      unasked: (id) => {
        for (const session of sessions()) session.takeBack(id);
      },
      says: (stream, text) => says(stream, undefined, text),
      ended: (why) => {
        says("err", undefined, `(the server ended: ${why})`);
        crashed(why);
      },
    },
    () => ({
      introduction,
      level: mostWanted(sessions()),
      subscriptions: new Set(sessions().flatMap(({ subscriptions }) => [...subscriptions])),
      isAgain: sessions().some(({ isGreeted }) => isGreeted),
    }),
    true,
    known,
  );
}
