import { own } from "../../model/own.ts";
import type { FilledServer } from "../../model/server.ts";
import type { KeyPath } from "../place.ts";

/** `{port}` and the like. In double braces they are literal text. */
const TEMPLATE =
  /\{\{(port|name|project|home|env\.[A-Za-z_][A-Za-z0-9_]*)\}\}|\{(port|name|project|home|env\.[A-Za-z_][A-Za-z0-9_]*)\}/g;

/** A text that comes out of {@link expandTemplates} as it is. */
export const literal = (text: string): string =>
  text.replace(/\{(?:port|name|project|home|env\.[A-Za-z_][A-Za-z0-9_]*)\}/g, "{$&}");

/** Linux gives up on a single argument or variable that is longer, in bytes. */
const MAX_LENGTH = 128 * 1024;
/** And on all of them together: characters that templates may come to in one server. */
const MAX_TOTAL = 2 * 1024 * 1024;
/** Variables that name each other in a chain. */
const MOST_NESTED = 100;

export interface TemplateFacts {
  readonly name: string;
  readonly project: string;
  readonly home: string;
  readonly port: number | null;
  /** It is for an action that stands alone: nothing there has a port. */
  readonly standsAlone?: boolean;
  /** What every server gets; `{env.NAME}` finds it where the server does not declare the name itself. */
  readonly baseEnv: Readonly<Record<string, string>>;
}

export interface Expanded {
  readonly args: readonly string[];
  /** Arguments of the programs that probes run; empty for a probe that runs none. */
  readonly probeArguments: { readonly readiness: readonly string[]; readonly liveness: readonly string[] };
  /** The values that are texts; references are left out. */
  readonly env: Readonly<Record<string, string>>;
  readonly problems: readonly { readonly path: KeyPath; readonly message: string }[];
}

/** Fills in the templates of a server's arguments and environment. */
export function expandTemplates(
  input: Pick<FilledServer, "args" | "env" | "readiness" | "liveness">,
  facts: TemplateFacts,
): Expanded {
  const expansion = new Expansion(input.env, facts);
  const env = Object.keys(input.env).flatMap((name) => {
    const value = expansion.variable(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const filled = (args: readonly string[], path: KeyPath) =>
    args.map((text, i) => expansion.fill(text, [...path, i]));
  const args = filled(input.args, ["args"]);
  const ofProbe = (name: "readiness" | "liveness") => filled(probeArgs(input[name]), [name, "args"]);
  const probeArguments = { readiness: ofProbe("readiness"), liveness: ofProbe("liveness") };
  return { args, probeArguments, env: Object.fromEntries(env), problems: expansion.problems };
}

function probeArgs(probe: FilledServer["readiness"]): readonly string[] {
  return typeof probe === "object" && probe.type === "command" ? probe.args : [];
}

class Expansion {
  readonly problems: { path: KeyPath; message: string }[] = [];
  readonly #declared: FilledServer["env"];
  readonly #facts: TemplateFacts;
  readonly #done = new Map<string, string>();
  /** Names that are being filled in, outermost first. */
  readonly #open: string[] = [];
  /** Characters of what was filled in so far. */
  #length = 0;

  constructor(declared: FilledServer["env"], facts: TemplateFacts) {
    this.#declared = declared;
    this.#facts = facts;
  }

  /** The filled-in value of a variable that is declared as a text. */
  variable(name: string): string | undefined {
    const declared = own(this.#declared, name);
    if (typeof declared !== "string") return undefined;
    const known = this.#done.get(name);
    if (known !== undefined) return known;
    this.#open.push(name);
    const value = this.fill(declared, ["env", name]);
    this.#open.pop();
    this.#done.set(name, value);
    return value;
  }

  fill(text: string, path: KeyPath): string {
    let filled = "";
    let from = 0;
    for (const match of text.matchAll(TEMPLATE)) {
      const [whole, literal, variable] = match;
      const value = literal === undefined ? this.#value(variable as string, path) : `{${literal}}`;
      filled += text.slice(from, match.index) + value;
      from = match.index + whole.length;
      if (filled.length > MAX_LENGTH)
        return this.#problem(
          path,
          `cannot fill in the templates: the text would be longer than 128 KiB; shorten it`,
        );
    }
    this.#length += from === 0 ? 0 : filled.length;
    if (this.#length > MAX_TOTAL)
      return this.#problem(
        path,
        "cannot fill in the templates: all texts together would be longer than 2 MiB; shorten them",
      );
    return filled + text.slice(from);
  }

  #value(variable: string, path: KeyPath): string {
    const { name, project, home, port } = this.#facts;
    switch (variable) {
      case "name":
        return name;
      case "project":
        return project;
      case "home":
        return home;
      case "port":
        if (port !== null) return String(port);
        return this.#problem(
          path,
          this.#facts.standsAlone
            ? "cannot fill in {port}: an action without a server has no port; write the number, or {{port}} for the literal text"
            : "cannot fill in {port}: the server has no port; give it one, or write {{port}} for the literal text",
        );
      default:
        return this.#envValue(variable.slice("env.".length), path);
    }
  }

  #envValue(name: string, path: KeyPath): string {
    if (this.#open.length >= MOST_NESTED)
      return this.#problem(
        path,
        `cannot fill in {env.${name}}: it is nested more than ${MOST_NESTED} values deep; write one of them out`,
      );
    if (this.#open.includes(name)) {
      const cycle = [...this.#open.slice(this.#open.indexOf(name)), name].join(" -> ");
      return this.#problem(
        path,
        `cannot fill in {env.${name}}: the values refer to each other (${cycle}); write one of them out`,
      );
    }
    if (!Object.hasOwn(this.#declared, name)) {
      const { baseEnv } = this.#facts;
      if (Object.hasOwn(baseEnv, name)) return baseEnv[name] as string;
      return this.#problem(
        path,
        `cannot fill in {env.${name}}: env does not set ${name}; set it there, or write {{env.${name}}} for the literal text`,
      );
    }
    return this.variable(name) ?? this.#secret(name, path);
  }

  #secret(name: string, path: KeyPath): string {
    const wayOut =
      path[0] !== "env"
        ? `it would show in the process list; let the program read ${name} from its environment`
        : `it would be kept in plain text; make ${String(path[1])} a secret too, such as a command that prints the whole value`;
    return this.#problem(path, `cannot fill in the secret {env.${name}}: ${wayOut}`);
  }

  #problem(path: KeyPath, message: string): string {
    this.problems.push({ path, message });
    return "";
  }
}
