import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { systemdUnits } from "../../src/backends/render/systemd.ts";
import { ACCOUNT } from "../../src/model/machine.ts";
import type { ServerSpec } from "../../src/model/spec.ts";
import { RESTART_POLICIES, STOP_SIGNALS } from "../../src/model/spec-parts.ts";
import { eventually } from "../rig/eventually.ts";
import { serverSpec } from "../rig/spec.ts";
import { type SystemdHome, systemdHomesInTurn, whyNoSystemd } from "../rig/systemd.ts";
import { compareReports, factsOf, generatedServers, prepare, seedOf } from "../rig/units.ts";

const UNITS = ".config/systemd/user";

/** With what else a unit may say, so that all of it is looked at. */
function withMore(spec: ServerSpec, i: number): ServerSpec {
  const policy = RESTART_POLICIES[(i % 2) * 2] ?? "never";
  return {
    ...spec,
    description: spec.args.slice(1).join(" ").slice(0, 1000),
    dependsOn: i % 5 === 0 ? [{ server: `s${i + 1}`, condition: "ready" }] : [],
    restart: { ...spec.restart, policy, successExitCodes: [0, i % 256] },
    stop: { grace: i * 10, signal: STOP_SIGNALS[i % STOP_SIGNALS.length] ?? "SIGTERM", descendants: "own" },
    wanted: i % 7 === 0 ? "stop" : "start",
  };
}

