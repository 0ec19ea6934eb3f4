import type { Command } from "./child.ts";
import { MODERN } from "./eras/envelope.ts";
import type { Eras } from "./eras/eras.ts";
import { Host } from "./host.ts";
import type { Known } from "./lists.ts";
import { legacyOpening, modernOpening } from "./opening.ts";
import { isNews, mostWanted, type Session } from "./session.ts";
import type { Restart } from "./starts.ts";
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
  /** What clients can do, for a shared child. */
  readonly capabilities: readonly string[];
  readonly command: Command;
  readonly restart: Restart;
  /** Version of xy, which a shared child is told. */
  readonly version: string;
  /** Writes a line of a child. `who`: the session that it belongs to. */
  readonly says: (stream: "out" | "err", who: string | undefined, text: string) => void;
}

/** The place for the child of one session. */
export function hostOf(session: Session, { says, known, turn, crashed, restart }: Common, eras: Eras): Host {
  return new Host(
    legacyOpening(eras.finder, false),
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
    known,
    restart,
  );
}

/** The place for the child that all clients share. */
export function sharedHost(
  sessions: () => Session[],
  { says, version, capabilities, known, turn, crashed, restart }: Common,
  eras: Eras,
): Host {
  const introduction = {
    protocolVersion: VERSIONS[0],
    // What a client can do would count for all of them.
    capabilities: Object.fromEntries(capabilities.map((name) => [name, {}])),
    clientInfo: { name: "xy", version },
  };
  const { guests, clients } = eras;
  return new Host(
    legacyOpening(eras.finder, true),
    {
      turn,
      notified: (method, text, params) => {
        clients.notified(method, text, params);
        for (const session of sessions())
          if (session.hears(method, params)) session.tell(text, isNews(method));
      },
      asked: (id, text) => {
        const [busy, another] = sessions().filter(({ isBusy }) => isBusy);
        if (busy === undefined && guests.asked(id, text)) return true;
        if (busy === undefined || another !== undefined || guests.size > 0) return false;
        busy.questions.add(id);
        return busy.tell(text) || !busy.questions.delete(id);
      },
      unasked: (id) => {
        guests.unasked(id);
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
      level: mostWanted([...sessions(), ...guests.logs.all]),
      subscriptions: new Set([
        ...clients.subscriptions,
        ...sessions().flatMap(({ subscriptions }) => [...subscriptions]),
      ]),
      isAgain: sessions().some(({ isGreeted }) => isGreeted) || clients.usedAt !== undefined,
    }),
    known,
    restart,
  );
}

/** The place for the child of a server that has no sessions: all clients share it, whatever was declared. */
export function modernHost(
  sessions: () => Session[],
  { says, known, turn, crashed, restart }: Common,
  eras: Eras,
): Host {
  return new Host(
    modernOpening(eras.finder, (link) => eras.listens.again(link)),
    {
      turn,
      notified: (method, text, { level }) => {
        if (method === "notifications/message") {
          if (!eras.logs.tell(level, text)) says("out", undefined, text.slice(0, 1000));
        } else if (isNews(method)) for (const session of sessions()) session.tell(text, true);
      },
      asked: () => false,
      unasked: () => {},
      says: (stream, text) => says(stream, undefined, text),
      ended: (why) => {
        says("err", undefined, `(the server ended: ${why})`);
        crashed(why);
      },
    },
    () => ({
      ...{ introduction: { protocolVersion: MODERN }, level: undefined, subscriptions: [] },
      isAgain: sessions().some(({ isGreeted }) => isGreeted) || eras.clients.usedAt !== undefined,
    }),
    known,
    restart,
  );
}
