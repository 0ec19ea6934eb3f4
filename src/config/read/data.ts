import { extname } from "node:path";
import { problemAt } from "../check/keys.ts";
import type { Reading } from "../place.ts";
import { ENOUGH_PROBLEMS } from "../problems.ts";
import type { ObjectShape } from "./shape.ts";

export const DATA_EXTENSIONS = [".kdl", ".yaml", ".yml", ".json"];

/** The text of a data file, and the shape that it is read by: what one thread asks another to read. */
export interface DataRequest {
  readonly file: string;
  readonly text: string;
  readonly shape: ObjectShape;
}

/** Reads data by the file's extension. Lists {@link ENOUGH_PROBLEMS} at most. */
export async function readData(request: DataRequest): Promise<Reading> {
  const { file } = request;
  try {
    const reading = await read(request);
    return { ...reading, problems: reading.problems.slice(0, ENOUGH_PROBLEMS) };
  } catch (error) {
    // Parsers recurse, and spread long lists into arguments, until the stack is full.
    if (!(error instanceof RangeError)) throw error;
    return {
      problems: [problemAt({ file }, "cannot read this file: it is too complex; simplify it")],
    };
  }
}

async function read({ file, text, shape }: DataRequest): Promise<Reading> {
  const extension = extname(file);
  if (extension === ".kdl") return (await import("./kdl.ts")).readKdl(file, text, shape);
  const { readJson, readYaml } = await import("./yaml.ts");
  return extension === ".json" ? readJson(file, text, shape) : readYaml(file, text, shape);
}
