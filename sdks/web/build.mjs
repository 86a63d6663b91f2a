// Two files from one source: a module for bundlers, and a script for pages without one.
import { build } from 'esbuild'
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

export const MAX_GZIPPED = 5 * 1024

const common = { bundle: true, minify: true, target: 'es2020', legalComments: 'none' }
await build({ ...common, entryPoints: ['src/index.ts'], format: 'esm', outfile: 'dist/footfall.mjs' })
await build({ ...common, entryPoints: ['src/script.ts'], format: 'iife', outfile: 'dist/footfall.js' })
for (const file of ['dist/footfall.mjs', 'dist/footfall.js']) {
  const size = gzipSync(readFileSync(file), { level: 9 }).length
  console.log(`${file}: ${size} bytes gzipped`)
  if (size > MAX_GZIPPED) throw new Error(`${file} is larger than ${MAX_GZIPPED} bytes`)
}
