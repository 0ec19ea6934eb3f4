import { stripVTControlCharacters } from "node:util";
import type { SecretRef } from "../../model/spec-parts.ts";
import { renderTemplate, systemdToken } from "../unit-text.ts";
import { stamped } from "./stamp.ts";
import { asPortable, withSpecifiers } from "./systemd-portable.ts";
import { type Limit, textFaults } from "./texts.ts";
import {
  commandWords,
  type Fault,
  plainEnvironment,
  secretNames,
  serverIn,
  startsItself,
  type UnitFacts,
  type UnitFormat,
  unitName,
} from "./unit.ts";

/** Longest line that systemd reads, with its key, bytes. */
const LONGEST_LINE = 2 ** 20 - 100;
/** The limit of open files to which a program may raise its own under systemd. */
const HARD_OPEN_FILES = 524_288;
/** Signals that count as a success for systemd, but not for xy. */
const CLEAN_SIGNALS = ["SIGHUP", "SIGINT", "SIGTERM", "SIGPIPE"];

const NONCHARACTERS: Limit = {
  what: "a code point that is not a character, such as U+FFFE",
  pattern: /\p{Noncharacter_Code_Point}/u,
};
/** systemd itself refuses a program with such a name. */
const UNSAFE: Limit = {
  what: "a quote, a backslash or a control character",
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for.
  pattern: /["'\\\u0001-\u001f\u007f]/,
};
/** `WorkingDirectory=` takes the rest of its line literally. */
const REST_OF_LINE: Limit = {
  what: "a line break, a control character, a leading or trailing space, or a trailing backslash",
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for.
  pattern: /[\u0001-\u001f\u007f]|^\s|\s$|\\$/,
};

export const systemdUnits: UnitFormat = {
  fileName: (spec) => `${unitName(spec)}.service`,
  serverOf: (fileName, project) => serverIn(fileName, project, ".service"),
  isOurs: (text) => /(?:^|\n)\[X-Xy\]\nProject=/.test(text),
  faults: (facts) => [
    ...textFaults("systemd", facts, {
      everywhere: [NONCHARACTERS],
      program: [UNSAFE],
      folder: [REST_OF_LINE],
    }),
    ...lengthFaults(facts),
  ],
  render: (facts) => {
    const view = asPortable(facts);
    return stamped(facts, async (hash) =>
      withSpecifiers(await renderTemplate("server.service.hbs", viewOf(view, hash))),
    );
  },
};

function viewOf(facts: UnitFacts, hash: string): object {
  const { spec, envFiles, installed, user } = facts;
  const { restart, stop, dependsOn, limits } = spec;
  const asksForSuccess = restart.policy === "on-failure";
  return {
    ...spec,
    title: titleOf(spec),
    words: commandWords(facts),
    environment: plainEnvironment(spec),
    secrets: secretsOf(spec.env),
    envFiles: envFiles.map((file) => JSON.stringify(file)),
    toFill: !installed && (envFiles.length > 0 || secretNames(spec).length > 0) ? fileToFill(spec) : "",
    secretsFile: installed?.secretsFile ?? "",
    unit: unitName(spec),
    logs: installed?.logs,
    user: spec.class === "system" ? user : "",
    target: spec.class === "system" ? "multi-user.target" : "default.target",
    umask: spec.umask.toString(8).padStart(4, "0"),
    openFiles: `${limits.openFiles}:${Math.max(limits.openFiles, HARD_OPEN_FILES)}`,
    others: dependsOn
      .map(({ server }) => `${unitName({ project: spec.project, name: server })}.service`)
      .join(" "),
    // With Wants, systemd would also start servers that are held.
    wants: installed === undefined,
    policy: { "on-failure": "on-failure", always: "always", never: "no" }[restart.policy],
    good: restart.successExitCodes.filter((code) => code !== 0).join(" "),
    bad: asksForSuccess
      ? [...CLEAN_SIGNALS, ...(restart.successExitCodes.includes(0) ? [] : ["0"])].join(" ")
      : "",
    backoff: restart.policy === "never" ? "" : `${restart.backoffInitial}ms`,
    burst: restart.maxRetriesPerMinute + 1,
    // 0 would mean: wait for ever.
    grace: `${Math.max(1, stop.grace)}ms`,
    // An installed unit's text does not say whether it is enabled.
    starts: installed !== undefined || startsItself(facts),
    // The comment of an installed unit must not change: that would be a change of the unit.
    isEmitted: facts.installed === undefined,
    hash,
  };
}

/** For people; characters that a line cannot hold are left out. */
function titleOf({ project, name, description }: UnitFacts["spec"]): string {
  const text = stripVTControlCharacters(description)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .trim()
    .replace(/\p{Noncharacter_Code_Point}|\p{Surrogate}/gu, "");
  return text === "" ? `${project}/${name}` : `${project}/${name} (${text})`;
}

/** The file that a person fills in, by a path that works on every machine: `%E` is the configuration folder. */
function fileToFill(spec: UnitFacts["spec"]): string {
  return `%E/xy/secrets/${unitName(spec)}.env`;
}

function secretsOf(env: UnitFacts["spec"]["env"]): { name: string; from: string }[] {
  return secretNames({ env }).flatMap((name) => {
    const value = env[name];
    return value === undefined || typeof value === "string" ? [] : [{ name, from: sourceOf(value.secret) }];
  });
}

function sourceOf(ref: SecretRef): string {
  if ("env" in ref) return `the variable ${JSON.stringify(ref.env)}`;
  if ("command" in ref) return `the output of ${JSON.stringify(ref.command)}`;
  return `the file ${JSON.stringify("envFile" in ref ? ref.envFile : ref.file)}`;
}

/** Lines too long for systemd. Only arguments can be that long together: the kernel limits each of them. */
function lengthFaults(facts: UnitFacts): Fault[] {
  const line = commandWords(facts).map(systemdToken).join(" ");
  if (Buffer.byteLength(line) < LONGEST_LINE) return [];
  const message =
    "cannot write the arguments for systemd: they take more than 1 MiB, the longest line that it reads; " +
    "make them shorter, or run this server with the agent";
  return [{ path: ["args"], message }];
}
