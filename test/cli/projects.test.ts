import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Home, homesInTurn } from "./cli.ts";

const newHome = homesInTurn();

const WEB = 'command "sleep"\nargs "600"\nport "none"\n';

/** A second folder with a project of its own name, or with that of the first. */
function another(home: Home, name: string): string {
  const folder = join(home.path, "other", name);
  mkdirSync(folder, { recursive: true });
  home.write(join(folder, "servers.d/web.kdl"), WEB);
  return folder;
}

describe("a project's name belongs to one root", () => {
  it("is refused from another root, with both paths, until it is moved", async () => {
    const home = newHome();
    home.write("servers.d/web.kdl", WEB);
    await home.did("apply", "--yes");
    const { pid } = (await home.servers()).web ?? {};
    const cwd = another(home, "tools");
    for (const words of [["plan"], ["apply", "--yes"], ["reload"]]) {
      expect(await home.xyIn({ cwd }, ...words)).toMatchObject({
        code: 1,
        stdout: "",
        stderr: `xy: cannot use project tools here: it belongs to ${home.project}, and this is ${cwd}. Give this one a \`project\` name of its own, or move the project here with \`xy apply --adopt-project\`.\n`,
      });
    }
    const moved = await home.xyIn({ cwd }, "apply", "--yes", "--adopt-project");
    expect(moved).toMatchObject({ code: 0, stdout: "No changes. 1 server matches the configuration.\n" });
    expect((await home.servers()).web?.pid).toBe(pid);
    expect((await home.xy("plan")).stderr).toContain(`it belongs to ${cwd}, and this is ${home.project}.`);
  });

  it("has servers that no other project touches", async () => {
    const home = newHome();
    home.write("servers.d/web.kdl", WEB);
    await home.did("apply", "--yes");
    const cwd = another(home, "second");
    expect((await home.xyIn({ cwd }, "apply", "--yes")).code).toBe(0);
    const list = await home.did("list");
    expect(list).toContain("tools/web ");
    expect(list).toContain("second/web ");

    const elsewhere = { cwd: home.path };
    expect(await home.xyIn(elsewhere, "status", "web")).toMatchObject({
      code: 64,
      stderr: "xy: cannot tell which web is meant: write second/web or tools/web\n",
    });
    expect((await home.xyIn(elsewhere, "stop", "tools/web")).stdout).toBe("tools/web: stopped\n");
    expect((await home.xyIn({ cwd }, "status", "web")).stdout).toMatch(/^web \(project second, agent\)\n/);
    expect((await home.xyIn({ cwd }, "destroy", "--yes")).code).toBe(0);
    expect(await home.servers()).toMatchObject({ web: { project: "tools", held: true } });
  });
});

describe("what an operator's command reached", () => {
  it("is told with its project where that is another one, and in JSON as ever", async () => {
    const home = newHome();
    home.write("servers.d/web.kdl", WEB);
    home.write("servers.d/only.kdl", WEB);
    await home.did("apply", "--yes");
    const cwd = another(home, "second");
    expect((await home.xyIn({ cwd }, "apply", "--yes")).code).toBe(0);
    const says = async (...words: string[]) => (await home.xyIn({ cwd }, ...words)).stdout;
    expect(await says("stop", "only")).toBe("tools/only: stopped\n");
    expect(await says("start", "only")).toBe("tools/only: started\n");
    expect(await says("pause", "only", "web")).toBe(
      "tools/only: paused until `xy resume`\nweb: paused until `xy resume`\n",
    );
    expect(await says("resume", "only", "web")).toBe("tools/only: resumed\nweb: resumed\n");
    expect(await says("restart", "second/web")).toBe("web: restarted\n");
    expect(await says("kill", "tools/web", "web")).toBe("tools/web: killed\nweb: killed\n");
    expect(JSON.parse(await says("start", "tools/web", "web", "--json"))).toEqual({
      started: ["web", "web"],
      already_running: [],
      failed: [],
    });
    expect(await home.call("reload", {})).toMatchObject({
      error: { code: -32602, message: "cannot tell which project to reload: say one of second, tools" },
    });
  });
});

describe("--all", () => {
  it("is every server of this folder's project, and of no other", async () => {
    const home = newHome();
    home.write("servers.d/web.kdl", WEB);
    await home.did("apply", "--yes");
    const cwd = another(home, "second");
    home.write(join(cwd, "servers.d/api.kdl"), WEB);
    expect((await home.xyIn({ cwd }, "apply", "--yes")).code).toBe(0);
    const states = async () => {
      const all = (await home.json("list")) as {
        project: string;
        name: string;
        state: string;
        paused?: object;
      }[];
      return all.map(({ project, name, state, paused }) =>
        [project, name, state, paused !== undefined].join(" "),
      );
    };
    expect(await home.did("stop", "--all")).toBe("web: stopped\n");
    expect(await states()).toEqual([
      "second api running false",
      "second web running false",
      "tools web stopped false",
    ]);
    expect((await home.xyIn({ cwd }, "pause", "--all")).stdout).toMatch(/^api: paused .*\nweb: paused .*\n$/);
    expect(await states()).toEqual([
      "second api running true",
      "second web running true",
      "tools web stopped false",
    ]);
    expect(await home.xyIn({ cwd: home.path }, "stop", "--all")).toMatchObject({ code: 1, stdout: "" });
  });
});

describe("destroy", () => {
  it("removes what the project owns, and only that, also without its configuration", async () => {
    const home = newHome();
    home.write("servers.d/web.kdl", WEB);
    await home.did("apply", "--yes");
    await home.shell("rm -r servers.d");
    expect(await home.xy("destroy", "--project", "tools")).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("1 to remove (web)"),
      stderr: expect.stringContaining("say --yes to go ahead"),
    });
    await home.did("destroy", "--project", "tools", "--yes");
    expect(await home.servers()).toEqual({});
    expect(Object.keys(home.written()).filter((file) => file.startsWith("projects"))).toEqual([]);
    expect(await home.xy("destroy", "--yes")).toMatchObject({ code: 1 });
  });
});
