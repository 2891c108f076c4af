/**
 * Puts into a search cluster what Pristine's logs need there: retention, templates, the data streams, and, where there
 * is a Kibana, its saved objects; in the chart's own Elasticsearch also who may write, once there is something to write
 * to. Everything by PUT or with overwrite, so that it can be run again at any time. One line a step; ends with 1 and the
 * server's own words when a step can't be done.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A server's "no", which trying again won't change. */
class Refused extends Error {}

const AWAY = [408, 425, 429, 500, 502, 503, 504];

/** `settings` are environment variables; `log` takes lines; pauses between tries are `pauseMs`. */
export async function provision(settings, { log = console.log, pauseMs = 3_000, tries = 200 } = {}) {
  const need = (name) => {
    if (!settings[name]) throw new Refused(`${name} is not set`);
    return settings[name];
  };
  const folder = settings.FILES || import.meta.dirname;
  const file = async (name) => JSON.parse(await readFile(join(folder, name), 'utf8'));
  const credentials = { user: settings.SEARCH_USER, password: settings.SEARCH_PASSWORD };
  const search = connect(need('SEARCH_URL'), credentials, { log, pauseMs, tries });
  const kind = need('SEARCH_KIND');
  const written = [need('EVENTS_STREAM'), need('ENGINE_STREAM')];

  const { version } = await search.ask('GET', '/');
  log(`search: ${version.distribution ?? 'elasticsearch'} ${version.number}`);

  for (const stream of ['logs', 'engine']) {
    const days = Number(need(stream === 'logs' ? 'EVENTS_DAYS' : 'ENGINE_DAYS'));
    if (!Number.isInteger(days) || days < 1)
      throw new Refused(`days of ${stream}: not a whole number from 1`);
    const policy = `pristine-${stream}`;
    const kept =
      kind === 'opensearch'
        ? await stateManagement(search, policy, await file(`ism-${stream}.json`), days, log)
        : await lifecycle(search, policy, await file(`ilm-${stream}.json`), days);
    if (kept) log(`retention of ${stream}: ${days} days`);
  }

  const fields = await file('mappings.json');
  await search.ask('PUT', '/_component_template/pristine-fields', fields);
  for (const stream of ['logs', 'engine']) {
    const template = await file(`template-${stream}.json`);
    if (kind !== 'opensearch') template.template.settings['index.lifecycle.name'] = `pristine-${stream}`;
    await search.ask('PUT', `/_index_template/pristine-${stream}`, template);
  }
  // Streams that are there already take new fields at once, not with their next index.
  const there = await streamsThere(search);
  for (const name of there) {
    await search.ask('PUT', `/${name}/_mapping?write_index_only=true`, fields.template.mappings);
  }
  log(`templates: put, ${there.length} streams brought up to them`);
  for (const name of written) if (!there.includes(name)) await makeStream(search, name);
  log(`streams: ${written.join(', ')}`);
  // Before Kibana, which can't start without its password.
  if (settings.WRITER_PASSWORD) await allow(search, settings, log);

  if (!settings.KIBANA_URL) return log('saved objects: no Kibana given');
  const kibana = connect(settings.KIBANA_URL, credentials, { log, pauseMs, tries });
  const form = new FormData();
  form.set('file', new Blob([await readFile(join(folder, 'saved-objects.ndjson'))]), 'saved-objects.ndjson');
  const imported = await kibana.ask('POST', '/api/saved_objects/_import?overwrite=true', form);
  if (!imported.success) throw new Refused(`saved objects: ${JSON.stringify(imported.errors)}`);
  log(`saved objects: ${imported.successCount}`);
}

/** Elasticsearch's policy: for what is written from now on and for what lies there. */
async function lifecycle(search, name, document, days) {
  document.policy.phases.delete.min_age = `${days}d`;
  await search.ask('PUT', `/_ilm/policy/${name}`, document);
  return true;
}

