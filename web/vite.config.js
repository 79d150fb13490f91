import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

const THEME_SCRIPT = 'src/theme-boot.js'

/**
 * The chosen theme must be on the root element before the first paint, and the content security policy allows no inline
 * script: so this small file is emitted with a hash of its own and loaded ahead of everything else.
 */
function themeBoot() {
  let building = false
  return {
    name: 'theme-boot',
    configResolved(config) {
      building = config.command === 'build'
    },
    buildStart() {
      if (building) this.emitFile({ type: 'asset', name: 'theme.js', source: readFileSync(THEME_SCRIPT) })
    },
    transformIndexHtml: {
      order: 'post',
      handler(_html, context) {
        const file = context.bundle
          ? Object.values(context.bundle).find((entry) => entry.names?.includes('theme.js'))?.fileName
          : THEME_SCRIPT
        if (!file) throw new Error(`${THEME_SCRIPT} is missing from the bundle`)
        return [{ tag: 'script', attrs: { src: `/${file}` }, injectTo: 'head-prepend' }]
      },
    },
  }
}

const COMPRESSIBLE = /\.(?:css|html|js|svg)$/

/** Writes `file.br` and `file.gz` beside each text file: the server sends them as they are and never compresses. */
function precompress() {
  return {
    name: 'precompress',
    apply: 'build',
    writeBundle({ dir }) {
      for (const name of readdirSync(dir, { recursive: true })) {
        if (!COMPRESSIBLE.test(name)) continue
        const path = join(dir, name)
        const content = readFileSync(path)
        writeFileSync(`${path}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } }))
        writeFileSync(`${path}.gz`, gzipSync(content, { level: constants.Z_BEST_COMPRESSION }))
      }
    },
  }
}

/**
 * What the entry needs is one file instead of thirty: a browser opens six connections to a server that speaks HTTP/1.1, and text compresses better
 * in one piece.
 */
function entryInOnePiece() {
  let closure = null
  const collect = (id, graph) => {
    if (closure.has(id)) return
    closure.add(id)
    for (const next of graph.getModuleInfo(id)?.importedIds ?? []) collect(next, graph)
  }
  return {
    debugName: 'entry',
    name(id, graph) {
      if (closure === null) {
        closure = new Set()
        collect(join(import.meta.dirname, 'src/main.ts'), graph)
      }
      return closure.has(id) ? 'first' : null
    },
  }
}

const server = process.env.BAROGRAPH_URL ?? 'http://127.0.0.1:7575'

export default defineConfig({
  plugins: [svelte(), themeBoot(), precompress()],
  build: {
    target: ['chrome123', 'firefox120', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    rolldownOptions: { output: { codeSplitting: { groups: [entryInOnePiece()] } } },
  },
  server: {
    host: '127.0.0.1',
    proxy: { '/api': { target: server, ws: true }, '/healthz': server, '/metrics': server },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
})
