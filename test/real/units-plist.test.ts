import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { launchdUnits } from "../../src/backends/render/launchd.ts";
import { secretNames, wordsBehindSecrets } from "../../src/backends/render/unit.ts";
import type { ServerSpec } from "../../src/model/spec.ts";
import { SweptFolder } from "../rig/secret-scan.ts";
import { factsOf, generatedServers, seedOf } from "../rig/units.ts";

/** Why property lists cannot be read back here; undefined when they can. Under CI they have to be. */
function whyNoReaders(): string | undefined {
  try {
    for (const program of ["plistutil", "python3"])
      execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" });
    return undefined;
  } catch {
    const why = "plistutil or python3 is not installed (Debian: libplist-utils, python3)";
    if (process.env.CI) throw new Error(`cannot test property lists: ${why}`);
    console.warn(`SKIPPED, no property list is read back: ${why}`);
    return why;
  }
}

/** Prints every property list of a folder, in order of names, as one JSON document. */
const READ_ALL = `
import json, os, plistlib, sys
folder = sys.argv[1]
print(json.dumps([plistlib.load(open(os.path.join(folder, name), "rb")) for name in sorted(os.listdir(folder))]))
`;

describe.skipIf(whyNoReaders() !== undefined)("property lists for launchd, which is not here", () => {
  let home: SweptFolder;
  let root: string;
  beforeEach(() => {
    home = new SweptFolder();
    root = home.path;
    for (const folder of ["xml", "binary"]) mkdirSync(join(root, folder));
  });
  afterEach(() => home.remove());

  it("read back as they were declared, by two programs that are not ours", async () => {
    const seed = seedOf("servers for launchd");
    const specs = generatedServers("launchd", "/opt", 300, seed)
      .map(({ spec }) => spec)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const secretsFile = { secretsFile: "/s & <s>.env" };
    const facts = (spec: ServerSpec) =>
      factsOf(spec, { installed: { enabled: true, ...(secretNames(spec).length > 0 ? secretsFile : {}) } });
    for (const spec of specs) {
      const [xml, binary] = ["xml", "binary"].map((folder) =>
        join(root, folder, launchdUnits.fileName(spec)),
      );
      writeFileSync(xml as string, await launchdUnits.render(facts(spec)));
      execFileSync("plistutil", ["-i", xml as string, "-o", binary as string]);
      expect(
        readFileSync(binary as string)
          .subarray(0, 6)
          .toString(),
      ).toBe("bplist");
    }
    for (const folder of ["xml", "binary"]) {
      const lists = JSON.parse(
        execFileSync("python3", ["-c", READ_ALL, join(root, folder)], {
          encoding: "utf8",
          maxBuffer: 2 ** 30,
        }),
      );
      for (const [i, spec] of specs.entries()) {
        const log = `/home/me/Library/Logs/xy.p.${spec.name}.log`;
        const hidden = secretNames(spec);
        const env = Object.entries(spec.env).filter(([name]) => !hidden.includes(name));
        const words = wordsBehindSecrets(facts(spec));
        expect(lists[i], `XY_TEST_SEED=${seed}: ${spec.name}, ${folder}`).toEqual({
          Label: `xy.p.${spec.name}`,
          ProgramArguments: words,
          WorkingDirectory: spec.workingDir,
          EnvironmentVariables: Object.fromEntries(env),
          Umask: spec.umask,
          SoftResourceLimits: { NumberOfFiles: spec.limits.openFiles },
          StandardOutPath: log,
          StandardErrorPath: log,
          ExitTimeOut: 10,
          RunAtLoad: true,
          ProcessType: "Interactive",
          XyProject: "p",
          XyServer: spec.name,
          XySpec: expect.stringMatching(/^[0-9a-f]{64}$/),
        });
      }
    }
  });
});
