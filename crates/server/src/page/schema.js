// Schemas of JSON: told to people, and as an example of what they describe.

/** How deep an example goes. */
const DEEPEST = 6;

/** What a reference leads to, as far as it is within the document. */
function follow(spec, schema) {
  let at = schema;
  for (let hops = 0; at && typeof at === 'object' && '$ref' in at && hops < 10; hops += 1) {
    const path = String(at.$ref).replace(/^#\//, '').split('/');
    at = path.reduce((value, part) => value?.[part.replaceAll('~1', '/').replaceAll('~0', '~')], spec);
  }
  return at;
}

/** The name of what a reference leads to. */
function nameOf(schema) {
  return typeof schema?.$ref === 'string' ? schema.$ref.split('/').pop() : undefined;
}

/** The ways in which something may be one of several. */
function choices(schema) {
  return schema?.oneOf ?? schema?.anyOf;
}

/** The types that are no "nothing". */
function types(schema) {
  return [schema?.type ?? []].flat().filter((type) => type !== 'null');
}

/** An example of what a schema describes; what need not be there is left out. */
export function sample(spec, given, depth = 0) {
  const schema = follow(spec, given);
  if (!schema || typeof schema !== 'object' || depth > DEEPEST) return null;
  for (const value of [schema.example, schema.examples?.[0], schema.default, schema.const, schema.enum?.[0]]) {
    if (value !== undefined && value !== null) return value;
  }
  const several = choices(schema);
  if (several) {
    const some = several.map((one) => follow(spec, one)).filter((one) => one?.type !== 'null');
    // The shortest way to say it.
    const least = (one) => one?.required?.length ?? 0;
    some.sort((one, other) => least(one) - least(other));
    return sample(spec, some[0], depth + 1);
  }
  if (schema.allOf) {
    return Object.assign({}, ...schema.allOf.map((one) => sample(spec, one, depth + 1)));
  }
  switch (types(schema)[0]) {
    case 'object': {
      const wanted = schema.required ?? [];
      const entries = Object.entries(schema.properties ?? {}).filter(([name]) => wanted.includes(name));
      return Object.fromEntries(entries.map(([name, one]) => [name, sample(spec, one, depth + 1)]));
    }
    case 'array':
      return schema.minItems ? [sample(spec, schema.items, depth + 1)] : [];
    case 'integer':
    case 'number':
      return schema.minimum ?? 0;
    case 'boolean':
      return false;
    case 'string':
      return '';
    default:
      return null;
  }
}

/** What holds for a value, in a few words. */
function limits(schema) {
  const words = [];
  const say = (name, text) => {
    if (schema[name] !== undefined) words.push(`${text} ${JSON.stringify(schema[name])}`);
  };
  say('format', 'as');
  say('const', 'is');
  say('enum', 'one of');
  say('minimum', 'at least');
  say('maximum', 'at most');
  say('minLength', 'length at least');
  say('maxLength', 'length at most');
  say('minItems', 'items at least');
  say('maxItems', 'items at most');
  say('pattern', 'like');
  say('default', 'otherwise');
  return words.join(', ');
}

function kind(spec, given) {
  const schema = follow(spec, given);
  const name = nameOf(given);
  if (schema === true || schema === undefined) return 'anything';
  if (name) return name;
  const several = choices(schema);
  if (several) return several.map((one) => kind(spec, one)).join(' or ');
  const all = [schema.type ?? []].flat();
  return all.map((type) => (type === 'array' ? `list of ${kind(spec, schema.items)}` : type)).join(' or ')
    || 'anything';
}

/** A schema as a list that opens step by step. What it is within is not opened anew. */
export function shape(spec, given, make, within = []) {
  const schema = follow(spec, given);
  const name = nameOf(given);
  if (!schema || typeof schema !== 'object') return make('p', {}, 'anything');
  if (name && within.includes(name)) return make('p', {}, `${name}, as above`);
  const inside = name ? [...within, name] : within;
  const list = make('ul', { class: 'schema' });
  if (schema.description) list.append(make('li', { class: 'faint' }, schema.description));
  const words = limits(schema);
  if (words) list.append(make('li', {}, words));
  const nested = (label, about, one) => {
    const target = follow(spec, one);
    const deep = target && typeof target === 'object'
      && (target.properties || choices(target) || target.allOf || target.items || target.additionalProperties);
    const line = [make('code', {}, label), ` ${kind(spec, one)}${about}`];
    const text = target?.description && !deep ? `: ${target.description}` : '';
    const more = target && typeof target === 'object' && !deep ? limits(target) : '';
    if (!deep) return make('li', {}, ...line, text, more ? make('small', {}, ` (${more})`) : null);
    const details = make('details', {}, make('summary', {}, ...line));
    details.addEventListener('toggle', () => {
      if (details.open && details.children.length === 1) details.append(shape(spec, one, make, inside));
    });
    return make('li', {}, details);
  };
  const wanted = schema.required ?? [];
  for (const [property, one] of Object.entries(schema.properties ?? {})) {
    list.append(nested(property, wanted.includes(property) ? ', needed' : '', one));
  }
  for (const [number, one] of (choices(schema) ?? []).entries()) {
    list.append(nested(`form ${number + 1}`, '', one));
  }
  for (const one of schema.allOf ?? []) list.append(nested('and', '', one));
  if (schema.items) list.append(nested('each', '', schema.items));
  if (schema.additionalProperties && typeof schema.additionalProperties === 'object') {
    list.append(nested('others', '', schema.additionalProperties));
  }
  if (list.children.length === 0) list.append(make('li', {}, kind(spec, schema)));
  return list;
}
