import { describe, expect, test } from "vitest";
import { renamed, settlePlaces, withNames, withPlacesOf } from "../../../src/model/former.ts";
import { serverSpec } from "../../rig/spec.ts";

const FORMER = [{ from: "/store/1", to: "/conf" }];
const specIn = (root: string, more: Parameters<typeof serverSpec>[3] = {}) =>
  serverSpec("web", `${root}/bin/run`, ["/store/1/data"], {
    command: "./bin/run",
    workingDir: root,
    env: {
      PATH: `${root}/bin:/usr/bin`,
      DATA: "/store/1/data",
      TOKEN: { secret: { file: `${root}/token` }, hmac: "1" },
      MORE: { secret: { envFile: `${root}/more.env`, name: "MORE" }, hmac: "2" },
      OP: { secret: { command: "cat /store/1/token" }, hmac: "3" },
    },
    ...more,
  });

describe("a path by today's names", () => {
  test("is another where it is below a former one, and only there", () => {
    expect(renamed("/store/1", FORMER)).toBe("/conf");
    expect(renamed("/store/1/a", FORMER)).toBe("/conf/a");
    expect(renamed("/store/10/a", FORMER)).toBe("/store/10/a");
    expect(renamed("/a/store/1", FORMER)).toBe("/a/store/1");
    expect(
      renamed("/a", [
        { from: "/a", to: "/b" },
        { from: "/b", to: "/c" },
      ]),
    ).toBe("/c");
  });
});

describe("a spec that was recorded with former names", () => {
  test("settles every place of one that is declared with today's, and nothing else", () => {
    const [then, now] = [specIn("/store/1"), specIn("/conf")];
    expect(settlePlaces(now, then, FORMER)).toEqual(then);
    expect(settlePlaces(now, then, [])).toEqual(now);
    expect(withPlacesOf(settlePlaces(now, then, FORMER), now)).toEqual(now);
    // What a person wrote with such a path is what they wrote.
    expect(withNames(then, FORMER)).toEqual(now);
  });

  test("still differs where the place is another", () => {
    const then = specIn("/store/1");
    const now = specIn("/conf", { workingDir: "/conf/sub" });
    expect(settlePlaces(now, then, FORMER)).toMatchObject({ program: then.program, workingDir: "/conf/sub" });
    // An absolute path that was written so is not taken for another name of it.
    const written = specIn("/conf", { workingDir: "/store/1" });
    expect(settlePlaces(written, written, FORMER)).toEqual(written);
  });

  test("has programs of probes, and no more of those than their place", () => {
    const probe = (root: string, timeout: number) => ({
      ...{ type: "command" as const, command: "./look", program: `${root}/look`, args: [] as string[] },
      ...{ interval: 1, timeout, startPeriod: 1, failureThreshold: 1, successThreshold: 1 },
    });
    const then = specIn("/store/1", { readiness: probe("/store/1", 1) });
    const now = specIn("/conf", { readiness: probe("/conf", 2) });
    expect(settlePlaces(now, then, FORMER).readiness).toEqual(probe("/store/1", 2));
  });
});
