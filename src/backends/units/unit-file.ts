import * as fs from "node:fs";
import { isCode } from "../../system/files.ts";
import type { UnitFormat } from "../render/unit.ts";

/** What is where a unit's file belongs, as it was when it was looked at. */
export class UnitFile {
  readonly path: string;
  /** `linked`: a link, as masking makes it. `foreign`: xy has not written it. */
  readonly is: "missing" | "linked" | "foreign" | "ours";
  /** Of a file, and of what a link leads to; undefined when there is none. */
  readonly text: string | undefined;
  /** Where it leads to, when it is a link. */
  readonly link: string | undefined;
  /** Unix ms at which it was last changed, which nobody can set; undefined when it is missing. */
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
    // One that leads nowhere, or to nothing, is no work of anybody's.
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

/** Larger files are none of ours, nor what is no file: a pipe would have its reader wait. */
const LONGEST_UNIT = 16 << 20;

function textOf(path: string): string | undefined {
  try {
    const stat = fs.statSync(path);
    return stat.isFile() && stat.size <= LONGEST_UNIT ? fs.readFileSync(path, "utf8") : undefined;
  } catch {
    return undefined;
  }
}
