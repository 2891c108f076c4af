/** The reference of a chart's values, made of the comments in values.yaml: what stands above a key explains it. */

export type Row = { path: string; value: string; text: string };

const KEY = /^(?<indent> *)(?<key>[A-Za-z][A-Za-z0-9]*):(?: (?<value>.+))?$/;
const COMMENT = /^ *# ?(?<text>.*)$/;

/** One row a value, in the file's order; a key that only holds others has one if something is said of it. */
export function valueRows(yaml: string): Row[] {
  const rows: Row[] = [];
  const path: string[] = [];
  let said: string[] = [];
  for (const line of yaml.split('\n')) {
    const comment = COMMENT.exec(line)?.groups?.text;
    if (comment !== undefined) {
      said.push(comment);
      continue;
    }
    const { indent = '', key, value = '' } = KEY.exec(line)?.groups ?? {};
    if (key !== undefined) {
      path.splice(indent.length / 2, Number.POSITIVE_INFINITY, key);
      const text = said.join(' ');
      if (value !== '' || text !== '') rows.push({ path: path.join('.'), value, text });
    } else if (line.trim() !== '') {
      throw new Error(`values.yaml has a line that is neither a key nor a comment: ${line}`);
    }
    said = [];
  }
  return rows;
}

/** Markdown: a table for each of the first level's keys. */
export function valuesReference(yaml: string): string {
  const sections = Map.groupBy(valueRows(yaml), ({ path }) => path.split('.')[0] ?? '');
  return [...sections].map(([name, rows]) => section(name, rows)).join('\n');
}

function section(name: string, rows: Row[]): string {
  const about = rows.find(({ path, value }) => path === name && value === '')?.text;
  const lines = rows
    .filter(({ path, value }) => path !== name || value !== '')
    .map(
      ({ path, value, text }) => `| \`${path}\` | ${value === '' ? '' : `\`${value}\``} | ${cell(text)} |`,
    );
  return [
    `### ${name}`,
    ...(about === undefined ? [] : [about]),
    '',
    '| value | default | |',
    '|---|---|---|',
    ...lines,
    '',
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
