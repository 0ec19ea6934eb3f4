import { literalPath } from "../config/check/placeholders.ts";
import { literal } from "../config/check/templates.ts";
import { readBridgeWords } from "../model/bridge-words.ts";
import type { Draft, Fields } from "./draft.ts";
import type { Piece } from "./part.ts";
import { credentialsIn, isHarmless } from "./secrecy.ts";
import { ranByShell } from "./shell-words.ts";
import { type Syntax, translated } from "./variables.ts";

/** What every server gets: see `accountEnv`. */
const GIVEN = new Set(["HOME", "USER", "LOGNAME", "SHELL", "LANG", "TMPDIR", "PATH"]);

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** One server on its way from a source to a draft. */
export class Drafting {
  readonly fields: Mutable<Fields> = {};
  readonly #name: string;
  readonly #line: number;
  /** How the texts that come next write variables. */
  syntax: Syntax;
  /** The arguments as the source has them. */
  #args: readonly string[] = [];
  readonly #env = new Map<string, { readonly said: unknown; readonly text: string }>();
  readonly #secrets = new Map<string, string>();
  readonly #remarks = new Set<string>();
  readonly #doubts = new Set<string>();
  #credentials: readonly number[] = [];
  #ofLine = () => {};

  constructor(name: string, line: number, syntax: Syntax) {
    this.#name = name;
    this.#line = line;
    this.syntax = syntax;
  }

  get name(): string {
    return this.#name;
  }

  /** A sentence for the person who reads the file. */
  remark(text: string): void {
    this.#remarks.add(text);
  }

  /** A reason not to start it by itself. */
  doubt(text: string): void {
    this.#doubts.add(text);
  }

  /** A text of the source, as a configuration says it. */
  say(text: string): string {
    const { text: said, problems } = translated(text, this.syntax);
    for (const problem of problems) this.remark(`${problem}.`);
    return said;
  }

