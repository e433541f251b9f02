// openid-client. In: what to ask for, as JSON. Out: the address for the browser, a line; then, once the address that it
// came back to is typed in, what the API answered. A key of its own signs every request (DPoP).
import { createInterface } from "node:readline/promises";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.cwd()}/`);
const client = await import(pathToFileURL(require.resolve("openid-client")).href);

const asked = JSON.parse(process.argv[2]);
const config = await client.discovery(
  new URL(asked.site), asked.client_id, asked.client_secret ?? undefined,
  asked.client_secret ? client.ClientSecretBasic(asked.client_secret) : client.None(),
  { algorithm: "oauth2", execute: [client.allowInsecureRequests] },
);
const key = await client.randomDPoPKeyPair("ES256");
const DPoP = client.getDPoPHandle(config, key);
const verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const parameters = {
  redirect_uri: asked.redirect_uri, scope: asked.scope, state, code_challenge_method: "S256",
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
};
const address = asked.pushed
  ? await client.buildAuthorizationUrlWithPAR(config, parameters, { DPoP })
  : client.buildAuthorizationUrl(config, parameters);
console.log(address.href);

const lines = createInterface({ input: process.stdin });
const back = new URL((await lines[Symbol.asyncIterator]().next()).value);
const checks = { pkceCodeVerifier: verifier, expectedState: state };
const tokens = await client.authorizationCodeGrant(config, back, checks, undefined, { DPoP });
const videos = new URL("/api/v1/creators/ada/videos", asked.site);
const read = (token) => client.fetchProtectedResource(config, token, videos, "GET", undefined, undefined, { DPoP });
const found = (await (await read(tokens.access_token)).json()).found;
const stolen = await fetch(videos, { headers: { Authorization: `Bearer ${tokens.access_token}` } });
const again = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
const after = (await (await read(again.access_token)).json()).found;
await client.tokenRevocation(config, again.refresh_token);
const gone = await read(again.access_token).then((answer) => answer.status, (error) => error.cause?.[0] ? error.status : error.status);
console.log(JSON.stringify({
  token_type: tokens.token_type, found, after_refresh: after, stolen: stolen.status, after_revocation: gone,
}));
process.exit(0);
