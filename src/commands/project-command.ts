import { dirname, isAbsolute } from "node:path";
import { boolean, custom, string } from "@oclif/core/flags";
import { Fleet } from "../backends/fleet.ts";
import type { Diagnostic, Result } from "../model/diagnostic.ts";
import { formatDiagnostic } from "../model/diagnostic.ts";
import type { Machine } from "../model/machine.ts";
import { NAME_PATTERN, NAME_RULE } from "../model/name.ts";
import type { Plan } from "../model/plan.ts";
import type { ConsentQuestion, Power } from "../model/power.ts";
import type { ServerSpec } from "../model/spec.ts";
import { BackendUnreachable } from "../model/unreachable.ts";
import { quotedLine } from "../model/visible.ts";
import type { Evaluated, Setting } from "../operation/evaluating.ts";
import type { ToPlan } from "../operation/planning.ts";
import { isCode } from "../system/files.ts";
import { pathsOf, typedFolder } from "../system/paths.ts";
import { STATE_FOLDER, whyNotPrivate } from "../system/private-folder.ts";
import { isPrivateGroup } from "../system/private-group.ts";
import { BaseCommand } from "./base.ts";
import { EXIT } from "./exit-codes.ts";
import { canAsk, confirm } from "./prompt.ts";
import { shortenPath } from "./shorten.ts";

/** For commands that ask before they change something. */
export const yesFlag = {
  yes: boolean({ char: "y", summary: "Do not ask before making changes." }),
};

/** Flags of every command that evaluates a configuration. */
export const trustFlags = {
  trust: boolean({
    summary: "Agree, for good, to everything this configuration can run or send.",
  }),
};

/** For commands that have nothing to ask about but the configuration itself: it used to be the answer to that. */
export const unaskedFlag = { yes: boolean({ char: "y", hidden: true }) };

export const secretsFlag = (summary: string) => ({ "no-secrets": boolean({ summary }) });

export const selectionFlags = {
  only: string({ multiple: true, helpValue: "NAME", summary: "Include only these servers." }),
  except: string({ multiple: true, helpValue: "NAME", summary: "Leave out these servers." }),
};

/** For commands that can evaluate a configuration for another machine than this one. */
export const machineFlag = {
  for: custom<Machine>({
    helpValue: "MACHINE",
    summary: "Evaluate for another machine: os=macos,home=/Users/ada,user=ada,host=mbp[,arch=arm64].",
    parse: async (text) => (await import("../operation/machine.ts")).machineFor(text),
  })(),
};

/** What is known of a machine that a configuration was evaluated for. */
export const shownMachine = ({ os, arch, host, user, home }: Machine) => ({ os, arch, host, user, home });

/** That, for a person: `mbp (macos, arm64, ada)`. */
export const machineTitle = ({ os, arch, host, user }: Machine) => `${host} (${os}, ${arch}, ${user})`;

const projectNamed = (summary: string) =>
  string({
    helpValue: "NAME",
    summary,
    parse: async (text) => {
      if (NAME_PATTERN.test(text)) return text;
      throw new Error(`cannot use ${JSON.stringify(text)} as a project's name: write ${NAME_RULE}`);
    },
  });

/** For commands about one project. */
export const projectFlag = { project: projectNamed("Project to use, instead of the one of this folder.") };
/** For commands about all projects. */
export const projectFilter = { project: projectNamed("Show only this project.") };

/** Flags of every command that makes a plan from a configuration. */
export const backendFlags = {
  strict: boolean({ summary: "Fail if a backend cannot express a setting exactly." }),
  adopt: boolean({ summary: "Replace units of service managers that xy did not write." }),
};

/** For commands that may move a project. */
export const adoptProjectFlag = (summary: string) => ({ "adopt-project": boolean({ summary }) });

interface PlanFlags {
  readonly "adopt-project"?: boolean;
  readonly only?: string[] | undefined;
  readonly except?: string[] | undefined;
  readonly strict?: boolean;
}

export interface EvaluationFlags {
  readonly config?: string | undefined;
  readonly trust?: boolean;
  readonly "no-secrets"?: boolean;
  readonly "adopt-project"?: boolean;
  readonly for?: Machine | undefined;
  readonly only?: string[] | undefined;
  readonly except?: string[] | undefined;
}

/** What the commands share that work on a configuration: how it is evaluated, shown, and how problems end them. */
export abstract class ProjectCommand extends BaseCommand {
  #state: string | undefined;

  /** The state folder. One that is not the account's alone ends the command. */
  protected get state(): string {
    this.#state ??= this.#privateState();
    return this.#state;
  }

