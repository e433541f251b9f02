// Tells a story with @rudderstack/rudder-sdk-node. In: {address, key, calls} on standard input.
import { readFileSync } from "node:fs";
import RudderAnalytics from "@rudderstack/rudder-sdk-node";

const { address, key, calls } = JSON.parse(readFileSync(0, "utf8"));
const analytics = new RudderAnalytics(key, { dataPlaneUrl: address, flushAt: 100, flushInterval: 100, logLevel: "error" });
for (const { viewer, event, at_ms, properties } of calls) {
  analytics.track({ userId: viewer, event, properties, originalTimestamp: new Date(at_ms) });
}
await new Promise((done) => analytics.flush(done));
