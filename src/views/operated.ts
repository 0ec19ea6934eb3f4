import { type Leftover, leftText } from "../model/leftover.ts";
import { isProgramAddress } from "../model/other-program.ts";
import { visible } from "../model/visible.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import type { View } from "./view.ts";

export interface Named {
  readonly project: string;
  readonly name: string;
}

/** What an operator's start, stop, restart, kill, pause or resume did to many servers. */
export interface OperatedDocument {
  /** Servers that the verb changed, in the wire's words and in the order of its document. */
  readonly yes: Names;
  /** Servers for which it had nothing, or something else, to do. */
  readonly no: Names;
  readonly failed: readonly (Named & { readonly code: number; readonly message: string })[];
  readonly left: readonly (Leftover & Named)[];
  readonly unrecorded: readonly (Named & { readonly message: string })[];
}

interface Names {
  /** Its name on the wire. */
  readonly key: string;
  readonly servers: readonly Named[];
}

interface Shown {
  /** What each list says of a server. */
  readonly words: { readonly yes: string; readonly no: string };
  readonly label: (one: Named) => string;
  /** Whether a person knows which project is meant. */
  readonly isHere: (project: string) => boolean;
  /** What the JSON document lists under `yes`. Absent: the same. */
  readonly wire?: (document: OperatedDocument) => readonly Named[];
}

export function operatedView({ words, label, isHere, wire }: Shown): View<OperatedDocument> {
  return {
    text: ({ yes, no }) => {
      const lines = [...linesOf(yes, words.yes, label), ...linesOf(no, words.no, label)];
      return lines.length === 0 ? undefined : lines.join("\n");
    },
    json: (document) => {
      const { yes, no, failed, left, unrecorded } = document;
      const nameOf = ({ name }: Named) => name;
      return {
        [yes.key]: (wire?.(document) ?? yes.servers).map(nameOf).sort(),
        [no.key]: no.servers.map(nameOf).sort(),
        failed: failed.map(({ project: _, ...rest }) => rest),
        ...withoutUndefined({ left: someOf(left), unrecorded: someOf(unrecorded) }),
      };
    },
    notes: ({ left, unrecorded, failed }) => [
      ...[...new Set(left.map(label))].map(
        (name) => `${name}: ${leftText(left.filter((one) => label(one) === name))}`,
      ),
      ...unrecorded.map((one) => `xy: ${unrecordedText(label(one), one.message)}`),
      ...failed.map(
        ({ project, message }) => `xy: ${message}${isHere(project) ? "" : ` (project ${project})`}`,
      ),
    ],
  };
}

function linesOf({ servers }: Names, word: string, label: (one: Named) => string): string[] {
  // Only xy holds servers: what follows the semicolon is not true of other programs.
  const textOf = (name: string) => (isProgramAddress(name) ? word.replace(/; .*/, "") : word);
  return servers
    .map(label)
    .sort()
    .map((name) => `${visible(name)}: ${textOf(name)}`);
}

const someOf = <T>(all: readonly T[]) => (all.length === 0 ? undefined : all);

/** The agent knows it, for as long as it lives. */
const unrecordedText = (name: string, message: string) =>
  `${name} is held, but that is not on disk: ${message}; the agent writes it down as soon as it can, and if it dies before, ${name} may be started again`;
