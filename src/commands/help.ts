import { Help } from "@oclif/core/help";

/** Where `xy --help` lists each command and topic. In each group, what a newcomer needs first comes first. */
export const GROUPS: Readonly<Record<string, readonly string[]>> = {
  "First steps": ["init", "import", "check", "plan", "apply"],
  "Every day": ["list", "logs", "why", "url", "start", "stop", "restart", "reload", "up", "run"],
  Looking: ["status", "probe", "tree", "children", "stats", "ports", "clients", "jobs", "history", "doctor"],
  More: [
    "pause",
    "resume",
    "kill",
    "forget",
    "rollback",
    "destroy",
    "emit",
    "bridge",
    "connect",
    "trust",
    "version",
    "completion",
    "job",
    "agent",
  ],
};

/** Shows the commands in groups. Help for a single command or topic is oclif's own. */
export class GroupedHelp extends Help {
  protected override async showRootHelp(): Promise<void> {
    const { bin, pjson, topics, commands } = this.config;
    const described = new Map([
      ...topics.map(({ name, description }) => [name, description] as const),
      ...commands.map(({ id, summary }) => [id, summary] as const),
    ]);
    const width = Math.max(...Object.values(GROUPS).flatMap((names) => names.map(({ length }) => length)));
    const groups = Object.entries(GROUPS).map(([title, names]) => {
      // As wide in every group, so that the summaries of all are in one column.
      const rows = names.map((name): [string, string | undefined] => [
        name.padEnd(width),
        described.get(name),
      ]);
      return this.section(title.toUpperCase(), this.renderList(rows, { indentation: 2, spacer: "\n" }));
    });
    const sections = [
      this.wrap(pjson.oclif.description ?? "", 0),
      this.section("USAGE", `$ ${bin} COMMAND`),
      ...groups,
      this.wrap(`Run \`${bin} COMMAND --help\` to see what a command does and which flags it takes.`, 0),
    ];
    this.log(sections.join("\n\n"));
  }
}
