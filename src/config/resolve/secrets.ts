import type { SecretInput } from "../../model/input-parts.ts";
import { own } from "../../model/own.ts";
import type { SecretRef } from "../../model/spec-parts.ts";
import type { PathFacts } from "../check/placeholders.ts";
import { expandPath } from "../paths.ts";
import { ENOUGH_PROBLEMS } from "../problems.ts";
import { CONFLICT, conflictLine } from "../read/conflict.ts";
import { kindFault, readText } from "../read/document.ts";
import { parseDotenv } from "../read/dotenv.ts";
import type { SecretOutcome, World } from "./world.ts";

const WAY_OUT = "correct the path";

/** A reference with its path absolute. */
export function absoluteReference({ secret }: SecretInput, folder: string, machine: PathFacts): SecretRef {
  return "file" in secret ? { file: expandPath(secret.file, folder, machine) } : secret;
}

/** Looks up a secret's value, or as much as `secretUse` asks for. `folder`: where a secret command runs. */
export async function readSecret(
  ref: SecretRef,
  folder: string | undefined,
  world: Pick<World, "env" | "runSecretCommand" | "secretUse">,
): Promise<SecretOutcome> {
  const { env, secretUse = "read" } = world;
  if (secretUse !== "read") {
    const fault = secretUse === "find" ? sourceFault(ref, env) : undefined;
    return fault === undefined ? { kind: "skipped" } : missing(fault);
  }
  if ("env" in ref) {
    const value = own(env, ref.env);
    return value === undefined ? missing(notSet(ref.env)) : checked(value);
  }
  if ("command" in ref) {
    const outcome = await world.runSecretCommand(ref.command, folder);
    return outcome.kind === "value" ? checked(withoutLineBreak(outcome.value)) : outcome;
  }
  if ("name" in ref) throw new Error("values of an env file are read with the file");
  const text = secretText(ref.file);
  return text.kind === "value" ? checked(withoutLineBreak(text.value)) : text;
}

/** Why no value can be there, as far as that is known without opening a file or running a command. */
function sourceFault(ref: SecretRef, env: World["env"]): string | undefined {
  if ("env" in ref) return own(env, ref.env) === undefined ? notSet(ref.env) : undefined;
  return "file" in ref ? fileFault(ref.file) : undefined;
}

const notSet = (name: string) => `the variable ${name} is not set; set it where you run xy`;

/** Why a file cannot be read as text, as far as that is known without opening it. */
function fileFault(file: string): string | undefined {
  const refusal = kindFault(file, WAY_OUT);
  return refusal === undefined ? undefined : `${file}: ${refusal}`;
}

export function envFileFault(file: string): string | undefined {
  const fault = fileFault(file);
  return fault === undefined ? undefined : unreadable(fault);
}

/** Values of an env file, or why there are none. */
export async function readEnvFile(
  file: string,
): Promise<{ values: ReadonlyMap<string, string>; problems: readonly string[] }> {
  const text = secretText(file);
  if (text.kind !== "value") return { values: new Map(), problems: [unreadable(text.message)] };
  const { values, problems } = parseDotenv(text.value);
  const conflict = problems.length > 0 ? conflictLine(text.value) : undefined;
  if (conflict !== undefined) return { values, problems: [`${CONFLICT} (${file}:${conflict})`] };
  const told = problems.slice(0, ENOUGH_PROBLEMS);
  return { values, problems: told.map(({ line, message }) => `${message} (${file}:${line})`) };
}

const unreadable = (why: string) => `cannot read the env file: ${why}`;
const missing = (message: string): SecretOutcome & { kind: "missing" } => ({ kind: "missing", message });

function checked(value: string): SecretOutcome {
  return value.includes("\0")
    ? missing("its value has a NUL character; remove it")
    : { kind: "value", value };
}

const withoutLineBreak = (text: string) => text.replace(/\r?\n$/, "");

function secretText(file: string): Exclude<SecretOutcome, { kind: "skipped" }> {
  const read = readText(file, WAY_OUT, { keepMark: true });
  return "text" in read ? { kind: "value", value: read.text } : missing(`${file}: ${read.refusal}`);
}
