'use strict';

// Shows /status.json, again and again. Whatever comes from there may have been chosen by a peer, so
// it becomes text, never markup.

const POLL_MS = 1000;
const POLL_MS_MAX = 10000;
const STATES = {j: 'joined', w: 'waiting', m: 'missing', g: 'gone'};
const RANGES_MAX = 200;

const byId = (id) => document.getElementById(id);

// --- Text ---

const whole = new Intl.NumberFormat('en');

function duration(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  const s = Math.floor(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
}

function bytes(count) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (count >= 1024 && unit < units.length - 1) {
    count /= 1024;
    ++unit;
  }
  return `${unit > 0 && count < 10 ? count.toFixed(1) : Math.round(count)} ${units[unit]}`;
}

const clock = (date) => date.toLocaleTimeString([], {hour12: false});

// "0-15, 17".
function ranges(ranks) {
  const parts = [];
  for (let i = 0; i < ranks.length;) {
    if (parts.length === RANGES_MAX) {
      parts.push(`and ${whole.format(ranks.length - i)} more`);
      break;
    }
    let last = i;
    while (ranks[last + 1] === ranks[last] + 1) ++last;
    parts.push(last > i ? `${ranks[i]}-${ranks[last]}` : `${ranks[i]}`);
    i = last + 1;
  }
  return parts.join(', ');
}

// --- Elements ---

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

// Only where it differs: a screen reader is told of every change of a live region, and a selection
// of text would be lost.
function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

const shown = new WeakMap();

// Builds `target` anew if what it shows has changed.
function setChildren(target, what, build) {
  const now = JSON.stringify(what);
  if (shown.get(target) === now) return;
  shown.set(target, now);
  target.replaceChildren(...build());
}

function cell(label, className, ...children) {
  const made = element('td', className, ...children);
  if (label) made.dataset.label = label;
  return made;
}

// --- The grid ---

let states = '';
let chosen = -1;

function cellLabel(rank) {
  return `rank ${rank}, ${STATES[states[rank]]}`;
}

function showCell(made, rank) {
  made.className = `cell ${states[rank]}${rank === chosen ? ' chosen' : ''}`;
  made.setAttribute('aria-label', cellLabel(rank));
  made.title = cellLabel(rank);
}

function buildGrid(grid) {
  const size = states.length <= 128 ? ' large' : states.length <= 1024 ? ' middle' : ' small';
  grid.className = `grid${size}`;
  const cells = document.createDocumentFragment();
  for (let rank = 0; rank < states.length; ++rank) {
    const made = element('div', '', size === ' large' ? String(rank) : '');
    made.id = `rank-${rank}`;
    made.dataset.rank = rank;
    made.setAttribute('role', 'option');
    made.setAttribute('aria-selected', 'false');
    showCell(made, rank);
    cells.append(made);
  }
  grid.replaceChildren(cells);
}

function showGrid(now) {
  const grid = byId('grid');
  if (now.length !== states.length) {
    states = now;
    if (chosen >= states.length) choose(-1);
    buildGrid(grid);
    if (chosen >= 0) grid.children[chosen].setAttribute('aria-selected', 'true');
    return;
  }
  const before = states;
  states = now;
  for (let rank = 0; rank < now.length; ++rank) {
    if (now[rank] !== before[rank]) showCell(grid.children[rank], rank);
  }
}

function choose(rank) {
  const grid = byId('grid');
  const before = grid.children[chosen];
  chosen = rank;
  if (before) {
    before.classList.remove('chosen');
    before.setAttribute('aria-selected', 'false');
  }
  const made = grid.children[rank];
  if (!made) {
    grid.removeAttribute('aria-activedescendant');
    byId('detail').hidden = true;
    return;
  }
  made.classList.add('chosen');
  made.setAttribute('aria-selected', 'true');
  grid.setAttribute('aria-activedescendant', made.id);
  made.scrollIntoView({block: 'nearest'});
  poll();
}

function moveChoice(event) {
  const columns = getComputedStyle(byId('grid')).gridTemplateColumns.split(' ').length;
  const steps = {
    ArrowRight: 1,
    ArrowLeft: -1,
    ArrowDown: columns,
    ArrowUp: -columns,
    Home: -states.length,
    End: states.length,
  };
  if (!(event.key in steps)) return;
  event.preventDefault();
  const to = chosen < 0 ? 0 : chosen + steps[event.key];
  choose(Math.max(0, Math.min(states.length - 1, to)));
}

