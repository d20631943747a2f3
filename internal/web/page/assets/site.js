// What pages do beyond their HTML, which works without this. Numbers that live come by one stream for all shows of the page; a sale
// opens by the server's clock; a reservation is followed until it is settled.
const page = document.body
const lang = page.dataset.lang
const all = (selector, within = document) => [...within.querySelectorAll(selector)]
const number = new Intl.NumberFormat(lang)
const jitter = (ms) => ms * (0.5 + Math.random())

/** say tells a screen reader, once; only what changes what one can do is told. */
function say(text) {
  const said = document.getElementById('said')
  if (text && said.textContent !== text) said.textContent = text
}

// The server's clock, from the page and then from each answer that tells it. A page out of the browser's history is late, so the
// module asks once before it counts down.
let clock = { server: Number(page.dataset.now), here: performance.now() }
const now = () => clock.server + performance.now() - clock.here
function heard(time) {
  const server = Date.parse(time)
  if (server > now() - 250) clock = { server, here: performance.now() }
}

// ---- states and units left

const few = 10

/** put shows what is known of a show now: the badge, the units, and by the state what can be done. */
function put(box, state, left) {
  const before = box.dataset.state
  if (left !== undefined) {
    for (const units of all('[data-left]', box)) {
      const was = Number(units.textContent.replace(/\D/g, ''))
      units.textContent = number.format(left)
      units.parentElement.toggleAttribute('data-few', left <= few)
      if (was > few && left <= few && left > 0) say(box.dataset.sayFew)
    }
  }
  if (before === state) return
  box.dataset.state = state
  const badge = document.getElementById('badges').content.querySelector(`[data-state=${state}]`)
  for (const old of all('[data-badge]', box)) old.replaceWith(badge.cloneNode(true))
  if (state === 'on_sale' && before !== 'paused') say(box.dataset.sayOpened)
  if (state === 'sold_out') say(box.dataset.sayGone)
  enable(box)
}

/** enable makes the button of a show's form work while it is on sale. */
function enable(box) {
  for (const button of all('.book .primary', box)) button.disabled = box.dataset.state !== 'on_sale'
}

// ---- one stream for all shows of the page

const boxes = new Map()
for (const box of all('[data-live]')) {
  enable(box)
  boxes.set(box.dataset.live, [...(boxes.get(box.dataset.live) ?? []), box])
}
const live = { stream: null, timer: 0, failures: 0, paused: false }

function event(show) {
  for (const box of boxes.get(String(show.show_id ?? show.id)) ?? []) put(box, show.state, show.left)
}

function open() {
  if (!boxes.size || live.stream || live.paused || document.hidden) return
  clearTimeout(live.timer)
  const stream = new EventSource('/api/v1/stock/stream?shows=' + [...boxes.keys()].slice(0, 50))
  live.stream = stream
  stream.onmessage = (message) => { live.failures = 0; event(JSON.parse(message.data)) }
  stream.onerror = () => { // many browsers lose the same server at once: each comes back at a time of its own
    close()
    live.failures++
    if (live.failures > 2) poll()
    live.timer = setTimeout(open, jitter(Math.min(1000 * 2 ** live.failures, 30000)))
  }
}

function close() {
  clearTimeout(live.timer)
  live.stream?.close()
  live.stream = null
}

/** poll asks for the shows one by one, where a stream is not to be had. */
async function poll() {
  for (const id of boxes.keys()) {
    try {
      const answer = await fetch('/api/v1/shows/' + id)
      if (!answer.ok) return
      const show = await answer.json()
      heard(show.server_time)
      event(show)
    } catch { return }
  }
}

document.addEventListener('visibilitychange', () => { document.hidden ? close() : open() })
addEventListener('pagehide', close)
addEventListener('pageshow', (shown) => { if (shown.persisted) { revive(); poll(); open() } })

for (const button of all('[data-live-pause]')) {
  button.hidden = boxes.size === 0
  button.addEventListener('click', () => {
    live.paused = !live.paused
    button.setAttribute('aria-pressed', live.paused)
    live.paused ? close() : open()
  })
}
open()

// ---- countdown

const waiting = all('[data-opens]').filter((box) => box.dataset.state === 'upcoming')
if (waiting.length) {
  poll()
  tick()
}

