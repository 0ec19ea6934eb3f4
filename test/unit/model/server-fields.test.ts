import { describe, expect, it } from "vitest";
import type { Launched } from "../../../src/agent/runs/keeper.ts";
import { BACKENDS } from "../../../src/model/backends.ts";
import {
  knownOnly,
  specHash,
  startFields,
  startHash,
  unknownFields,
  withoutDefaults,
} from "../../../src/model/canonical.ts";
import { SERVER_FIELDS } from "../../../src/model/server-fields.ts";
import { type ServerSpec, serverSpec } from "../../../src/model/spec.ts";
import { serverSpec as aServer, readyOn } from "../../rig/spec.ts";

const web = aServer("web", "/bin/x", ["a"]);
const stored = (changes: object) => JSON.parse(JSON.stringify({ ...web, ...changes }));

describe("what a process has from its start", () => {
  // Of what a keeper is given, two name the server, and restart settings change no process: only a bridge has them at all.
  const given: Record<Exclude<keyof Launched, "project" | "name" | "restart">, true> = {
    program: true,
    args: true,
    env: true,
    workingDir: true,
    umask: true,
    limits: true,
    port: true,
    host: true,
    mcp: true,
  };
  it("is all that the agent starts it with", () => {
    expect([...startFields("agent")].sort()).toEqual(Object.keys(given).sort());
  });

  /** Other values of a field, of which one at least has to be another start. */
  const OTHERS: Partial<Record<keyof ServerSpec, readonly unknown[]>> = {
    program: ["/bin/y"],
    args: [["b"]],
    port: [8080],
    host: ["::1"],
    env: [{ PATH: "/bin" }, { A: { secret: { env: "A" }, hmac: "ff" } }],
    workingDir: ["/tmp"],
    umask: [0o77],
    limits: [{ openFiles: 99 }],
    mcp: [{ path: "/mcp", transport: "stdio" }],
    class: ["system"],
    restart: [{ ...web.restart, policy: "always" }],
    stop: [{ ...web.stop, grace: 1000 }],
    logs: [{ maxSize: 1024, keep: 1 }],
  };
  const cases = BACKENDS.flatMap((backend) => startFields(backend).map((field) => [field, backend] as const));
  it.each(cases)("%s is part of the hash under %s", (field, backend) => {
    const spec = { ...web, backend };
    for (const value of OTHERS[field as keyof ServerSpec] ?? [undefined])
      expect(startHash({ ...spec, [field]: value }), `${field}: say another value of it here`).not.toBe(
        startHash(spec),
      );
  });

  it.each(Object.keys(SERVER_FIELDS))("%s is in the hash only where a row says so", (field) => {
    const spec = { ...web, [field]: "something else" };
    for (const backend of BACKENDS) {
      if (startFields(backend).includes(field)) continue;
      if (field !== "backend") expect(startHash({ ...spec, backend })).toBe(startHash({ ...web, backend }));
    }
  });

  // Made by the release before there was a table: to change one is to restart every server at the next update.
  it.each([
    [
      "agent",
      "dc9727eb7c1691b5c9f720bb06b5f41f76dcf62e983832a7962c3ecf10f68ff5",
      "2cacd7da5ef01de5ae5a5d6bfdf1f077e40500f5f40428281ad122bfb41fd5a0",
    ],
    [
      "systemd",
      "812b608f51e355f40176b55bff11c8b541dba1ce133f80dd1d9b8deee380016e",
      "d9021a1d3906aeba2f6c2c9bd82b7ee161ce53eabdbf6f3cc0f65036f3d0c0d2",
    ],
    [
      "launchd",
      "ff75cc6675f960561c6747179de34fc3f3f894d067e0fa2589df1f33df178768",
      "0eaf5246010517c1b42409d2c2f76c0b7190260a78773d577e61659a7c000a59",
    ],
    [
      "supervisord",
      "3535844fdeca54f5fe6b18a059944617d70e1663c75699028edde96b82be165e",
      "28336ed66cde6bca9db31126fb3e0936a4339bb42108409b2f4911f764d37243",
    ],
  ] as const)("has the hashes that it always had, under %s", (backend, start, whole) => {
    const spec = { ...web, backend };
    expect(startHash(spec)).toBe(start);
    expect(specHash(spec)).toBe(whole);
  });
});

describe("a record of another version", () => {
  it("has defaults where it says nothing", () => {
    const { umask: _, tags: __, restart, ...rest } = stored({});
    const { resetAfter: ___, ...older } = restart;
    expect(serverSpec.parse({ ...rest, restart: older })).toEqual({
      ...web,
      umask: 0o22,
      tags: [],
      restart: { ...web.restart, resetAfter: 10_000 },
    });
  });

  it("keeps what is not known here, and has it named", () => {
    const readiness = { ...readyOn("up"), owner: "any" };
    const newer = stored({
      nice: 5,
      empty: [],
      readiness,
      stop: { ...web.stop, descendants: "all", patience: "all" },
    });
    const read = serverSpec.parse(newer);
    expect(read).toEqual(newer);
    expect(withoutDefaults(read)).toEqual(newer);
    expect(unknownFields(read)).toEqual(["stop.patience", "nice"]);
    expect(knownOnly(read)).toEqual({ ...web, readiness, stop: { ...web.stop, descendants: "all" } });
    expect(unknownFields(web)).toEqual([]);
  });

  it("is read though a value would be refused today", () => {
    const readiness = readyOn("(?<a");
    expect(serverSpec.parse(stored({ readiness })).readiness).toEqual(readiness);
  });

  it("is unreadable without what nobody can guess, or with something else in its place", () => {
    const { program: _, ...without } = stored({});
    expect(serverSpec.safeParse(without).success).toBe(false);
    expect(serverSpec.safeParse(stored({ restart: "often" })).success).toBe(false);
  });
});