function showDetail(detail) {
  const box = byId('detail');
  box.hidden = chosen < 0 || !detail || detail.rank !== chosen;
  if (box.hidden) return;
  setText(byId('detail-title'), `Rank ${detail.rank}: ${detail.state}`);
  const rows = [];
  if (detail.address) rows.push(['Address', detail.address]);
  if (detail.joined_seconds_ago !== null) {
    rows.push(['Joined', `${duration(detail.joined_seconds_ago)} ago`]);
  }
  if (detail.gone_seconds_ago !== null) {
    rows.push(['Gone', `${duration(detail.gone_seconds_ago)} ago`]);
  }
  if (detail.waiting_seconds !== null) {
    rows.push(['Waiting', `for ${duration(detail.waiting_seconds)}`]);
    const more = detail.keys_in_all - detail.keys.length;
    rows.push(['For', detail.keys.join(', ') + (more > 0 ? ` and ${whole.format(more)} more` : '')]);
  }
  if (rows.length === 0) rows.push(['Known', 'only that it is expected and has never joined']);
  setChildren(byId('detail-list'), rows,
              () => rows.flatMap(([name, value]) => [element('dt', '', name),
                                                     element('dd', '', value)]));
}

function showStates(world) {
  const rows = Object.entries(STATES).map(([letter, name]) => {
    const ranks = [];
    for (let rank = 0; rank < states.length; ++rank) {
      if (states[rank] === letter) ranks.push(rank);
    }
    return [world.size === null && letter === 'm' ? 'not seen' : name, ranks.length, ranges(ranks)];
  });
  setChildren(byId('state-rows'), rows, () => rows.map(([name, count, which]) => {
    const head = element('th', '', name);
    head.scope = 'row';
    return element('tr', '', head, cell('', 'time', whole.format(count)), cell('', '', which));
  }));
}

function showRanks(status) {
  const world = status.world;
  const none = world.states.length === 0;
  byId('grid-box').hidden = none;
  byId('no-ranks').hidden = !none;
  if (none) {
    setText(byId('no-ranks'),
            status.nameless_clients_in_all > 0 ?
                'No client has said which rank it is; see the clients below.' :
                'No rank has joined yet, and how many are expected is not known. ' +
                    'Start the server with --world_size to see who is missing.');
  } else {
    byId('find-rank').max = world.states.length - 1;
    showGrid(world.states);
    showStates(world);
    showDetail(status.rank);
  }
  // Where all came within a second, none was slow.
  byId('slowest-box').hidden = !(status.slowest[0]?.after_first_seconds >= 1);
  setChildren(byId('slowest'), status.slowest, () => status.slowest.map(
      (late) => element('li', '', element('strong', '', `rank ${late.rank}`),
                        ` ${duration(late.after_first_seconds)} after the first`)));
}

// --- The rest ---

function showSummary(status) {
  const world = status.world;
  setText(byId('summary'), status.summary);
  setText(byId('wait-summary'), status.wait_summary);
  byId('summary-box').dataset.tone =
      world.gone > 0 ? 'bad' :
      world.missing > 0 ? 'warn' :
      world.size !== null && world.connected === world.size ? 'good' : 'plain';
  document.title = world.missing + world.gone > 0 ?
      `(${world.missing + world.gone}) Rollcall` : 'Rollcall';
  setText(byId('server'), `${status.server.address}, ${status.server.backend}, up ` +
                              duration(status.server.uptime_seconds));
}

// What is asked about: the server, or one name space of it.
function sumsOf(status) {
  const {totals} = status;
  if (nameSpace === null) return {...totals, bytes: totals.key_bytes + totals.value_bytes};
  const space = status.name_spaces.find((one) => one.name === status.name_space);
  return {...space, bytes: space.memory_bytes};
}

function showTiles(status) {
  const {world, throughput} = status;
  const sums = sumsOf(status);
  const perSecond = throughput.requests.at(-1) ?? 0;
  const tiles = [
    [world.size === null ? 'ranks connected' : `of ${whole.format(world.size)} ranks connected`,
     whole.format(world.connected)],
    ['missing', whole.format(world.missing)],
    ['gone', whole.format(world.gone)],
    ['clients waiting', whole.format(sums.waiting_clients)],
    ['connections', whole.format(sums.connections)],
    ['requests a second', whole.format(perSecond)],
    ['keys', whole.format(sums.keys)],
    ['stored', bytes(sums.bytes)],
  ];
  setChildren(byId('tiles'), tiles, () => tiles.map(
      ([name, value]) => element('div', '', element('dt', '', name), element('dd', '', value))));
}

