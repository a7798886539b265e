// The page of the interface: made of the OpenAPI document, of which nothing is known beforehand.
// Whatever comes from there or from an answer is put in as text, never as markup.

import { sample, shape } from './schema.js';

const BASE = new URL('../', import.meta.url);
/** How much of an answer is shown. */
const SHOWN = 1 << 20;
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

const by = (id) => document.getElementById(id);
const token = by('token');
let spec = {};

/** An element with these attributes and children; texts are texts. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.filter((child) => child != null));
  return element;
}

function field(id, label, input, about) {
  input.id = id;
  return make('p', {}, make('label', { for: id }, label), ' ', input,
    about ? make('small', {}, ` ${about}`) : null);
}

/** The parameters, each with its input. */
function parameters(operation, inputs) {
  const all = operation.parameters ?? [];
  if (all.length === 0) return null;
  return make('div', {}, make('h3', {}, 'Parameters'), ...all.map((parameter) => {
    const input = make('input', { autocomplete: 'off', spellcheck: 'false' });
    const hint = parameter.schema?.examples?.[0] ?? parameter.schema?.default;
    if (hint !== undefined) input.placeholder = String(hint);
    if (parameter.required) input.required = true;
    inputs.push({ parameter, input });
    const about = [parameter.required ? 'needed' : parameter.in, parameter.description].filter(Boolean);
    return field(`${operation.operationId}-${parameter.name}`, parameter.name, input, about.join(': '));
  }));
}

/** The body, with an example to begin with. */
function body(operation, state) {
  const media = operation.requestBody?.content?.['application/json'];
  if (!media) return null;
  state.body = make('textarea', { spellcheck: 'false' });
  const example = media.example ?? sample(spec, media.schema);
  state.body.value = JSON.stringify(example, null, 2);
  return make('div', {}, make('h3', {}, 'Body'),
    field(`${operation.operationId}-body`, 'JSON', state.body),
    make('details', {}, make('summary', {}, 'What it may be'), shape(spec, media.schema, make)));
}

function answers(operation) {
  const all = Object.entries(operation.responses ?? {}).map(([status, response]) => {
    const [kind, media] = Object.entries(response.content ?? {})[0] ?? [];
    const schema = media?.schema;
    const line = [make('code', {}, status), ` ${response.description ?? ''}`];
    if (!schema) return make('p', {}, ...line);
    return make('details', {}, make('summary', {}, ...line, make('small', {}, ` ${kind}`)),
      shape(spec, schema, make));
  });
  return make('div', {}, make('h3', {}, 'Answers'), ...all);
}

