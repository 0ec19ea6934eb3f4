import { join } from "node:path";
import { Command } from "@oclif/core/command";
import { ExitError } from "@oclif/core/errors";
import * as Flags from "@oclif/core/flags";
import type { Input, ParserOutput } from "@oclif/core/interfaces";
import type { Diagnostic } from "../model/diagnostic.ts";
import { EXIT, type ExitCode } from "../model/exit-codes.ts";
import { visible, visibleJson } from "../model/visible.ts";
import { pathsOf } from "../system/paths.ts";
import { STATE_FOLDER, whyNotPrivate } from "../system/private-folder.ts";
import type { LineScreen } from "../views/logs.ts";
import { onScreen, type Screen } from "../views/screen.ts";
import type { View } from "../views/view.ts";
import { Busy } from "./busy.ts";
import { inCharset, isAscii } from "./charset.ts";
import { CommandFailure, report } from "./failure.ts";
import { Interruption } from "./interruption.ts";
import { knownServers } from "./known-servers.ts";
import { canAsk } from "./prompt.ts";
import { shortenPath } from "./shorten.ts";
import { told } from "./told.ts";

type Values = Record<string, unknown>;

/**
 * What all commands share: data goes to stdout and failures to stderr (one JSON document on stdout with `--json`),
 * exit codes are those of `EXIT`, and a signal ends the command.
 *
 * `static enableJsonFlag = true` gives a command `--json`. Whether it was given is known here alone: a command says what
 * there is to show and for whom (`show`, `showLine`, `tell`, `hint`, `relay`), and this class decides what is printed.
 */
export abstract class BaseCommand extends Command {
  static override baseFlags = {
    config: Flags.string({
      summary: "Configuration file or folder.",
      helpValue: "PATH",
      helpGroup: "GLOBAL",
      env: "XY_CONFIG",
    }),
  };

  /** What it is doing, for a line on the terminal when it takes a while: `planning`. Absent: it shows something at once, or follows. */
  static doing?: string;

  readonly #interruption = new Interruption();
  #busy: Busy | undefined;
  #state: string | undefined;
  #isJson: boolean | undefined;

  abstract override run(): Promise<void>;

  /** Aborted by Ctrl-C, SIGTERM or SIGHUP. A command that reads it must wind up then; others are ended at once. */
  get signal(): AbortSignal {
    return this.#interruption.signal;
  }

  /** The command was ended by Ctrl-C as it is meant to be: its exit code is its own. */
  interruptionIsTheEnd(): void {
    this.#interruption.expectCtrlC();
  }

  /** Asked for each line that is shown: oclif looks through the arguments and the environment each time. */
  override jsonEnabled(): boolean {
    this.#isJson ??= super.jsonEnabled();
    return this.#isJson;
  }

  /** The state folder. One that is not the account's alone ends the command. */
  get state(): string {
    this.#state ??= this.#privateState();
    return this.#state;
  }

