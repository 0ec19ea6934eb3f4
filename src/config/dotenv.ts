export interface DotenvProblem {
  /** 1-based. */
  readonly line: number;
  readonly message: string;
}

const NAME = /^(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*/;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\", $: "$" };

/**
 * Reads dotenv syntax: `NAME=value`, `export NAME=value`, comments, values bare, in single quotes (as they are), in
 * double quotes (with escapes), in backquotes (as they are); quoted ones may go over several lines. Nothing is expanded.
 * node:util's parseEnv takes a line it cannot read as part of the next name, so it is not used.
 */
export function parseDotenv(text: string): { values: Map<string, string>; problems: DotenvProblem[] } {
  const values = new Map<string, string>();
  const problems: DotenvProblem[] = [];
  let rest = text.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
  let line = 1;
  const advance = (length: number) => {
    line += rest.slice(0, length).split("\n").length - 1;
    rest = rest.slice(length);
  };
  while (rest !== "") {
    const blank = /^[ \t]*(?:#.*)?(?:\n|$)/.exec(rest)?.[0];
    if (blank !== undefined && blank !== "") {
      advance(blank.length);
      continue;
    }
    advance(/^[ \t]*/.exec(rest)?.[0].length ?? 0);
    const entry = readEntry(rest);
    if ("message" in entry) problems.push({ line, message: entry.message });
    else values.set(entry.name, entry.value);
    advance(entry.length);
  }
  return { values, problems };
}

type Entry = { readonly length: number } & (
  | { readonly name: string; readonly value: string }
  | { readonly message: string }
);

function readEntry(rest: string): Entry {
  const lineLength = /^.*\n?/.exec(rest)?.[0].length ?? rest.length;
  const [start, name] = NAME.exec(rest) ?? [];
  if (start === undefined || name === undefined)
    return { length: lineLength, message: "cannot read this line: write NAME=value" };
  const after = rest.slice(start.length);
  if (!/^["'`]/.test(after)) {
    const value =
      /^.*/
        .exec(after)?.[0]
        .replace(/(?:^|[ \t])#.*$/, "")
        .trim() ?? "";
    return { length: lineLength, name, value };
  }
  const quoted = /^(?:"((?:[^"\\]|\\[\s\S])*)"|'([^']*)'|`([^`]*)`)[ \t]*(?:#.*)?(?:\n|$)/.exec(after);
  if (!quoted)
    return {
      length: lineLength,
      message: `cannot find the end of the value of ${name}: close its quotes at the end of a line`,
    };
  const [whole, double, single, back] = quoted;
  const value =
    double?.replace(/\\([\s\S])/g, (written, char: string) => ESCAPES[char] ?? written) ??
    single ??
    back ??
    "";
  return { length: start.length + whole.length, name, value };
}
