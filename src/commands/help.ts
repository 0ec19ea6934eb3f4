import { CommandHelp, Help } from "@oclif/core/help";
import { wrap } from "../views/width.ts";

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

/** Breaks no word, only lists of options: what is too long for a line is left to the terminal, to be copied whole. */
class NarrowHelp extends CommandHelp {
  override wrap(body: string, spacing = this.indentSpacing): string {
    const width = this.opts.maxWidth - spacing;
    const breakable = (word: string) => (word.length > width ? word.replaceAll("|", "| ") : word);
    const lines = this.render(body).split("\n");
    return lines.map((line) => wrap(line.trim().split(" ").map(breakable).join(" "), width)).join("\n");
  }

  /** Without the summary, which is the first line of the help already. */
  protected override description(): string | undefined {
    const { description } = this.command;
    return description === undefined ? undefined : this.wrap(description);
  }

  /** Where a list is too wide, oclif puts each text below its name, two columns further in than it leaves room for. */
  override renderList(...[rows, options]: Parameters<CommandHelp["renderList"]>): string {
    const list = super.renderList(rows, options);
    if (!list.includes("\n\n")) return list;
    return super.renderList(rows, { ...options, multiline: true, indentation: options.indentation + 2 });
  }
}

/** Shows the commands in groups. Help for a single command or topic is oclif's own, but for {@link NarrowHelp}. */
export class GroupedHelp extends Help {
  protected override CommandHelpClass = NarrowHelp;

  /** A summary comes unbroken; what is further in has been wrapped. */
  protected override log(...texts: string[]): void {
    const lines = texts.join("\n").split("\n");
    super.log(lines.map((line) => (line.startsWith(" ") ? line : wrap(line, this.opts.maxWidth))).join("\n"));
  }

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
