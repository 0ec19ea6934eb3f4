import type { ActionSpec } from "../model/action.ts";
import { canonicalJson } from "../model/canonical.ts";
import { leaves } from "../model/leaves.ts";
import { mcpUrl } from "../model/mcp-url.ts";
import { rowOf } from "../model/server-fields.ts";
import type { ServerSpec } from "../model/spec.ts";
import type { Given } from "./screen.ts";
import { commandLine, fieldLabel, fieldValue, lineCount, scriptLines } from "./values.ts";

/** One line about a server: what, and what it is. */
export interface Fact {
  readonly label: string;
  readonly value: string;
  /** What there is of it below that. */
  readonly lines?: readonly string[];
}

/** Shown as one line of their own. */
const TOLD_OTHERWISE: ReadonlySet<string> = new Set([
  "command",
  "program",
  "args",
  "port",
  "mcp",
  "mcp.path",
]);

/**
 * What is worth knowing of a spec: its command line, where it answers, and what is not as by default. `given`: the
 * environment that it has without a word about it; by name alone nothing is left out, as it may be another value.
 * `withDefaults`: what is as by default too.
 */
export function interestingFacts(
  spec: ServerSpec,
  given: Given = {},
  withDefaults = false,
): { facts: readonly Fact[]; hidden: number } {
  const rest = [...leaves(spec)].filter(([field]) => !TOLD_OTHERWISE.has(field));
  const shown = rest.filter(
    ([field, value]) => withDefaults || (!isGiven(field, value, given) && !isDefault(field, value, spec)),
  );
  const facts = shown.map(([field, value]) => ({
    label: fieldLabel(field),
    value: fieldValue(field, value),
  }));
  return { facts: [...headFacts(spec), ...facts], hidden: rest.length - shown.length };
}

/** That there is more, and how to see it. */
export const defaultsHidden = (count: number): string =>
  `(${count} default${count === 1 ? "" : "s"} hidden; --defaults shows ${count === 1 ? "it" : "them"})`;

const ACTION_DEFAULTS: Readonly<Record<string, unknown>> = {
  interpreterArgs: [],
  umask: 0o022,
  timeout: 3_600_000,
  grace: 10_000,
  "retries.max": 0,
  "retries.backoffInitial": 1000,
  "retries.backoffMax": 30_000,
  "schedule.missed": "once",
  schedule: null,
  concurrency: "forbid",
  description: "",
  tags: [],
};

/** The same of an action, with every line of its script. */
export function actionFacts(spec: ActionSpec, given: Given = {}): readonly Fact[] {
  const { script, command, program, args } = spec;
  const line = script === null ? commandLine(command ?? program, args) : scriptLine(script, spec);
  const rest = [...leaves(spec)].filter(([field, value]) => {
    const [top = ""] = field.split(".");
    if (["command", "program", "args", "script", "interpreterArgs", "openFiles"].includes(top)) return false;
    if (isGiven(field, value, given)) return false;
    return !(
      Object.hasOwn(ACTION_DEFAULTS, field) && canonicalJson(value) === canonicalJson(ACTION_DEFAULTS[field])
    );
  });
  return [
    {
      label: script === null ? "command" : "script",
      value: line,
      ...(script === null ? {} : { lines: scriptLines(script) }),
    },
    ...(script === null && program !== command
      ? [{ label: "program", value: fieldValue("program", program) }]
      : []),
    ...rest.map(([field, value]) => ({ label: fieldLabel(field), value: fieldValue(field, value) })),
  ];
}

/** How long it is and what runs it. */
function scriptLine(script: string, { program, interpreterArgs, args }: ActionSpec): string {
  return `${lineCount(script)}, by ${commandLine(program, [...interpreterArgs, "SCRIPT", ...args])}`;
}

function headFacts(spec: ServerSpec): Fact[] {
  const facts = [{ label: "command", value: commandLine(spec.command, spec.args) }];
  if (spec.program !== spec.command)
    facts.push({ label: "program", value: fieldValue("program", spec.program) });
  const url = mcpUrl(spec);
  if (url !== undefined) facts.push({ label: "url", value: url });
  else if (spec.port !== null) facts.push({ label: "port", value: String(spec.port) });
  return facts;
}

/** What it has from the account and the system, to the letter. */
function isGiven(field: string, value: unknown, given: Given): boolean {
  if (field === "workingDir") return value === given.HOME;
  const name = field.startsWith("env.") ? field.slice("env.".length) : undefined;
  return name !== undefined && Object.hasOwn(given, name) && given[name] === value;
}

/** What it has whatever its configuration says; such a value is not worth a line. */
function isDefault(field: string, value: unknown, spec: ServerSpec): boolean {
  const { row, inner } = rowOf(field);
  if (row?.isUsual) return row.isUsual(value as never, spec as never, inner);
  return row !== undefined && "absent" in row && canonicalJson(value) === canonicalJson(row.absent);
}
