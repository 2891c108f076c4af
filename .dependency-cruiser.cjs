// Imports go one way. Each rule says who may not know whom; docs/architecture.md has the picture.
const only = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { pathNot: [from, ...allowed], dependencyTypesNot: ['type-only'] },
});

module.exports = {
  forbidden: [
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'contract-is-a-leaf',
      severity: 'error',
      from: { path: '^workflows/contract\\.ts$' },
      to: { path: '.' },
    },
    {
      name: 'ports-are-a-leaf',
      severity: 'error',
      from: { path: '^drivers/ports\\.ts$' },
      to: { path: '.', dependencyTypesNot: ['core', 'type-only'] },
    },
    {
      name: 'workflows-are-deterministic',
      comment: 'no Node built-ins, no vendor SDK: workflow code is replayed',
      severity: 'error',
      from: { path: '^workflows/' },
      to: {
        pathNot: ['^workflows/', 'node_modules/@temporalio/(workflow|common)/', 'node_modules/zod/'],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'workflows-know-only-types-of-others',
      severity: 'error',
      from: { path: '^workflows/' },
      to: { path: '^(workers|cli|cluster|fileserver|pod|test)/' },
    },
    only(
      'activities-know-ports-not-vendors',
      '^activities/',
      [
        '^workflows/(contract|child-end|name-size)\\.ts$',
        '^drivers/(kubernetes/pod-name|ports|digest-of|errors|events|file-name|profile|steady)\\.ts$',
        'node_modules/@temporalio/(activity|client|common)/',
        'node_modules/(zod|picomatch)/',
        '^(node:)?(crypto|stream|stream/promises|stream/consumers)$',
      ],
      'glue: ports in, small values out',
    ),
    {
      name: 'drivers-never-know-temporal',
      severity: 'error',
      from: { path: '^drivers/' },
      to: { path: 'node_modules/@temporalio/' },
    },
    {
      name: 'drivers-know-no-upper-layer',
      severity: 'error',
      from: { path: '^drivers/' },
      to: {
        path: '^(activities|workers|cli|cluster|fileserver|workflows)/',
        pathNot: '^workflows/contract\\.ts$',
        dependencyTypesNot: ['type-only'],
      },
    },
    ...[
      ['redis', 'ioredis'],
      ['etcd', '@grpc/'],
      ['kubernetes', '@kubernetes/'],
    ].map(([folder, vendor]) => ({
      name: `only-drivers-${folder}-knows-${vendor}`,
      severity: 'error',
      from: { path: '^(workflows|activities|drivers|fileserver|workers)/', pathNot: `^drivers/${folder}/` },
      to: { path: `node_modules/${vendor}`, dependencyTypesNot: ['type-only'] },
    })),
    {
      name: 'only-s3-drivers-know-aws',
      severity: 'error',
      from: {
        path: '^(workflows|activities|drivers|fileserver|workers)/',
        pathNot: '^drivers/(s3/|source/s3|destination/s3)',
      },
      to: { path: 'node_modules/@aws-sdk/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'pod-programs-stand-alone',
      comment: 'what runs inside a pod is one small bundle without dependencies',
      severity: 'error',
      from: { path: '^pod/' },
      to: { pathNot: ['^pod/'], dependencyTypesNot: ['core', 'type-only'] },
    },
    {
      name: 'nobody-imports-the-workers',
      severity: 'error',
      from: { path: '^(workflows|activities|drivers|fileserver|pod)/' },
      to: { path: '^(workers|cli|cluster|bench|test)/' },
    },
    {
      name: 'only-tests-know-tests',
      comment: 'servers that tests and the bench both start are in cluster/own-servers',
      severity: 'error',
      from: { pathNot: '^test/' },
      to: { path: '^test/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^\\.pristine/' },
    tsPreCompilationDeps: true,
    parser: 'swc',
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
