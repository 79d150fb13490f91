import { mount } from 'svelte'
import './app.css'
import App from './App.svelte'
import { Monitor } from './data/monitor.svelte'

/** Text on a canvas is not drawn again when a font arrives late: wait for it, but not long. */
const FONT_PATIENCE_MS = 500

const target = document.getElementById('app')
if (target === null) throw new Error('index.html has no element with the id "app"')

const monitor = new Monitor(`${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}/api/live`)
monitor.start()
const font = document.fonts.load('500 11px "Inter Variable"')
await Promise.race([font, new Promise((resolve) => setTimeout(resolve, FONT_PATIENCE_MS))])
mount(App, { target, props: { monitor } })
