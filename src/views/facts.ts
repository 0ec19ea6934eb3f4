import type { ActionSpec } from "../model/action.ts";
import { canonicalJson } from "../model/canonical.ts";
import { leaves } from "../model/leaves.ts";
import { GIVEN_ENV, rowOf } from "../model/server-fields.ts";
import type { ServerSpec } from "../model/spec.ts";
import { commandLine, fieldLabel, fieldValue, lineCount } from "./values.ts";

/** One line about a server: what, and what it is. */
export interface Fact {
  readonly label: string;
  readonly value: string;
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

/** What is worth knowing of a spec: its command line, where it answers, and what is not as by default. */
export function interestingFacts(spec: ServerSpec): { facts: readonly Fact[]; hidden: number } {
  const rest = [...leaves(spec)].filter(([field]) => !TOLD_OTHERWISE.has(field));
  const shown = rest.filter(([field, value]) => !isDefault(field, value, spec));
  const facts = shown.map(([field, value]) => ({
    label: fieldLabel(field),
    value: fieldValue(field, value),
  }));
  return { facts: [...headFacts(spec), ...facts], hidden: rest.length - shown.length };
}

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

/** The same of an action. */
export function actionFacts(spec: ActionSpec): readonly Fact[] {
  const { script, command, program, args } = spec;
  const line = script === null ? commandLine(command ?? program, args) : scriptLine(script, spec);
  const rest = [...leaves(spec)].filter(([field, value]) => {
    const [top = "", inner = ""] = field.split(".");
    if (["command", "program", "args", "script", "interpreterArgs", "openFiles"].includes(top)) return false;
    if (top === "env") return !GIVEN_ENV.includes(inner);
    if (field === "workingDir") return value !== spec.env.HOME;
    return !(
      Object.hasOwn(ACTION_DEFAULTS, field) && canonicalJson(value) === canonicalJson(ACTION_DEFAULTS[field])
    );
  });
  return [
    { label: script === null ? "command" : "script", value: line },
    ...(script === null && program !== command
      ? [{ label: "program", value: fieldValue("program", program) }]
      : []),
    ...rest.map(([field, value]) => ({ label: fieldLabel(field), value: fieldValue(field, value) })),
  ];
}

/** How long it is and what runs it: the text itself is in the configuration. */
function scriptLine(script: string, { program, interpreterArgs, args }: ActionSpec): string {
  return `${lineCount(script)}, by ${commandLine(program, [...interpreterArgs, "SCRIPT", ...args])}`;
}

function headFacts(spec: ServerSpec): Fact[] {
  const facts = [{ label: "command", value: commandLine(spec.command, spec.args) }];
  if (spec.program !== spec.command)
    facts.push({ label: "program", value: fieldValue("program", spec.program) });
  const url = serverUrl(spec);
  if (url !== undefined) facts.push({ label: "url", value: url });
  else if (spec.port !== null) facts.push({ label: "port", value: String(spec.port) });
  return facts;
}

/** Where an MCP server answers; undefined for other servers. */
function serverUrl({ host, port, mcp }: Pick<ServerSpec, "host" | "port" | "mcp">): string | undefined {
  if (mcp === null || port === null) return undefined;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}${mcp.path}`;
}

/** What it has whatever its configuration says; such a value is not worth a line. */
function isDefault(field: string, value: unknown, spec: ServerSpec): boolean {
  const { row, inner } = rowOf(field);
  if (row?.isUsual) return row.isUsual(value as never, spec as never, inner);
  return row !== undefined && "absent" in row && canonicalJson(value) === canonicalJson(row.absent);
}