  #privateState(): string {
    const { state } = pathsOf(process.env);
    const problem = whyNotPrivate(state, STATE_FOLDER);
    return problem === undefined ? state : this.fail(EXIT.failed, problem);
  }

  /** For views on stdout. */
  get screen(): Screen {
    return { ...screenOf(process.stdout), colour: this.colour };
  }

  /** Whether stdout may carry colours. */
  get colour(): boolean {
    return mayColour(process.env, process.stdout.isTTY === true);
  }

  /** Path of a built program beside the bundle, to be started as a process or as a worker thread. */
  protected builtFile(name: "agent.js" | "config-worker.js" | "xyctl.js"): string {
    return join(this.config.root, name);
  }

  /** Writes a line, or lines, of data for people. */
  print(text: string): void {
    this.printAsIs(inCharset(onScreen(text, this), process.env));
  }

  /** The bytes of a file, or a line of a server, of which {@link shownLine} has decided what may be shown. */
  printAsIs(text: string): void {
    this.endBusy();
    process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
  }

  /** Shows a result: its JSON view with `--json`, else its text, with warnings before it and notes after it. */
  async show<D>(document: D, view: View<D>): Promise<void> {
    if (this.jsonEnabled()) return this.printJson(view.json ? await view.json(document) : document);
    this.note(...(view.warnings?.(document) ?? []));
    const text = await view.text(document);
    if (text !== undefined) this.print(text);
    this.note(...(view.notes?.(document) ?? []));
  }

  /** Shows one line of a stream: a JSON document on a line, or text whose control characters the view has handled. */
  showLine<D>(line: D, text: (line: D) => string | undefined): void {
    if (this.jsonEnabled()) {
      this.printJsonLine(line);
      return;
    }
    const shown = text(line);
    if (shown !== undefined) this.printAsIs(shown);
  }

  /** For people only, on the way to the result. */
  tell(text: string): void {
    if (!this.jsonEnabled()) this.print(text);
  }

  /** The same, where the text takes some work. */
  async tellWhole(text: () => Promise<string>): Promise<void> {
    if (!this.jsonEnabled()) this.print(await text());
  }

  /** What a program printed that people watch, on the stream that it chose. */
  relay(printed: { readonly stream: "stdout" | "stderr"; readonly text: string }): void {
    if (this.jsonEnabled()) return;
    this.endBusy();
    process[printed.stream].write(printed.text);
  }

  /** The terminal on which people watch something that is redrawn; undefined: there is none. */
  get liveTerminal(): NodeJS.WriteStream | undefined {
    const { stdout, env } = process;
    return stdout.isTTY && env.TERM !== "dumb" && !isAscii(env) && !this.jsonEnabled() ? stdout : undefined;
  }

  /** Whether a person sees what is shown and can answer a question about it. */
  get canConfirm(): boolean {
    return canAsk() && !this.jsonEnabled();
  }

  /** The same on stderr. */
  hint(...lines: readonly string[]): void {
    if (!this.jsonEnabled()) this.note(...lines);
  }

  private printJson(value: unknown): void {
    this.printAsIs(visibleJson(JSON.stringify(value, null, 2)));
  }

  private printJsonLine(value: unknown): void {
    this.printAsIs(visibleJson(JSON.stringify(value)));
  }

  /** For people, beside the data: progress, hints, warnings. */
  note(...lines: readonly string[]): void {
    if (lines.length > 0) this.endBusy();
    process.stderr.write(lines.map((line) => `${told(visible(line))}\n`).join(""));
  }

  /** What is shown of a line that a server printed. `raw`: all of it. */
  lineScreen(raw: boolean): LineScreen {
    // The same in a pipe as on a terminal: what reads the pipe may well show it on one.
    return { colour: this.colour, keep: raw ? "all" : mayColour(process.env, true) ? "colours" : "text" };
  }

  /**
   * Ends the command. `problems` are printed one a line before the message, which is one line, or several if they are
   * given as such. `seen`: people have seen the problems already.
   */
  fail(
    code: ExitCode,
    message: string | readonly string[],
    problems: readonly Diagnostic[] = [],
    options: { readonly seen?: boolean } = {},
  ): never {
    throw new CommandFailure(code, message, { problems, ...options });
  }

  protected override async init(): Promise<void> {
    await super.init();
    this.#interruption.listen();
    const { doing } = this.ctor as typeof BaseCommand;
    const { stderr, env } = process;
    if (doing !== undefined && stderr.isTTY && env.TERM !== "dumb" && !this.jsonEnabled())
      this.#busy = new Busy(stderr, doing);
  }

  /** Something is about to be shown: takes the line away that says that it takes a while. */
  endBusy(): void {
    this.#busy?.end();
    this.#busy = undefined;
  }

  protected override async parse<F extends Values, B extends Values, A extends Values>(
    options?: Input<F, B, A>,
    argv?: string[],
  ): Promise<ParserOutput<F, B, A>> {
    // oclif takes the absence of a parsed result for a forgotten call, also after a failed one.
    this.parsed = true;
    try {
      return await super.parse(options, argv);
    } catch (error) {
      const { declaredOf, usageFailure } = await import("./mistakes.ts");
      const { args, flags, baseFlags } = this.ctor;
      throw usageFailure(error, {
        command: declaredOf({ id: this.id ?? "", args, flags: { ...baseFlags, ...flags } }),
        argv: this.argv,
        servers: () => knownServers(process.env),
      });
    }
  }

  protected override async catch(error: unknown): Promise<void> {
    this.endBusy();
    // Whatever fails after an interruption fails because of it.
    if (this.#interruption.exitCode !== undefined) return;
    if (error instanceof ExitError) {
      process.exitCode = error.oclif.exit ?? EXIT.failed;
      return;
    }
    process.exitCode = report(error, { json: this.jsonEnabled(), debug: Boolean(process.env.XY_DEBUG) });
  }

  protected override async finally(): Promise<void> {
    this.endBusy();
    this.#interruption.release();
    if (this.#interruption.exitCode !== undefined) process.exitCode = this.#interruption.exitCode;
  }
}

/** A stream as views know it, without colours. */
export function screenOf(stream: NodeJS.WriteStream): Screen {
  const width = stream.isTTY ? stream.columns : undefined;
  return { colour: false, now: Date.now(), shorten: shortenPath, ...(width ? { width } : {}) };
}

/** NO_COLOR and FORCE_COLOR (any value but 0 or false) come before TERM=dumb, which comes before the terminal. */
export function mayColour(env: NodeJS.ProcessEnv, terminal: boolean): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return !["0", "false"].includes(env.FORCE_COLOR);
  return terminal && env.TERM !== "dumb";
}
