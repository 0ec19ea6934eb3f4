import type { Host } from "../host.ts";
import type { Link, Peer } from "../link.ts";
import { mostWanted, type Session } from "../session.ts";
import { Finder, type FinderMeans } from "./finder.ts";
import { Guests } from "./guests.ts";
import { Listens } from "./listens.ts";
import { Logs } from "./logs.ts";
import { ModernClients } from "./modern.ts";
import { OldClient } from "./old-client.ts";
import { greetingFrom, modernResult } from "./translate.ts";

/** The children, as clients of either era need them. */
export interface Places {
  readonly isForSessions: boolean;
  sessions(): readonly Session[];
  /** The place of the child that all share. */
  shared(): Host;
  /** Its child, started if need be. */
  sharedLink(): Promise<Link>;
}

/** What the bridge knows of eras: that of its server, and who speaks to that in the words of the other. */
export class Eras {
  readonly finder: Finder;
  readonly guests = new Guests();
  readonly listens = new Listens();
  readonly logs = new Logs();
  /** Clients without sessions. */
  readonly clients: ModernClients;
  readonly #places: Places;
  readonly #oldClients = new WeakMap<Session, OldClient>();

  constructor(means: FinderMeans, places: Places) {
    this.#places = places;
    this.finder = new Finder(means);
    const { guests, listens, logs, finder } = this;
    this.clients = new ModernClients({
      ...{ guests, listens, logs, isForSessions: places.isForSessions },
      era: () => finder.found(),
      reached: () => places.sharedLink(),
      remembered: (method, params, id) => {
        const list = places.shared().remembered(method, params, id);
        return list === undefined || this.isModern ? list : modernResult(list, method);
      },
      wantedLevel: (level) =>
        mostWanted([...places.sessions(), ...guests.logs.all, { level: level as string }]),
      wants: (uri) =>
        places.sessions().some(({ subscriptions }) => subscriptions.has(uri)) ||
        this.clients.subscriptions.includes(uri),
      get running() {
        return places.shared().running;
      },
      get greeting() {
        return places.shared().greeting;
      },
    });
  }

  get isModern(): boolean {
    return this.finder.era === "modern";
  }

  /** What a client with a session is greeted with, with id 0; undefined: no child was yet. */
  greeting({ greeting }: Host, version?: string): string | undefined {
    return this.isModern && greeting !== undefined ? greetingFrom(greeting, version) : greeting;
  }

  /** A client with a session, in front of a server that has none. */
  oldClient(session: Session): Peer {
    const places = this.#places;
    const known = this.#oldClients.get(session);
    if (known) return known;
    const client = new OldClient(session, {
      ...{ listens: this.listens, logs: this.logs, reached: () => places.sharedLink() },
      get running() {
        return places.shared().running;
      },
      get discovered() {
        return places.shared().greeting ?? "{}";
      },
    });
    this.#oldClients.set(session, client);
    return client;
  }

  /** The session is over. */
  forget(session: Session): void {
    this.#oldClients.get(session)?.close();
    this.#oldClients.delete(session);
  }
}
