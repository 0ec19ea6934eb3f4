import { string } from "@oclif/core/args";
import { option } from "@oclif/core/flags";
import { EXIT } from "../model/exit-codes.ts";
import { LISTED_MANAGERS, type OtherProgram } from "../model/other-program.ts";
import { visible } from "../model/visible.ts";
import { entryOfAgent, listEntryOf } from "../rpc/entries.ts";
import type { ListEntry } from "../rpc/entry-contract.ts";
import { type LostRoot, lostRoots, lostRootText } from "../system/projects.ts";
import { type ListRow, listView } from "../views/list.ts";
import { inOrder, isOfAgent } from "./addresses.ts";
import { withAgentIfRecorded } from "./agent-calls.ts";
import { BaseCommand } from "./base.ts";
import { reaching } from "./endings.ts";
import { projectFilter } from "./flags.ts";
import { othersOf } from "./other-programs.ts";
import { unitServers } from "./units.ts";

export default class List extends BaseCommand {
  static override summary = "List all servers and their state.";
  static override description =
    "Shows the servers of every project: state, readiness, pid, port, uptime and restarts. With --backend it shows " +
    "everything that a supervisord runs, and units of systemd and launchd whose names match a pattern, whoever wrote them.";
  static override aliases = ["ls", "ps"];
  static override examples = [
    "<%= config.bin %> list",
    "<%= config.bin %> list --project dotfiles --json",
    {
      description: "Show everything that your supervisord runs",
      command: "<%= config.bin %> list --backend supervisord",
    },
    {
      description: "Show units that xy did not write",
      command: "<%= config.bin %> list --backend systemd 'syncthing*'",
    },
  ];
  static override doing = "asking";
  static override enableJsonFlag = true;
  static override args = {
    pattern: string({ description: "With --backend: names to show, such as 'syncthing*'." }),
  };
  static override flags = {
    ...projectFilter,
    backend: option({
      options: LISTED_MANAGERS,
      summary: "Show everything that this service manager runs, not only xy's servers.",
    })(),
  };

  /** Everything that a manager runs, whoever wrote it. */
  async #others(
    manager: OtherProgram["manager"],
    pattern: string | undefined,
    flags: { readonly project?: string | undefined },
  ): Promise<void> {
    if (pattern === undefined && manager !== "supervisord")
      this.fail(
        EXIT.usage,
        `cannot list all units: name some with \`xy list --backend ${manager} 'PATTERN'\`, such as 'syncthing*'`,
      );
    const { otherProgramDocument, otherProgramsView } = await import("../views/other-programs.ts");
    const others = await othersOf(this, flags);
    const found = await reaching(this, () => others.list(manager, pattern ?? "*"));
    const what = manager === "supervisord" ? "program" : "unit";
    await this.show(found, {
      text: (shown) =>
        shown.length > 0
          ? otherProgramsView(shown, this.screen)
          : `${manager} has no such ${what}${pattern === undefined ? "" : `: ${pattern}`}.\n`,
      json: (all) => all.map(otherProgramDocument),
    });
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(List);
    if (flags.backend !== undefined) return this.#others(flags.backend, args.pattern, flags);
    if (args.pattern !== undefined)
      this.fail(
        EXIT.usage,
        `cannot show ${args.pattern} alone: use \`xy status ${args.pattern}\`, or --project`,
      );
    const params = flags.project === undefined ? {} : { project: flags.project };
    const own =
      (await withAgentIfRecorded(this, (client) => client.call("list", params), flags.project)) ?? [];
    const units = await unitServers(this, flags.project, listEntryOf);
    const found = inOrder([...own.map(entryOfAgent), ...units]);
    const lost = lostRoots(this.state, [...new Set(found.map(({ project }) => project))]);
    const entries = found.map((entry) => withRoot(entry, lost));
    await this.show(entries, {
      text: (shown) => {
        // "No servers" would be wrong where a manager did not answer.
        if (shown.length === 0 && process.exitCode !== undefined) return undefined;
        const warnings = [...shown.flatMap(troubleLines), ...lost.map(lostLine)];
        return [listView(shown.map(rowOf), this.screen), ...warnings].join("");
      },
    });
  }
}

function troubleLines({ project, name, troubles = [] }: ListEntry): string[] {
  return troubles.map((trouble) => `warning: ${visible(`${project}/${name}: ${trouble}`)}\n`);
}

function withRoot(entry: ListEntry, lost: readonly LostRoot[]): ListEntry {
  const root = lost.find(({ project }) => project === entry.project)?.root;
  return root === undefined ? entry : { ...entry, root_gone: root };
}

const lostLine = (lost: LostRoot) => `warning: ${visible(lostRootText(lost))}\n`;

function rowOf(entry: ListEntry): ListRow {
  const {
    name,
    project,
    state,
    pid,
    port,
    url,
    uptime_secs,
    restart_count,
    ready,
    held,
    paused,
    unwatched,
    waits_for,
    sleeping,
    bridge,
  } = entry;
  return {
    name,
    project,
    state,
    pid,
    port,
    url: url ?? undefined,
    uptimeMs: uptime_secs && uptime_secs * 1000,
    restartCount: restart_count ?? undefined,
    ready,
    held,
    isWatched: isOfAgent(entry),
    paused: paused !== undefined,
    kept: entry.kept === true,
    unwatched: unwatched !== undefined,
    sleeping: sleeping === true,
    clients: bridge?.session_count,
    waitsFor: (waits_for ?? []).map(({ server }) => server),
  };
}
