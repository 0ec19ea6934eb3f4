import { join, resolve } from "node:path";
import { string as argument } from "@oclif/core/args";
import { boolean, option, string } from "@oclif/core/flags";
import { SAMPLE_NAMES, type SampleName } from "../config/write/samples.ts";
import { EXIT } from "../model/exit-codes.ts";
import { nearest } from "../model/nearest.ts";
import { packageRoot } from "../system/package.ts";
import { BaseCommand } from "./base.ts";
import { valueOrEnd } from "./configuration.ts";
import { shortenPath } from "./shorten.ts";

export default class Init extends BaseCommand {
  static override summary = "Write a starter configuration.";
  static override description =
    "Never overwrites a file. Except for KDL, it also writes what an editor needs for completion and checks: commit " +
    "these files too. After an upgrade of xy, `--refresh` renews those of them that nobody has edited.";
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
    {
      description: "Renew the types and schemas for editors after an upgrade of xy",
      command: "<%= config.bin %> init --refresh",
    },
  ];
  static override enableJsonFlag = true;
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
      helpValue: SAMPLE_NAMES.join(","),
      summary: "MCP servers to write in place of the example.",
    }),
    schema: option({
      options: ["files", "package", "url"] as const,
      default: "files" as const,
      summary:
        "Where editors find the JSON Schemas: written too, in this package, or at its published address.",
    })(),
    refresh: boolean({
      exclusive: ["format", "with", "schema"],
      summary:
        "Renew the types and schemas for editors of the configuration that is there; write nothing else.",
    }),
    force: boolean({
      dependsOn: ["refresh"],
      summary: "With --refresh: renew also those that were edited, or that a later xy wrote.",
    }),
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
    const folder = resolve(args.folder);
    if (flags.refresh) return this.#refresh(folder, flags.force);
    const { existingConfig, problemsIn, projectIn, writeStarter } = await import("../operation/starting.ts");
    const existing = existingConfig(folder);
    if (existing !== undefined) {
      this.fail(
        EXIT.failed,
        `cannot write a configuration: ${shortenPath(folder)} already has one (${existing})`,
      );
    }
    const started = writeStarter(
      folder,
      {
        format: flags.format,
        version: this.config.version,
        schemas: schemasAt(flags.schema, this.config),
        project: projectIn(folder, process.env),
        samples: this.#samples(flags.with),
      },
      this.state,
    );
    const problems = await problemsIn(folder, process.env);
    const lines = ({ written, kept }: typeof started) => [
      ...written.map((file) => `wrote ${shortenPath(file)}`),
      ...kept.map((file) => `kept  ${shortenPath(file)} (already there)`),
    ];
    if (problems.length > 0) {
      for (const line of lines(started)) this.tell(line);
      this.fail(EXIT.invalidConfig, "the files were written but cannot be used yet", problems);
    }
    await this.show(started, {
      text: (all) =>
        [...lines(all), "", "Next: `xy plan` shows what would be started, `xy apply` starts it."].join("\n"),
      json: (all) => ({ version: 1, folder, ...all }),
    });
  }

  async #refresh(folder: string, force: boolean): Promise<void> {
    const { refreshEditorFiles } = await import("../operation/refreshing.ts");
    const { refreshedView } = await import("../views/refreshed.ts");
    const { version } = this.config;
    const found = await refreshEditorFiles({ folder, env: process.env, version, force });
    await this.show(valueOrEnd(this, found, "nothing was renewed"), {
      text: (all) => refreshedView(all, version, this.screen),
      json: (all) => ({ version: 1, ...all }),
    });
    if (found.ok && found.value.files.some(({ state }) => state === "failed")) process.exitCode = EXIT.failed;
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
