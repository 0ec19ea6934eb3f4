import type { Diagnostic } from "../model/diagnostic.ts";
import type { Power } from "../model/power.ts";
import { shellWord } from "../model/text.ts";
import { visible } from "../model/visible.ts";
import { isMap } from "./keys.ts";
import { type KeyPath, placeOf, type Source } from "./place.ts";

/** The powers that a file of data has, in its order. What is of the wrong form has none, and is an error elsewhere. */
export function powersOf(document: Source["document"]): Power[] {
  const place = (path: KeyPath) => placeOf({ document, at: [] }, path);
  const found: Power[] = [];
  for (const [path, map] of mapsIn(document.value)) {
    const { secret, type, command, args } = map;
    if (isMap(secret) && typeof secret.command === "string")
      found.push({ can: "secret", command: secret.command, place: place(path) });
    if (type === "command" && typeof command === "string") {
      const words = Array.isArray(args) ? args.filter((word) => typeof word === "string") : [];
      found.push({ can: "probe", command: [command, ...words].map(shellWord).join(" "), place: place(path) });
    }
  }
  return [...found, ...managersIn(document.value, place)];
}

function managersIn(value: unknown, place: (path: KeyPath) => Power["place"]): Power[] {
  const site = isMap(value) ? value.supervisord : undefined;
  if (!isMap(site)) return [];
  const url = typeof site.url === "string" ? site.url : "its usual address";
  const password = site.password !== undefined;
  return [{ can: "manager", url, password, place: place(["supervisord"]) }];
}

/** Every map in a value, with its path, in order. One that several places share is met once. */
function mapsIn(value: unknown): [KeyPath, Readonly<Record<string, unknown>>][] {
  const seen = new Set<unknown>();
  const walk = (node: unknown, path: KeyPath): [KeyPath, Readonly<Record<string, unknown>>][] => {
    if (typeof node !== "object" || node === null || seen.has(node)) return [];
    seen.add(node);
    const inner = Array.isArray(node) ? [...node.entries()] : Object.entries(node);
    const own: [KeyPath, Readonly<Record<string, unknown>>][] = isMap(node) ? [[path, node]] : [];
    return [...own, ...inner.flatMap(([key, child]) => walk(child, [...path, key]))];
  };
  return walk(value, []);
}

/** What is refused as long as nobody has agreed to it, each where it is said. */
export function refusals(powers: readonly Power[]): Diagnostic[] {
  return powers.map((power) => ({ severity: "error", message: refusal(power), ...power.place }));
}

function refusal(power: Power): string {
  switch (power.can) {
    case "program":
      return "cannot evaluate this program unasked: it can do anything that you can do";
    case "secret":
      return `cannot run this command for a secret unasked: ${visible(power.command)}`;
    case "probe":
      return `cannot run this command of a probe unasked: ${visible(power.command)}`;
    case "manager":
      return `cannot connect to supervisord unasked${power.password ? ", and send it a password" : ""}: ${visible(power.url)}`;
  }
}
