import { literal } from "../config/check/templates.ts";

/** How a source writes variables, and what each is here. */
export type Syntax =
  | "none"
  | "client"
  | "supervisord"
  | "systemd"
  | "systemd-exec"
  | "compose"
  | "process-compose";

export interface Translated {
  /** The text for a configuration, with `{env.NAME}` and `{home}`. */
  readonly text: string;
  /** The value itself, where it depends on nothing. */
  readonly value?: string;
  /** The variable that it is a reference to, and nothing else: `${TOKEN}` */
  readonly only?: string;
  /** What could not be translated; each a clause. The text has it as the source writes it. */
  readonly problems: readonly string[];
}

interface Rule {
  readonly pattern: RegExp;
  /** Undefined: it has no meaning here. */
  readonly means: (...groups: (string | undefined)[]) => Meaning | undefined;
}
/** What a configuration says for it: a placeholder, or text that is what it is. */
type Meaning = { readonly placeholder: string } | { readonly value: string };

const HOME: Meaning = { placeholder: "{home}" };
const env = (name: string | undefined): Meaning | undefined =>
  name === undefined ? undefined : name === "HOME" ? HOME : { placeholder: `{env.${name}}` };
const is =
  (value: string): Rule["means"] =>
  () => ({ value });
const NAME = "[A-Za-z_][A-Za-z0-9_]*";

const DOLLARS: readonly Rule[] = [
  { pattern: /\$\$/g, means: is("$") },
  {
    pattern: new RegExp(`\\$\\{(${NAME})\\}|\\$(${NAME})`, "g"),
    means: (braced, bare) => env(braced ?? bare),
  },
  { pattern: /\$\{[^}]*\}/g, means: () => undefined },
];
const SPECIFIERS: readonly Rule[] = [
  { pattern: /%%/g, means: is("%") },
  { pattern: /%h/g, means: () => HOME },
  { pattern: /%[a-zA-Z]/g, means: () => undefined },
];

/** Rules of a syntax, tried in order: what one has found, the next ones do not look at. */
const RULES: Readonly<Record<Syntax, readonly Rule[]>> = {
  none: [],
  client: [
    { pattern: /\$\{userHome\}/g, means: () => HOME },
    { pattern: /\$\{(?:\/|pathSeparator)\}/g, means: is("/") },
    { pattern: new RegExp(`\\$\\{(?:env:)?(${NAME})\\}`, "g"), means: (name) => env(name) },
    { pattern: /\$\{[^}]*\}/g, means: () => undefined },
  ],
  supervisord: [
    // What expands to nothing keeps apart what Python would read as one.
    { pattern: /%\(program_name\)\.0s/g, means: is("") },
    { pattern: /%%/g, means: is("%") },
    { pattern: new RegExp(`%\\(ENV_(${NAME})\\)s`, "g"), means: (name) => env(name) },
    { pattern: /%\([^)]*\)[-#0-9.+ ]*[a-zA-Z]/g, means: () => undefined },
  ],
  systemd: SPECIFIERS,
  "systemd-exec": [...SPECIFIERS, ...DOLLARS],
  compose: DOLLARS,
  "process-compose": [{ pattern: /\{\{[^}]*\}\}/g, means: () => undefined }, ...DOLLARS],
};

interface Piece {
  readonly text: string;
  readonly value?: string;
  /** A rule has found it. */
  readonly done: boolean;
}

/** A text of a source as a configuration says it. `asIs`: what keeps the rest from being filled in. */
export function translated(text: string, syntax: Syntax, asIs = literal): Translated {
  const problems: string[] = [];
  let pieces: readonly Piece[] = [{ text, done: false }];
  let references = 0;
  for (const { pattern, means } of RULES[syntax]) {
    const look = (piece: Piece): readonly Piece[] => {
      if (piece.done) return [piece];
      const found: Piece[] = [];
      let from = 0;
      for (const match of piece.text.matchAll(pattern)) {
        found.push({ text: piece.text.slice(from, match.index), done: false });
        from = match.index + match[0].length;
        const meaning = means(...match.slice(1));
        if (meaning === undefined) {
          problems.push(`${match[0]} has no meaning here, and is written as it is`);
          found.push({ text: asIs(match[0]), value: match[0], done: true });
        } else if ("placeholder" in meaning) {
          references++;
          found.push({ text: meaning.placeholder, done: true });
        } else found.push({ text: meaning.value, value: meaning.value, done: true });
      }
      return [...found, { text: piece.text.slice(from), done: false }];
    };
    pieces = pieces.flatMap(look);
  }
  const full = pieces.filter((piece) => piece.text !== "");
  const said = full.map((piece) => (piece.done ? piece.text : asIs(piece.text))).join("");
  const only =
    full.length === 1 ? /^\{env\.(\w+)\}$/.exec(full[0]?.done ? full[0].text : "")?.[1] : undefined;
  const value = full.map((piece) => piece.value ?? piece.text).join("");
  return {
    text: said,
    problems,
    ...(references === 0 && { value }),
    ...(only !== undefined && { only }),
  };
}