function showWaits(status) {
  byId('waits-table').hidden = status.waits.length === 0;
  byId('no-waits').hidden = status.waits.length > 0;
  setChildren(byId('wait-rows'), status.waits, () => status.waits.map((wait) => {
    const ranks = wait.ranks === '' ? '' : `: ${wait.ranks}`;
    const nameless = wait.nameless_waiters > 0 ?
        ` (${whole.format(wait.nameless_waiters)} of unknown rank)` : '';
    const absent = element('span', 'strong', wait.absent_ranks);
    return element('tr', '',
                   cell('', '', wait.kind === 'barrier' ? 'barrier ' : '',
                        element('code', '', wait.key)),
                   cell('Longest', 'time', duration(wait.longest_seconds)),
                   cell('Waiting', '', `${whole.format(wait.waiters)}${ranks}${nameless}`),
                   cell('Not there yet', wait.absent_ranks === '' ? 'empty' : '', absent));
  }));
  showCut('waits-cut', status.waits.length, status.waits_in_all, 'keys and barriers');
}

function showCut(id, listed, all, what) {
  byId(id).hidden = all <= listed;
  setText(byId(id), `${whole.format(all - listed)} more ${what} are not listed.`);
}

function showErrors(status) {
  byId('no-errors').hidden = status.errors.length > 0;
  setChildren(byId('errors'), [status.errors, status.name_spaces.length], () => status.errors.map((error) => {
    let who = error.rank === null ? error.address : `rank ${error.rank}, ${error.address}`;
    // Most servers have but the default one.
    if (error.name_space !== null && (error.name_space !== 'default' || status.name_spaces.length > 1)) {
      who += `, name space ${error.name_space}`;
    }
    const when = clock(new Date(error.unix_seconds * 1000));
    return element('li', '',
                   element('span', 'code', error.code), ' ',
                   element('span', 'meta', `${when}, ${who}`),
                   element('p', '', `${error.meaning} `, element('span', 'quiet', error.reason)),
                   element('p', 'remedy', error.remedy));
  }));
}

function showClients(status) {
  byId('clients').hidden = status.nameless_clients_in_all === 0;
  setChildren(byId('client-rows'), status.nameless_clients,
              () => status.nameless_clients.map((client) => element(
                  'tr', '', cell('', '', client.address),
                  cell('Speaks', '', client.dialect ?? 'nothing yet'),
                  cell('Waits for', client.key === null ? 'empty' : '',
                       ...(client.key === null ? [] : [element('code', '', client.key)])),
                  cell('Since', client.key === null ? 'empty' : 'time',
                       client.key === null ? '' : duration(client.waiting_seconds)))));
  showCut('clients-cut', status.nameless_clients.length, status.nameless_clients_in_all,
          'connections');
}

function ofLimit(used, limit, format) {
  return limit === null ? format(used) : `${format(used)} of ${format(limit)}`;
}

function showNameSpaces(status) {
  byId('spaces').hidden = status.name_spaces.length < 2;
  setText(byId('space'), status.name_space);
  setText(byId('errors-of'), nameSpace === null ? 'the errors are all of the server\'s' : 'so are the errors');
  setChildren(byId('space-rows'), [status.name_space, status.name_spaces], () =>
      status.name_spaces.map((space) => {
        const link = element('a', '', space.name);
        link.href = `/?name_space=${encodeURIComponent(space.name)}`;
        if (space.name === status.name_space) link.setAttribute('aria-current', 'page');
        return element(
            'tr', '', cell('', '', link),
            cell('Connections', '', ofLimit(space.connections, space.clients_limit, whole.format)),
            cell('Waiting', '', whole.format(space.waiting_clients)),
            cell('Longest', space.longest_wait_seconds === null ? 'empty' : 'time',
                 space.longest_wait_seconds === null ? '' : duration(space.longest_wait_seconds)),
            cell('Keys', '', ofLimit(space.keys, space.keys_limit, whole.format)),
            cell('Memory', '', ofLimit(space.memory_bytes, space.memory_limit_bytes, bytes)),
            cell('Requests', '', whole.format(space.requests)));
      }));
}

