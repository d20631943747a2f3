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
function once(form) {
  form.addEventListener('submit', (submit) => {
    if (form.dataset.sent) submit.preventDefault()
    form.dataset.sent = 'yes'
  })
}
all('form[data-once]').forEach(once)
function revive() { for (const form of all('form[data-once]')) delete form.dataset.sent }

// ---- admins: the image that was chosen, questions in a dialog, figures that keep themselves up to date

for (const input of all('input[type=file][data-most]')) {
  const picture = document.querySelector('[data-preview]'), says = document.querySelector('[data-preview-says]')
  const fault = document.getElementById('file-fault')
  const stored = { src: picture.src, alt: picture.alt, says: says.textContent }
  let url
  input.addEventListener('change', () => {
    const file = input.files[0]
    const fits = !file || file.size <= Number(input.dataset.most)
    input.setCustomValidity(fits ? '' : input.dataset.tooLarge)
    input.toggleAttribute('aria-invalid', false)
    fault.hidden = fits
    fault.textContent = fits ? '' : input.dataset.tooLarge
    if (!fits) input.setAttribute('aria-invalid', 'true')
    URL.revokeObjectURL(url)
    url = file && fits ? URL.createObjectURL(file) : undefined
    picture.src = url ?? stored.src
    picture.alt = url ? file.name : stored.alt
    says.textContent = url ? says.dataset.new : stored.says
  })
  picture.addEventListener('error', () => { // no image, whatever it is called: the server says so, too
    if (url && picture.src === url) { picture.src = stored.src; picture.alt = stored.alt; says.textContent = stored.says }
  })
}

/** ask shows the question that a link leads to in a dialog; where that is not possible, the browser follows the link. */
async function ask(link) {
  const dialog = link.closest('dialog') ?? document.body.appendChild(document.createElement('dialog'))
  try {
    const answer = await fetch(link.href, { headers: { Accept: 'text/html' } })
    const question = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('[data-ask]')
    if (!question) throw new Error('no question')
    dialog.replaceChildren(question)
    all('form[data-once]', dialog).forEach(once)
  } catch {
    location.assign(link.href)
    return
  }
  dialog.setAttribute('aria-labelledby', 'ask-title')
  dialog.addEventListener('close', () => { dialog.remove(); if (link.isConnected) link.focus() }, { once: true })
  if (!dialog.open) dialog.showModal()
}

document.addEventListener('click', (click) => {
  const link = click.target.closest?.('a[data-dialog], dialog a[data-close]')
  if (!link || click.button || click.ctrlKey || click.metaKey || click.shiftKey) return
  click.preventDefault()
  link.hasAttribute('data-close') ? link.closest('dialog').close() : ask(link)
})

// Parts that are fetched anew while somebody sees the page, and while nothing in them has the focus or is opened.
const fresh = { paused: false, timer: 0, turn: 0 }
const busy = (part) => part.contains(document.activeElement) || part.querySelector('details[open]') || document.querySelector('dialog[open]')
async function refresh() {
  clearTimeout(fresh.timer)
  const turn = ++fresh.turn
  const parts = all('[data-refresh]')
  if (!parts.length || fresh.paused || document.hidden) return
  try {
    const answer = await fetch(location.href, { headers: { Accept: 'text/html' } })
    if (answer.status === 401 || answer.status === 403) return // whoever is not let in any more need not ask again
    const next = new DOMParser().parseFromString(await answer.text(), 'text/html')
    for (const part of parts) {
      const newer = next.getElementById(part.id)
      if (newer && !busy(part)) {
        const scrolled = all('.scroll', part).map((box) => box.scrollLeft)
        part.replaceChildren(...newer.childNodes)
        all('.scroll', part).forEach((box, i) => { box.scrollLeft = scrolled[i] ?? 0 })
      }
    }
  } catch { /* what is there stays, and says of when it is */ }
  if (turn === fresh.turn) fresh.timer = setTimeout(refresh, jitter(Number(parts[0].dataset.refresh) * 1000))
}
if (document.querySelector('[data-refresh]')) {
  document.addEventListener('visibilitychange', refresh)
  fresh.timer = setTimeout(refresh, 1200) // when there is a pace to tell
}
for (const button of all('[data-refresh-pause]')) {
  button.hidden = false
  button.addEventListener('click', () => {
    fresh.paused = !fresh.paused
    button.textContent = fresh.paused ? button.dataset.resume : button.dataset.pause
    refresh()
  })
}