/** OpenSearch's, a plugin that not every one has. It takes a change only with the number of what it changes. */
async function stateManagement(search, name, document, days, log) {
  const path = `/_plugins/_ism/policies/${name}`;
  for (const state of document.policy.states)
    for (const next of state.transitions) next.conditions.min_index_age = `${days}d`;
  const there = await search.tell('GET', path);
  if (there.status === 400 && /no handler found/.test(there.text)) {
    log(
      `retention: this OpenSearch has no index state management: ${name} is kept until somebody deletes it`,
    );
    return false;
  }
  if (there.status === 404) await search.ask('PUT', path, document);
  else {
    const { _seq_no: number, _primary_term: term } = search.known(there);
    await search.ask('PUT', `${path}?if_seq_no=${number}&if_primary_term=${term}`, document);
  }
  return true;
}

async function streamsThere(search) {
  const { data_streams: streams } = await search.ask('GET', '/_data_stream/pristine-*');
  return streams.map(({ name }) => name);
}

/**
 * Of the templates, so after them and after the policies, which are looked for when an index is made. Fluent Bit may
 * have been first: since the templates are there, a stream then; before them a plain index, which no stream replaces.
 */
async function makeStream(search, name) {
  const index = await search.tell('HEAD', `/${name}`);
  if (index.status === 404) {
    const made = await search.tell('PUT', `/_data_stream/${name}`);
    if (!(made.status === 400 && made.text.includes('resource_already_exists_exception'))) search.known(made);
    return;
  }
  search.known(index);
  // By the pattern: asked for by its name, an index that is no stream is an empty list here and a 404 there.
  if ((await streamsThere(search)).includes(name)) return;
  throw new Refused(
    `${name} is an index or an alias and no data stream: lines were written to it before the templates were there. ` +
      'Its fields are guessed and nothing deletes its lines. The templates are there now: copy it, if its lines ' +
      'are needed, to a name that does not begin with "pristine-" (POST /_reindex), ' +
      `delete it (DELETE /${name}), and let this Job run again`,
  );
}

/** Of the chart's own Elasticsearch: Kibana's own user, and one for Fluent Bit that may add lines and nothing else. */
async function allow(search, settings, log) {
  await search.ask('POST', '/_security/user/kibana_system/_password', { password: settings.KIBANA_PASSWORD });
  await search.ask('PUT', '/_security/role/pristine_writer', {
    cluster: ['monitor'],
    indices: [{ names: ['pristine-logs-*', 'pristine-engine-*'], privileges: ['create_doc'] }],
  });
  const writer = { password: settings.WRITER_PASSWORD, roles: ['pristine_writer'] };
  await search.ask('PUT', '/_security/user/pristine_writer', writer);
  log('users: kibana_system, pristine_writer');
}

/** Paths begin with a slash and go below what path the URL has. */
function connect(url, { user, password }, { log, pauseMs, tries }) {
  const base = url.replace(/\/+$/, '');
  const headers = { 'kbn-xsrf': 'pristine', 'osd-xsrf': 'pristine' };
  if (user) headers.authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

  /** Its answer, whatever it is, once the server answers at all. */
  async function tell(method, path, body) {
    const json = body !== undefined && !(body instanceof FormData);
    const request = {
      method,
      headers: json ? { ...headers, 'content-type': 'application/json' } : headers,
      body: json ? JSON.stringify(body) : body,
    };
    for (let tried = 1; ; tried++) {
      let why;
      try {
        const answer = await fetch(`${base}${path}`, { ...request, signal: AbortSignal.timeout(60_000) });
        const text = await answer.text();
        if (!AWAY.includes(answer.status)) return { method, path, status: answer.status, text };
        why = `${answer.status} ${text.slice(0, 200)}`;
      } catch (error) {
        why = error.cause?.message ?? error.message;
      }
      if (tried === tries) throw new Refused(`${method} ${base}${path}: still not there: ${why}`);
      if (tried % 10 === 1) log(`waiting for ${base}: ${why}`);
      await sleep(pauseMs);
    }
  }
  function known({ method, path, status, text }) {
    if (status >= 200 && status < 300) return text === '' ? {} : JSON.parse(text);
    throw new Refused(`${method} ${base}${path}: ${status} ${text.slice(0, 2_000)}`);
  }
  return { tell, known, ask: async (...request) => known(await tell(...request)) };
}

if (import.meta.main) {
  try {
    await provision(process.env);
  } catch (error) {
    console.error(error instanceof Refused ? error.message : error);
    process.exitCode = 1;
  }
}
