// Build. In: css/, js/ and node_modules. Out: a folder of hashed, packed files and manifest.json, which names them.
// Usage: node build.mjs OUTPUT_FOLDER

import { createHash } from "node:crypto";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import { world } from "./world.mjs";

const output = process.argv[2];

const result = await esbuild.build({
  entryPoints: ["js/app.js", "css/app.css"],
  outdir: output,
  bundle: true,
  splitting: true,
  format: "esm",
  target: ["es2022", "chrome111", "firefox115", "safari16.4"],
  minify: true,
  legalComments: "none", // licences.txt has them whole
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  metafile: true,
  logLevel: "warning",
});

const manifest = {};
for (const [file, { entryPoint }] of Object.entries(result.metafile.outputs)) {
  if (entryPoint) manifest[basename(entryPoint)] = basename(file);
}

await write("mark.svg", await readFile("mark.svg"));
await write("world.svg", world());

manifest["licences.txt"] = "licences.txt";
await writeFile(join(output, "licences.txt"), await licences());

for (const name of await readdir(output)) {
  const plain = await readFile(join(output, name));
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
  await writeFile(join(output, `${name}.br`), brotliCompressSync(plain, quality));
  await writeFile(join(output, `${name}.gz`), gzipSync(plain, { level: 9 }));
}
await writeFile(join(output, "manifest.json"), JSON.stringify(manifest, null, 2));

/** Write a file under a name that holds a hash of what is in it. */
async function write(name, content) {
  const digest = createHash("sha256").update(content).digest("hex").slice(0, 8);
  manifest[name] = `${basename(name, extname(name))}-${digest}${extname(name)}`;
  await writeFile(join(output, manifest[name]), content);
}

/** The licences and notices of everything that ended up in a bundle. */
async function licences() {
  const packages = new Set(["world-atlas"]); // the map is made of it
  for (const input of Object.keys(result.metafile.inputs)) {
    const found = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input);
    if (found) packages.add(found[1]);
  }
  const texts = [];
  for (const name of [...packages].sort()) {
    const folder = join("node_modules", name);
    const about = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    texts.push(`==== ${name} ${about.version} (${about.license})`);
    for (const file of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const named = /^(licen[cs]e|notice)/i.test(file.name) && ["", ".md", ".txt"].includes(extname(file.name));
      const ours = file.parentPath === folder || basename(file.parentPath) === "licenses";
      if (file.isFile() && named && ours) texts.push(await readFile(join(file.parentPath, file.name), "utf8"));
    }
  }
  return texts.join("\n\n");
}
