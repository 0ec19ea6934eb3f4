import * as fs from "node:fs";
import { makeWayForPlainFile, readText, setAside } from "../../system/files.ts";

/** The ids of jobs: each is given once, also by later agents. */
export class JobIds {
  readonly #path: string;
  readonly #report: (message: string) => void;
  #next: number;

  /** `newest`: the highest id that any job has, in case the counter cannot be read. */
  constructor(path: string, report: (message: string) => void, newest: () => number) {
    this.#path = path;
    this.#report = report;
    this.#next = this.#read() ?? newest() + 1;
  }

  /** What the next job gets. */
  get next(): number {
    return this.#next;
  }

  /** Throws, with no id given, if the counter cannot be written. */
  take(): number {
    const id = this.#next;
    this.#write(id + 1);
    return id;
  }

  /** Overwritten in place: a number that never gets shorter, in one write of a few bytes, is there whole or not at all. */
  #write(next: number): void {
    const { O_WRONLY, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
    this.#makeWay();
    const fd = fs.openSync(this.#path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
    try {
      fs.writeSync(fd, `${next}\n`, 0);
    } finally {
      fs.closeSync(fd);
    }
    this.#next = next;
  }

  #read(): number | undefined {
    this.#makeWay();
    const text = readText(this.#path);
    if (text === undefined) return undefined;
    if (/^[1-9]\d{0,14}\n$/.test(text)) return Number(text);
    this.#report(`${setAside(this.#path, Date.now())}: it was not a number`);
    return undefined;
  }

  #makeWay(): void {
    if (makeWayForPlainFile(this.#path)) this.#report(`${this.#path} was not a file, and is set aside`);
  }
}
