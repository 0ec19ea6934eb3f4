import { nearest } from "../model/nearest.ts";
import { own } from "../model/own.ts";

/** Flags of other tools, and those of xy that mean the same. The first that the command has is suggested. */
const SAME: Readonly<Record<string, readonly string[]>> = {
  a: ["all"],
  "auto-approve": ["yes"],
  approve: ["yes"],
  "assume-yes": ["yes"],
  c: ["config"],
  d: ["detach"],
  daemon: ["detach"],
  e: ["env"],
  exclude: ["except"],
  f: ["follow", "config"],
  file: ["config"],
  F: ["follow"],
  format: ["as"],
  include: ["only"],
  j: ["json"],
  l: ["tail"],
  lines: ["tail"],
  n: ["tail", "limit", "only"],
  name: ["only", "server"],
  "no-confirm": ["yes"],
  "no-input": ["yes"],
  number: ["tail", "limit"],
  o: ["out", "json"],
  output: ["out", "json"],
  p: ["project", "port"],
  s: ["only", "server"],
  server: ["only"],
  service: ["only", "server"],
  skip: ["except"],
  t: ["tail", "only"],
  target: ["only"],
  timeout: ["wait-timeout"],
  w: ["follow", "wait"],
  watch: ["follow"],
};

const COLOUR = "set NO_COLOR=1 for plain text";
const DETAILS = "`xy why NAME` and `xy status NAME` say more; XY_DEBUG=1 shows where a failure came from";

/** Flags in place of which something else is typed. */
const INSTEAD: Readonly<Record<string, string>> = {
  color: COLOUR,
  colour: COLOUR,
  "no-color": COLOUR,
  "no-colour": COLOUR,
  cwd: "change to the folder, or name it with --config",
  C: "change to the folder, or name it with --config",
  "dry-run": "`xy plan` shows what would change",
  debug: DETAILS,
  v: DETAILS,
  verbose: DETAILS,
};

/** For commands that ask; for those that do not, see {@link FORCED}. */
const FORCED: Readonly<Record<string, string>> = {
  restart: "`xy kill NAME` ends one that does not stop",
  stop: "`xy kill NAME` ends one that does not stop",
};

/** What may have been meant by a flag that the command does not have. */
export function flagMeant(flag: string, command: string, known: readonly string[]): string | undefined {
  const name = flag.replace(/^-+/, "").replace(/=.*/s, "");
  if (/^\d+$/.test(name) && known.includes("tail")) return `did you mean --tail ${name}?`;
  const near = nearest(name, known);
  const same = (own(SAME, name) ?? []).find((one) => known.includes(one));
  const forced =
    name === "force"
      ? (own(FORCED, command) ?? (known.includes("yes") ? "did you mean --yes?" : undefined))
      : undefined;
  // One letter is near to nothing.
  const meant = name.length > 1 ? (near ?? same) : same;
  return forced ?? own(INSTEAD, name) ?? (meant === undefined ? undefined : `did you mean --${meant}?`);
}
