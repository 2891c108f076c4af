/**
 * An engine that misbehaves as it is told, for tests of everything around it. The mode and its parameter are the
 * arguments (a profile's `args`); `from-file` reads them from the input's first line, so that one scan meets many;
 * an input that names no mode is rebuilt.
 */
const { execFile, spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');

const IN = process.env.FAULTY_IN ?? '/pristine/in/file';
const OUT = process.env.FAULTY_OUT ?? '/pristine/out';
const out = (name) => path.join(OUT, name);
const report = (verdict) =>
  fs.writeFileSync(out('report.json'), JSON.stringify({ engine: 'faulty', version: '1', verdict }));
const forEver = () => setInterval(() => undefined, 1 << 30);

const modes = {
  /** Behaves: the input with a line before it, and a report. */
  rebuild() {
    fs.writeFileSync(
      out('rebuilt'),
      Buffer.concat([Buffer.from('rebuilt by faulty\n'), fs.readFileSync(IN)]),
    );
    report('rebuilt');
  },
  /** Behaves after so many seconds. */
  slow(seconds = '5') {
    setTimeout(modes.rebuild, Number(seconds) * 1000);
  },
  refuse(reason = 'refused on purpose') {
    fs.writeFileSync(out('refused'), `${reason}\nmore that nobody reads\n`);
    report('refused');
  },
  /** Refuses by exit code 3, the reason being the last log line. */
  'refuse-by-exit'(reason = 'refused on purpose') {
    console.log('working');
    console.log(reason);
    process.exitCode = 3;
  },
  /** Any exit code, with or without a rebuilt file. */
  exit(code = '1') {
    process.exitCode = Number(code);
  },
  'rebuild-and-exit'(code = '1') {
    modes.rebuild();
    process.exitCode = Number(code);
  },
  crash(signal = 'SIGSEGV') {
    // As the first process of a pid namespace it can send itself no signal that it does not handle: abort does not ask.
    if (process.pid === 1 || signal === 'SIGABRT') process.abort();
    process.kill(process.pid, signal);
    forEver();
  },
  hang() {
    process.on('SIGTERM', () => console.log('no'));
    forEver();
  },
  spin() {
    process.on('SIGTERM', () => undefined);
    for (;;);
  },
  /** Leaves a child that holds on when it exits. */
  orphan() {
    spawn(process.execPath, ['-e', 'process.on("SIGTERM",()=>{});setInterval(()=>{},1e9)'], {
      detached: true,
      stdio: 'inherit',
    }).unref();
    modes.rebuild();
  },
  forks() {
    const fork = () => {
      for (let n = 0; n < 50; n++)
        execFile(process.execPath, ['-e', 'setInterval(()=>{},1e9)']).on('error', () => undefined);
      setTimeout(fork, 10);
    };
    fork();
  },
  memory() {
    const held = [];
    for (;;) held.push(Buffer.alloc(16 << 20, 1));
  },
  /** Fills the scratch or the output folder. */
  disk(where = 'out') {
    const file = fs.openSync(where === 'out' ? out('fill') : '/tmp/fill', 'w');
    const block = Buffer.alloc(1 << 20, 1);
    for (;;) fs.writeSync(file, block);
  },
  nothing() {},
  'report-only'() {
    report('rebuilt');
  },
  empty() {
    fs.writeFileSync(out('rebuilt'), '');
  },
  both() {
    fs.writeFileSync(out('rebuilt'), 'x');
    fs.writeFileSync(out('refused'), 'x');
  },
  'two-reports'() {
    modes.rebuild();
    fs.writeFileSync(out('report.xml'), '<report/>');
  },
  /** Hands the original on. */
  copy() {
    fs.copyFileSync(IN, out('rebuilt'));
  },
  link(target = IN) {
    fs.symlinkSync(target, out('rebuilt'));
  },
  'report-link'(target = IN) {
    fs.writeFileSync(out('rebuilt'), 'x');
    fs.symlinkSync(target, out('report.json'));
  },
  'hard-link'() {
    fs.writeFileSync(out('rebuilt'), 'x');
    fs.linkSync(out('rebuilt'), out('again'));
  },
  folder() {
    fs.mkdirSync(out('rebuilt'));
  },
  /** A socket: Node can make no FIFO without a program for it, which this image lacks. */
  socket() {
    net.createServer().listen(out('rebuilt'), () => {
      // Closing the server would remove it.
      process.exit(0);
    });
  },
  /** A sparse file of so many bytes. */
  huge(bytes = '10000000000') {
    fs.writeFileSync(out('rebuilt'), 'x');
    fs.truncateSync(out('rebuilt'), Number(bytes));
  },
  unreadable() {
    fs.writeFileSync(out('rebuilt'), 'x', { mode: 0o000 });
  },
  /** So many MiB of log, with control characters. */
  flood(mebibytes = '20') {
    const line = `\u001b[2J\u202e{"event":"upload.done"}${'x'.repeat(1000)}\n`;
    for (let n = 0; n < Number(mebibytes) * 1000; n++) fs.writeSync(1, line);
    modes.rebuild();
  },
  /** Tries to change what it was given. */
  'write-input'() {
    fs.writeFileSync(IN, 'changed');
  },
  'from-file'() {
    const [mode = '', ...parameter] = fs.readFileSync(IN, 'utf8').split('\n', 1)[0].split(' ');
    if (mode !== 'from-file' && Object.hasOwn(modes, mode)) run(mode, parameter);
    else modes.rebuild();
  },
};

function run(mode, parameter) {
  const act = Object.hasOwn(modes, mode) ? modes[mode] : null;
  if (!act) throw new Error(`no such mode; there are: ${Object.keys(modes).join(', ')}`);
  act(...parameter);
}

run(process.argv[2] ?? 'rebuild', process.argv.slice(3));
