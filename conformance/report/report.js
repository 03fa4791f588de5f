/* SPDX-License-Identifier: MIT */
/* The page around the diagrams: outcome, filter, sections and cases. Its data is conformance/schema/report.schema.json. */
'use strict';

(() => {
  const VERDICTS = {
    PASS: 'The implementation did all that the case asks for.',
    FAIL: 'It did not: a requirement is broken.',
    CRASH: 'The implementation ended by itself; the signal or the exit status is told.',
    TIMEOUT: 'The case did not come to an end.',
    NON_STRICT: 'A SHOULD is not met. The run fails by it with --strict alone.',
    INCONCLUSIVE: 'This host was too slow to tell; a --time-scale of 2 or more helps.',
    UNIMPLEMENTED: 'The implementation says that it has no such thing (exit status 89). No failure.',
    SKIP: 'This host, or something that the case is not about, kept the case from its subject.',
    BROKEN: 'The suite itself broke; the implementation is not to blame.',
  };
  const WORST = ['BROKEN', 'CRASH', 'FAIL', 'TIMEOUT', 'NON_STRICT', 'INCONCLUSIVE', 'SKIP', 'UNIMPLEMENTED', 'PASS'];
  const BREACH = 'BREACH', KNOWN = 'KNOWN';

  const LONG = 30, LISTED = 12;

  const $ = (id) => document.getElementById(id);

  function h(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (key.startsWith('on')) {
        element.addEventListener(key.slice(2), value);
      } else if (value !== null && value !== undefined && value !== false) {
        element.setAttribute(key, value === true ? '' : value);
      }
    }
    element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
    return element;
  }

  /* A requirement's sentence is Markdown with code in it, and nothing else. */
  function prose(sentence) {
    return sentence.split('`').map((part, index) => index % 2 ? h('code', {}, part) : part);
  }

  const plural = (count, one, many) => `${count} ${count === 1 ? one : many || one + 's'}`;
  const badge = (verdict, words) => h('span', { class: `verdict ${verdict}`, title: VERDICTS[verdict] || null }, words || verdict);

  /* ------------------------------------------------------------------------------------------------ the data */

  /* One for each case, with all of its runs (--repeat): what is shown first is the worst. */
  function gather(data) {
    const cases = new Map();
    for (const result of data.cases) {
      const found = cases.get(result.slug) || { slug: result.slug, runs: [] };
      found.runs.push(result);
      cases.set(result.slug, found);
    }
    for (const found of cases.values()) {
      found.runs.sort((a, b) => a.turn - b.turn);
      found.shown = [...found.runs].sort((a, b) => WORST.indexOf(a.verdict) - WORST.indexOf(b.verdict) || a.turn - b.turn)[0];
      found.verdicts = new Set(found.runs.map((run) => run.verdict));
      found.breaches = found.runs.flatMap((run) => run.breaches);
      found.known = found.runs.some((run) => run.known) || found.breaches.some((breach) => breach.known);
      found.fails = found.runs.some((run) => run.fails) || found.breaches.some((breach) => !breach.known);
      found.words = wordsOf(found);
    }
    return [...cases.values()].sort((a, b) => a.shown.number - b.shown.number);
  }

  function wordsOf({ slug, shown, breaches }) {
    const told = [...shown.requirements, ...breaches].flatMap((requirement) => [requirement.id, requirement.sentence, requirement.came]);
    return [slug, shown.level, shown.expected, shown.came, ...told].filter(Boolean).join(' ').toLowerCase();
  }

  const tags = (found) => [...found.verdicts, ...(found.breaches.length ? [BREACH] : []), ...(found.known ? [KNOWN] : [])];

  function count(cases) {
    const counts = {};
    cases.forEach((found) => tags(found).forEach((tag) => { counts[tag] = (counts[tag] || 0) + 1; }));
    return counts;
  }

  const labelOf = (tag) => tag === BREACH ? 'seen in passing' : tag === KNOWN ? 'known' : tag;

  /* --------------------------------------------------------------------------------------------- the outcome */

  function outcome(data, cases) {
    const failed = cases.filter((found) => found.fails).length, told = plural(cases.length, 'case');
    if (!data.finished) {
      return ['open', 'Unfinished', `The run was stopped, or still goes on: ${data.cases.length} of ${data.planned} cases were over ` +
        'when this was written. What is here is whole.'];
    }
    switch (data.exit_status) {
    case 0:
      return ['good', 'Conformant', `Nothing that the ${told} ask for was found broken` +
        (cases.some((found) => found.known) ? ', but for failures that are known.' : '.')];
    case 1:
      return ['bad', 'Not conformant', [failed ? `${failed} of ${told} failed, or showed a requirement broken in passing.` : '',
        data.stale.length ? `${plural(data.stale.length, 'line')} of the known failures ${data.stale.length === 1 ? 'is' : 'are'} no longer true.` : ''].join(' ')];
    case 2:
      return ['open', 'Not to be told', 'Nothing failed, but something could not be judged, or nothing was tested.'];
    default:
      return ['bad', 'The suite broke', 'What is told here of the implementation is not to be relied on.'];
    }
  }

  function bar(cases, name) {
    const counts = {};
    cases.forEach(({ shown }) => { counts[shown.verdict] = (counts[shown.verdict] || 0) + 1; });
    const verdicts = Object.keys(VERDICTS).filter((verdict) => counts[verdict]);
    return h('div', { class: name, role: 'img', 'aria-label': verdicts.map((verdict) => `${counts[verdict]} ${verdict}`).join(', ') },
      verdicts.map((verdict) => h('span', { class: verdict, style: `flex: ${counts[verdict]} 1 0`, title: `${counts[verdict]} ${verdict}` })));
  }

  function optionWords(options) {
    return [options.repeat > 1 && `each case ${options.repeat} times`, options.seed && `seed ${options.seed}`,
      options.time_scale !== 1 && `time scale ${options.time_scale}`, options.strict && 'strict', `${plural(options.jobs, 'job')}`,
      options.known_failures && `known failures: ${options.known_failures}`, options.kill && `signals by: ${options.kill}`,
      options.connect && `connections by: ${options.connect}`, options.listen && `listens by: ${options.listen}`,
      options.cases.length && `only ${options.cases.join(' ')}`].filter(Boolean).join(', ');
  }

  function showOutcome(data, cases) {
    const [name, title, words] = outcome(data, cases), started = new Date(data.started);
    const facts = [...['hub', 'client'].filter((role) => data[role])
      .map((role) => [`Tested ${role}`, h('code', {}, data[role])]), ['Options', optionWords(data.options)],
      ['Run', `${started.toLocaleString()}, ${data.seconds.toFixed(1)} s`],
      ['Suite', `${data.suite} ${data.version}, protocol ${data.protocol}`]];
    $('outcome').append(h('div', { class: `banner ${name}`, id: 'banner' }, h('strong', {}, title), words), bar(cases, 'bar big'),
      h('dl', { class: 'facts' }, facts.map(([what, fact]) => [h('dt', {}, what), h('dd', {}, fact)])));
    document.title = `${title}: Bridge Hub conformance report`;
  }

  const link = (slug) => h('a', { href: '#' + slug }, slug);

  /* The first few by name: one cause can fail a hundred cases. */
  const named = (slugs) => [slugs.slice(0, 3).flatMap((slug, index) => [index ? ', ' : '', link(slug)]),
    slugs.length > 3 ? ` and ${slugs.length - 3} more` : ''];

  /* By what went wrong, in the order in which it first did. */
  function alike(cases, key) {
    const groups = new Map();
    cases.forEach((found) => groups.set(key(found), [...(groups.get(key(found)) || []), found]));
    return [...groups.values()];
  }

  function failureRow(group) {
    const { verdict, expected, came } = group[0].shown;
    return h('li', {}, badge(verdict), h('span', {}, named(group.map(({ slug }) => slug)), h('span', { class: 'came' },
      expected && [h('i', {}, 'expected'), ' ', prose(expected), h('br')], came && [h('i', {}, 'came'), ' ', prose(came)])));
  }

  function showAttention(data, cases) {
    const bad = cases.filter(({ shown }) => !['PASS', 'SKIP', 'UNIMPLEMENTED'].includes(shown.verdict) && !shown.known);
    const passing = new Map();
    cases.forEach((found) => found.breaches.filter((breach) => !breach.known).forEach((breach) => {
      passing.set(breach.id, { breach, cases: [...(passing.get(breach.id) || { cases: [] }).cases, found.slug] });
    }));
    const rows = [...data.stale.map((words) => h('li', {}, badge(KNOWN, 'STALE'), h('span', {}, words))),
      ...alike(bad, ({ shown }) => [shown.verdict, shown.expected, shown.came].join('\n')).map(failureRow),
      ...[...passing.values()].map(({ breach, cases: slugs }) => h('li', {}, badge(BREACH, 'IN PASSING'),
        h('span', {}, h('b', {}, breach.id), ' ', prose(breach.sentence), h('span', { class: 'came' }, `${breach.came}, in `, named(slugs)))))];
    $('attention').hidden = !rows.length;
    $('attention-list').append(h('ul', {}, rows.slice(0, LISTED),
      rows.length > LISTED && h('li', {}, h('span'), h('span', {}, `and ${rows.length - LISTED} more: see the cases below`))));
  }

  function showLegend() {
    for (const [verdict, meaning] of Object.entries(VERDICTS)) {
      $('verdicts').append(h('dt', {}, badge(verdict)), h('dd', {}, meaning));
    }
    const key = [['tested', 'the program under test; all others are played by the suite'], ['send', 'a message to it'],
      ['receive', 'a message from it'], ['beat', 'a HEARTBEAT, or the answer to one'], ['error', 'an ERROR'],
      ['link', 'a connection is closed'], ['kill', 'a signal that ends it'], ['stop', 'one that stops it:'],
      ['stalled', 'it hangs, and its connections stay open'], ['breach', 'a requirement is broken here']];
    $('key').append(...key.map(([kind, words]) => h('li', {}, Diagram.sample(kind), words)));
  }

  /* --------------------------------------------------------------------------------------------- one case */

  function requirements(result) {
    return result.requirements.map((requirement) => h('div', { class: 'requirement' + (requirement.id === result.requirement ? ' broken' : '') },
      h('span', { class: 'id' }, requirement.id), h('span', {}, prose(requirement.sentence))));
  }

  function comparison(result) {
    const rows = [['expected', result.expected], ['came', result.came]].filter(([, words]) => words);
    return rows.length ? h('dl', { class: 'compare' }, rows.map(([what, words]) => [h('dt', {}, what), h('dd', {}, prose(words))])) : null;
  }

  function breaches(result) {
    return result.breaches.length ? [h('h4', {}, 'Seen in passing'), ...result.breaches.map((breach) => h('div', { class: 'requirement broken' },
      h('span', { class: 'id' }, breach.id), h('span', {}, prose(breach.sentence), h('div', { class: 'soft' }, breach.came,
        breach.times > 1 ? `; and ${breach.times - 1} times more` : '', breach.known ? ' (known)' : ''))))] : null;
  }

  function pretty(body) {
    try {
      return JSON.stringify(JSON.parse(body), null, 2);
    } catch (error) {
      return body;
    }
  }

  /* Arrow keys move among the rows; what is chosen is told whole below. */
  class Chooser {
    constructor(rows, pane) {
      this.rows = rows;
      this.pane = pane;
      this.at = -1;
      rows.forEach((row, index) => {
        row.element.setAttribute('tabindex', index ? '-1' : '0'); /* one stop for all of them */
        row.element.addEventListener('click', () => this.choose(index, true));
        row.element.addEventListener('focus', () => this.choose(index));
        row.element.addEventListener('keydown', (event) => this.key(event));
      });
    }

    key(event) {
      const last = this.rows.length - 1;
      const to = { ArrowDown: this.at + 1, ArrowUp: this.at - 1, Home: 0, End: last, PageDown: this.at + 10, PageUp: this.at - 10 }[event.key];
      if (to !== undefined) {
        event.preventDefault();
        this.choose(Math.min(Math.max(to, 0), last), true);
      }
    }

    choose(index, focus) {
      if (index !== this.at) {
        this.mark(Math.max(this.at, 0), false);
        this.at = index;
        this.mark(index, true);
        this.tell(this.rows[index]);
      }
      if (focus && document.activeElement !== this.rows[index].element) {
        this.rows[index].element.focus({ preventScroll: true });
        this.rows[index].element.scrollIntoView({ block: 'nearest' });
      }
    }

    mark(index, on) {
      const row = this.rows[index];
      if (row) {
        row.element.classList.toggle('chosen', on);
        row.element.setAttribute('aria-selected', String(on));
        row.element.setAttribute('tabindex', on ? '0' : '-1');
      }
    }

    tell({ entry, words }) {
      const size = entry.size === undefined ? '' : ` (${plural(entry.size, 'octet')})`;
      const isMessage = entry.kind === 'send' || entry.kind === 'receive';
      const title = isMessage ? `${words.split(': ')[0]}: ${entry.text}${size}` : words;
      this.pane.replaceChildren(h('div', {}, title), entry.body ? h('pre', {}, pretty(entry.body)) : '');
    }
  }

  const HINT = 'Click a row, or move with the arrow keys, to see it whole.';

  function diagram(result) {
    const options = { beats: true, answers: false, width: 0 }, box = h('div', { class: 'diagram' });
    const pane = h('div', { class: 'chosen-body', 'aria-live': 'polite' }, HINT);
    const redraw = () => {
      options.width = box.clientWidth;
      const drawn = Diagram.draw(result, options);
      box.replaceChildren(drawn.svg);
      new Chooser(drawn.rows, pane);
    };
    const check = (name, words) => h('label', {}, h('input', { type: 'checkbox', checked: options[name],
      onchange: (event) => { options[name] = event.target.checked; redraw(); } }), ' ', words);
    const has = (test) => result.transcript.some(test);
    const beats = has((entry) => / HEARTBEAT /.test(entry.text)), answers = has((entry) => entry.automatic && entry.kind === 'send');
    const controls = h('div', { class: 'options' }, beats && check('beats', 'HEARTBEATs'),
      answers && check('answers', 'answers to HEARTBEATs by the suite'), result.transcript.length > LONG &&
      h('button', { type: 'button', onclick: () => box.scrollTo(0, box.scrollHeight) }, 'To the end'));
    requestAnimationFrame(redraw); /* once it has a width */
    return [h('h4', {}, 'What happened'), controls, box, pane];
  }

  const ARROWS = { send: '-> ', receive: '<- ', breach: '!! ' };

  function transcriptLine(entry) {
    if (entry.kind === 'omitted') {
      return `          … ${entry.count} more`;
    }
    const place = entry.at.toFixed(6).padStart(10) + '  ' + (entry.lane || '').padEnd(10);
    return `${place} ${ARROWS[entry.kind] || ''}${entry.text}${entry.requirement ? ` (${entry.requirement})` : ''}` +
      (entry.body ? `  ${entry.body}` : '');
  }

  function folded(title, words, open) {
    return h('details', { class: 'text', open }, h('summary', {}, title), h('pre', { tabindex: '0' }, words));
  }

  function texts(result) {
    const lines = result.transcript, log = result.log;
    return [folded(`Transcript as text (${plural(lines.length, 'line')}; -> to the program under test, <- from it)`,
      lines.map(transcriptLine).join('\n'), false),
    log.length ? folded(`Last words of the program under test (${plural(log.length, 'line')})`,
      log.map((entry) => entry.kind === 'omitted' ? `… ${entry.count} more before` : `${entry.at.toFixed(6).padStart(10)}  ${entry.text}`).join('\n'),
      result.verdict !== 'PASS') : h('p', { class: 'soft' }, 'The program under test wrote nothing.')];
  }

  function again(result) {
    const copy = (event) => navigator.clipboard.writeText(result.again).then(() => { event.target.textContent = 'Copied'; }, () => {});
    return [h('h4', {}, 'Run it again'), h('div', { class: 'again' }, h('pre', { tabindex: '0' }, result.again),
      navigator.clipboard && h('button', { type: 'button', onclick: copy }, 'Copy'))];
  }

  function oneRun(result) {
    const drawn = result.transcript.length && result.transcript[0].kind !== 'omitted';
    return [requirements(result), comparison(result), breaches(result), drawn ? diagram(result)
      : h('p', { class: 'soft' }, 'Of a run that is repeated, only the first that passes is told at length.'),
    drawn && texts(result), again(result)];
  }

  function runs(found, inside) {
    const show = (run, event) => {
      inside.querySelectorAll('.turns button').forEach((button) => button.setAttribute('aria-pressed', String(button === event.target)));
      inside.querySelector('.run').replaceChildren(...oneRun(run).flat(Infinity).filter(Boolean));
    };
    return found.runs.length > 1 ? h('div', { class: 'turns', role: 'group', 'aria-label': 'Runs' }, found.runs.map((run) => h('button',
      { type: 'button', class: run.verdict, 'aria-pressed': String(run === found.shown), onclick: (event) => show(run, event) },
      `run ${run.turn}: ${run.verdict}`))) : null;
  }

  function fill(found, inside) {
    inside.append(...[runs(found, inside), h('div', { class: 'run' }, oneRun(found.shown).flat(Infinity).filter(Boolean))].filter(Boolean));
  }

  function about({ shown, runs: all, breaches: passing, known }) {
    return [known && 'known', passing.length ? 'seen in passing' : '', all.length > 1 && plural(all.length, 'run'), shown.level,
      `${shown.seconds.toFixed(shown.seconds < 10 ? 2 : 1)} s`].filter(Boolean).join(' · ');
  }

  function showCase(found) {
    const [section, ...rest] = found.slug.split('/'), inside = h('div', { class: 'inside' });
    const details = h('details', { class: 'case', id: found.slug, ontoggle: () => {
      if (details.open && !inside.hasChildNodes()) {
        fill(found, inside);
      }
    } }, h('summary', { onkeydown: moveByKey }, badge(found.shown.verdict), h('span', { class: 'name' },
      h('span', { class: 'section-name' }, section + '/'), rest.join('/')), h('span', { class: 'about' }, about(found))), inside);
    return details;
  }

  function moveByKey(event) {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      move(event.currentTarget, event.key === 'ArrowDown' ? 1 : -1);
    }
  }

  function move(from, by) {
    const all = [...document.querySelectorAll('.section > summary, .section[open] .case > summary')].filter((one) => one.offsetParent);
    const to = all[all.indexOf(from) + by];
    if (to) {
      to.focus();
    }
  }

  /* ------------------------------------------------------------------------------------- sections, and the filter */

  function countWords(cases) {
    const counts = count(cases), bad = Object.keys(VERDICTS).filter((verdict) => verdict !== 'PASS' && counts[verdict]);
    return [`${counts.PASS || 0} of ${cases.length} passed`, ...bad.map((verdict) => `${counts[verdict]} ${verdict}`),
      counts[BREACH] && `${counts[BREACH]} seen in passing`].filter(Boolean).join(' · ');
  }

  function showSections(data, cases) {
    return data.sections.map((section) => {
      const own = cases.filter(({ shown }) => shown.section === section.name && (!section.role || shown.role === section.role));
      if (!own.length) {
        return null;
      }
      own.forEach((found) => { found.element = showCase(found); });
      const element = h('details', { class: 'section' },
        h('summary', { onkeydown: moveByKey }, h('h3', {}, section.title), bar(own, 'bar'), h('span', { class: 'count' }, countWords(own))),
        h('div', {}, own.map((found) => found.element)));
      $('sections').append(element);
      return { element, cases: own, wasOpen: false };
    }).filter(Boolean);
  }

  class Filter {
    constructor(cases, sections) {
      this.cases = cases;
      this.sections = sections;
      this.chosen = new Set();
      this.showChips();
      $('text').addEventListener('input', () => this.apply());
      $('filter').addEventListener('submit', (event) => event.preventDefault());
      $('open-all').addEventListener('click', () => sections.forEach(({ element }) => { element.open = true; }));
      $('close-all').addEventListener('click', () => sections.forEach(({ element }) => { element.open = false; }));
      document.addEventListener('keydown', (event) => this.key(event));
      this.apply();
    }

    showChips() {
      const counts = count(this.cases);
      const chip = (tag, words, number) => h('button', { type: 'button', class: `chip ${tag || ''}`, 'aria-pressed': 'false', 'data-tag': tag,
        onclick: () => this.toggle(tag) }, h('span', {}, `${words} ${number}`));
      this.chips = [chip('', 'ALL', this.cases.length), ...[...Object.keys(VERDICTS), BREACH, KNOWN].filter((tag) => counts[tag])
        .map((tag) => chip(tag, labelOf(tag), counts[tag]))];
      $('chips').append(...this.chips);
    }

    toggle(tag) {
      if (!tag) {
        this.chosen.clear();
      } else if (!this.chosen.delete(tag)) {
        this.chosen.add(tag);
      }
      this.apply();
    }

    key(event) {
      if (event.key === '/' && !/^(INPUT|TEXTAREA)$/.test(event.target.tagName)) {
        event.preventDefault();
        $('text').focus();
      } else if (event.key === 'Escape' && event.target === $('text')) {
        $('text').value = '';
        this.apply();
      }
    }

    get isActive() {
      return this.chosen.size > 0 || $('text').value.trim() !== '';
    }

    apply() {
      const words = $('text').value.toLowerCase().split(/\s+/).filter(Boolean);
      const fits = (found) => (!this.chosen.size || tags(found).some((tag) => this.chosen.has(tag))) &&
        words.every((word) => found.words.includes(word));
      let shown = 0;
      for (const section of this.sections) {
        const own = section.cases.filter((found) => !(found.element.hidden = !fits(found))).length;
        section.element.hidden = !own;
        this.unfold(section, own);
        shown += own;
      }
      this.chips.forEach((chip) => chip.setAttribute('aria-pressed',
        String(chip.dataset.tag ? this.chosen.has(chip.dataset.tag) : !this.chosen.size)));
      $('shown').textContent = this.isActive ? `${shown} of ${plural(this.cases.length, 'case')}` : plural(shown, 'case');
    }

    /* What is found is seen; without a filter all is again as it was. */
    unfold(section, own) {
      if (this.isActive && !this.wasActive) {
        section.wasOpen = section.element.open;
      }
      section.element.open = this.isActive ? own > 0 : section.wasOpen;
      if (section === this.sections[this.sections.length - 1]) {
        this.wasActive = this.isActive;
      }
    }

    show(slug) {
      const found = this.cases.find((one) => one.slug === slug);
      if (!found) {
        return;
      }
      if (found.element.hidden) {
        this.chosen.clear();
        $('text').value = '';
        this.apply();
      }
      found.element.closest('.section').open = true;
      /* What is inside comes when it is opened, and the diagram in the next frame: until then the page may end too soon. */
      if (!found.element.open) {
        found.element.addEventListener('toggle', () => requestAnimationFrame(() => found.element.scrollIntoView()), { once: true });
      }
      found.element.open = true;
      found.element.scrollIntoView();
      found.element.querySelector('summary').focus({ preventScroll: true });
    }
  }

  function begin() {
    let data;
    try {
      data = JSON.parse($('data').textContent);
    } catch (error) {
      $('outcome').append(h('p', { class: 'banner bad' }, 'The data of this page is damaged: ', error.message));
      return;
    }
    const cases = gather(data);
    showOutcome(data, cases);
    showAttention(data, cases);
    showLegend();
    const filter = new Filter(cases, showSections(data, cases));
    const follow = () => filter.show(decodeURIComponent(location.hash.slice(1)));
    window.addEventListener('hashchange', follow);
    follow();
  }

  document.addEventListener('DOMContentLoaded', begin);
})();
