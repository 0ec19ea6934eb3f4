import { realpathSync } from "node:fs";
import { dirname, extname, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { Diagnostic } from "../../model/diagnostic.ts";
import { show } from "../check/issues.ts";
import { canonicalKeys, meantBy, problemAt } from "../check/keys.ts";
import { formatPath, type KeyPath, type Reading } from "../place.ts";
import { ENOUGH_PROBLEMS } from "../problems.ts";
import { foreignValue } from "./foreign-files.ts";
import { keysOf, listPart, objectPart, type Shape } from "./shape.ts";
import { inThread } from "./thread.ts";
import type { ProgramAnswer, ProgramRequest } from "./worker.ts";
import type { ConfigContext } from "./xyctl.ts";

export interface EvaluationOptions {
  readonly context: ConfigContext;
  /** Ends the reading, wherever it is. */
  readonly signal: AbortSignal;
  /** Gets what the program prints. */
  readonly print: (text: string) => void;
  /** Lets signals arrive: what is read at once is deaf to them. */
  readonly pause: () => Promise<void>;
  /** A folder that nobody else can write to, for compiled programs. */
  readonly translations?: () => string | undefined;
}

type Outcome = ProgramAnswer | { readonly kind: "ended"; readonly why: string };

/** Evaluates `xy.config.{ts,mts,cts,js,mjs,cjs}` in a thread of its own. Problems name the key path: data has no lines. */
export async function readTypeScript(
  file: string,
  shape: Shape,
  evaluation: EvaluationOptions,
): Promise<Reading> {
  const outcome = await evaluate(file, evaluation);
  switch (outcome.kind) {
    case "value":
      return fromValue(file, outcome, shape);
    case "nothing":
      return problem(file, `cannot find a configuration in this file: write ${exportOf(file)}`);
    case "thrown":
      return { problems: [thrownProblem(file, outcome, realOf(file))] };
    case "ended":
      return problem(file, `cannot evaluate this file: ${outcome.why}`);
  }
}

/** As for Node, a program is where a link leads: so are its imports. */
function realOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

const exportOf = (file: string) =>
  `${extname(file) === ".cjs" ? "module.exports =" : "export default"} defineConfig({ … })`;

const problem = (file: string, message: string): Reading => ({ problems: [problemAt({ file }, message)] });

async function evaluate(file: string, evaluation: EvaluationOptions): Promise<Outcome> {
  const { context, translations } = evaluation;
  const workerData: ProgramRequest = { file: realOf(file), context, translations: translations?.() ?? null };
  // With source maps, stack traces name places in the source.
  const options = { workerData, env: definedOnly(context.env), execArgv: ["--enable-source-maps"] };
  const outcome = await inThread<ProgramAnswer>(options, evaluation);
  switch (outcome.kind) {
    case "answer":
      return outcome.answer;
    case "failed":
      return { kind: "thrown", message: String(outcome.error), stack: outcome.error.stack ?? "" };
    case "ended":
      return { kind: "ended", why: exitReason(outcome.code) };
    case "aborted":
      return { kind: "ended", why: ABORTED };
  }
}

const ABORTED = "it did not finish in time; look for an import, a loop or a promise that never ends";

/** A thread that waits for a promise that nothing can settle ends with code 0 or 13, depending on the Node. */
function exitReason(code: number): string {
  if (code === 0 || code === 13)
    return "it ended without returning; look for process.exit, or a promise that never settles";
  return `it called process.exit(${code}); remove the call`;
}

function fromValue(file: string, answer: Extract<ProgramAnswer, { kind: "value" }>, shape: Shape): Reading {
  const at = (path: KeyPath) => (path.length > 0 ? { file, path: formatPath(path, "camel") } : { file });
  const problems = answer.problems.map(({ path, message }) => problemAt(at(path), message));
  if (problems.length > 0) return { problems };
  const foreign = foreignValue(answer.value, keysOf(shape), "camel");
  if (foreign !== undefined) return { problems: [problemAt(at(foreign.path), foreign.message)] };
  if (typeof answer.value !== "object" || answer.value === null || Array.isArray(answer.value)) {
    const found =
      answer.value === undefined ? "nothing" : Array.isArray(answer.value) ? "a list" : show(answer.value);
    return problem(
      file,
      `cannot use ${found} as a configuration: export an object, or a function that returns one`,
    );
  }
  const nothing = (answer.absent ?? []).filter((path) => isInMap(shape, path));
  if (nothing.length > 0)
    return {
      problems: nothing.slice(0, ENOUGH_PROBLEMS).map((path) => {
        const named = formatPath(path, "camel");
        return problemAt(
          at(path),
          `cannot use undefined for ${named}: give it a value, or leave the key out`,
        );
      }),
    };
  const { value, unknown } = canonicalKeys(answer.value, shape, "camel");
  const document = { file, style: "camel", value, meant: meantBy(unknown) } as const;
  return { document, problems: unknown.map(({ path, message }) => problemAt(at(path), message)) };
}

/** Whether the last key of a path is a name that somebody chose: a field may be undefined, which is absent. */
function isInMap(shape: Shape, path: KeyPath): boolean {
  let here: Shape | undefined = shape;
  for (const key of path.slice(0, -1)) here = here && partOf(here, key);
  return here?.kind === "map";
}

function partOf(shape: Shape, key: string | number): Shape | undefined {
  if (shape.kind === "map") return shape.value;
  return typeof key === "number" ? listPart(shape)?.item : objectPart(shape)?.keys.get(key);
}

/** `real`: the real path of the file, which stack traces use. */
function thrownProblem(
  file: string,
  { message, stack }: { message: string; stack: string },
  real: string,
): Diagnostic {
  const [first = ""] = message.split("\n");
  const text = first.replace(/^Error: (?=\w*Error: )/, "").trim();
  const found = thrownPlace(real, stack);
  const place = found.file === real ? { ...found, file } : found;
  // The column of an import is the one in the compiled code.
  const located =
    text.includes("Cannot find module") && place.column !== undefined ? { ...place, column: 1 } : place;
  return problemAt(located, `cannot evaluate this file: ${text}; correct the code`);
}

/** The innermost place of the stack that is the person's own code. */
export function thrownPlace(file: string, stack: string): Pick<Diagnostic, "file" | "line" | "column"> {
  const folder = dirname(file) + sep;
  for (const frame of stack.split("\n")) {
    const [end = "", line, column] = /:(\d{1,9}):(\d{1,9})\)?$/.exec(frame.slice(-LONGEST_PLACE)) ?? [];
    const found = end === "" ? undefined : pathAtEnd(frame.slice(0, -end.length));
    if (found === undefined) continue;
    const own = found === file || (found.startsWith(folder) && !found.includes(`${sep}node_modules${sep}`));
    // A syntax error has its place on a line of its own, with columns from 0.
    const first = /^ *at /.test(frame) ? 0 : 1;
    if (own) return { file: found, line: Number(line), column: Number(column) + first };
  }
  return { file };
}

/** Longest `:line:column)`, characters. */
const LONGEST_PLACE = 21;

/** The absolute path, or file URL, at the end of a text: without colons and parentheses. */
function pathAtEnd(text: string): string | undefined {
  const colon = text.lastIndexOf(":");
  const bracket = Math.max(text.lastIndexOf("("), text.lastIndexOf(")"));
  if (colon > bracket && text.startsWith("file:///", colon - 4)) return fileURLToPath(text.slice(colon - 4));
  const start = text.indexOf("/", Math.max(colon, bracket) + 1);
  return start === -1 ? undefined : text.slice(start);
}

function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