  #privateState(): string {
    const { state } = pathsOf(process.env);
    const problem = whyNotPrivate(state, STATE_FOLDER);
    return problem === undefined ? state : this.fail(EXIT.failed, problem);
  }

  protected get screen() {
    const width = process.stdout.isTTY ? process.stdout.columns : undefined;
    return { colour: this.colour, now: Date.now(), shorten: shortenPath, ...(width ? { width } : {}) };
  }

  /** The same where it is shown what something runs with: what it is given without a word is known. */
  protected async specScreen(target?: Machine) {
    const { readMachine } = await import("../operation/machine.ts");
    const { givenEnv } = await import("../model/given-env.ts");
    const { ENV } = await import("../config/resolve/elsewhere.ts");
    const machine = target ?? readMachine(process.env);
    const given = (programs: readonly string[]) =>
      givenEnv(
        machine,
        // What `env` finds is in a folder that nobody here knows.
        programs.filter((path) => isAbsolute(path) && !(target && path === ENV)).map((path) => dirname(path)),
      );
    return { ...this.screen, given };
  }

  protected setting(flags: EvaluationFlags): Setting {
    return {
      ...this.#place(flags),
      state: this.state,
      signal: this.signal,
      consent: {
        trust: flags.trust === true,
        ask: (question) => this.#askConsent(question),
        tell: (root, unseen) => this.#tellUnseen(root, unseen),
        unkept: (why) => this.note(`warning: the agreement is for this command only: ${why}`),
      },
      print: (text) => void process.stderr.write(printedText(text)),
      ...(flags["no-secrets"] ? { secretUse: "leave" as const } : {}),
      ...(flags.for ? { target: flags.for } : {}),
      ...(flags["adopt-project"] ? { adopts: true } : {}),
      selection: { only: flags.only ?? [], except: flags.except ?? [] },
    };
  }

  /** Where a configuration is looked for. */
  #place({ config }: EvaluationFlags): Pick<Setting, "cwd" | "env" | "explicit"> {
    const from = process.argv.some((word) => word.startsWith("--config")) ? "--config" : "XY_CONFIG";
    const explicit = config ? { explicit: { path: config, from } as const } : {};
    return { cwd: typedFolder(process.env, process.cwd()), env: process.env, ...explicit };
  }

  async #askConsent(question: ConsentQuestion): Promise<boolean> {
    if (!canAsk()) return false;
    const { consentView } = await import("../views/consent.ts");
    this.note(...consentView(question, this.#errorScreen).split("\n"));
    return confirm("Trust this configuration?", this.signal);
  }

  async #tellUnseen(root: string, unseen: readonly Power[]): Promise<void> {
    const { unseenView } = await import("../views/consent.ts");
    this.note(...unseenView(root, unseen, this.#errorScreen).split("\n"));
  }

  /** For what is shown on stderr. */
  get #errorScreen() {
    const width = process.stderr.isTTY ? process.stderr.columns : undefined;
    return { colour: false, now: Date.now(), shorten: shortenPath, ...(width ? { width } : {}) };
  }

  /** The evaluated configuration, or the end of the command with every problem and exit code 3. */
  protected async evaluated(flags: EvaluationFlags): Promise<Evaluated> {
    const { evaluate } = await import("../operation/evaluating.ts");
    return this.usable(await evaluate(this.setting(flags)), "nothing was done");
  }

  /** What was made of a configuration. `nothing`: what did not happen when there is none. */
  protected usable<T>(
    result: Result<T> & { readonly refused?: true; readonly missing?: true },
    nothing: string,
  ): T {
    if (result.ok) return result.value;
    const why = result.refused
      ? `nobody has agreed to this configuration, ${nothing}; look at what it can run, then agree with --trust`
      : `${result.missing ? "no configuration found" : "the configuration is invalid"}, ${nothing}`;
    return this.valueOrEnd(result, why);
  }

  protected valueOrEnd<T>(result: Result<T>, message: string): T {
    if (result.ok) return result.value;
    return this.fail(EXIT.invalidConfig, message, this.shortened(result.problems));
  }

  /** With paths as a person would type them, where a person reads them. */
  protected shortened(problems: readonly Diagnostic[]): Diagnostic[] {
    return problems.map((problem) =>
      this.json || problem.file === undefined ? problem : { ...problem, file: shortenPath(problem.file) },
    );
  }

  /** What runs the servers of a project. Close it after use. */
  protected fleet(project: string, options: ConstructorParameters<typeof Fleet>[3] = {}): Fleet {
    return new Fleet(this.state, project, process.env, options);
  }

  /** The plan from the configuration to what runs. */
  protected async planFor(
    evaluated: ToPlan,
    fleet: Fleet,
    { only, except, strict = false, "adopt-project": adopts = false }: PlanFlags,
  ): Promise<Plan> {
    const { makePlan } = await import("../operation/planning.ts");
    const { state } = this;
    const plan = await this.reaching(async () =>
      makePlan(evaluated, {
        backends: await fleet.backends(backendsOf(evaluated.desired)),
        recorded: (kind) => fleet.recorded(kind),
        selection: { ...(only ? { only } : {}), ...(except ? { except } : {}) },
        state,
        strict,
        adopts,
      }),
    );
    if (plan.ok) return plan.value;
    return this.fail(
      EXIT.usage,
      plan.problems.map((problem) => formatDiagnostic(problem)),
    );
  }

  /** Runs something that needs a backend; when it cannot be reached the command ends with exit code 2. */
  protected async reaching<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof BackendUnreachable) this.fail(EXIT.unreachable, error.message);
      throw error;
    }
  }

  /** Ends the command when the project's name belongs to another root. */
  protected async refuseOtherRoot(
    { desired, here }: Pick<Evaluated, "desired" | "here">,
    adopt: boolean,
  ): Promise<void> {
    const { boundElsewhere } = await import("../operation/project.ts");
    const other = adopt ? undefined : boundElsewhere(this.state, desired.project, here);
    if (!other) return;
    this.fail(
      EXIT.failed,
      `cannot use project ${desired.project} here: it belongs to ${other.bound}${other.isGone ? ", which is gone" : ""}, and this is ${other.here}. ` +
        "Give this one a `project` name of its own, or move the project here with `xy apply --adopt-project`.",
    );
  }

  /** The projects that this configuration was applied as before, by other names, and that are to move to this one. */
  protected async moving(
    { desired, here }: Pick<Evaluated, "desired" | "here">,
    { only, except, "adopt-project": adopts }: PlanFlags,
  ): Promise<string[]> {
    if (!adopts) return [];
    const { renamedHere } = await import("../operation/roots.ts");
    const found = renamedHere(this.state, desired.project, here).map(({ project }) => project);
    if (found.length > 0 && (only || except))
      this.fail(
        EXIT.usage,
        `project ${found[0]} moves whole, with all its servers: leave --only and --except out`,
      );
    return found;
  }

  /**
   * Holds the project's lock while `work` runs; ends the command with 75 when another apply has it. `verb`: what then cannot be done. `removes`:
   * all that it does is to remove, which may be what makes room on a full disk. Then it goes on where no lock can be written.
   */
  protected async locked<T>(
    project: string,
    work: () => Promise<T>,
    { verb = "apply", removes = false } = {},
  ): Promise<T> {
    const { lockProject } = await import("../operation/project.ts");
    const attempt = await this.#writing(
      () => lockProject(this.state, project),
      `the lock of ${project}`,
      removes,
    );
    if (attempt === undefined) return work();
    if (!attempt.ok) {
      this.fail(
        EXIT.locked,
        `cannot ${verb}: another apply of project ${project} is under way (pid ${attempt.by.pid})`,
      );
    }
    try {
      return await work();
    } finally {
      attempt.lock.release();
    }
  }

  /** Undefined where nothing can be written, if `goesOn`; else the command ends then, and nothing was changed. */
  async #writing<T>(write: () => T, what: string, goesOn: boolean): Promise<T | undefined> {
    const { causeText, isNoRoom } = await import("../system/shortage.ts");
    try {
      return write();
    } catch (error) {
      if (!isNoRoom(error) && !(goesOn && isCode(error, "EACCES", "EPERM"))) throw error;
      const why = `${what} cannot be written: ${causeText(error)}`;
      if (!goesOn) this.fail(EXIT.failed, `nothing was applied: ${why}`);
      this.note(`xy: ${why}; going on without it, since this only removes`);
      return undefined;
    }
  }

  /** The project whose root is here, by the records; nothing is evaluated for it. */
  protected async currentProject(flags: { config?: string | undefined }): Promise<string | undefined> {
    return this.valueOrEnd(
      await this.#currentProject(flags),
      "the configuration is not safe to use, nothing was done",
    );
  }

  /** As {@link currentProject}, for what is only told: undefined where the configuration is not safe to use. */
  protected async projectHere(flags: { config?: string | undefined }): Promise<string | undefined> {
    const found = await this.#currentProject(flags);
    return found.ok ? found.value : undefined;
  }

  async #currentProject(flags: { config?: string | undefined }) {
    const { currentProject } = await import("../operation/project.ts");
    return currentProject(await this.search(flags), this.state);
  }

  /** How a configuration is looked for from here. */
  protected async search(flags: { config?: string | undefined }) {
    const { readMachine } = await import("../operation/machine.ts");
    return { ...this.#place(flags), machine: readMachine(process.env), isPrivateGroup };
  }
}

/** What a configuration prints while it is evaluated. */
function printedText(text: string): string {
  return text.split("\n").map(quotedLine).join("\n");
}

/** Actions are the agent's, whatever runs their servers. */
function backendsOf({ servers, actions }: Evaluated["desired"]): ServerSpec["backend"][] {
  return [...servers.map(({ backend }) => backend), ...actions.map(() => "agent" as const)];
}
