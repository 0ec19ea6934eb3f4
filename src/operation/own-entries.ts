import type { KeyPath } from "../config/place.ts";
import type { Origin } from "../importing/kinds/kind.ts";
import { clientUrl } from "../model/mcp-url.ts";
import { isFolder } from "../system/files.ts";
import { clientsDir } from "../system/paths.ts";
import { recordedProjects } from "../system/projects.ts";
import { latestGeneration } from "./generations.ts";

/** Whose a client's entry is, if it is xy's: by the record of the file, or by its address. */
export async function ownEntriesIn(
  state: string,
  file: string,
): Promise<Pick<Origin, "ownerOf" | "ownerAt">> {
  let addresses: ReadonlyMap<string, string> | undefined;
  const ownerAt = (url: string) => {
    addresses ??= addressesOf(state);
    return addresses.get(url.replace("//localhost:", "//127.0.0.1:"));
  };
  if (!isFolder(clientsDir(state))) return { ownerAt };
  const [{ readFileRecord }, { rowOf }, { ownOf }] = await Promise.all([
    import("../clients/records.ts"),
    import("../clients/look.ts"),
    import("../clients/owned.ts"),
  ]);
  const record = readFileRecord(state, file);
  if (record === undefined) return { ownerAt };
  const { shapes } = rowOf(record.client);
  const isPlace = (path: KeyPath) => shapes.some((shape) => shape.path.join("\0") === path.join("\0"));
  return {
    ownerAt,
    ownerOf: (path, name, value) => {
      const own = isPlace(path) ? ownOf(record, name, value as never) : undefined;
      return own && `${own.project}/${own.server}`;
    },
  };
}

/** The addresses at which servers of any project were last applied, and whose they are. */
function addressesOf(state: string): ReadonlyMap<string, string> {
  const all = recordedProjects(state).flatMap((project) =>
    (latestGeneration(state, project)?.servers ?? []).flatMap((spec) => {
      const url = clientUrl(spec);
      return url === undefined ? [] : [[url, `${project}/${spec.name}`] as const];
    }),
  );
  return new Map(all);
}