/** tick writes the time that is left and opens a sale at its time. */
function tick() {
  let open = false
  for (const box of waiting) {
    if (box.dataset.state !== 'upcoming') continue
    const left = Number(box.dataset.opens) - now()
    if (left <= 0) { put(box, 'on_sale'); continue }
    open = true
    for (const place of all('[data-countdown]', box)) place.textContent = (place.dataset.text ?? '{time}').replace('{time}', span(left))
  }
  if (open) setTimeout(tick, 200)
}

function span(ms) {
  const seconds = Math.ceil(ms / 1000)
  const pad = (n) => String(n).padStart(2, '0')
  const days = Math.floor(seconds / 86400)
  const clock = `${pad(Math.floor(seconds / 3600) % 24)}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`
  return days ? new Intl.NumberFormat(lang, { style: 'unit', unit: 'day', unitDisplay: 'long' }).format(days) + ' ' + clock : clock
}

// ---- forms

for (const button of all('[data-step]')) {
  const input = button.parentElement.querySelector('input')
  button.hidden = false
  button.addEventListener('click', () => {
    const most = Number(input.max), least = Number(input.min)
    input.value = Math.min(most, Math.max(least, (Number(input.value) || least) + Number(button.dataset.step)))
  })
}

// A second press while the first is under way sends nothing; the key in the form would make one booking of it anyhow.
for (const form of all('form[data-once]')) {
  form.addEventListener('submit', (submit) => {
    if (form.dataset.sent) submit.preventDefault()
    form.dataset.sent = 'yes'
  })
}
function revive() { for (const form of all('form[data-once]')) delete form.dataset.sent }

// ---- people

for (const button of all('[data-reveal]')) {
  const input = document.getElementById(button.dataset.reveal)
  button.hidden = false
  button.addEventListener('click', () => {
    const shown = input.type === 'password'
    input.type = shown ? 'text' : 'password'
    button.setAttribute('aria-pressed', shown)
  })
  input.form.addEventListener('submit', () => { input.type = 'password' }) // else a browser might remember it as a word
}

// ---- reservations

/** fetched returns a page, and whether it is what was asked for; null where no page came. */
async function fetched(url) {
  try {
    const answer = await fetch(url, { headers: { Accept: 'text/html' } })
    if (answer.status === 429 || answer.status >= 500) return null
    return new DOMParser().parseFromString(await answer.text(), 'text/html')
  } catch { return null }
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms))

/** follow waits until a reservation is settled, and shows its page anew, in place. It never gives up: a pending one ends. */
async function follow(box) {
  for (let failures = 0; box.isConnected; await pause(jitter(Math.min(1000 * 2 ** failures, 30000)))) {
    try {
      const answer = await fetch(box.dataset.follow, { headers: { Prefer: 'wait=10' } })
      if (answer.status === 429 || answer.status >= 500) { failures++; continue }
      failures = 0
      if (answer.ok && (await answer.json()).status === box.dataset.status) continue
    } catch { failures++; continue }
    const fresh = await fetched(location.href) // settled, or gone, or the login is over: the page tells each
    if (!fresh) { failures++; continue }
    const main = document.getElementById('main')
    const focused = main.contains(document.activeElement)
    main.replaceChildren(...fresh.getElementById('main').childNodes)
    document.title = fresh.title
    if (focused) main.focus()
    say(main.querySelector('h1').textContent)
    all('[data-follow]').forEach(follow)
  }
}
all('[data-follow]').forEach(follow)

// The page that asks whether to cancel opens as a dialog.
document.addEventListener('click', async (click) => {
  const link = click.target.closest('a[data-dialog]')
  if (!link || click.button || click.metaKey || click.ctrlKey || click.shiftKey || click.altKey) return
  click.preventDefault()
  const content = (await fetched(link.href))?.querySelector('[data-confirm]')
  if (!content) { location.href = link.href; return }
  if (document.querySelector('dialog')) return // pressed twice
  const dialog = document.createElement('dialog')
  dialog.setAttribute('aria-labelledby', 'confirm')
  const keep = content.querySelector('[data-keep]')
  keep.autofocus = true
  keep.addEventListener('click', (kept) => { kept.preventDefault(); dialog.close() })
  dialog.addEventListener('close', () => { dialog.remove(); link.focus() })
  dialog.append(content)
  document.body.append(dialog)
  dialog.showModal()
})
