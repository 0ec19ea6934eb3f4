import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Home, newHome } from "./cli.ts";

/** A command that is killed at any write that has to do with a client's file. */

const RIG = join(import.meta.dirname, "../rig/die-at-step.mjs");
/** Of one client's file, more than there are steps. */
const MOST_STEPS = 30;
/** Commands at once. */
const AT_ONCE = 4;

const MINE = '{\n  // mine\n  "mcpServers": { "gh": { "url": "https://gh.example/mcp" } },\n}\n';

interface Story {
  readonly client: string;
  readonly file: string;
  /** What the file is before; absent: there is none. */
  readonly before?: string;
  /** What is done before the command that is killed. */
  readonly prepared: boolean;
  readonly command: readonly string[];
}

const STORIES: Readonly<Record<string, Story>> = {
  "a first apply, which makes the file": {
    ...{ client: "codex", file: ".codex/config.toml", prepared: false, command: ["apply", "--yes"] },
  },
  "an apply that changes a person's file": {
    ...{
      client: "cursor",
      file: ".cursor/mcp.json",
      before: MINE,
      prepared: true,
      command: ["apply", "--yes"],
    },
  },
  "a destroy, which removes the file": {
    ...{ client: "codex", file: ".codex/config.toml", prepared: true, command: ["destroy", "--yes"] },
  },
};

/** A project of its own, so that several commands can be killed at once. */
class Project {
  readonly #home: Home;
  readonly folder: string;
  readonly #story: Story;

  constructor(home: Home, story: Story, name: string) {
    this.#home = home;
    this.#story = story;
    this.folder = join(home.path, name);
    if (story.before !== undefined) home.write(join(this.folder, story.file), story.before);
    const server =
      'command "sh"; args "-c" "echo up; exec sleep 600"; port 1; mcp; liveness "none"; wanted "stop"';
    home.write(join(this.folder, "servers.d/a.kdl"), server);
    this.declare("old-");
    home.trusts(this.folder);
  }

  declare(prefix: string): void {
    const { client } = this.#story;
    const text = `clients { ${client} scope="project" prefix="${prefix}"; }\n`;
    this.#home.write(join(this.folder, "xy.config.kdl"), text);
  }

  text(): string | undefined {
    const file = join(this.folder, this.#story.file);
    return existsSync(file) ? readFileSync(file, "utf8") : undefined;
  }

  async did(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.#home.xyIn({ cwd: this.folder }, ...args);
    expect(code, `${this.folder}: xy ${args.join(" ")}: ${stdout}${stderr}`).toBe(0);
    return stdout;
  }

  /** Whether the command was killed. */
  async killedAt(step: number): Promise<boolean> {
    const paths = `/clients/|/${this.#story.file.replaceAll(".", "[.]")}`;
    const env = { NODE_OPTIONS: `--import ${RIG}`, DIE_AT_STEP: String(step), DIE_AT_PATHS: paths };
    const { code, stderr } = await this.#home.xyIn({ cwd: this.folder, env }, ...this.#story.command);
    expect([0, "SIGKILL"], stderr).toContain(code);
    return code !== 0;
  }
}

test.each(Object.entries(STORIES))(
  "%s leaves whole files and a plan that goes on",
  async (_, story) => {
    const home = newHome();
    const isDestroyed = story.command[0] === "destroy";
    const begun = async (name: string) => {
      const project = new Project(home, story, name);
      if (story.prepared) await project.did("apply", "--yes");
      const before = project.text();
      if (!isDestroyed) project.declare("new-");
      return { project, before };
    };
    const { project: whole, before } = await begun("whole");
    await whole.did(...story.command);
    const after = whole.text();
    expect(after).not.toBe(before);

    const killed: boolean[] = [];
    const one = async (step: number) => {
      const { project } = await begun(`p${step}`);
      killed[step] = await project.killedAt(step);
      const left = project.text();
      expect([before, after], `step ${step}`).toContain(left);
      if (!isDestroyed) {
        await project.did("apply", "--yes");
        expect(project.text(), `step ${step}`).toBe(after);
        // Each of the two takes a while, and every step is as good as the next.
        if (step % 2 === 0) {
          const shown = await project.did("plan");
          expect(shown, `step ${step}`).toContain("No changes. 1 server and 1 client match");
          return;
        }
      }
      // It may have been over when it was killed.
      await home.xyIn({ cwd: project.folder }, "destroy", "--yes");
      expect(project.text(), `step ${step}`).toBe(story.before);
    };
    for (let step = 1; step <= MOST_STEPS && !killed.includes(false); step += AT_ONCE)
      await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => one(step + i)));
    const count = killed.filter(Boolean).length;
    console.log(`killed at each of ${count} steps`);
    expect(count).toBeGreaterThan(4);
    expect(killed).toContain(false);
  },
  180_000,
);
