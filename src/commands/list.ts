import { visible } from "../model/visible.ts";
import type { ListEntry } from "../rpc/contract.ts";
import { listEntryOf } from "../rpc/entries.ts";
import { type LostRoot, lostRoots, lostRootText } from "../system/projects.ts";
import { type ListRow, listView } from "../views/list.ts";
import { projectFilter } from "./project-command.ts";
import { inOrder, isOfAgent, ServerCommand } from "./server-command.ts";

export default class List extends ServerCommand {
  static override summary = "List all servers and their state.";
  static override description =
    "Shows the servers of every project: state, readiness, pid, port, uptime and restarts.";
  static override aliases = ["ls", "ps"];
  static override examples = ["<%= config.bin %> list", "<%= config.bin %> list --project dotfiles --json"];
  static override enableJsonFlag = true;
  static override flags = {
    ...projectFilter,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(List);
    const params = flags.project === undefined ? {} : { project: flags.project };
    const own =
      (await this.withAgentIfRecorded((client) => client.call("list", params), flags.project)) ?? [];
    const units = await this.unitServers(flags.project, listEntryOf);
    const found = inOrder([...own, ...units]);
    const lost = lostRoots(this.state, [...new Set(found.map(({ project }) => project))]);
    const entries = found.map((entry) => withRoot(entry, lost));
    if (this.json) this.printJson(entries);
    else if (entries.length > 0 || process.exitCode === undefined)
      this.print([listView(entries.map(rowOf), this.screen), ...lost.map(lostLine)].join(""));
  }
}

function withRoot(entry: ListEntry, lost: readonly LostRoot[]): ListEntry {
  const root = lost.find(({ project }) => project === entry.project)?.root;
  return root === undefined ? entry : { ...entry, root_gone: root };
}

const lostLine = (lost: LostRoot) => `warning: ${visible(lostRootText(lost))}\n`;

function rowOf(entry: ListEntry): ListRow {
  const { name, project, state, pid, port, uptime_secs, restart_count, ready, held, paused, waits_for } =
    entry;
  return {
    name,
    project,
    state,
    pid,
    port,
    uptimeMs: uptime_secs && uptime_secs * 1000,
    restartCount: restart_count ?? undefined,
    ready,
    held,
    isWatched: isOfAgent(entry),
    paused: paused !== undefined,
    waitsFor: (waits_for ?? []).map(({ server }) => server),
  };
}
