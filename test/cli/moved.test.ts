import { cpSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { freePort, type Home, homesInTurn, LISTENER } from "./cli.ts";

const newHome = homesInTurn();
const NONE = "No changes. 1 server matches the configuration.\n";

/** Where `mv` has put the project, and what runs `xy` there. */
function moved(home: Home, name = "moved") {
  const folder = join(home.path, name);
  renameSync(home.project, folder);
  return {
    folder,
    back: () => renameSync(folder, home.project),
    xy: (...words: string[]) => home.xyIn({ cwd: folder }, ...words),
  };
}

const listens = (port: number) =>
  `command "node"\nargs "-e" "${LISTENER}"\nport ${port}\nenv {\n  PORT "{port}"\n}\n`;

describe("a project whose folder was moved", () => {
  it("and that names itself is taken along by one command, which everybody names, and keeps running", async () => {
    const home = newHome();
    home.write("xy.config.kdl", 'project "own"\n');
    home.declare("web");
    await home.did("apply", "--yes");
    const { pid } = (await home.servers()).web ?? {};
    const { folder, xy } = moved(home);
    const was = `this folder was ${home.project} when project own was applied, and its server (web) started there`;
    const refused = {
      code: 1,
      stdout: "",
      stderr: `xy: cannot use project own here yet: ${was}. Go on here with \`xy apply --adopt-project\`; \`xy plan --adopt-project\` shows what that changes.\n`,
    };
    for (const words of [["plan"], ["apply", "--yes"], ["up", "--yes"], ["reload"]])
      expect(await xy(...words)).toMatchObject(refused);
    expect(await xy("check")).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(`${was}; \`xy plan\` shows how to go on`),
    });
    const gone = `~/tools, of project own; if it was moved, \`xy plan\` in its new place shows how to go on`;
    expect((await xy("status")).stdout).toContain(gone);
    expect(JSON.parse((await xy("status", "--json")).stdout)).toMatchObject({
      lost_roots: [{ project: "own", root: home.project }],
    });
    expect((await xy("list")).stdout).toContain(
      `warning: the folder of project own is gone: ${home.project}; if it was moved or renamed, run \`xy apply --adopt-project\``,
    );
    expect(JSON.parse((await xy("list", "--json")).stdout)).toMatchObject([
      { name: "web", pid, root_gone: home.project },
    ]);

    expect((await xy("plan", "--adopt-project")).stdout).toBe(NONE);
    expect(await xy("apply", "--yes", "--adopt-project")).toMatchObject({ code: 0, stdout: NONE });
    expect(JSON.parse((await xy("list", "--json")).stdout)).toMatchObject([{ project: "own", pid }]);
    expect((await xy("plan")).stdout).toBe(NONE);
    expect((await xy("list")).stdout).not.toContain("warning:");
    // Twice is no different: what was taken along is known as the folder that it is.
    renameSync(folder, home.project);
    expect((await home.xy("plan")).stderr).toContain(
      `this folder was ${folder} when project own was applied`,
    );
  });

  it("and gave it its name says so, and adds no second set of servers", async () => {
    const home = newHome();
    const port = await freePort();
    home.write("servers.d/web.kdl", listens(port));
    await home.did("apply", "--yes");
    const { pid } = (await home.servers()).web ?? {};
    const { folder, xy } = moved(home);
    const plan = await xy("plan");
    expect(plan.code).toBe(1);
    expect(plan.stdout).toContain(
      `error: this folder was ${home.project} when it was applied as project tools, and its server (web) is still there; to keep everything as it is, write \`project "tools"\` into the configuration and run \`xy apply --adopt-project\`; without that line, this moves everything to project moved and restarts it`,
    );
    expect(plan.stdout).toContain(
      'this folder was moved: keep its servers with `project "tools"` in the configuration, and `xy apply --adopt-project`',
    );
    expect(plan.stdout).not.toContain("is gone");
    expect(await xy("apply", "--yes")).toMatchObject({ code: 1 });
    expect(JSON.parse((await xy("list", "--json")).stdout)).toMatchObject([
      { name: "web", project: "tools", pid, port },
    ]);

    expect((await xy("plan", "--adopt-project")).stdout).toContain(
      "project tools moves here: its server (web)",
    );
    home.write(join(folder, "xy.config.kdl"), 'project "tools"\n');
    expect(await xy("apply", "--yes", "--adopt-project")).toMatchObject({ code: 0, stdout: NONE });
    expect(JSON.parse((await xy("list", "--json")).stdout)).toMatchObject([{ project: "tools", pid, port }]);
  });

  it("gets its new name where it is told to, with the ports that it had", async () => {
    const home = newHome();
    home.write("servers.d/web.kdl", listens(0).replace("port 0", 'port "auto"'));
    await home.did("apply", "--yes");
    const { port } = (await home.servers()).web ?? {};
    const { xy } = moved(home);
    expect(await xy("apply", "--yes", "--adopt-project")).toMatchObject({ code: 0 });
    expect(JSON.parse((await xy("list", "--json")).stdout)).toMatchObject([
      { project: "moved", port, state: "running" },
    ]);
    expect((await xy("plan")).stdout).toBe(NONE);
  });

  it("and came back has never been away", async () => {
    const home = newHome();
    home.declare("web");
    await home.did("apply", "--yes");
    const { back, xy } = moved(home);
    expect(await xy("plan")).toMatchObject({ code: 1 });
    back();
    expect(await home.did("plan")).toBe(NONE);
    expect(await home.did("list")).not.toContain("warning:");
  });
});

it("a copy is not what was moved, while the other is there or once it has gone", async () => {
  const home = newHome();
  home.declare("web");
  await home.did("apply", "--yes");
  const cwd = join(home.path, "copy");
  cpSync(home.project, cwd, { recursive: true });
  expect(await home.xyIn({ cwd }, "plan")).toMatchObject({
    code: 0,
    stdout: expect.not.stringMatching(/warning|this folder was/),
  });
  rmSync(home.project, { recursive: true });
  const plan = await home.xyIn({ cwd }, "plan");
  expect(plan).toMatchObject({ code: 0, stdout: expect.not.stringContaining("this folder was") });
  expect(plan.stdout).toContain(
    `warning: the folder of project tools is gone: ${home.project}; if it was moved`,
  );
});
