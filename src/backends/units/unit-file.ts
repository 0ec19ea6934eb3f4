import * as fs from "node:fs";
import { isCode } from "../../system/files.ts";
import type { UnitFormat } from "../render/unit.ts";

/** What is at a unit file's path, as it was when this was made. */
export class UnitFile {
  readonly path: string;
  /** `linked`: a link, as for a masked unit. `foreign`: xy did not write it. */
  readonly is: "missing" | "linked" | "foreign" | "ours";
  /** The text of the file, or of what a link leads to; undefined if there is none. */
  readonly text: string | undefined;
  /** Where it leads, if it is a link. */
  readonly link: string | undefined;
  /** Unix ms of its change time, which cannot be forged; undefined if it is missing. */
  readonly changedAt: number | undefined;

  constructor(path: string, format: Pick<UnitFormat, "isOurs">) {
    this.path = path;
    const stat = statOf(path);
    this.text = stat === undefined ? undefined : textOf(path);
    this.link = stat?.isSymbolicLink() ? fs.readlinkSync(path) : undefined;
    this.changedAt = stat?.ctimeMs;
    if (stat === undefined) this.is = "missing";
    else if (this.text !== undefined && format.isOurs(this.text))
      this.is = stat.isSymbolicLink() ? "linked" : "ours";
    // A link that leads nowhere, or to an empty file, contains nobody's work.
    else this.is = stat.isSymbolicLink() && !this.text ? "linked" : "foreign";
  }
}

function statOf(path: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(path);
  } catch (error) {
    if (isCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

/** Larger files are not ours, nor is anything but a file: reading a pipe would block. */
const LONGEST_UNIT = 16 << 20;

function textOf(path: string): string | undefined {
  try {
    const stat = fs.statSync(path);
    return stat.isFile() && stat.size <= LONGEST_UNIT ? fs.readFileSync(path, "utf8") : undefined;
  } catch {
    return undefined;
  }
}
