import { entryOfAgent, treeEntryOf } from "../rpc/entries.ts";
import type { TreeEntry } from "../rpc/entry-contract.ts";
import { showsBoxes, type TreeNode, treeView } from "../views/tree.ts";
import { inOrder } from "./addresses.ts";
import { withAgentIfRecorded } from "./agent-calls.ts";
import { BaseCommand } from "./base.ts";
import { projectFilter } from "./flags.ts";
import { unitServers } from "./units.ts";

export default class Tree extends BaseCommand {
  static override summary = "Show which servers depend on which, and what they wait for.";
  static override description =
    "Below each server are the servers that it depends on. At the top are those that no other server depends on.";
  static override examples = ["<%= config.bin %> tree", "<%= config.bin %> tree --project dotfiles --json"];
  static override doing = "asking";
  static override enableJsonFlag = true;
  static override flags = {
    ...projectFilter,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Tree);
    const params = flags.project === undefined ? {} : { project: flags.project };
    const own =
      (await withAgentIfRecorded(this, (client) => client.call("tree", params), flags.project)) ?? [];
    const entries = inOrder([
      ...own.map(entryOfAgent),
      ...(await unitServers(this, flags.project, treeEntryOf)),
    ]);
    const screen = { ...this.screen, ascii: !showsBoxes(process.env) };
    await this.show(entries, { text: (shown) => treeView(shown.map(nodeOf), screen) });
  }
}

function nodeOf({
  name,
  project,
  state,
  ready,
  held,
  paused,
  unwatched,
  waits_for,
  sleeping,
  depends_on,
}: TreeEntry): TreeNode {
  const waitsFor = waits_for ?? [];
  const is = {
    paused: paused !== undefined,
    unwatched: unwatched !== undefined,
    sleeping: sleeping === true,
  };
  return { name, project, state, ready, held, ...is, waitsFor, dependsOn: depends_on };
}
