import type { Diagnostic } from "../../model/diagnostic.ts";
import { isAuto } from "../../model/port.ts";
import { typeOfProbe } from "../../model/probe-input.ts";
import { probeTarget } from "../../model/probe-url.ts";
import type { FilledServer } from "../../model/server.ts";
import { parseDuration } from "../../model/units.ts";
import type { KeyPath } from "../place.ts";
import { nameFault } from "./env-names.ts";
import { mcpProblems } from "./mcp-checks.ts";
import { expandTemplates, type TemplateFacts } from "./templates.ts";

export interface ServerProblem {
  readonly path: KeyPath;
  readonly message: string;
  /** An error if nothing is said. */
  readonly severity?: Diagnostic["severity"];
}

/** Problems of a server whose fields all have the right form. */
export function serverProblems(
  input: FilledServer,
  facts: Omit<TemplateFacts, "port">,
  keyOf: (key: string) => string,
): ServerProblem[] {
  // The number of an "auto" port is not known yet; any does for looking at the templates.
  const port = isAuto(input.port) ? 65535 : input.port === "none" ? null : input.port;
  return [
    ...envNameProblems(input),
    ...unfilledTexts(input),
    ...backoffProblems(input, keyOf),
    ...portProblems(input),
    ...mcpProblems(input, keyOf),
    ...urlProblems(input, port, keyOf),
    ...dependencyProblems(input),
    ...expandTemplates(input, { ...facts, port }).problems,
  ];
}

export function envNameProblems(input: Pick<FilledServer, "env">): ServerProblem[] {
  return Object.keys(input.env).flatMap((name) => {
    const fault = nameFault(name);
    return fault === undefined
      ? []
      : [{ path: ["env", name], message: `cannot set ${name} in env: ${fault}; use another one` }];
  });
}

