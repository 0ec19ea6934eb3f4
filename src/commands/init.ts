import { join, resolve } from "node:path";
import { string as argument } from "@oclif/core/args";
import { option, string } from "@oclif/core/flags";
import { SAMPLE_NAMES, type SampleName } from "../config/write/samples.ts";
import { EXIT } from "../model/exit-codes.ts";
import { nearest } from "../model/nearest.ts";
import { packageRoot } from "../system/package.ts";
import { BaseCommand } from "./base.ts";
import { shortenPath } from "./shorten.ts";

export default class Init extends BaseCommand {
  static override summary = "Write a starter configuration.";
  static override description =
    "Never overwrites a file. Except for KDL, it also writes what an editor needs for completion and checks.";
  static override examples = [
    "<%= config.bin %> init",
    {
      description: "Write KDL into the default folder",
      command: "<%= config.bin %> init ~/.config/xy --format kdl",
    },
    {
      description: "Start with MCP servers from npm",
      command: "<%= config.bin %> init --format kdl --with everything,memory",
    },
    {
      description: "Write YAML to commit, without the schemas",
      command: "<%= config.bin %> init --format yaml --schema url",
    },
  ];
  static override args = {
    folder: argument({ default: ".", description: "Folder to write to." }),
  };
  static override flags = {
    format: option({
      options: ["typescript", "kdl", "yaml", "json"] as const,
      default: "typescript" as const,
      summary: "Language of the configuration.",
    })(),
    with: string({
      helpValue: "NAMES",
      summary: "MCP servers to write in place of the example, such as everything,memory.",
    }),
    schema: option({
      options: ["files", "package", "url"] as const,
      default: "files" as const,
      summary:
        "Where editors find the JSON Schemas: written too, in this package, or at its published address.",
    })(),
  };

  #samples(text: string | undefined): SampleName[] {
    const names = (text ?? "").split(",").map((name) => name.trim());
    return (text === undefined ? [] : names).map((name) => {
      const found = SAMPLE_NAMES.find((one) => one === name);
      if (found !== undefined) return found;
      const meant = nearest(name, SAMPLE_NAMES);
      const hint = meant === undefined ? `there are ${SAMPLE_NAMES.join(" and ")}` : `did you mean ${meant}?`;
      return this.fail(EXIT.usage, `cannot write a server ${JSON.stringify(name)}: ${hint}`);
    });
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Init);
    const { existingConfig, problemsIn, projectIn, writeStarter } = await import("../operation/starting.ts");
    const folder = resolve(args.folder);
    const existing = existingConfig(folder);
    if (existing !== undefined) {
      this.fail(
        EXIT.failed,
        `cannot write a configuration: ${shortenPath(folder)} already has one (${existing})`,
      );
    }
    const { written, kept } = writeStarter(
      folder,
      {
        format: flags.format,
        schemas: schemasAt(flags.schema, this.config),
        project: projectIn(folder, process.env),
        samples: this.#samples(flags.with),
      },
      this.state,
    );
    for (const file of written) this.print(`wrote ${shortenPath(file)}`);
    for (const file of kept) this.print(`kept  ${shortenPath(file)} (already there)`);
    const problems = await problemsIn(folder, process.env);
    if (problems.length > 0)
      this.fail(EXIT.invalidConfig, "the files were written but cannot be used yet", problems);
    this.print("\nNext: `xy plan` shows what would be started, `xy apply` starts it.");
  }
}

/** Folder or address of the schemas; undefined: they are to be written. */
function schemasAt(
  where: "files" | "package" | "url",
  { name, version }: { readonly name: string; readonly version: string },
): string | undefined {
  switch (where) {
    case "files":
      return undefined;
    case "package":
      return join(packageRoot(), "schema");
    case "url":
      return `https://unpkg.com/${name}@${version}/schema`;
  }
}
