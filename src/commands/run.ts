import { string } from "@oclif/core/args";
import { boolean, string as text } from "@oclif/core/flags";
import { EXIT } from "../model/exit-codes.ts";
import { type Job, jobLabel } from "../model/job.ts";
import { actionsView, outcome } from "../views/jobs.ts";
import { shownLine } from "../views/logs.ts";
import { actionNamed } from "./action-named.ts";
import { withAgent, withAgentIfRecorded } from "./agent-calls.ts";
import { BaseCommand } from "./base.ts";
import { projectFlag } from "./flags.ts";
import { exitCodeOf, readJob } from "./job-output.ts";
import { rawFlag, wireRaw } from "./line-flags.ts";
import { keepTyped, projectOfTyped, type RunFlags, typedCommandOf } from "./typed.ts";

export default class Run extends BaseCommand {
  static override summary = "Run an action or a command as a job, and show its output.";
  static override description =
    "Exits with the exit code of the action or command. Ctrl-C cancels the job. Without an action, lists all actions. Arguments " +
    "after an action and -- are appended to the declared ones. Without an action, what follows -- is a command: it runs " +
    "in this folder with the environment that servers get, and needs no declaration. With --keep it becomes a server that " +
    "no configuration declares: no apply removes it unless a configuration declares a server of the same name. Values of " +
    "--env are recorded and shown like declared ones, so do not put secrets there.";
  static override examples = [
    "<%= config.bin %> run backup",
    {
      description: "Pass an argument to an action of the server web",
      command: "<%= config.bin %> run web:migrate -- --dry-run",
    },
    { description: "Do not wait", command: "<%= config.bin %> run backup --detach" },
    {
      description: "Run a command that is not declared",
      command: "<%= config.bin %> run --env LEVEL=debug -- make test",
    },
    {
      description: "Keep a command running as the server docs",
      command: "<%= config.bin %> run --keep docs -- python3 -m http.server 8000",
    },
  ];
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = {
    action: string({
      description:
        "Action, as NAME or SERVER:NAME, or with PROJECT/ before it. Leave it out to run a command after --.",
    }),
  };
  static override flags = {
    detach: boolean({ char: "d", summary: "Start it, print the job's number, and do not wait." }),
    keep: text({
      helpValue: "NAME",
      summary: "Keep the command after -- running, as a server of this name.",
    }),
    env: text({
      multiple: true,
      helpValue: "KEY=VALUE",
      summary: "Set a variable for the command after --.",
    }),
    ...projectFlag,
    ...rawFlag,
  };

  async run(): Promise<void> {
    // What follows is neither a flag of this command nor an action.
    const at = this.argv.indexOf("--");
    const words = at < 0 ? undefined : this.argv.slice(at + 1);
    const { argv, flags } = await this.parse(Run, at < 0 ? this.argv : this.argv.slice(0, at));
    const [action, ...args] = argv as string[];
    if (action === undefined && words !== undefined) return this.#typed(words, flags);
    for (const flag of ["keep", "env"] as const)
      if (flags[flag] !== undefined)
        this.fail(EXIT.usage, `--${flag} is for a command: write it after --, and no action before that`);
    if (action === undefined) return this.#list(flags);
    await this.#act(action, [...args, ...(words ?? [])], flags);
  }

  async #act(action: string, args: string[], flags: RunFlags): Promise<void> {
    const isWhole = flags.project === undefined || action.includes("/");
    const job = await withAgent(this, async (client) => {
      const asked = isWhole ? action : `${flags.project}/${action}`;
      const { name, server, project } = await actionNamed(this, client, asked, flags);
      // From here on an interruption has a job to cancel, and waits for its number.
      if (!flags.detach) void this.signal;
      return client.call("action_run", { action: name, server, project, args });
    });
    await this.#begun(job, flags);
  }

  async #typed(words: readonly string[], flags: RunFlags): Promise<void> {
    const typed = await typedCommandOf(this, words, flags.env);
    if (flags.keep !== undefined) return keepTyped(this, flags.keep, typed, flags);
    const project = await projectOfTyped(this, flags);
    const { remark: _, ...spec } = typed;
    const job = await withAgent(this, async (client) => {
      if (!flags.detach) void this.signal;
      return client.call("job_run", { project, spec });
    });
    await this.#begun(job, flags);
  }

  async #begun(job: Job, { detach, raw }: RunFlags): Promise<void> {
    const { awaits = [] } = job;
    if (awaits.length > 0)
      this.note(`${jobLabel(job)}: starts after these have succeeded: ${jobsText(awaits)}`);
    if (!detach) return this.#attend(job, raw);
    const state = awaits.length > 0 ? "is waiting" : "started";
    await this.show(job, {
      text: ({ id }) =>
        `${jobLabel(job)}: job ${id} ${state}; \`xy job logs ${id} --follow\` shows its output`,
    });
  }

  async #attend({ id }: Job, raw: boolean): Promise<void> {
    const screen = this.lineScreen(raw);
    const seen = await readJob(this, id, { follow: true, ...wireRaw(raw) }, (printed) => {
      const { line, stream, split } = shownLine(printed, screen);
      this.relay({ stream, text: split ? line : `${line}\n` });
    });
    const job = seen ?? (await this.#cancel(id));
    await this.show(job, {
      text: () => undefined,
      notes: ({ phase }) =>
        phase === "succeeded" ? [] : [`xy: ${jobLabel(job)} ${phase} (${outcome(job)}): job ${id}`],
    });
    process.exitCode = await exitCodeOf(job);
  }

  async #cancel(id: number): Promise<Job> {
    this.note("", "xy: cancelling it; press Ctrl-C again to quit without waiting");
    return withAgent(this, async (client) => {
      await client.call("job_cancel", { id });
      return client.call("job_get", { id });
    });
  }

  async #list({ project }: RunFlags): Promise<void> {
    const which = project === undefined ? {} : { project };
    const actions =
      (await withAgentIfRecorded(this, (client) => client.call("action_list", which), project)) ?? [];
    await this.show(actions, {
      text: (all) => {
        const rows = all.map(({ spec, next_run_unix_ms: next }) => ({ spec, next }));
        return actionsView(rows, this.screen);
      },
    });
  }
}

const jobsText = (ids: readonly number[]) => `${ids.length === 1 ? "job" : "jobs"} ${ids.join(", ")}`;
