import type { KeyPath } from "../config/place.ts";
import { fitName } from "../model/name.ts";
import { detected } from "./detect.ts";
import type { Draft, Found } from "./draft.ts";
import type { Origin } from "./kinds/kind.ts";
import { type Lost, Reading } from "./part.ts";

/** What a source has, and what of it is not carried over. */
export interface Imported extends Found {
  /** "a pm2 file" */
  readonly what: string;
  readonly lost: readonly Lost[];
  /** What stops these servers where they run now, as lines for a shell. */
  readonly stops: readonly string[];
}

/** Reads a source. Throws `Unreadable` with the line. `id`: the tool that it is of; found out when it is absent. */
export async function importedFrom(text: string, origin: Origin, id?: string): Promise<Imported> {
  const { kind, root } = await detected(origin.file, text, id);
  const reading = new Reading(root);
  const found = kind.read(reading.top, origin);
  const lost = reading.end((path: KeyPath) => kind.reason(path));
  // What is no server at all is told once.
  const isOther = ({ path }: Lost) => found.others.some((other) => isSame(other.path, path));
  const names = found.drafts.map(({ name }) => name);
  const stops = names.length === 0 ? [] : (kind.stops?.(names, origin.file) ?? []);
  return { what: kind.what, ...found, stops, lost: lost.filter((one) => !isOther(one)) };
}

const isSame = (a: KeyPath, b: KeyPath) => a.length === b.length && a.every((key, i) => key === b[i]);

/** The servers of several sources under names that xy allows, each once, with their dependencies by these names. */
export function named(sources: readonly { readonly drafts: readonly Draft[] }[]): NamedDraft[] {
  const all = new Map<string, NamedDraft>();
  for (const { drafts } of sources) {
    const names = new Map(drafts.map((draft) => [draft.name, fitName(draft.name)]));
    for (const draft of drafts) {
      const fitted = names.get(draft.name) ?? "server";
      const known = all.get(fitted);
      if (known?.sources[0] && sameServer(known.sources[0], draft)) {
        known.sources.push(draft);
        continue;
      }
      const name = freeName(fitted, (one) => all.has(one));
      const remarks =
        name === draft.name
          ? draft.remarks
          : [`Its name was ${JSON.stringify(draft.name)}.`, ...draft.remarks];
      all.set(name, { name, sources: [draft], draft: { ...draft, remarks } });
    }
  }
  return [...all.values()];
}

export interface NamedDraft {
  readonly name: string;
  /** As the sources have it. */
  readonly sources: Draft[];
  readonly draft: Draft;
}

/** The name itself, or with a number behind it, whichever is free. */
function freeName(name: string, isTaken: (name: string) => boolean): string {
  for (let number = 1; ; number++) {
    const suffix = number === 1 ? "" : `-${number}`;
    const candidate = `${name.slice(0, 63 - suffix.length)}${suffix}`;
    if (!isTaken(candidate)) return candidate;
  }
}

const sameServer = (a: Draft, b: Draft): boolean =>
  a.name === b.name &&
  JSON.stringify([a.fields, [...a.secrets]]) === JSON.stringify([b.fields, [...b.secrets]]);
