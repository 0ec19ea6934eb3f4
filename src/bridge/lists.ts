import { isObject } from "../model/object.ts";
import type { Id } from "./message.ts";
import { spliced } from "./splice.ts";

/** What a server says it has, which is answered from memory while it sleeps. */

/** Each kind of list, by the notification that one of its lists has changed. */
const LISTS: Readonly<Record<string, readonly string[]>> = {
  "notifications/tools/list_changed": ["tools/list"],
  "notifications/resources/list_changed": ["resources/list", "resources/templates/list"],
  "notifications/prompts/list_changed": ["prompts/list"],
};
const METHODS = new Set(Object.values(LISTS).flat());
/** Longest list that is remembered, characters. */
const LONGEST_LIST = 1024 * 1024;
/** Of so many ways in which clients introduce themselves, what is known is kept. */
const MOST_INTRODUCTIONS = 16;

type Params = Readonly<Record<string, unknown>>;

/** The lists that a notification tells have changed; undefined: it is no such notification. */
export function listsOf(notification: string): readonly string[] | undefined {
  return Object.hasOwn(LISTS, notification) ? LISTS[notification] : undefined;
}

/** The first page of a list is asked for. */
export function isList(method: string, { cursor }: Params): boolean {
  return METHODS.has(method) && cursor === undefined;
}

/** The lists that one child said last. Those with several pages, or too long, are only known to have been said. */
export class Lists {
  readonly #said = new Map<string, string | undefined>();

  constructor(others?: Lists) {
    if (others) this.#said = new Map(others.#said);
  }

  /** `text`: the whole answer. One that is an error says nothing of the list. */
  note(method: string, text: string): void {
    const { result } = JSON.parse(text);
    if (!isObject(result)) return;
    const isWhole = result.nextCursor === undefined && text.length <= LONGEST_LIST;
    this.#said.set(method, isWhole ? spliced(text, [[["id"], 0]]) : undefined);
  }

  forget(methods: readonly string[]): void {
    for (const method of methods) this.#said.delete(method);
  }

  /** Somebody was told this list, or a part of it. */
  isSaid(method: string): boolean {
    return this.#said.has(method);
  }

  /** The answer with this list; undefined: that is not known. */
  answer(method: string, id: Id): string | undefined {
    const text = this.#said.get(method);
    return text === undefined ? undefined : spliced(text, [[["id"], id]]);
  }
}

/** What children answered that were introduced in the same way: to `initialize`, and before their lists changed. */
export interface Known {
  greeting: string | undefined;
  readonly lists: Lists;
}

/** What is known of a server, by how a client introduced itself: what it can do decides what a server shows it. */
export class Acquaintance {
  readonly #known = new Map<string, Known>();

  of(introduction: unknown): Known {
    const { protocolVersion, capabilities } = isObject(introduction) ? introduction : {};
    const key = JSON.stringify([protocolVersion, capabilities]);
    const known = this.#known.get(key) ?? { greeting: undefined, lists: new Lists() };
    // The newest at the end.
    this.#known.delete(key);
    this.#known.set(key, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST_INTRODUCTIONS && oldest !== undefined) this.#known.delete(oldest);
    return known;
  }
}