const SVG = 'http://www.w3.org/2000/svg';

function chart(name, values, format) {
  const points = 300;
  const most = Math.max(1, ...values);
  const xy = values.map((value, i) => {
    const x = points - values.length + i;
    return `${x},${(58 - value / most * 54).toFixed(1)}`;
  });
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${points - 1} 60`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('role', 'img');
  const now = values.at(-1) ?? 0;
  svg.setAttribute('aria-label', `${name}: now ${format(now)}, at most ${format(Math.max(0, ...values))}`);
  if (xy.length > 1) {
    const area = document.createElementNS(SVG, 'path');
    area.setAttribute('class', 'area');
    area.setAttribute('d', `M${points - values.length},60 L${xy.join(' L')} L${points - 1},60 Z`);
    const line = document.createElementNS(SVG, 'path');
    line.setAttribute('class', 'line');
    line.setAttribute('d', `M${xy.join(' L')}`);
    svg.append(area, line);
  }
  return element('figure', '',
                 element('figcaption', '', element('span', '', name), element('strong', '', format(now)),
                         element('span', 'quiet', `at most ${format(Math.max(0, ...values))}`)),
                 svg);
}

function showThroughput(throughput) {
  setChildren(byId('charts'), throughput, () => [
    chart('Requests', throughput.requests, (count) => `${whole.format(count)} /s`),
    chart('Received', throughput.received_bytes, (count) => `${bytes(count)}/s`),
    chart('Sent', throughput.sent_bytes, (count) => `${bytes(count)}/s`),
  ]);
}

function show(status) {
  showSummary(status);
  showTiles(status);
  showRanks(status);
  showWaits(status);
  showErrors(status);
  showThroughput(status.throughput);
  showClients(status);
  showNameSpaces(status);
}

// --- Asking ---

let pollTimer = 0;
let asking = false;
let askAgain = false;
let pause = POLL_MS;
let lostSince = null;

function setLink(state, text) {
  byId('link').dataset.state = state;
  document.body.classList.toggle('stale', state === 'lost');
  setText(byId('link-text'), text);
}

// Which name space this page is about; null: the default one.
const nameSpace = new URLSearchParams(location.search).get('name_space');

async function fetchStatus() {
  const what = new URLSearchParams();
  if (nameSpace !== null) what.set('name_space', nameSpace);
  if (chosen >= 0) what.set('rank', chosen);
  const response = await fetch(`/status.json?${what}`,
                               {cache: 'no-store', signal: AbortSignal.timeout(5000)});
  const status = await response.json();
  if (!response.ok) throw new Error(status.error);
  return status;
}

async function ask() {
  try {
    show(await fetchStatus());
    lostSince = null;
    pause = POLL_MS;
    setLink('live', 'live');
  } catch (error) {
    lostSince ??= new Date();
    const since = clock(lostSince);
    // A TypeError is fetch's own: nobody answered. Anything else came from the server.
    setLink('lost', error instanceof TypeError || error.name === 'TimeoutError' ?
                        `not reachable since ${since}` : `since ${since}: ${error.message}`);
    setText(byId('summary'), error instanceof TypeError || error.name === 'TimeoutError' ?
        `The server is not reachable since ${since}. What is shown is what was known then.` :
        `The server does not answer since ${since}. What is shown is what was known then.`);
    setText(byId('wait-summary'), '');
    byId('summary-box').dataset.tone = 'bad';
    pause = Math.min(POLL_MS_MAX, pause * 2);
  }
}

// Asks at once, and then again after each pause; once at a time.
async function poll() {
  if (asking) {
    askAgain = true;
    return;
  }
  clearTimeout(pollTimer);
  asking = true;
  do {
    askAgain = false;
    await ask();
  } while (askAgain);
  asking = false;
  if (!document.hidden) pollTimer = setTimeout(poll, pause);
}

byId('grid').addEventListener('keydown', moveChoice);
byId('grid').addEventListener('click', (event) => {
  const rank = event.target.dataset.rank;
  if (rank !== undefined) choose(Number(rank));
});
byId('find').addEventListener('submit', (event) => {
  event.preventDefault();
  const rank = byId('find-rank').valueAsNumber;
  if (rank >= 0 && rank < states.length) choose(rank);
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) poll();
});
poll();
