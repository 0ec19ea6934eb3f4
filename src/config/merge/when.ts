import type { Machine } from "../../model/machine.ts";
import { hostWord } from "../../model/machine-words.ts";
import { isObject } from "../../model/object.ts";
import type { WhenInput } from "../../model/server.ts";

const KEYS = ["os", "arch", "host", "user"] as const;

/** What a `when` is compared with. */
export type Matched = Pick<Machine, "os" | "arch" | "host" | "user">;

const wordsOf = (when: WhenInput | undefined, key: (typeof KEYS)[number]): readonly string[] | undefined => {
  const wanted: string | readonly string[] | undefined = when?.[key];
  return wanted === undefined ? undefined : [wanted].flat();
};

const said = (machine: Matched, key: (typeof KEYS)[number]): string =>
  key === "host" ? hostWord(machine.host) : machine[key];

/** Whether `when` names this machine: each given key must match; a list matches by any of its values. */
export function matches(when: WhenInput | undefined, machine: Matched): boolean {
  return unmatched(when, machine).length === 0;
}

function unmatched(when: WhenInput | undefined, machine: Matched): (typeof KEYS)[number][] {
  return KEYS.filter((key) => wordsOf(when, key)?.includes(said(machine, key)) === false);
}

/** The conditions of one place that declares a server; all of them must match. */
export type Whens = readonly (WhenInput | undefined)[];

/** Why none of the places that declare a server applies to this machine: `host work; this is work-2`. */
export function elsewhereText(places: readonly Whens[], machine: Matched): string {
  const failing = places.map((whens) =>
    whens.flatMap((when) =>
      unmatched(when, machine).map((key) => ({ key, words: wordsOf(when, key) ?? [] })),
    ),
  );
  const wanted = failing.map((all) => all.map(({ key, words }) => `${key} ${words.join(" or ")}`).join(", "));
  const keys = new Set(failing.flat().map(({ key }) => key));
  const here = KEYS.filter((key) => keys.has(key)).map((key) => said(machine, key));
  return `${[...new Set(wanted)].join(", or ")}; this is ${here.join(", ")}`;
}

/** A value of the wrong form is reported where the schema looks at it; here it counts as absent. */
export const asWhen = (value: unknown): WhenInput | undefined =>
  isObject(value) ? (value as WhenInput) : undefined;
