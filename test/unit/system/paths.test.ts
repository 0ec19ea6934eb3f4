import { userInfo } from "node:os";
import { expect, test } from "vitest";
import { agentEnvironment } from "../../../src/backends/agent-loop.ts";
import { SystemdUser } from "../../../src/backends/systemd-user.ts";
import { userFolder } from "../../../src/config/discover.ts";
import { BASE_FOLDERS } from "../../../src/model/base-folder.ts";
import { pathsOf } from "../../../src/system/paths.ts";

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