/** Where a request goes, by what was typed. */
function target(path, inputs) {
  const query = new URLSearchParams();
  let place = path;
  for (const { parameter, input } of inputs) {
    if (parameter.in === 'path') {
      place = place.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    } else if (parameter.in === 'query' && input.value !== '') {
      query.set(parameter.name, input.value);
    }
  }
  const behind = query.toString();
  return new URL(place.replace(/^\//, '') + (behind ? `?${behind}` : ''), BASE);
}

/** Reads an answer as it comes, and shows it. */
async function receive(response, pre) {
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  let text = '';
  while (reader) {
    const { done, value } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
    if (text.length > SHOWN) {
      await reader.cancel();
      text = `${text.slice(0, SHOWN)}\n(there is more)`;
      break;
    }
    pre.textContent = text;
  }
  try {
    pre.textContent = JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    pre.textContent = text;
  }
}

/** What sends a request, and shows what came of it. */
function trial(method, path, operation, inputs, state) {
  const send = make('button', { type: 'submit' }, 'Send');
  const stop = make('button', { type: 'button' }, 'Stop');
  stop.disabled = true;
  const outcome = make('output', { 'aria-live': 'polite' });
  const pre = make('pre', { tabindex: '0', 'aria-label': 'Answer' });
  pre.hidden = true;
  let running;
  stop.addEventListener('click', () => running?.abort());
  const go = async (event) => {
    event.preventDefault();
    running = new AbortController();
    send.disabled = true;
    stop.disabled = false;
    pre.hidden = true;
    pre.textContent = '';
    outcome.className = 'faint';
    outcome.textContent = ' …';
    const headers = {};
    if (token.value) headers.Authorization = `Bearer ${token.value.trim()}`;
    if (state.body) headers['Content-Type'] = 'application/json';
    const began = performance.now();
    try {
      const response = await fetch(target(path, inputs), {
        method: method.toUpperCase(),
        headers,
        body: state.body?.value,
        signal: running.signal,
        credentials: 'omit',
        redirect: 'error',
      });
      outcome.className = response.ok ? 'good' : 'bad';
      outcome.textContent =
        ` ${response.status} ${response.statusText} after ${Math.round(performance.now() - began)} ms`;
      pre.hidden = false;
      await receive(response, pre);
    } catch (error) {
      const stopped = error.name === 'AbortError';
      outcome.className = stopped ? 'faint' : 'bad';
      outcome.textContent = stopped ? ' stopped' : ` no answer: ${error.message}`;
    } finally {
      send.disabled = false;
      stop.disabled = true;
    }
  };
  const form = make('form', {}, parameters(operation, inputs), body(operation, state),
    make('p', {}, send, ' ', stop, outcome), pre);
  form.addEventListener('submit', go);
  return form;
}

/** An operation, whose inside is made when it is first opened. */
function entry(method, path, operation) {
  const summary = make('summary', {},
    operation['x-role'] ? make('span', { class: 'role' }, `role ${operation['x-role']}`) : null,
    make('span', { class: 'method' }, method.toUpperCase()),
    make('span', { class: 'path' }, path), ' ',
    make('span', { class: 'faint' }, operation.summary ?? ''));
  const details = make('details', { id: operation.operationId }, summary);
  details.addEventListener('toggle', () => {
    if (!details.open || details.children.length > 1) return;
    const about = operation.description ? make('p', {}, operation.description) : null;
    details.append(make('div', {}, about, trial(method, path, operation, [], {}), answers(operation)));
  });
  return details;
}

/** The operations by their groups, in the order of the document's own list of them. */
function groups() {
  const all = new Map((spec.tags ?? []).map((tag) => [tag.name, []]));
  for (const [path, methods] of Object.entries(spec.paths ?? {})) {
    for (const method of METHODS.filter((method) => methods[method])) {
      const operation = methods[method];
      const group = operation.tags?.[0] ?? 'Others';
      if (!all.has(group)) all.set(group, []);
      all.get(group).push({ method, path, operation });
    }
  }
  return [...all].filter(([, operations]) => operations.length > 0);
}

function show() {
  const index = by('index');
  for (const [name, operations] of groups()) {
    const section = make('section', {}, make('h2', {}, name));
    const links = make('ul');
    for (const { method, path, operation } of operations) {
      const details = entry(method, path, operation);
      const link = make('a', { href: `#${operation.operationId}` }, operation.operationId);
      link.addEventListener('click', () => { details.open = true; });
      const item = make('li', {}, link);
      const text = `${operation.operationId} ${method} ${path} ${operation.summary}`.toLowerCase();
      by('filter').addEventListener('input', (event) => {
        const hidden = !text.includes(event.target.value.trim().toLowerCase());
        details.hidden = hidden;
        item.hidden = hidden;
      });
      section.append(details);
      links.append(item);
    }
    by('operations').append(section);
    index.append(make('li', {}, make('span', {}, name), links));
  }
  const named = document.getElementById(location.hash.slice(1));
  if (named?.tagName === 'DETAILS') named.open = true;
}

by('access').addEventListener('submit', async (event) => {
  event.preventDefault();
  const outcome = by('access-outcome');
  try {
    const response = await fetch(new URL('api/v1/login', BASE), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: by('name').value, password: by('password').value }),
      credentials: 'omit',
    });
    const answer = await response.json();
    outcome.className = response.ok ? 'good' : 'bad';
    outcome.textContent = response.ok ? `role ${answer.role}` : answer.detail;
    if (response.ok) {
      token.value = answer.token;
      by('password').value = '';
    }
  } catch (error) {
    outcome.className = 'bad';
    outcome.textContent = `no answer: ${error.message}`;
  }
});

try {
  const response = await fetch(new URL('api/v1/openapi.json', BASE), { credentials: 'omit' });
  if (!response.ok) throw new Error(`status ${response.status}`);
  spec = await response.json();
  show();
  by('state').remove();
} catch (error) {
  by('state').textContent = `The document cannot be read: ${error.message}`;
}
