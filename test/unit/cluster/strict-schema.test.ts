import { describe, expect, test } from '@jest/globals';
import {
  crdSchema,
  type SchemaFile,
  schemasOfCustomResource,
  schemasOfKubernetes,
  swaggerSchema,
} from '../../../cluster/strict-schema.ts';

const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
const kind = (group: string, version: string, name: string) => ({ group, version, kind: name });
const byPath = (files: readonly SchemaFile[]) =>
  Object.fromEntries(files.map(({ path, schema }) => [path, schema]));

describe('of Kubernetes', () => {
  const definitions = {
    'v1.Pod': {
      type: 'object',
      description: 'words',
      properties: { spec: { $ref: '#/definitions/v1.Spec', description: 'words' } },
      'x-kubernetes-group-version-kind': [kind('', 'v1', 'Pod')],
    },
    'v1.Spec': {
      type: 'object',
      required: ['limits'],
      properties: {
        limits: { type: 'object', additionalProperties: { $ref: `#/definitions/${QUANTITY}` } },
        // Fields that are called like words of a schema.
        description: { type: 'string' },
        properties: { type: 'array', items: { type: 'object', properties: {} } },
      },
    },
    [QUANTITY]: { type: 'string' },
    'apps.Deployment': {
      type: 'object',
      'x-kubernetes-group-version-kind': [kind('apps', 'v1', 'Deployment')],
    },
    'v1.DeleteOptions': {
      type: 'object',
      'x-kubernetes-group-version-kind': [
        kind('', 'v1', 'DeleteOptions'),
        kind('apps', 'v1', 'DeleteOptions'),
      ],
    },
  };
  const files = byPath(schemasOfKubernetes(swaggerSchema.parse({ definitions })));

  test('a file for each kind, under its whole group', () => {
    expect(Object.keys(files).sort()).toEqual([
      'apps/deployment_v1.json',
      'definitions.json',
      'v1/pod_v1.json',
    ]);
    expect(files['v1/pod_v1.json']).toEqual({ $ref: '../definitions.json#/definitions/v1.Pod' });
  });

  test('closed to what is not described, without the words', () => {
    expect(files['definitions.json']).toMatchObject({
      definitions: {
        'v1.Pod': {
          type: 'object',
          properties: { spec: { $ref: '#/definitions/v1.Spec' } },
          additionalProperties: false,
        },
        'v1.Spec': {
          type: 'object',
          required: ['limits'],
          properties: {
            limits: { type: 'object', additionalProperties: { $ref: `#/definitions/${QUANTITY}` } },
            description: { type: 'string' },
            properties: {
              type: 'array',
              items: { type: 'object', properties: {}, additionalProperties: false },
            },
          },
          additionalProperties: false,
        },
      },
    });
    expect(JSON.stringify(files)).not.toContain('words');
  });

  test('a quantity may be a number', () => {
    expect(files['definitions.json']).toMatchObject({
      definitions: { [QUANTITY]: { type: ['string', 'number'] } },
    });
  });
});

describe('of a custom resource', () => {
  const schemaOf = (spec: object) => {
    const openAPIV3Schema = {
      type: 'object',
      properties: { metadata: { type: 'object' }, spec: { type: 'object', ...spec } },
    };
    const crd = {
      kind: 'CustomResourceDefinition',
      spec: {
        group: 'keda.sh',
        names: { kind: 'ScaledObject' },
        versions: [{ name: 'v1alpha1', schema: { openAPIV3Schema } }],
      },
    };
    return byPath(schemasOfCustomResource(crdSchema.parse(crd)))['keda.sh/scaledobject_v1alpha1.json'];
  };

  test('closed, and so is its metadata, which the definition leaves out', () => {
    expect(schemaOf({ properties: { size: { type: 'integer', nullable: true } } })).toEqual({
      type: 'object',
      properties: {
        metadata: {
          $ref: '../definitions.json#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
        },
        spec: {
          type: 'object',
          properties: { size: { type: ['integer', 'null'] } },
          additionalProperties: false,
        },
      },
      additionalProperties: false,
    });
  });

  test('open where it says so', () => {
    const schema = schemaOf({ properties: {}, 'x-kubernetes-preserve-unknown-fields': true });
    expect(schema).toHaveProperty('properties.spec', { type: 'object', properties: {} });
  });

  test('what is no definition of one is refused', () => {
    expect(() => crdSchema.parse({ kind: 'Kustomization' })).toThrow('CustomResourceDefinition');
  });
});
