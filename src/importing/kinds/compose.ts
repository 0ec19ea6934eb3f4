import { fitName } from "../../model/name.ts";
import { isObject } from "../../model/object.ts";
import type { Draft, Other } from "../draft.ts";
import { Drafting } from "../drafting.ts";
import type { Piece } from "../part.ts";
import type { Kind, Origin } from "./kind.ts";

/** Docker Compose: a container stays one. xy runs `docker compose up` for it, which reads everything else itself. */
export const compose: Kind = {
  id: "compose",
  what: "a docker compose file",
  format: "yaml",
  fits: (name, value) =>
    isObject(value) &&
    isObject(value.services) &&
    (/compose/i.test(name) ||
      Object.values(value.services).some(
        (one) =>
          isObject(one) && ["image", "build", "ports", "volumes", "environment"].some((key) => key in one),
      )),
  read: (top, origin) => {
    const drafts: Draft[] = [];
    const others: Other[] = [];
    const services = top.at("services")?.parts ?? [];
    for (const service of services) {
      if (service.at("image") || service.at("build")) drafts.push(readService(service, origin));
      else {
        others.push({
          name: service.name,
          line: service.line,
          path: service.path,
          why: "it has neither an image nor a build",
        });
        service.lose("it has neither an image nor a build");
      }
    }
    // Volumes, networks and the like are what docker compose reads from its file.
    for (const piece of top.parts) if (piece.name !== "services") piece.take();
    return { drafts, others };
  },
  reason: () => "docker compose reads it",
};

function readService(service: Piece, { file, folder }: Origin): Draft {
  const drafting = new Drafting(service.name, service.line, "compose");
  const { fields } = drafting;
  fields.command = "docker";
  fields.args = [
    "compose",
    "--file",
    drafting.path(file).replace(/^~/, "{home}"),
    "up",
    "--no-deps",
    service.name,
  ];
  fields.workingDir = drafting.path(folder);
  drafting.remark("A container: docker compose reads everything else from its file.");
  const ports = (service.at("ports")?.parts ?? []).flatMap((port) => hostPort(port.value) ?? []);
  const [port] = ports;
  if (port === undefined) {
    fields.port = "none";
    fields.readiness = "none";
  } else {
    fields.port = port;
    // docker listens in its place.
    fields.readiness = { type: "tcp", owner: "any" };
    if (ports.length > 1) drafting.remark(`It has more ports than one: ${ports.join(", ")}.`);
  }
  const depends = service.at("depends_on");
  const names = depends?.isMap
    ? depends.parts.map(({ name }) => name)
    : (depends?.parts ?? []).map(({ value }) => String(value));
  if (names.length > 0)
    fields.dependsOn = names.map((name) => {
      const said = depends?.isMap ? depends.at(name)?.at("condition")?.value : undefined;
      const condition =
        said === "service_healthy"
          ? "ready"
          : said === "service_completed_successfully"
            ? "completed"
            : "started";
      return { server: fitName(name), condition };
    });
  fields.restart = { policy: "on-failure" };
  service.take();
  return drafting.end();
}

/** The port on this machine of `8080:80`, `127.0.0.1:8080:80/tcp` or a block. */
function hostPort(value: unknown): number | undefined {
  if (isObject(value)) return valid(Number(value.published));
  const [, published] = /^(?:[^:]*:)??(\d+):\d+(?:\/\w+)?$/.exec(String(value)) ?? [];
  return published === undefined ? undefined : valid(Number(published));
}

const valid = (port: number) => (Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : undefined);
