import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemdUnits } from "../../src/backends/render/systemd.ts";
import type { ServerSpec } from "../../src/model/spec.ts";
import { RESTART_POLICIES, STOP_SIGNALS } from "../../src/model/spec-parts.ts";
import { eventually } from "../rig/eventually.ts";
import { serverSpec } from "../rig/spec.ts";
import { SystemdHome, whyNoSystemd } from "../rig/systemd.ts";
import { factsOf, generatedServers, prepare, seedOf } from "../rig/units.ts";

const UNITS = ".config/systemd/user";

/** With what else a unit may say, so that all of it is looked at. */
function withMore(spec: ServerSpec, i: number): ServerSpec {
  const policy = RESTART_POLICIES[(i % 2) * 2] ?? "never";
  return {
    ...spec,
    description: spec.args.slice(1).join(" ").slice(0, 1000),
    dependsOn: i % 5 === 0 ? [{ server: `s${i + 1}`, condition: "ready" }] : [],
    restart: { ...spec.restart, policy, successExitCodes: [0, i % 256] },
    stop: { grace: i * 10, signal: STOP_SIGNALS[i % STOP_SIGNALS.length] ?? "SIGTERM" },
    wanted: i % 7 === 0 ? "stop" : "start",
  };
}

describe.skipIf(whyNoSystemd() !== undefined)("units under a real systemd --user", () => {
  let home: SystemdHome;
  beforeEach(async () => {
    home = await SystemdHome.open();
  });
  afterEach(() => home.close());

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
    expect(await home.did("systemctl --user is-enabled xy.tools.web")).toBe("enabled");
    expect((await home.shell("systemctl --user is-active xy.tools.off")).stdout).toBe("inactive\n");
    expect(await home.did(`xy emit systemd --out ~/${UNITS}`)).toContain("kept ");
    expect(await home.did("systemctl --user show -p NeedDaemonReload --value xy.tools.web")).toBe("no");
    await home.did("systemctl --user stop xy.tools.web");
    await home.did("test ! -e ~/.local/state/xy");
  });
});