describe.skipIf(whyNoSystemd() !== undefined)("units under a real systemd --user", () => {
  const nextHome = systemdHomesInTurn();
  let home: SystemdHome;
  beforeEach(async () => {
    home = await nextHome();
  });

  it.each(["emitted", "installed"])("that are %s have nothing that systemd would warn of", async (how) => {
    const seed = seedOf(`units for systemd that are ${how}`);
    const servers = generatedServers("systemd", join(home.path, "g"), 300, seed);
    prepare(join(home.path, "g"), servers);
    const secretsFile = join(home.path, "secrets 100%.env");
    const logs = { out: join(home.path, "out 100%.log"), err: join(home.path, "err.log") };
    const installed = how === "installed" ? { installed: { enabled: true, secretsFile, logs } } : {};
    for (const [i, { spec }] of servers.entries()) {
      const text = await systemdUnits.render(factsOf(withMore(spec, i), installed));
      home.write(join(UNITS, systemdUnits.fileName(spec)), text);
    }
    expect(await home.shell(`cd ~/${UNITS}; systemd-analyze --user verify *.service`)).toEqual({
      code: 0,
      stdout: "",
      stderr: "",
    });
  });

  it("restart what fails, a signal included, and get secrets from the file that they name", async () => {
    const state = home.path;
    // The first run is ended by a signal that systemd would let pass, the second one by a success.
    const script =
      'printf "%s\\n" "$TOKEN" >>"$1/runs"; [ "$(wc -l <"$1/runs")" -gt 1 ] && exit 3; kill -TERM $$; sleep 9';
    const spec = serverSpec("web", "/bin/sh", ["-c", script, "sh", state], {
      restart: { policy: "on-failure", successExitCodes: [0, 3] },
      env: { PATH: "/usr/bin:/bin", TOKEN: { secret: { env: "TOKEN" }, hmac: "" } },
    });
    home.write(join(UNITS, "xy.p.web.service"), await systemdUnits.render(factsOf(spec)));
    await home.did("systemctl --user daemon-reload");
    expect((await home.shell("systemctl --user start xy.p.web")).code).not.toBe(0);
    await home.did("systemctl --user stop xy.p.web");
    // The server itself writes its token there.
    home.folder.allow(join(home.path, "runs"));
    home.write(".config/xy/secrets/xy.p.web.env", 'TOKEN="a s3cr3t"\n');
    await home.did("systemctl --user start xy.p.web");
    await eventually(async () => {
      // While it waits for its restart it would be "activating".
      expect((await home.shell("systemctl --user is-active xy.p.web")).stdout).toBe("inactive\n");
      expect(await home.did("cat ~/runs")).toBe("a s3cr3t\na s3cr3t");
    });
  });

  it("that any account can have give what was declared, wherever their home is", async () => {
    const seed = seedOf("units for any account");
    const there = "/home/a da%h";
    const servers = generatedServers("systemd", join(home.path, "g"), 12, seed).map(({ spec }, i) => {
      const plain = Object.entries(spec.env).filter(([, value]) => typeof value === "string");
      const own = {
        V_home: home.path,
        V_path: `${home.path}/bin:/x:${home.path}`,
        V_not: `${there}m`,
        V_who: "root",
      };
      const args = [
        ...spec.args,
        `--at=${home.path}/x%h`,
        "%u",
        `${home.path}s`,
        `file://${home.path}`,
        "who root",
      ];
      const env = { ...Object.fromEntries(plain), ...own };
      return { spec: { ...spec, name: `any${i}`, args, env }, secrets: {} };
    });
    prepare(join(home.path, "g"), servers);
    // As another account has declared them: what is its own there stands for what is this one's here.
    const moved = (text: string) =>
      text.replace(new RegExp(`${home.path}(?!s$)`, "g"), there).replace("who root", `who ${ACCOUNT}`);
    for (const { spec } of servers) {
      const env = Object.entries(spec.env).map(([name, value]) => {
        const text = name === "V_who" ? ACCOUNT : moved(value as string);
        return [name, text] as const;
      });
      const general: ServerSpec = {
        ...spec,
        program: moved(spec.program),
        args: spec.args.map(moved),
        workingDir: moved(spec.workingDir),
        env: { ...Object.fromEntries(env), V_gone: "" },
      };
      const portable = { spec: general, given: {} };
      const text = await systemdUnits.render(factsOf(general, { home: there, portable }));
      expect(text).not.toContain(`${there}/`);
      home.write(join(UNITS, systemdUnits.fileName(spec)), text);
    }
    expect(await home.shell(`cd ~/${UNITS}; systemd-analyze --user verify xy.p.any*.service`)).toEqual({
      code: 0,
      stdout: "",
      stderr: "",
    });
    await home.did(
      "systemctl --user daemon-reload; cd ~/.config/systemd/user; systemctl --user start xy.p.any*.service",
    );
    await compareReports(servers, { openFiles: true });
    await home.did("cd ~/.config/systemd/user; systemctl --user stop xy.p.any*.service; rm xy.p.any*");
  });

  it("run what `xy emit` wrote, once a person has enabled it", async () => {
    const script = 'env >"$HOME/seen"; exec sleep 600';
    home.write(
      "tools/servers.d/web.kdl",
      `command "sh"\nargs "-c" ${JSON.stringify(script)}\nport "none"\nenv { GREETING "100% \\"it's\\" $HOME"; }\n`,
    );
    home.write("tools/servers.d/off.kdl", 'command "sleep"\nargs "600"\nport "none"\nwanted "stop"\n');
    await home.did(`xy emit systemd --out ~/${UNITS}`);
    expect(await home.shell(`cd ~/${UNITS}; systemd-analyze --user verify *.service`)).toEqual({
      code: 0,
      stdout: "",
      stderr: "",
    });
    await home.did("systemctl --user daemon-reload; systemctl --user enable --now xy.tools.web");
    await eventually(async () =>
      expect(await home.did("cat ~/seen")).toContain(`GREETING=100% "it's" $HOME\n`),
    );
    // What the manager gives by itself is not in the unit, and is there all the same.
    expect(await home.did("cat ~/seen")).toContain(`HOME=${home.path}\n`);
    expect(await home.did(`cat ~/${UNITS}/xy.tools.web.service`)).not.toContain(home.path);
    expect(await home.did("systemctl --user is-enabled xy.tools.web")).toBe("enabled");
    expect((await home.shell("systemctl --user is-active xy.tools.off")).stdout).toBe("inactive\n");
    expect(await home.did(`xy emit systemd --out ~/${UNITS}`)).toContain("kept ");
    expect(await home.did("systemctl --user show -p NeedDaemonReload --value xy.tools.web")).toBe("no");
    await home.did("systemctl --user stop xy.tools.web");
    await home.did("test ! -e ~/.local/state/xy");
  });
});
