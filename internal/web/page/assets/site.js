// What pages do beyond their HTML, which works without this. Numbers that live come by one stream for all shows of the page; a sale
// opens by the server's clock; a reservation is followed until it is settled.
const page = document.body
const lang = page.dataset.lang
const all = (selector, within = document) => [...within.querySelectorAll(selector)]
const number = new Intl.NumberFormat(lang)
const jitter = (ms) => ms * (0.5 + Math.random())
const write = (place, text) => { if (place.textContent !== text) place.textContent = text }

/** say tells a screen reader what changes what one can do; of what changes back and forth, what it came to. */
let saying
function say(text) {
  if (!text) return
  clearTimeout(saying)
  saying = setTimeout(() => { document.getElementById('said').textContent = text }, 400)
}

// The server's clock: how far it is ahead of this page's own, which nobody can set. Whatever tells it tells it late, by its way here,
// so the least late is the nearest, and a sale never opens early.
let ahead = -Infinity
const now = () => ahead + performance.now()
const heard = (time) => { ahead = Math.max(ahead, time - performance.now()) }
heard(Number(page.dataset.now))

// ---- states and units left

const few = 10

/** put shows what is known of a show now: the badge, the units, and by the state what can be done. */
function put(box, state, left) {
  const before = box.dataset.state
  if (left !== undefined) {
    for (const units of all('[data-left]', box)) {
      const was = Number(units.textContent.replace(/\D/g, ''))
      write(units, number.format(left))
      units.parentElement.toggleAttribute('data-few', left <= few)
      if (was > few && left <= few && left > 0) say(box.dataset.sayFew)
    }
  }
  if (before === state) return
  box.dataset.state = state
  const badge = document.getElementById('badges').content.querySelector(`[data-state=${state}]`)
  for (const old of all('[data-badge]', box)) old.replaceWith(badge.cloneNode(true))
  const focused = document.activeElement
  if (box.contains(focused) && !focused.getClientRects().length) box.querySelector('.for-' + state)?.focus() // it says why
  if (state === 'on_sale' && before === 'upcoming') say(box.dataset.sayOpened)
  if (state === 'on_sale' && before === 'sold_out') say(box.dataset.sayAgain)
  if (state === 'sold_out') say(box.dataset.sayGone)
  enable(box)
  tick()
}

/** enable makes the button of a show's form work while it is on sale. One that does not work keeps the focus that it has. */
function enable(box) {
  for (const button of all('.book .primary', box)) button.setAttribute('aria-disabled', box.dataset.state !== 'on_sale')
}

// ---- one stream for all shows of the page

const boxes = new Map()
for (const box of all('[data-live]')) {
  enable(box)
  boxes.set(box.dataset.live, [...(boxes.get(box.dataset.live) ?? []), box])
}
const ids = [...boxes.keys()].slice(0, 50) // as many as a stream may have; what is beyond stays as the page came
const live = { stream: null, timer: 0, failures: 0, paused: false }
const on = () => ids.length > 0 && !live.paused && !document.hidden

function told(id, show) {
  for (const box of boxes.get(String(id)) ?? []) {
    box.dataset.told = show.state
    if (show.sales_open_at && box.dataset.opens) box.dataset.opens = Date.parse(show.sales_open_at)
    put(box, show.state, show.left)
  }
}

function open() {
  clearTimeout(live.timer)
  if (!on() || live.stream) return
  const waits = all('[data-opens]').find((box) => box.dataset.state === 'upcoming')
  if (waits) ask(waits.dataset.live) // what time it is: this page, or all of the machine, may have slept
  const stream = live.stream = new EventSource('/api/v1/stock/stream?shows=' + ids)
  stream.onmessage = (message) => {
    live.failures = 0
    const show = JSON.parse(message.data)
    heard(Date.parse(show.as_of))
    told(show.show_id, show)
  }
  stream.onerror = () => { // many browsers lose the same server at once: each comes back at a time of its own
    close()
    live.failures++
    if (live.failures > 1) poll()
    live.timer = setTimeout(open, jitter(Math.min(1000 * 2 ** live.failures, 15000)))
  }
}

function close() {
  clearTimeout(live.timer)
  live.stream?.close()
  live.stream = null
}

/** ask returns what the API says of a show, or nothing where it does not answer. */
async function ask(id) {
  try {
    const answer = await fetch('/api/v1/shows/' + id)
    if (!answer.ok) return
    const show = await answer.json()
    heard(Date.parse(show.server_time))
    return show
  } catch { }
}

/** poll asks for one show after the other, until there is a stream again: what that says is newer. */
async function poll() {
  for (const id of ids) {
    const show = await ask(id)
    if (!show || !live.failures || !on()) return
    told(id, show)
  }
}

