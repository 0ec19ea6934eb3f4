import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { agentEnvironment } from "../../../src/backends/agent/loop.ts";
import { SystemdUser } from "../../../src/backends/agent/systemd-user.ts";
import { userFolder } from "../../../src/config/find/discover.ts";
import { expandPath, followed } from "../../../src/config/paths.ts";
import { BASE_FOLDERS } from "../../../src/model/base-folder.ts";
import { pathsOf, typedFolder } from "../../../src/system/paths.ts";

const { homedir } = userInfo();

test("variables say where the files of the account are", () => {
  const env = Object.fromEntries(BASE_FOLDERS.map((name) => [name, `/${name}`]));
  expect(pathsOf(env)).toEqual({
    state: "/XDG_STATE_HOME/xy",
    cache: "/XDG_CACHE_HOME/xy",
    config: "/XDG_CONFIG_HOME",
    runtime: "/XDG_RUNTIME_DIR",
  });
  expect(agentEnvironment(env)).toEqual(env);
});

test.each([".", "x", "../x", "~/x", ""])("one that is relative counts for nothing: %j", (value) => {
  const env = Object.fromEntries(BASE_FOLDERS.map((name) => [name, value]));
  expect(pathsOf(env)).toEqual({
    state: `${homedir}/.local/state/xy`,
    cache: `${homedir}/.cache/xy`,
    config: `${homedir}/.config`,
    runtime: undefined,
  });
  const account = { uid: 1000, username: "ann" };
  expect(new SystemdUser(env, account).file).toBe(`${homedir}/.config/systemd/user/xy-agent.service`);
  expect(userFolder({ env, machine: { home: "/home/ann", uid: 1000 } })).toBe("/home/ann/.config/xy");
  expect(agentEnvironment(env)).toEqual({});
});

test("the working folder is as it was typed, where PWD leads to it", () => {
  const home = realpathSync(mkdtempSync(join(tmpdir(), "typed-")));
  mkdirSync(join(home, "real/sub"), { recursive: true });
  symlinkSync("real", join(home, "link"));
  const cwd = join(home, "real/sub");
  const typed = (PWD: string | undefined) => typedFolder({ PWD }, cwd).replace(home, "");
  expect(typed(`${home}/link/sub`)).toBe("/link/sub");
  expect(typed(`${home}/link/sub/`)).toBe("/link/sub");
  for (const other of [undefined, "", "link/sub", `${home}/link`, `${home}/none`, `${home}/link/../link/sub`])
    expect(typed(other)).toBe("/real/sub");
  rmSync(home, { recursive: true });
});

test("a path that leads out of a link goes where it goes for every program, by the name that a person would use", () => {
  const home = realpathSync(mkdtempSync(join(tmpdir(), "typed-")));
  for (const path of ["dots/xy/servers.d", "dots/bin", "conf/only", "conf/both", "dots/both"])
    mkdirSync(join(home, path), { recursive: true });
  symlinkSync("../dots/xy", join(home, "conf/xy"));
  symlinkSync("conf", join(home, "linked"));
  const from = (folder: string, path: string) => followed(join(home, folder), path).replace(home, "");
  expect(from("conf/xy", ".")).toBe("/conf/xy");
  expect(from("conf/xy", "a//b/./")).toBe("/conf/xy/a/b");
  expect(from("conf/xy/servers.d", "..")).toBe("/conf/xy");
  expect(from("linked/xy", "servers.d/..")).toBe("/linked/xy");
  expect(from("linked/only", "..")).toBe("/linked");
  expect(from("conf/xy", "../bin")).toBe("/dots/bin");
  expect(from("conf/xy", "../both")).toBe("/dots/both");
  // Nothing is there: it is the one that a person can see.
  expect(from("conf/xy", "../only")).toBe("/conf/only");
  expect(from("conf/xy", "../none")).toBe("/conf/none");
  const ann = { home: "/home", user: "ann", host: "here", os: "linux" } as const;
  expect(expandPath("..", join(home, "conf/xy"), ann)).toBe(join(home, "dots"));
  expect(expandPath("~/../x", join(home, "conf/xy"), ann)).toBe("/x");
  rmSync(home, { recursive: true });
});
