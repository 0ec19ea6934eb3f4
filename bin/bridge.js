// A bridge without the rest of xy, which is copied as it is to where the agent runs.
import { runBridge } from "../dist/bridge.js";

process.exit(await runBridge(process.argv.slice(2)));
