// One project a test folder, so that a folder can be run by its name: --selectProjects unit
const kinds = ['unit', 'contract', 'workflow', 'replay', 'integration', 'faults'];
const onServers = ['contract', 'workflow', 'integration', 'faults'];

export default {
  projects: kinds.map((kind) => ({
    displayName: kind,
    rootDir: import.meta.dirname,
    roots: [`<rootDir>/test/${kind}`],
    testMatch: ['**/*.test.ts'],
    testEnvironment: 'node',
    ...(onServers.includes(kind) ? { setupFilesAfterEnv: ['<rootDir>/test/once-more.ts'] } : {}),
    extensionsToTreatAsEsm: ['.ts'],
    modulePathIgnorePatterns: ['<rootDir>/.pristine/'],
    transform: {
      '^.+\\.ts$': [
        '@swc/jest',
        {
          jsc: { parser: { syntax: 'typescript' }, target: 'es2024' },
          module: { type: 'es6' },
        },
      ],
    },
  })),
};
