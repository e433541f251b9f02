// Tells a story with @segment/analytics-node. In: {address, key, calls} on standard input.
import { readFileSync } from "node:fs";
import { Analytics } from "@segment/analytics-node";

const { address, key, calls } = JSON.parse(readFileSync(0, "utf8"));
const analytics = new Analytics({ writeKey: key, host: address, maxEventsInBatch: 100, flushInterval: 100 });
analytics.on("error", (error) => console.error(error));
for (const { viewer, event, at_ms, properties } of calls) {
  analytics.track({ userId: viewer, event, properties, timestamp: new Date(at_ms) });
}
await analytics.closeAndFlush({ timeout: 30_000 });
