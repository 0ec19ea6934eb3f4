import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

export interface RegistryPackage {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  /** Run by the package's own name. */
  readonly program?: string;
}

/** A registry of npm on loopback that takes its time for each tarball, as one does on a bad line. */
export async function openRegistry(folder: string, packages: readonly RegistryPackage[], delayMs: number) {
  const server = createServer((request, response) => {
    const [name = "", file] = (request.url ?? "/").slice(1).split("/-/");
    const found = packages.find((one) => one.name === name);
    if (found === undefined) {
      response.writeHead(404).end("{}");
    } else if (file === undefined) {
      const { port } = server.address() as AddressInfo;
      response.end(JSON.stringify(packument(found, `http://127.0.0.1:${port}/${name}/-/${name}-1.0.0.tgz`)));
    } else {
      void delay(delayMs).then(() => response.end(readFileSync(join(folder, `${name}.tgz`))));
    }
  });
  for (const one of packages) pack(folder, one);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, close: () => server.close() };
}

const manifest = ({ name, dependencies = {}, program }: RegistryPackage) => ({
  name,
  version: "1.0.0",
  dependencies,
  ...(program === undefined ? {} : { bin: { [name]: "program.cjs" } }),
});

function packument(one: RegistryPackage, tarball: string) {
  const { name } = one;
  const versions = { "1.0.0": { ...manifest(one), dist: { tarball } } };
  return { name, "dist-tags": { latest: "1.0.0" }, versions };
}

function pack(folder: string, one: RegistryPackage): void {
  const content = join(folder, one.name, "package");
  mkdirSync(content, { recursive: true });
  writeFileSync(join(content, "package.json"), JSON.stringify(manifest(one)));
  writeFileSync(join(content, "index.js"), "");
  if (one.program !== undefined)
    writeFileSync(join(content, "program.cjs"), `#!/usr/bin/env node\n${one.program}`, { mode: 0o755 });
  execFileSync("tar", ["-czf", join(folder, `${one.name}.tgz`), "-C", join(folder, one.name), "package"]);
}
