import { chmodSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { load } from "../../../../src/config/load.ts";
import { resolve } from "../../../../src/config/resolve/resolve.ts";
import { folderWith, formatted, machine, problemsOf, requestFor, resolvedFrom, worldOf } from "../rig.ts";

const SERVER = 'command "sh"; port "none"';

describe("what runs a server", () => {
  it("is the root's backend, unless the server says another", async () => {
    const { desired } = await resolvedFrom({
      "xy.config.kdl": 'backend "systemd"\nsystemd { scope "system"; }\n',
      "servers.d/a.kdl": SERVER,
      "servers.d/b.kdl": `${SERVER}; class "user"`,
      "servers.d/c.kdl": `${SERVER}; backend "agent"`,
      "servers.d/d.kdl": `${SERVER}; backend "launchd"; class "system"`,
    });
    expect(desired.servers.map(({ backend, class: of }) => `${backend} ${of}`)).toEqual([
      "systemd system",
      "systemd undefined",
      "agent undefined",
      "launchd system",
    ]);
  });

  it("is a supervisord that is told how to be reached, with the value of its password", async () => {
    const files = {
      "xy.config.yaml":
        "backend: supervisord\nsupervisord:\n  url: http://localhost:9001\n  user: me\n  password: { secret: { env: PW } }\n  include-dir: ~/units\n",
      "servers.d/a.kdl": SERVER,
    };
    expect((await resolvedFrom(files, { env: { PW: "s3cr3t" } })).settings).toEqual({
      supervisord: {
        url: "http://localhost:9001",
        user: "me",
        password: "s3cr3t",
        includeDir: "/home/ann/units",
      },
    });
    const without = await resolvedFrom(files, { env: {} });
    expect(without.diagnostics.map(({ message, line }) => `${line}: ${message}`)).toContain(
      "5: cannot get supervisord's password: the variable PW is not set; set it where you run xy",
    );
  });

  it.each([
    [
      { "xy.config.kdl": 'backend "supervisord"\n', "servers.d/a.kdl": SERVER },
      "cannot use supervisord without a folder for its units: in xy.config, set supervisord's include-dir to the folder that its [include] section names",
    ],
    [
      { "servers.d/a.kdl": `${SERVER}\nbackend "supervisord"` },
      "servers.d/a.kdl:2:9: cannot use supervisord without a folder for its units",
    ],
    [
      { "xy.config.kdl": 'supervisord { include-dir "/x"; password "p"; }\n', "servers.d/a.kdl": SERVER },
      "xy.config.kdl:1:42: cannot use a password without a user: set the user name that supervisord expects too",
    ],
    [
      {
        "xy.config.kdl": 'supervisord { include-dir "/x"; url "localhost:9001"; }\n',
        "servers.d/a.kdl": SERVER,
      },
      'xy.config.kdl:1:37: cannot use "localhost:9001" for supervisord.url: write a URL such as "http://localhost:9001/RPC2" or "unix:///run/supervisor.sock"',
    ],
    [
      { "xy.config.kdl": 'systemd { scope "global"; }\n', "servers.d/a.kdl": SERVER },
      'xy.config.kdl:1:17: cannot use "global" for systemd.scope: write "user" or "system"',
    ],
  ])("%j is refused", async (files, problem) => {
    const problems = await problemsOf(files as Record<string, string>);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });
});

describe("a program of a version manager", () => {
  it.each([
    [".nvm/versions/node/v20.1.0/bin/node", "nvm removes it together with that version"],
    [
      ".local/share/fnm/node-versions/v20.1.0/installation/bin/node",
      "fnm removes it together with that version",
    ],
    ["run/fnm_multishells/812_1/bin/node", "fnm removes it together with that version"],
    [".asdf/installs/nodejs/20/bin/node", "asdf removes it together with that version"],
    [".asdf/shims/node", "a shim of asdf"],
    [".local/share/mise/installs/node/20/bin/node", "mise removes it together with that version"],
    [".pyenv/versions/3.12/bin/python", "pyenv removes it together with that version"],
    [".pyenv/shims/python", "a shim of pyenv"],
    ["opt/node/bin/node", undefined],
    ["mine/nvm-tools/node", undefined],
  ])("%s", async (program, words) => {
    const folder = folderWith({
      [program]: "#!/bin/sh\n",
      "servers.d/a.kdl": `command "../${program}"; port "none"`,
    });
    chmodSync(join(folder, program), 0o755);
    const world = worldOf({ machine: { ...machine, home: folder } });
    const loaded = await load(requestFor(folder, { machine: world.machine }));
    if (!loaded.ok) throw new Error(formatted(loaded.problems, folder).join("\n"));
    const { diagnostics } = await resolve(loaded.value, world);
    const found = diagnostics.map(({ severity, message }) => `${severity}: ${message}`);
    if (words === undefined) expect(found).toEqual([]);
    else expect(found).toEqual([expect.stringMatching(new RegExp(`^warning: the program .*${words}`))]);
  });
});
