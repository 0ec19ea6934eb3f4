import type { Diagnostic } from "../../model/diagnostic.ts";
import { isObject } from "../../model/object.ts";
import type { FilledRoot } from "../../model/server.ts";
import { isReadable, isRemote, targetOf, urlFault } from "../../model/target.ts";
import { withoutUndefined } from "../../model/without-undefined.ts";
import { problemAt } from "../check/keys.ts";
import type { PathFacts } from "../check/placeholders.ts";
import type { DeclaredBackends, DeclaredServer } from "../declared.ts";
import { expandPath, realOf } from "../paths.ts";
import { formatPlace, placeOf, sourceFolder } from "../place.ts";
import type { Scope } from "./scope.ts";

type SupervisordInput = Partial<NonNullable<FilledRoot["supervisord"]>>;

/** Reads the backend settings of a root. The schema reports values of the wrong form; they are left out here. */
export function mergeBackends(
  scopes: readonly Pick<Scope, "settings" | "saidBy">[],
  servers: readonly DeclaredServer[],
  machine: PathFacts,
): { backends: DeclaredBackends; problems: Diagnostic[] } {
  const [{ settings = {}, saidBy = () => undefined } = {}, ...more] = scopes.filter((scope) =>
    isObject(scope.settings.supervisord),
  );
  const written = isObject(settings.supervisord) ? (settings.supervisord as SupervisordInput) : {};
  const { url = "http://localhost:9001/RPC2", user, password, includeDir } = written;
  const problems: Diagnostic[] = [];
  const source = (key: keyof SupervisordInput) => saidBy(["supervisord", key]) ?? saidBy(["supervisord"]);
  const at = (key: keyof SupervisordInput) => {
    const said = source(key);
    return said ? placeOf(said, ["supervisord", key]) : {};
  };
  const folder = (key: keyof SupervisordInput) => {
    const said = source(key);
    return said ? sourceFolder(said) : "/";
  };
  for (const scope of more) {
    const message = `cannot set up supervisord twice: it is already set up at ${formatPlace(at("url"))}; keep one of them`;
    const said = scope.saidBy(["supervisord"]);
    if (said) problems.push(problemAt(placeOf(said, ["supervisord"]), message));
  }
  if (password !== undefined && user === undefined) {
    const message = "cannot use a password without a user: set the user name that supervisord expects too";
    problems.push(problemAt(at("password"), message));
  }
  if (typeof url === "string") problems.push(...targetProblems(written, url, at("url")));
  const supervisord = isObject(settings.supervisord) && {
    url,
    ...withoutUndefined({
      user,
      password,
      includeDir:
        typeof includeDir === "string" ? unitFolder(includeDir, folder("includeDir"), machine) : undefined,
    }),
    passwordAt: { place: at("password"), folder: folder("password") },
  };
  const backends = supervisord ? { supervisord } : {};
  if (typeof includeDir === "string") return { backends, problems };
  const message =
    "cannot use supervisord without a folder for its units: in xy.config, set supervisord's include-dir to the folder that its [include] section names";
  const needing = servers.filter(({ input }) => input.backend === "supervisord");
  const lacking = needing.map(
    (server): Diagnostic => ({
      severity: "error",
      message,
      server: server.name,
      ...server.place(["backend"]),
    }),
  );
  return { backends, problems: [...problems, ...lacking] };
}

/** Where a unit's file was written it is: under another name it would look like another file, and be moved. */
function unitFolder(written: string, folder: string, machine: PathFacts): string {
  return expandPath(written, realOf(folder) ?? folder, machine);
}

/** Problems with where credentials are sent. Messages never show the part of a URL that may hold credentials. */
function targetProblems(
  { password, allowRemote }: SupervisordInput,
  url: string,
  place: Parameters<typeof problemAt>[0],
): Diagnostic[] {
  const at = (message: string) => problemAt(place, message);
  // The schema reports any other form.
  if (!/^https?:/.test(url)) return [];
  const fault = urlFault(url);
  if (fault === "no-url") return [at(NO_URL)];
  if (fault === "credentials") return [at(CREDENTIALS)];
  if (!isRemote(url)) return [];
  const target = targetOf(url);
  if (allowRemote !== true)
    return [
      at(
        `cannot use ${target}: it leads to another machine, and credentials would be sent there; use a host such as localhost, or allow it with allow-remote #true (allowRemote: true)`,
      ),
    ];
  if (password === undefined || !isReadable(url)) return [];
  const message = `supervisord's password is sent to ${target} unencrypted: anyone on the network path can read it; use https`;
  return [{ ...at(message), severity: "warning" }];
}

const NO_URL = 'cannot read this as a URL: write one such as "http://localhost:9001/RPC2"';
const CREDENTIALS =
  "cannot use a URL with a user or password in it: set user and password as settings of their own, beside url";
