// Answers XForms in getodk's web engine, as the answers were given elsewhere. Reads one job per line from standard
// input, writes one result per line; `tests/engines/web_forms.py` describes both.
import { createInterface } from 'node:readline';
import { JSDOM } from 'jsdom';

const { window } = new JSDOM('<!doctype html>', { url: 'http://localhost/' });
for (const name of Object.getOwnPropertyNames(window)) {
  if (!(name in globalThis)) globalThis[name] = window[name];
}
globalThis.window = window;
const { process } = globalThis;
globalThis.process = undefined; // else the parser inside the engine looks for its file as a bundled script would
const { loadForm } = await import('@getodk/xforms-engine');
globalThis.process = process;

function* walk(node) {
  yield node;
  for (const child of node.currentState.children ?? []) yield* walk(child);
}

const isRange = (node) => node.nodeType.startsWith('repeat-range');

// Where the nodes are; a repeat and its first row have much the same reference.
function indexed(root) {
  const index = { nodes: new Map(), ranges: new Map() };
  for (const node of walk(root)) (isRange(node) ? index.ranges : index.nodes).set(node.currentState.reference, node);
  return index;
}

// A phone adds a row before its questions are put. Returns whether there are more nodes now.
function addRows({ ranges }, path) {
  let added = false;
  for (const match of path.matchAll(/\[(\d+)\]/g)) {
    const range = ranges.get(path.slice(0, match.index));
    while (range && range.currentState.children.length < Number(match[1])) {
      range.addInstances();
      added = true;
    }
  }
  return added;
}

function answer(node, value) {
  if (node.nodeType === 'select' && node.selectType === 'select1') return node.selectValue(value || null);
  if (node.nodeType === 'select') return node.selectValues(value ? value.split(' ') : []);
  if (node.nodeType === 'upload') return node.setValue(value ? new window.File(['x'], value) : null);
  if (node.nodeType === 'trigger') return node.setValue(value === 'OK');
  return node.setValue(node.valueType === 'string' ? value : value || null);
}

async function filled(form, answers) {
  const instanceAttachments = { fileNameFactory: ({ basename, extension }) => `${basename}${extension}` };
  const { root } = form.createInstance({ instanceAttachments });
  const problems = [];
  let index = indexed(root);
  for (const [path, value] of answers) {
    if (addRows(index, path)) index = indexed(root);
    const node = index.nodes.get(path);
    if (node === undefined || !node.currentState.relevant) problems.push(`${path}: not asked`);
    else answer(node, value);
  }
  const payload = await root.prepareInstancePayload();
  for (const { reference, violation } of payload.violations ?? []) problems.push(`${reference}: ${violation.condition}`);
  return { xml: await payload.data[0].get('xml_submission_file').text(), problems };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { xform, files, fillings } = JSON.parse(line);
  const form = await loadForm(xform, {
    fetchFormAttachment: async ({ href }) => new Response(files[href.split('/').pop()], { status: 200 }),
  });
  if (form.status === 'failure') throw form.error;
  const made = [];
  for (const answers of fillings) made.push(await filled(form, answers));
  process.stdout.write(`${JSON.stringify(made)}\n`);
}
