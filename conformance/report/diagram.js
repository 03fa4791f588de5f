/* SPDX-License-Identifier: MIT */
/* A transcript as a sequence diagram: who takes part as columns, what happens as rows, one below the other. */
'use strict';

const Diagram = (() => {
  const ROW = 26, GAP_ROW = 18, COLUMN = 132, LEFT = 76, HEAD = 40, NAMED_EACH = 18;
  const DETAIL_MIN = 460, CHARACTER = 7.25;
  const COLUMNS_MAX = 6; /* of connections at a time; the rest share one */
  const PAUSE = 0.05;
  const USER = 'user'; /* who gives a client under test its commands, and reads what it tells */

  /* ------------------------------------------------------------------------------------------------- SVG */

  function s(name, attributes, ...children) {
    const element = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes || {})) {
      element.setAttribute(key, value);
    }
    element.append(...children);
    return element;
  }

  const line = (x1, y1, x2, y2, name) => s('line', { x1, y1, x2, y2, class: name });
  const text = (x, y, words, name) => s('text', { x, y, class: name }, words);

  /* Its point is at (x2, y): a marker would need an id, and an element that is drawn. */
  function arrow(x1, x2, y) {
    const back = x2 > x1 ? -8 : 8;
    return [line(x1, y, x2 + back / 2, y, 'arrow'), s('path', { d: `M${x2},${y} l${back},-4 v8 z`, class: 'dot' })];
  }

  /* ------------------------------------------------------------------------------------------ what a line says */

  const MESSAGE = /^BH1 ([A-Z_]+) (\d+) (\d+)/;

  function parse(body) {
    try {
      return JSON.parse(body);
    } catch (error) {
      return null;
    }
  }

  function shorten(words, length) {
    return words.length > length ? words.slice(0, Math.max(length - 1, 1)) + '…' : words;
  }

  /* Who is called what, as REGISTER and its answer have it. */
  class Names {
    constructor() {
      this.waiting = new Map();
      this.known = new Map();
    }

    hear(entry, type, id, body) {
      if (type === 'REGISTER' && body) {
        this.waiting.set(entry.lane + ' ' + id, body.name);
      } else if (type === 'ACK' && body && body.instance) {
        this.known.set(body.instance, this.waiting.get(entry.lane + ' ' + body.for));
      }
    }

    of(instance) {
      const name = this.known.get(instance);
      return name ? `${instance} (${shorten(name, 16)})` : String(instance);
    }
  }

  const SAYS = {
    REGISTER: (body) => [`name ${JSON.stringify(body.name)}`, body.instance && `as ${body.instance}`, body.role,
      body.window > 1 && `window ${body.window}`],
    ACK: (body, names) => [`answers ${body.for}`, body.instance && `you are ${names.of(body.instance)}`,
      'active' in body && (body.active ? `active: ${names.of(body.active)}` : 'nobody is active')],
    ERROR: (body) => [`${body.code}`, body.for === null ? 'answers nothing' : `answers ${body.for}`, body.message],
    HEARTBEAT: (body, names) => ['active' in body && (body.active ? `active: ${names.of(body.active)}` : 'nobody is active'),
      body.waiting && `${body.waiting} waiting`, body.parked && `${body.parked} parked`,
      body.instances && `${body.instances.length} registered`, body.problem && `problem: ${body.problem}`],
    IMPORT_DATA: (body) => [`import ${body.import}`, `attempt ${body.attempt}`, JSON.stringify(body.assets)],
    CLAIM_ACTIVE: (body, names) => [body.instance && `for ${names.of(body.instance)}`],
  };

  function say(type, body, names) {
    const words = SAYS[type] && body ? SAYS[type](body, names) : [];
    return words.filter(Boolean).join(' · ');
  }

  /* What a client under test is told, and tells: a command's word, an event's name. */
  function describeWords(entry) {
    const body = entry.body || '', event = parse(body);
    return { label: (event && event.event) || body.split(' ')[0] || entry.text, detail: body, kind: entry.kind };
  }

  function describeTraffic(entry, names) {
    const found = MESSAGE.exec(entry.text);
    if (/^(command|event)$/.test(entry.text)) {
      return describeWords(entry);
    }
    if (!found) {
      const isOctets = /^octets/.test(entry.text);
      return { label: isOctets ? 'octets' : entry.text, detail: `${isOctets ? entry.size + ' octets  ' : ''}${entry.body || ''}`,
        kind: entry.kind };
    }
    const [, type, id] = found, body = parse(entry.body || '{}');
    names.hear(entry, type, id, body);
    const kind = type === 'ERROR' ? 'error' : type === 'HEARTBEAT' || entry.automatic ? 'beat' : entry.kind;
    return { label: `${type} ${id}`, detail: say(type, body, names) || (entry.body === '{}' ? '' : entry.body || ''), kind };
  }

  const SIGNALS = { SIGKILL: 'kill', SIGSTOP: 'stop', SIGCONT: 'resume' };

  function describeEvent(entry) {
    const words = entry.text, tell = (what, more) => ({ what, detail: `${entry.lane} ${words}`, ...more });
    const signal = /^is sent (SIG[A-Z0-9]+|signal \d+)/.exec(words);
    if (entry.lane === 'case') {
      return { what: 'note', detail: words };
    }
    if (signal) {
      return tell('signal', { label: signal[1], kind: SIGNALS[signal[1]] || 'signal' });
    }
    if (/^(starts|listens)/.test(words)) {
      return tell('start');
    }
    if (/^(ended|was ended|is gone)\b/.test(words)) {
      return tell('end', { kind: /signal/.test(words) ? 'kill' : 'signal' });
    }
    if (/^is opened/.test(words)) {
      return tell('open');
    }
    if (/^is (half-)?closed|^is reset|^closes|^ends/.test(words)) {
      return tell('close', { by: /by the suite/.test(words) ? 'suite' : 'other', half: /half-closed/.test(words),
        kind: /reset/.test(words) ? 'reset' : 'link' });
    }
    return tell('other');
  }

  function describe(entry, names) {
    switch (entry.kind) {
    case 'send':
    case 'receive':
      return { what: 'traffic', ...describeTraffic(entry, names) };
    case 'event':
      return describeEvent(entry);
    case 'breach':
      return { what: 'breach', detail: `breaks ${entry.requirement}: ${entry.text}` };
    case 'omitted':
      return { what: 'omitted', detail: `${entry.count} more lines are left out of this report` };
    default:
      return { what: entry.kind, detail: entry.text };
    }
  }

  /* ---------------------------------------------------------------------------------------------- who takes part */

  const isTested = (lane, role) => new RegExp(`^${role}( \\d+)?$`).test(lane);

  function side(lane, role) {
    return isTested(lane, role) ? 'tested' : /^bridge/.test(lane) ? 'left' : 'right';
  }

  function findLanes(rows, role) {
    const lanes = new Map();
    rows.forEach((row, index) => {
      const name = row.entry.lane;
      if (!name || name === 'case' || row.what === 'breach') {
        return;
      }
      const lane = lanes.get(name) || { name, side: side(name, role), first: index, last: index };
      lane.last = index;
      lanes.set(name, lane);
    });
    return lanes;
  }

  /* A column is used again once who stood in it is gone: hundreds of connections would make it endless. */
  function placeLanes(lanes, max) {
    const columns = [];
    let shared = null;
    for (const lane of lanes) {
      let at = columns.findIndex((until, column) => column !== shared && until + 1 < lane.first);
      if (at < 0 && columns.length < max) {
        at = columns.length;
      } else if (at < 0) {
        at = shared = max - 1;
        lane.shared = true;
      }
      columns[at] = Math.max(columns[at] || 0, lane.last);
      lane.column = at;
    }
    /* Who came first to a column that is shared now shares it too. */
    lanes.forEach((lane) => { lane.shared = lane.column === shared; });
    return columns.length;
  }

  /* The tested program that a connection belongs to: the one that was ready last, as long as it runs. */
  function findPeers(rows, lanes, role) {
    const running = [];
    for (const row of rows) {
      const name = row.entry.lane;
      if (name && isTested(name, role)) {
        if (row.what === 'start' || row.what === 'end') {
          running.splice(0, running.length, ...running.filter((other) => other !== name));
        }
        if (row.entry.text === 'is ready' || (row.what === 'start' && !running.length)) {
          running.splice(0, running.length, ...running.filter((other) => other !== name), name);
        }
      } else if (lanes.has(name) && !lanes.get(name).peer && running.length) {
        lanes.get(name).peer = running[running.length - 1];
      }
    }
  }

  function layOut(rows, role) {
    const lanes = findLanes(rows, role), of = (name) => [...lanes.values()].filter((lane) => lane.side === name);
    let left = placeLanes(of('left'), 3);
    const played = role === 'client' ? of('right').filter((lane) => lane.name === 'hub') : [];
    const connections = placeLanes(of('right').filter((lane) => !played.includes(lane)), COLUMNS_MAX);
    played.forEach((lane) => { /* it is there also while nothing is told of it */
      lane.column = connections;
      lane.last = rows.length - 1;
    });
    const right = connections + played.length;
    const tested = of('tested');
    if (!tested.length && lanes.size) {
      const lane = { name: role, side: 'tested', first: 0, last: rows.length - 1, imagined: true };
      lanes.set(role, lane);
      tested.push(lane);
    }
    const spoken = rows.filter((row) => row.what === 'traffic' && isTested(row.entry.lane, role));
    if (spoken.length) {
      left = 1;
      lanes.set(USER, { name: USER, side: 'left', column: 0, first: rows.indexOf(spoken[0]), last: rows.indexOf(spoken[spoken.length - 1]),
        imagined: true });
    }
    const programs = placeLanes(tested, Infinity);
    tested.forEach((lane) => { lane.column += left; });
    of('left').forEach((lane) => { lane.column = left - 1 - lane.column; });
    of('right').forEach((lane) => { lane.column += left + programs; });
    for (const lane of lanes.values()) {
      lane.x = LEFT + COLUMN * (lane.column + 0.5);
    }
    findPeers(rows, lanes, role);
    const columns = left + programs + right;
    return { lanes, columns, left, tested: programs, right, detail: LEFT + COLUMN * columns + 8,
      peer: (lane) => lanes.get(lane.peer) || tested[0] };
  }

  /* -------------------------------------------------------------------------------------------------------- rows */

  const TRANSIENT = new Set(['note', 'breach', 'omitted', 'verdict']);

  function makeRows(result, options) {
    const names = new Names(), rows = [];
    for (const entry of result.transcript) {
      const told = describe(entry, names);
      const isAnswer = entry.automatic && entry.kind === 'send';
      const isBeat = told.kind === 'beat' && told.what === 'traffic';
      if ((!isAnswer || options.answers) && (!isBeat || isAnswer || options.beats)) {
        rows.push({ entry, ...told });
      }
    }
    rows.push({ entry: { kind: 'verdict', text: result.verdict, at: result.seconds }, what: 'verdict',
      detail: [result.verdict, result.verdict === 'PASS' ? '' : result.came].filter(Boolean).join(': ') });
    return rows;
  }

  function placeRows(rows) {
    let y = HEAD + 10, before = 0;
    for (const row of rows) {
      const at = row.entry.at === undefined ? before : row.entry.at;
      row.pause = at - before > PAUSE ? at - before : 0;
      y += row.pause ? GAP_ROW : 0;
      row.y = y + ROW / 2;
      y += ROW;
      before = at;
    }
    return y + 8;
  }

  const seconds = (at) => at.toFixed(3);
  const pauseWords = (time) => time < 1 ? `+${Math.round(time * 1000)} ms` : `+${time.toFixed(1)} s`;

  /* ---------------------------------------------------------------------------------------------------- drawing */

  function drawCaptions(layout, role) {
    const played = 'played by the suite', others = role === 'hub' ? 'clients' : 'the hub';
    const captions = [[0, layout.left, role === 'hub' ? 'Bridge' : 'the user', played], [layout.left, layout.tested, `the ${role}`, 'under test'],
      [layout.left + layout.tested, layout.right, others, played]];
    return captions.filter(([, count]) => count).flatMap(([from, count, who, how]) => {
      const x = LEFT + COLUMN * (from + count / 2);
      return [text(x, 18, who, 'caption'), text(x, 32, how, 'caption how')];
    });
  }

  function drawHead(lane, y, role) {
    const width = Math.max(lane.name.length * CHARACTER + 16, 44);
    const name = 'head' + (isTested(lane.name, role) ? ' tested' : '');
    return s('g', { class: name }, s('rect', { x: lane.x - width / 2, y: y - 10, width, height: 20, rx: 4 }),
      text(lane.x, y + 4, lane.name));
  }

  /* The parts of a lifeline: where it runs, and where it is stopped. */
  function livesOf(lane, rows) {
    const parts = [];
    let begin = lane.imagined || !/^(start|open)$/.test(rows[lane.first].what) ? rows[lane.first].y : null, stopped = null;
    for (const row of rows) {
      if (row.entry.lane !== lane.name) {
        continue;
      }
      if (row.what === 'start' || row.what === 'open') {
        begin = begin === null ? row.y : begin;
      } else if (row.what === 'end' && begin !== null) {
        parts.push({ from: begin, to: row.y }, ...(stopped ? [{ stall: true, from: stopped.from, to: row.y }] : []));
        begin = stopped = null;
      } else if (row.kind === 'stop') {
        stopped = { from: row.y };
      } else if (row.kind === 'resume' && stopped) {
        parts.push({ stall: true, from: stopped.from, to: row.y });
        stopped = null;
      }
    }
    const last = lane.side === 'tested' ? rows[rows.length - 1].y - ROW / 2 : rows[lane.last].y;
    if (begin !== null) {
      parts.push({ from: begin, to: lane.imagined || lane.side !== 'tested' ? rows[lane.last].y : last });
    }
    if (stopped) {
      parts.push({ stall: true, from: stopped.from, to: last });
    }
    return parts;
  }

  function drawLife(lane, rows, role) {
    const name = 'lifeline' + (isTested(lane.name, role) ? ' tested' : '');
    return livesOf(lane, rows).map((part) => part.stall
      ? s('rect', { x: lane.x - 6, y: part.from, width: 12, height: Math.max(part.to - part.from, 2), class: 'stalled' },
        s('title', {}, 'stopped: it does nothing, and its connections stay open'))
      : line(lane.x, part.from, lane.x, part.to, name));
  }

  /* Names again, where the head is out of sight. */
  function drawNames(lane, rows) {
    const drawn = [];
    for (let index = lane.first + NAMED_EACH; index < lane.last; index += NAMED_EACH) {
      drawn.push(text(lane.x, rows[index].y - ROW / 2 + 4, lane.name, 'again-name'));
    }
    return lane.shared ? [] : drawn;
  }

  function drawArrow(from, to, y, label, name) {
    const towards = to > from ? 1 : -1;
    /* The label stands in the column beside the connection, where no lifeline crosses it. */
    const middle = name.includes('receive-side') ? to - towards * COLUMN / 2 : from + towards * COLUMN / 2;
    return [...arrow(from, to - towards * 2, y + 5), text(middle, y, label, 'label')];
  }

  function drawCross(x, y) {
    return s('path', { d: `M${x - 5},${y - 5} l10,10 m0,-10 l-10,10`, class: 'mark' });
  }

  function drawPill(x, y, words) {
    const width = words.length * CHARACTER + 14;
    return s('g', { class: 'pill' }, s('rect', { x: x - width / 2, y: y - 10, width, height: 20, rx: 10 }), text(x, y + 4, words));
  }

  function drawTraffic(row, layout) {
    const lane = layout.lanes.get(row.entry.lane), peer = layout.peer(lane);
    const label = lane.shared ? `${lane.name}: ${row.label}` : row.label;
    if (lane.side === 'tested') {
      const user = layout.lanes.get(USER);
      return row.entry.kind === 'send' ? drawArrow(user.x, lane.x, row.y, label, '') : drawArrow(lane.x, user.x, row.y, label, 'receive-side');
    }
    return row.entry.kind === 'send' ? drawArrow(lane.x, peer.x, row.y, shorten(label, 22), '')
      : drawArrow(peer.x, lane.x, row.y, shorten(label, 22), 'receive-side');
  }

  function drawClose(row, layout) {
    const lane = layout.lanes.get(row.entry.lane), peer = layout.peer(lane);
    if (lane.side === 'tested') {
      return [drawCross(lane.x, row.y)];
    }
    const label = row.kind === 'reset' ? 'reset' : row.half ? 'half-close' : 'close';
    const arrow = row.by === 'suite' ? drawArrow(lane.x, peer.x, row.y, label, '') : drawArrow(peer.x, lane.x, row.y, label, 'receive-side');
    return row.half ? arrow : [...arrow, drawCross(lane.x, row.y + 5)];
  }

  function drawBand(row, layout, name, width) {
    return [s('rect', { x: LEFT, y: row.y - 11, width: width - LEFT - 10, height: 22, rx: 4, class: 'back' }),
      text(LEFT + 10, row.y + 4, shorten(row.detail, Math.floor((width - LEFT - 40) / CHARACTER)), 'words')];
  }

  function drawLaneRow(row, layout, role) {
    const lane = layout.lanes.get(row.entry.lane);
    switch (row.what) {
    case 'traffic':
      return drawTraffic(row, layout);
    case 'start':
    case 'open':
      return lane.shared ? [] : [drawHead(lane, row.y, role)];
    case 'close':
      return drawClose(row, layout);
    case 'signal':
      return [drawPill(lane.x, row.y, row.label)];
    case 'end':
      return [drawCross(lane.x, row.y)];
    default:
      return [s('circle', { cx: lane.x, cy: row.y, r: 4, class: 'dot' })];
    }
  }

  const BANDS = { note: 'note', breach: 'breach', verdict: 'end', omitted: 'note' };

  function classOf(row) {
    if (BANDS[row.what]) {
      return `${BANDS[row.what]} ${row.what === 'verdict' ? row.entry.text : ''}`;
    }
    return row.what === 'traffic' || row.kind ? row.kind : 'link';
  }

  /* Over the whole row, for who has no picture. */
  function tell(row, layout) {
    const lane = layout.lanes.get(row.entry.lane), at = row.entry.at === undefined ? '' : `${seconds(row.entry.at)} s, `;
    if (row.what !== 'traffic') {
      return at + row.detail;
    }
    const peer = lane.side === 'tested' ? USER : layout.peer(lane).name;
    if (peer === USER) {
      return `${at}${row.label} ${row.entry.kind === 'send' ? 'to' : 'of'} ${lane.name}: ${row.detail}`;
    }
    const [from, to] = row.entry.kind === 'send' ? [lane.name, peer] : [peer, lane.name];
    return `${at}${from} to ${to}: ${row.label}, ${row.detail}`;
  }

  function drawRow(row, layout, role, width) {
    const isBand = row.what in BANDS, words = tell(row, layout);
    const group = s('g', { class: `row ${classOf(row)}`, role: 'option', 'aria-label': words, 'aria-selected': 'false',
      'data-what': row.what, 'data-kind': row.kind || '' },
    s('title', {}, words), s('rect', { x: 0, y: row.y - ROW / 2, width, height: ROW, class: 'hit' }));
    if (row.entry.at !== undefined) {
      group.append(s('text', { x: LEFT - 14, y: row.y + 4, class: 'time', 'text-anchor': 'end' }, seconds(row.entry.at)));
    }
    group.append(...(isBand ? drawBand(row, layout, BANDS[row.what], width) : drawLaneRow(row, layout, role)));
    if (!isBand) {
      const room = Math.floor((width - layout.detail - 8) / CHARACTER);
      group.append(text(layout.detail, row.y + 4, shorten(row.detail, room), 'detail'));
    }
    return group;
  }

  function drawPauses(rows) {
    return rows.filter((row) => row.pause).map((row) => s('text',
      { x: LEFT - 14, y: row.y - ROW / 2 - 4, class: 'gap', 'text-anchor': 'end' }, pauseWords(row.pause)));
  }

  /* Heads of who was there before the first line that tells of it, and so has no row of its own for one. */
  function drawMissingHeads(layout, rows, role) {
    return [...layout.lanes.values()].filter((lane) => !lane.shared &&
      (lane.imagined || !rows.some((row) => row.entry.lane === lane.name && /^(start|open)$/.test(row.what))))
      .map((lane) => drawHead(lane, rows[lane.first].y - ROW / 2 - 6, role));
  }

  function draw(result, options) {
    const rows = makeRows(result, options), layout = layOut(rows, result.role), height = placeRows(rows);
    const width = Math.max(layout.detail + DETAIL_MIN, options.width || 0);
    const svg = s('svg', { width, height, viewBox: `0 0 ${width} ${height}`, role: 'listbox',
      'aria-label': `Sequence diagram of ${result.slug}: ${rows.length} steps` });
    const lanes = [...layout.lanes.values()];
    svg.append(...drawCaptions(layout, result.role));
    lanes.filter((lane) => !lane.shared).forEach((lane) => svg.append(...drawLife(lane, rows, result.role)));
    svg.append(...drawPauses(rows));
    rows.forEach((row) => {
      row.element = drawRow(row, layout, result.role, width);
      row.words = tell(row, layout);
      svg.append(row.element);
    });
    lanes.forEach((lane) => svg.append(...drawNames(lane, rows)));
    svg.append(...drawMissingHeads(layout, rows, result.role));
    return { svg, rows };
  }

  /* The parts of a diagram, for the legend. */
  function sample(kind) {
    const svg = s('svg', { width: 88, height: 24, viewBox: '0 0 88 24', 'aria-hidden': 'true', style: 'font: 12px monospace' });
    const group = s('g', { class: kind });
    if (/^(send|receive|error|beat)$/.test(kind)) {
      group.append(...(kind === 'send' ? arrow(84, 4, 12) : arrow(4, 84, 12)));
    } else if (kind === 'link') {
      group.append(...arrow(4, 74, 12), drawCross(78, 12));
    } else if (kind === 'stalled') {
      group.append(s('rect', { x: 38, y: 1, width: 12, height: 22, class: 'stalled' }));
    } else if (kind === 'tested') {
      group.append(s('g', { class: 'head tested' }, s('rect', { x: 22, y: 2, width: 44, height: 20, rx: 4 }), text(44, 16, 'hub')));
    } else if (kind === 'breach') {
      group.append(s('rect', { x: 2, y: 2, width: 84, height: 20, rx: 4, class: 'back' }));
    } else {
      group.append(drawPill(44, 12, kind === 'kill' ? 'SIGKILL' : 'SIGSTOP'));
    }
    svg.append(group);
    return svg;
  }

  return { draw, sample };
})();