  /** A path: only the home folder can be filled in there. */
  path(text: string): string {
    const isHome = /^~(?=\/|$)/.test(text);
    const { text: said, problems } = translated(isHome ? text.slice(1) : text, this.syntax, literalPath);
    for (const problem of problems) this.remark(`${problem}.`);
    if (isHome) return `~${said}`;
    if (/(?<!\{)\{env\.\w+\}/.test(said))
      this.doubt("a path has a variable, which xy does not fill in there");
    return said.startsWith("{home}") ? `~${said.slice("{home}".length)}` : said;
  }

  /** The program and its arguments. */
  runs(all: readonly string[]): void {
    const [program = "", ...args] = this.#withoutBridge(this.#withoutEnv(all));
    this.fields.command = this.path(program);
    if (args.length > 0) this.fields.args = args.map((arg) => this.say(arg));
    this.#args = args;
    this.#credentials = credentialsIn(args);
    if (credentialsIn([program]).length > 0) {
      this.#credentials = [-1, ...this.#credentials];
      this.doubt("its command seems to hold a credential, which everyone on this machine can read");
    }
    for (const i of this.#credentials.filter((at) => at >= 0))
      this.doubt(`argument ${i + 1} seems to hold a credential, which everyone on this machine can read`);
  }

  /** A unit that xy wrote for a server over stdin and stdout runs its bridge: the server is what that starts. */
  #withoutBridge(words: readonly string[]): readonly string[] {
    if (!words[0]?.endsWith("/bridge.sh")) return words;
    const bridged = readBridgeWords(words.slice(1), (word) => translated(word, this.syntax, String).text);
    if (bridged === undefined) return words;
    const { port, host, mcp, command } = bridged;
    Object.assign(this.fields, { port, ...(host !== undefined && { host }) });
    this.fields.mcp = { transport: "stdio", ...mcp };
    return command;
  }

  /** `env NAME=value … PROGRAM …` sets variables, and they may be secret. */
  #withoutEnv(words: readonly string[]): readonly string[] {
    if (!/^(?:\/usr\/bin\/|\/bin\/)?env$/.test(words[0] ?? "")) return words;
    const given = words.slice(1).findIndex((word) => !/^[A-Za-z_]\w*=/.test(word));
    const program = words[given + 1];
    const pairs = words.slice(1, given + 1);
    // Its own flags, and a PATH in which the program would be looked up, are left to it.
    if (
      given < 1 ||
      program === undefined ||
      program.startsWith("-") ||
      pairs.some((pair) => pair.startsWith("PATH="))
    )
      return words;
    // Those of the line count more than those beside it, which may come later.
    const { syntax } = this;
    this.#ofLine = () => {
      this.syntax = syntax;
      for (const pair of pairs)
        this.variable(pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1));
    };
    return words.slice(given + 1);
  }

  /** A line that the source hands to a shell. */
  runsLine(line: string, shell?: string): void {
    const { command, args, isShell } = ranByShell(line, shell);
    if (!isShell) {
      this.runs([command, ...args]);
      return;
    }
    // Variables in it are the shell's to fill in.
    this.fields.command = command;
    this.fields.args = args.map((arg) => translated(arg, "none").text);
    this.remark("It is a line for a shell, so a shell runs it.");
    if (credentialsIn(line.split(/\s+/)).length > 0) {
      this.#credentials = [1];
      this.doubt("its line seems to hold a credential, which everyone on this machine can read");
    }
  }

  /** Variables. What may be secret is kept apart. */
  variables(pairs: Iterable<readonly [string, { readonly text: string; readonly piece?: Piece }]>): void {
    for (const [name, { text, piece }] of pairs) this.variable(name, text, piece);
  }

  variable(name: string, text: string, piece?: Piece): void {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      piece?.lose("xy allows no variable with this name");
      return;
    }
    const { text: said, value, only, problems } = translated(text, this.syntax);
    for (const problem of problems) this.remark(`${name}: ${problem}.`);
    this.#secrets.delete(name);
    this.#env.delete(name);
    if (only !== undefined) this.#env.set(name, { said: { secret: { env: only } }, text });
    else if (value === undefined || isHarmless(name, value)) this.#env.set(name, { said, text });
    else this.#secrets.set(name, value);
  }

  /** The value of a variable that may be written down. */
  written(name: string): string | undefined {
    const value = this.#env.get(name)?.said;
    return typeof value === "string" ? value : undefined;
  }

  /** Where it listens, from what it gets: a number in PORT. Otherwise no port is known. */
  findPort(): void {
    if (this.fields.port !== undefined) return;
    const port = Number(this.written("PORT"));
    if (Number.isInteger(port) && port >= 1 && port <= 65_535) {
      this.fields.port = port;
      return;
    }
    this.fields.port = "none";
    this.remark("If it listens on a port, write that instead of none: xy then checks that it does.");
  }

  /** Variables that a text of this server cannot have filled in: those of its own that are texts can, and a few others. */
  #missing(text: unknown, own?: string): string[] {
    if (typeof text !== "string") return [];
    const names = [...text.matchAll(/(?<!\{)\{env\.(\w+)\}/g)].flatMap(([, name]) => name ?? []);
    return names.filter(
      (name) =>
        name === own || (this.written(name) === undefined && (!GIVEN.has(name) || this.#secrets.has(name))),
    );
  }

  /** What would be filled in with something that is not there stays as the source writes it. */
  #settle(): void {
    this.#ofLine();
    const { args = [] } = this.fields;
    const settled = args.map((arg, i) => {
      const [name] = this.#missing(arg);
      if (name === undefined) return arg;
      this.doubt(
        `argument ${i + 1} needs the variable ${name}, and xy puts none of your shell into arguments: write its value`,
      );
      return literal(this.#args[i] ?? "");
    });
    if (settled.length > 0) this.fields.args = settled;
    for (const [name, { said, text }] of this.#env) {
      const [other] = this.#missing(said, name);
      if (other === undefined) continue;
      this.doubt(
        `the value of ${name} needs the variable ${other}, and xy puts none of your shell into a value: write it out`,
      );
      this.#env.set(name, { said: literal(text), text });
    }
  }

  end(): Draft {
    this.#settle();
    if (this.#doubts.size > 0) this.fields.wanted = "stop";
    if (this.#env.size > 0)
      this.fields.env = Object.fromEntries([...this.#env].map(([name, { said }]) => [name, said]));
    return {
      name: this.#name,
      line: this.#line,
      fields: this.fields,
      secrets: this.#secrets,
      credentials: this.#credentials,
      remarks: [...this.#remarks],
      doubts: [...this.#doubts],
    };
  }
}
