import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { isAlive, programsWith } from "../rig/processes.ts";
import { homesInTurn } from "./cli.ts";

const newHome = homesInTurn();

const PLACES = ["projects/tools/servers/web", "projects", "."] as const;

it.runIf(process.platform === "linux")(
  "an apply finds what runs without a record, and starts no second one",
  async () => {
    const home = newHome();
    const word = join(home.project, "served-here");
    home.write(
      "servers.d/web.kdl",
      `command "sh"\nargs "-c" "while :; do sleep 600; done" "${word}"\nport "none"\n`,
    );
    for (const place of PLACES) {
      await home.did("apply", "--yes");
      const pid = (await home.servers()).web?.pid as number;
      await home.did("agent", "stop", "--keep-servers");
      rmSync(join(home.state, place), { recursive: true });
      expect(await home.did("apply", "--yes")).toContain(
        "because the record of what was applied cannot be read",
      );
      expect(await home.servers()).toMatchObject({ web: { state: "running" } });
      expect(isAlive(pid)).toBe(false);
      expect(programsWith(word).filter(({ command }) => command.startsWith("/"))).toHaveLength(1);
      expect(await home.did("plan")).toContain("No changes.");
    }
  },
);
