// Build. In: css/, js/, beacon/ and node_modules. Out: a folder of hashed, packed files and manifest.json, which names
// them, and a folder with the collector's footlights.js, packed.
// Usage: node build.mjs OUTPUT_FOLDER BEACON_FOLDER

import { createHash } from "node:crypto";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import { world } from "./world.mjs";

const [output, beacon] = process.argv.slice(2);

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

await pack(output);
await writeFile(join(output, "manifest.json"), JSON.stringify(manifest, null, 2));

// On other people's pages: a script of its own, for older browsers too, under a name that stays.
await esbuild.build({
  entryPoints: ["beacon/footlights.js"],
  outdir: beacon,
  bundle: true,
  format: "iife",
  target: ["es2020", "chrome87", "firefox78", "safari14.1"],
  minify: true,
  logLevel: "warning",
});
await pack(beacon);

/** Leaves a packed copy beside every file of a folder. */
async function pack(folder) {
  for (const name of await readdir(folder)) {
    const plain = await readFile(join(folder, name));
    const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
    await writeFile(join(folder, `${name}.br`), brotliCompressSync(plain, quality));
    await writeFile(join(folder, `${name}.gz`), gzipSync(plain, { level: 9 }));
  }
}

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
