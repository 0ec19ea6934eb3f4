import { BACKENDS } from "../../model/backends.ts";
import { isObject } from "../../model/object.ts";
import { CLASSES } from "../../model/spec-parts.ts";
import type { RootFile } from "../find/root-file.ts";
import type { KeyPath, Source } from "../place.ts";
import { blocksFor, type Layer, merged, plain, saidBy } from "./layers.ts";
import { asWhen, type Matched, type Whens } from "./when.ts";

/** What a file of the form of a root says on one machine of the servers that it declares. */
export interface Scope {
  /** All of them must match, or it declares nothing. */
  readonly whens: Whens;
  /** Defaults, those that count most last. */
  readonly defaults: readonly Layer[];
  readonly backend: (typeof BACKENDS)[number];
  /** The `class` of servers under systemd. */
  readonly systemd: "user" | "system";
  /** Its own settings of the project, and where each of them stands. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly saidBy: (path: KeyPath) => Source | undefined;
}

const NOTHING: Scope = {
  whens: [],
  defaults: [],
  backend: "agent",
  systemd: "user",
  settings: {},
  saidBy: () => undefined,
};

/** The schema reports values of the wrong form; here they count as absent. */
export function scopeOf(file: RootFile | undefined, machine: Matched): Scope {
  if (file === undefined) return NOTHING;
  const outer = scopeOf(file.parent, machine);
  const own: Layer = { value: file.value, source: file.source };
  const layers = [{ ...own, value: plain(file.value) }, ...blocksFor(own, machine)];
  const settings = merged(layers);
  const { systemd } = settings;
  const first: Layer[] = isObject(file.value.defaults)
    ? [{ value: file.value.defaults, source: { ...file.source, at: [...file.source.at, "defaults"] } }]
    : [];
  return {
    whens: [...outer.whens, asWhen(file.value.when)],
    defaults: [...outer.defaults, ...first, ...blocksFor(own, machine, "defaults")],
    backend: BACKENDS.find((known) => known === settings.backend) ?? outer.backend,
    systemd:
      isObject(systemd) && CLASSES.some((one) => one === systemd.scope)
        ? (systemd.scope as Scope["systemd"])
        : outer.systemd,
    settings,
    saidBy: (path) => saidBy(layers, path),
  };
}