document.addEventListener('visibilitychange', () => { document.hidden ? close() : open(); tick() })
addEventListener('pagehide', close)
addEventListener('pageshow', (shown) => { if (shown.persisted) { revive(); open() } })
addEventListener('online', () => { close(); open() }) // a stream over a network that is gone would be silent for minutes

for (const button of all('[data-live-pause]')) {
  const texts = [button.textContent, button.dataset.resume]
  button.hidden = ids.length === 0
  button.addEventListener('click', () => {
    live.paused = !live.paused
    button.textContent = texts[Number(live.paused)]
    live.paused ? close() : open()
  })
}
open()

// ---- countdown

tick()

/** tick writes the time that is left, each second, and opens a sale at its time: also where there is no stream. */
function tick() {
  clearTimeout(tick.timer)
  let next = Infinity
  for (const box of all('[data-opens]')) {
    const left = box.dataset.state === 'upcoming' ? Number(box.dataset.opens) - now() : 0
    for (const place of all('[data-countdown]', box)) write(place, left > 0 ? (place.dataset.text ?? '{time}').replace('{time}', span(left)) : '')
    if (left > 0) next = Math.min(next, left % 1000)
    else if (box.dataset.state === 'upcoming') return opened(box)
  }
  if (next < Infinity) tick.timer = setTimeout(tick, Math.max(next, 20))
}

/** opened puts a show on sale. Where nobody confirms that, as the sale was put off meanwhile, the page asks, at a time of its own. */
function opened(box) {
  delete box.dataset.told
  put(box, 'on_sale')
  setTimeout(async () => {
    const show = box.dataset.told ? null : await ask(box.dataset.live)
    if (show) told(show.id, show)
  }, 1000 + jitter(4000))
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
    input.dispatchEvent(new Event('input'))
  })
}

for (const total of all('[data-price]')) {
  const units = total.form.elements.units
  const sum = () => write(total, units.validity.valid ? total.dataset.text.replace('{n}', number.format(total.dataset.price * units.value)) : '')
  units.addEventListener('input', sum)
  addEventListener('pageshow', sum) // a browser that comes back may have filled in what was there
}

// A second press while the first is under way sends nothing; the key in the form would make one booking of it anyhow. The button tells.
const sender = (form) => form.querySelector('button:not([type=button])')
function once(form) {
  form.addEventListener('submit', (submit) => {
    const button = sender(form)
    if (form.dataset.sent || button.getAttribute('aria-disabled') === 'true') return submit.preventDefault()
    form.dataset.sent = button.textContent
    if (form.dataset.sending) write(button, form.dataset.sending)
    setTimeout(revive, 8000) // the way there may have been broken off
  })
}
all('form[data-once]').forEach(once)
function revive() {
  for (const form of all('form[data-sent]')) {
    write(sender(form), form.dataset.sent)
    delete form.dataset.sent
  }
}

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

// ---- questions

/** fetched returns a page, and whether it is what was asked for; null where no page came. */
async function fetched(url) {
  try {
    const answer = await fetch(url, { headers: { Accept: 'text/html' } })
    if (answer.status === 429 || answer.status >= 500) return null
    return new DOMParser().parseFromString(await answer.text(), 'text/html')
  } catch { return null }
}

/** question shows the page that a link leads to, which asks something, in a dialog; where that cannot be, the browser goes there. */
async function question(link) {
  const turn = question.turn = (question.turn ?? 0) + 1
  const asked = (await fetched(link.href))?.querySelector('[data-ask]')
  if (turn !== question.turn) return // something else was pressed since, and that is what is meant
  if (!asked) return location.assign(link.href)
  let dialog = document.querySelector('dialog') // of a second press, or one whose question is asked again
  if (!dialog) {
    dialog = document.body.appendChild(document.createElement('dialog'))
    dialog.setAttribute('aria-labelledby', 'ask-title')
    dialog.addEventListener('close', () => { dialog.remove(); if (link.isConnected) link.focus() })
  }
  dialog.replaceChildren(asked)
  all('form[data-once]', dialog).forEach(once)
  if (!dialog.open) dialog.showModal()
  dialog.querySelector('[data-close]')?.focus()
}

document.addEventListener('click', (click) => {
  const link = click.target.closest('a[data-dialog], dialog a[data-close]')
  if (!link || click.button || click.metaKey || click.ctrlKey || click.shiftKey || click.altKey) return
  click.preventDefault()
  link.hasAttribute('data-close') ? link.closest('dialog').close() : question(link)
})

// ---- reservations

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
    await pause(jitter(500)) // should the page ever know less than the API
    all('[data-follow]').forEach(follow)
  }
}
all('[data-follow]').forEach(follow)

// ---- admins: the image that was chosen, figures that keep themselves up to date

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
