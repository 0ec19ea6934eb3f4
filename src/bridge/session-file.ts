import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isObject } from "../model/object.ts";
import { crypto } from "../system/crypto.ts";
import { readRecord, removeDrafts, SET_ASIDE, writeAtomic } from "../system/files.ts";
import { closeDir } from "../system/paths.ts";

/** What a bridge has to know of a client to take it up again after a restart. */
export interface KeptSession {
  readonly id: string;
  /** Params of its `initialize`. */
  readonly introduction: Readonly<Record<string, unknown>>;
  readonly level: string | undefined;
  readonly subscriptions: readonly string[];
  /** Unix ms. */
  readonly openedAt: number;
  readonly usedAt: number;
}

/** Longest record, characters: what a client may say of itself and subscribe to is bounded, so that this is never reached. */
const LONGEST_RECORD = 1024 * 1024;
/** Damaged records that stay to be looked at. */
const MOST_SET_ASIDE = 8;

/**
 * Sessions on disk, each in a file of its own, so that a change costs one small write. The folder is the bridge's alone, and
 * private: who knows an id can speak for the client. A file's name does not tell its id.
 */
export class SessionFolder {
  readonly #path: string;
  readonly #told: (text: string) => void;
  #isFailing = false;

  /** `told`: what a person should know, a sentence. */
  constructor(path: string, told: (text: string) => void) {
    this.#path = path;
    this.#told = told;
  }

  /** All that can be read, the most recently used first. One that is damaged is set aside. */
  read(): KeptSession[] {
    const found = this.#tried("read", () => {
      closeDir(this.#path);
      const names = readdirSync(this.#path);
      const records = names.filter((name) => /^[0-9a-f]{32}\.json$/.test(name));
      for (const name of names.filter((one) => /^[0-9a-f]{32}\.json\..*\.tmp$/.test(one)))
        removeDrafts(this.#at(name.replace(/\..*$/, "")));
      const kept = records.flatMap((name) => this.#readOne(name) ?? []);
      this.#forgetSetAside();
      return kept;
    });
    return (found ?? []).sort((a, b) => b.usedAt - a.usedAt);
  }

  write(session: KeptSession): void {
    const text = JSON.stringify(session);
    if (text.length <= LONGEST_RECORD)
      this.#tried("write", () => writeAtomic(this.#fileOf(session.id), text));
  }

  remove(id: string): void {
    this.#tried("remove", () => rmSync(this.#fileOf(id), { force: true }));
  }

  #readOne(name: string): KeptSession | undefined {
    const path = join(this.#path, name);
    return readRecord(
      path,
      (value) => {
        const session = parsed(value);
        if (this.#fileOf(session.id) !== path) throw new Error("it is the record of another session");
        return session;
      },
      (aside, why) =>
        this.#told(`a session was lost: ${path} was damaged (${why}) and set aside as ${aside}`),
    );
  }

  #forgetSetAside(): void {
    const aside = readdirSync(this.#path).filter((name) => name.includes(SET_ASIDE));
    const when = (name: string) => name.slice(name.indexOf(SET_ASIDE));
    aside.sort((a, b) => when(b).localeCompare(when(a)));
    for (const name of aside.slice(MOST_SET_ASIDE))
      rmSync(join(this.#path, name), { recursive: true, force: true });
  }

  /** A bridge without its folder still serves: its sessions then end with it. Said once, until it works again. */
  #tried<T>(verb: string, act: () => T): T | undefined {
    try {
      const done = act();
      this.#isFailing = false;
      return done;
    } catch (error) {
      if (!this.#isFailing)
        this.#told(
          `cannot ${verb} sessions in ${this.#path}: ${(error as Error).message}; they end with the bridge`,
        );
      this.#isFailing = true;
      return undefined;
    }
  }

  #fileOf(id: string): string {
    return this.#at(crypto().createHash("sha256").update(id).digest("hex").slice(0, 32));
  }

  #at(name: string): string {
    return join(this.#path, `${name}.json`);
  }
}

/** Throws what is wrong with it. */
function parsed(value: unknown): KeptSession {
  if (!isObject(value)) throw new Error("it is no object");
  const { id, introduction, level, subscriptions, openedAt, usedAt } = value;
  if (typeof id !== "string" || id === "") throw new Error("its id is no text");
  if (!isObject(introduction)) throw new Error("its introduction is no object");
  if (level !== undefined && typeof level !== "string") throw new Error("its level is no text");
  if (!Array.isArray(subscriptions) || !subscriptions.every((uri) => typeof uri === "string"))
    throw new Error("its subscriptions are no list of texts");
  if (!isTime(openedAt) || !isTime(usedAt)) throw new Error("its times are no times");
  return { id, introduction, level, subscriptions, openedAt, usedAt };
}

const isTime = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;
