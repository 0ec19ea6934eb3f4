import { string } from "@oclif/core/args";
import { boolean, string as flag, option } from "@oclif/core/flags";
import { EXIT } from "../model/exit-codes.ts";
import { LISTED_MANAGERS, type OtherProgram } from "../model/other-program.ts";
import { visible } from "../model/visible.ts";
import type { RpcClient } from "../rpc/client.ts";
import { entryOfAgent, listEntryOf } from "../rpc/entries.ts";
import type { ListEntry } from "../rpc/entry-contract.ts";
import { type LostRoot, lostRoots, lostRootText } from "../system/projects.ts";
import { type ListRow, listView } from "../views/list.ts";
import type { Screen } from "../views/screen.ts";
import { inOrder, isOfAgent } from "./addresses.ts";
import { withAgentIfRecorded, withRunningAgent } from "./agent-calls.ts";
import { BaseCommand } from "./base.ts";
import { reaching } from "./endings.ts";
import { projectFilter } from "./flags.ts";
import type { ListedEntry, Sort } from "./list-options.ts";
import { othersOf } from "./other-programs.ts";
import { unitServers } from "./units.ts";

type Listed = readonly ListedEntry[];

const SORTS: readonly Sort[] = ["name", "state", "cpu", "memory", "uptime", "restarts", "port"];

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
      description: "Show some servers only",
      command: "<%= config.bin %> list 'web-*' tag:mcp --state failed,restarting",
    },
    { description: "Watch what uses most memory", command: "<%= config.bin %> list --watch --sort memory" },
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
  static override strict = false;
  static override args = {
    name: string({
      description:
        "Servers to show: names, patterns such as 'web-*', or tag:x. With --backend: a pattern of names, such as 'syncthing*'.",
    }),
  };
  static override flags = {
    ...projectFilter,
    state: flag({
      multiple: true,
      helpValue: "STATE",
      summary: "Show only servers in this state, or in one of several: running,failed.",
    }),
    sort: option({
      options: SORTS,
      summary: "Sort by this. Shows CPU and memory if it is one of them.",
    })(),
    reverse: boolean({ char: "r", default: false, summary: "Sort the other way round." }),
    watch: boolean({ char: "w", default: false, summary: "Show it again and again, until Ctrl-C." }),
    backend: option({
      options: LISTED_MANAGERS,
      summary: "Show everything that this service manager runs, not only xy's servers.",
    })(),
  };

  /** Everything that a manager runs, whoever wrote it. */
  async #others(
    manager: OtherProgram["manager"],
    [pattern, ...rest]: readonly string[],
    flags: { readonly project?: string | undefined },
  ): Promise<void> {
    if (rest.length > 0)
      this.fail(EXIT.usage, `cannot use ${rest.join(" ")} here: give one pattern with --backend`);
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
    const { argv, flags } = await this.parse(List);
    const words = argv as string[];
    if (flags.backend !== undefined) return this.#others(flags.backend, words, flags);
    if (!flags.watch)
      return this.show(await this.#listed(words, flags), { text: (listed) => this.#text(listed) });
    const { watch } = await import("./list-watch.ts");
    let isFirst = true;
    const look = async () => {
      const listed = await this.#listed(words, flags, isFirst);
      isFirst = false;
      return listed;
    };
    const text = (listed: Listed, screen: Screen) => listView(listed.map(rowOf), screen);
    await watch(this, { look, text, title: ["xy list", ...words].join(" ") });
  }

  /** `mayStart`: brings the agent up where there is something on record. */
  async #listed(words: readonly string[], flags: ListFlags, mayStart = true): Promise<Listed> {
    const { project, sort, reverse, state } = flags;
    const params = project === undefined ? {} : { project };
    const ask = (client: RpcClient) => client.call("list", params);
    const [own, units] = await Promise.all([
      mayStart ? withAgentIfRecorded(this, ask, project) : withRunningAgent(this, ask),
      unitServers(this, project, listEntryOf),
    ]);
    const found = inOrder([...(own ?? []).map(entryOfAgent), ...units]);
    const lost = lostRoots(this.state, [...new Set(found.map(({ project }) => project))]);
    const all = found.map((entry) => withRoot(entry, lost));
    if (words.length === 0 && sort === undefined && !reverse && state === undefined) return all;
    const options = await import("./list-options.ts");
    const states = state && options.statesIn(this, state);
    const chosen = words.length === 0 ? all : options.chosen(this, all, words);
    const listed = chosen.filter((entry) => states?.has(entry.state) ?? true);
    const isUsed = sort === "cpu" || sort === "memory";
    const used = isUsed ? await options.withUsage(this, listed, project) : listed;
    return options.sorted(used, sort, reverse);
  }

  #text(listed: Listed): string | undefined {
    // "No servers" would be wrong where a manager did not answer.
    if (listed.length === 0 && process.exitCode !== undefined) return undefined;
    const lost = lostRoots(this.state, [...new Set(listed.map(({ project }) => project))]);
    const warnings = [...listed.flatMap(troubleLines), ...lost.map(lostLine)];
    return [listView(listed.map(rowOf), this.screen), ...warnings].join("");
  }
}

interface ListFlags {
  readonly project: string | undefined;
  readonly sort: Sort | undefined;
  readonly reverse: boolean;
  readonly state: string[] | undefined;
}

function troubleLines({ project, name, troubles = [] }: ListEntry): string[] {
  return troubles.map((trouble) => `warning: ${visible(`${project}/${name}: ${trouble}`)}\n`);
}

function withRoot(entry: ListEntry, lost: readonly LostRoot[]): ListEntry {
  const root = lost.find(({ project }) => project === entry.project)?.root;
  return root === undefined ? entry : { ...entry, root_gone: root };
}

const lostLine = (lost: LostRoot) => `warning: ${visible(lostRootText(lost))}\n`;

function rowOf(entry: ListedEntry): ListRow {
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
    cpu_percent,
    memory_bytes,
  } = entry;
  const isUsed = cpu_percent !== undefined && memory_bytes !== undefined;
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
    usage: isUsed ? { cpu_percent, memory_bytes } : undefined,
    waitsFor: (waits_for ?? []).map(({ server }) => server),
  };
}
