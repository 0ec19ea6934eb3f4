import { own } from "../model/own.ts";
import { rowOf } from "../model/server-fields.ts";
import type { ServerSpec } from "../model/spec.ts";
import type { EnvValue, SecretRef } from "../model/spec-parts.ts";
import { quote, shellWord } from "../model/text.ts";
import { formatDuration } from "../model/units.ts";
import { visible } from "../model/visible.ts";

/** Numbers of actions that mean something else than a count. Those of servers say so in their table. */
const NUMBERS: Readonly<Record<string, (value: number) => string>> = {
  timeout: formatDuration,
  grace: formatDuration,
  "retries.backoffInitial": formatDuration,
  "retries.backoffMax": formatDuration,
};

/** A field's name as messages write it: `restart.backoffMax` → `restart.backoff-max`; env names stay as they are. */
export function fieldLabel(field: string): string {
  if (field.startsWith("env.")) return visible(field);
  return visible(field).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** A field's value as people write it; a secret is where it comes from, never what it is. */
export function fieldValue(field: string, value: unknown): string {
  return visible(valueText(field, value));
}

function valueText(field: string, value: unknown): string {
  if (field.startsWith("env.")) return envText(value as EnvValue);
  if (field === "dependsOn") return dependencies(value as ServerSpec["dependsOn"]);
  if (field === "args" || field.endsWith(".args"))
    return `[${(value as string[]).map((arg) => quote(arg)).join(", ")}]`;
  return plainText(field, value);
}

function plainText(field: string, value: unknown): string {
  if (value === null || value === undefined) return "none";
  const { row, inner } = rowOf(field);
  const shown = row?.shown?.(value as never, inner);
  if (shown !== undefined) return shown;
  if (typeof value === "number") return (own(NUMBERS, field) ?? String)(value);
  if (Array.isArray(value))
    return value.length === 0 ? "none" : value.map((v) => plainText(field, v)).join(", ");
  return typeof value === "string" ? quoteIfNeeded(value) : JSON.stringify(value);
}

function dependencies(list: ServerSpec["dependsOn"]): string {
  return list.map(({ server, condition }) => `${server} (${condition})`).join(", ") || "none";
}

function envText(value: EnvValue): string {
  return typeof value === "string" ? quote(value) : `(secret from ${secretSource(value.secret)})`;
}

/** `env GITHUB_TOKEN`, `file /home/me/.token`, `command op read …`, `NAME in /home/me/.env`. */
export function secretSource(ref: SecretRef): string {
  if ("envFile" in ref) return `${ref.name} in ${quoteIfNeeded(ref.envFile)}`;
  if ("env" in ref) return `env ${ref.env}`;
  if ("file" in ref) return `file ${quoteIfNeeded(ref.file)}`;
  return `command ${quoteIfNeeded(ref.command)}`;
}

/** A command line as one would type it into a shell. */
export function commandLine(command: string, args: readonly string[]): string {
  return [command, ...args].map(shellWord).join(" ");
}

/** That it ends in a line break is not worth a line. */
export function scriptLines(script: string): readonly string[] {
  return script.replace(/\n$/, "").split("\n");
}

/** How long a script is. */
export function lineCount(script: string): string {
  const lines = scriptLines(script).length;
  return `${lines} line${lines === 1 ? "" : "s"}`;
}

function quoteIfNeeded(text: string): string {
  return /^[^\s"']+$/.test(text) && visible(text) === text ? text : quote(text);
}