/** What a shell would fill in: with braces anywhere, without them as a part of a path; else it may be a part of a password. */
const SHELL_VARIABLE = /(?:^|:)(\$([A-Za-z_]\w*))(?=[/:]|$)|(\$\{([A-Za-z_]\w*)\})/;
/** A home folder, as it is written on a command line. */
const TILDE = /(?:^|=)~(?=\/|$)/;
/** What is filled in in paths alone. */
const PATH_WORD = /(?<!\{)\{(host|user|os)\}/;

const AS_WRITTEN = "the program gets it as it is written";

/** Texts that mean what they would in a shell, or in a path: here they are what they say. */
export function unfilledTexts({
  env,
  args = [],
  readiness,
  liveness,
}: Pick<FilledServer, "env"> &
  Partial<Pick<FilledServer, "args" | "readiness" | "liveness">>): ServerProblem[] {
  const texts = [
    ...inArgs(args, ["args"]),
    ...inArgs(argsOf(readiness), ["readiness", "args"]),
    ...inArgs(argsOf(liveness), ["liveness", "args"]),
    ...Object.entries(env).flatMap(([name, value]): Told[] =>
      typeof value === "string"
        ? [{ text: value, path: ["env", name], named: `env.${name}`, isLine: false }]
        : [],
    ),
  ];
  const variables = texts.filter(({ path }) => path[0] === "env").flatMap(unfilledVariable);
  return [...variables, ...texts.flatMap(unfilledWord)];
}

interface Told {
  readonly text: string;
  readonly path: KeyPath;
  readonly named: string;
  /** A shell reads it. */
  readonly isLine: boolean;
}

function inArgs(args: readonly string[], at: readonly string[]): Told[] {
  return args.map((text, i) => ({
    text,
    path: [...at, i],
    named: `${at.join(".")}[${i}]`,
    isLine: /^-\w*c$/.test(args[i - 1] ?? ""),
  }));
}

const argsOf = (probe: FilledServer["readiness"]): readonly string[] =>
  typeof probe === "object" && probe.type === "command" ? probe.args : [];

function unfilledVariable({ text, path, named }: Told): ServerProblem[] {
  const [, plain, name, braced, inBraces] = SHELL_VARIABLE.exec(text) ?? [];
  const written = plain ?? braced;
  const bare = name ?? inBraces;
  if (written === undefined) return [];
  const wayOut =
    bare === path[1]
      ? `${bare === "PATH" ? "add folders with the setting path" : "set another variable"}, or write the whole value out`
      : `write {env.${bare}}, or the value itself`;
  return [
    {
      path,
      message: `nothing fills in ${written} in ${named}, ${AS_WRITTEN}: ${wayOut}`,
      severity: "warning",
    },
  ];
}

function unfilledWord({ text, path, named, isLine }: Told): ServerProblem[] {
  const told = (written: string, wayOut: string): ServerProblem => {
    const message = `nothing fills in ${written} in ${named}, ${AS_WRITTEN}: ${wayOut}`;
    return { path, message, severity: "warning" };
  };
  const word = PATH_WORD.exec(text)?.[1];
  const wayOut =
    word === "user"
      ? "write {env.USER}"
      : "only paths may use it; write the value out, in an `on` block for each machine";
  return [
    ...(TILDE.test(text) && !isLine ? [told("~", "write {home}")] : []),
    ...(word === undefined ? [] : [told(`{${word}}`, wayOut)]),
  ];
}

function backoffProblems({ restart }: FilledServer, keyOf: (key: string) => string): ServerProblem[] {
  if ((parseDuration(restart.backoffInitial) ?? 0) <= (parseDuration(restart.backoffMax) ?? 0)) return [];
  const names = `restart.${keyOf("backoffInitial")} ${restart.backoffInitial}`;
  const message = `cannot use ${names}: it is longer than ${keyOf("backoffMax")} ${restart.backoffMax}; shorten this one, or lengthen the other`;
  return [{ path: ["restart", "backoffInitial"], message }];
}

function portProblems(input: FilledServer): ServerProblem[] {
  if (input.port !== "none") return [];
  const problems: ServerProblem[] = [];
  const needs = (path: KeyPath, what: string) =>
    problems.push({
      path,
      message: `cannot use ${what} without a port: set port to a number or "auto", or remove it`,
    });
  if (input.mcp !== undefined) needs(["mcp"], "mcp");
  if (input.portFlag !== undefined) needs(["portFlag"], "a port flag");
  for (const key of ["readiness", "liveness"] as const) {
    const probe = input[key];
    const type = typeOfProbe(probe);
    if (typeof probe === "object" && type === undefined)
      problems.push({
        path: [key],
        message: `cannot use these settings for ${key}: without a port there is no check; set its type, or remove them`,
      });
    if (type !== "tcp" && type !== "http" && type !== "mcp") continue;
    const ownPort = typeof probe === "object" && "port" in probe ? probe.port : undefined;
    const url = typeof probe === "object" && "url" in probe ? probe.url : undefined;
    if (ownPort === undefined && url === undefined)
      needs([key], `${type === "mcp" ? "an" : "a"} ${type} probe for ${key}`);
  }
  return problems;
}

/** Of the whole URLs of checks. */
function urlProblems(
  input: FilledServer,
  port: number | null,
  keyOf: (key: string) => string,
): ServerProblem[] {
  return (["readiness", "liveness"] as const).flatMap((key): ServerProblem[] => {
    const probe = input[key];
    if (typeof probe !== "object" || probe.type !== "http" || probe.url === undefined) return [];
    const others = (["path", "port"] as const).filter((other) => probe[other] !== undefined);
    const { allowRemote } = probe;
    const target = probeTarget(probe.url, { port, allowRemote });
    const fault = "fault" in target ? target.fault : undefined;
    return [
      ...others.map((other) => ({
        path: [key, other],
        message: `cannot use ${keyOf(other)} beside url: the url already contains it; keep one of them`,
      })),
      ...(fault === undefined ? [] : [{ path: [key, "url"], message: `cannot ask for this url: ${fault}` }]),
    ];
  });
}

function dependencyProblems(input: FilledServer): ServerProblem[] {
  const names = input.dependsOn.map((dependency) =>
    typeof dependency === "string" ? dependency : dependency.server,
  );
  const seen = new Set<string>();
  return names.flatMap((name, i) => {
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [{ path: ["dependsOn", i], message: `cannot depend on ${name} twice: keep one of them` }];
  });
}
