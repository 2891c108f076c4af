/** Kubernetes' own descriptions of its objects as the JSON schemas (draft 4) that kubeconform reads. */
import { z } from 'zod';

const groupVersionKind = z.object({ group: z.string(), version: z.string(), kind: z.string() });

/** As much of a schema as holds others, or says what it is. */
const schemaNode = z.looseObject({
  'x-kubernetes-group-version-kind': z.array(groupVersionKind).optional(),
  get properties() {
    return z.record(z.string(), schemaNode).optional();
  },
  get additionalProperties() {
    return z.union([z.boolean(), schemaNode]).optional();
  },
  get items() {
    return schemaNode.optional();
  },
  get allOf() {
    return z.array(schemaNode).optional();
  },
  get anyOf() {
    return z.array(schemaNode).optional();
  },
  get oneOf() {
    return z.array(schemaNode).optional();
  },
  get not() {
    return schemaNode.optional();
  },
  nullable: z.boolean().optional(),
});
type SchemaNode = z.infer<typeof schemaNode>;

/** `api/openapi-spec/swagger.json` of Kubernetes, as much of it as is read. */
export const swaggerSchema = z.object({ definitions: z.record(z.string(), schemaNode) });

/** A CustomResourceDefinition, as much of it as is read. */
export const crdSchema = z.object({
  kind: z.literal('CustomResourceDefinition'),
  spec: z.object({
    group: z.string(),
    names: z.object({ kind: z.string() }),
    versions: z
      .array(z.object({ name: z.string(), schema: z.object({ openAPIV3Schema: schemaNode }) }))
      .min(1),
  }),
});

/** A file of the schemas' folder: its relative path and what it holds. */
export type SchemaFile = { readonly path: string; readonly schema: unknown };

/** How kubeconform finds a kind's file below the folder: its `-schema-location`. The core group is called v1. */
export const SCHEMA_PATH = '{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json';
const DEFINITIONS = 'definitions.json';
const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
/** What the description calls a string, and the API server takes as a number too. */
const NUMBER_OR_TEXT: Readonly<Record<string, object>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': { type: ['string', 'number'] },
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': { type: ['string', 'integer'] },
};

/** All of Kubernetes' own types in one file, and one for each kind that points into it. */
export function schemasOfKubernetes({ definitions }: z.infer<typeof swaggerSchema>): SchemaFile[] {
  const strict = Object.fromEntries(
    Object.entries(definitions).map(([name, one]) => [name, NUMBER_OR_TEXT[name] ?? strictly(one)]),
  );
  const kinds = Object.entries(definitions).flatMap(([name, one]) =>
    // DeleteOptions and WatchEvent belong to every group and are no objects.
    one['x-kubernetes-group-version-kind']?.length === 1
      ? one['x-kubernetes-group-version-kind'].map((kind) => ({
          path: pathOf(kind),
          schema: { $ref: reference(name) },
        }))
      : [],
  );
  return [{ path: DEFINITIONS, schema: { definitions: strict } }, ...kinds];
}

/** One for each version of a custom resource. Its metadata is Kubernetes' own, which the definition leaves out. */
export function schemasOfCustomResource({ spec }: z.infer<typeof crdSchema>): SchemaFile[] {
  return spec.versions.map(({ name: version, schema: { openAPIV3Schema } }) => {
    const { properties, ...root } = openAPIV3Schema;
    return {
      path: pathOf({ group: spec.group, version, kind: spec.names.kind }),
      schema: {
        ...strictly({ ...root, properties: { ...properties, metadata: { $ref: reference(META) } } }),
      },
    };
  });
}

/** As the API server judges it under `fieldValidation=Strict`: a field that is not described is one too many. */
function strictly(node: SchemaNode): SchemaNode {
  if ('$ref' in node) return { $ref: node.$ref };
  const { properties, additionalProperties, items, allOf, anyOf, oneOf, not, nullable, ...rest } = node;
  // Words and the server's own annotations, which are most of the text.
  const kept = Object.entries(rest).filter(
    ([key]) => key !== 'description' && key !== 'default' && !key.startsWith('x-'),
  );
  const open = rest['x-kubernetes-preserve-unknown-fields'] === true;
  const others =
    typeof additionalProperties === 'object' ? strictly(additionalProperties) : additionalProperties;
  const closed = others ?? (properties && !open ? false : undefined);
  return {
    ...Object.fromEntries(kept),
    ...(nullable && typeof rest.type === 'string' && { type: [rest.type, 'null'] }),
    ...(properties && { properties: mapValues(properties, strictly) }),
    ...(closed !== undefined && { additionalProperties: closed }),
    ...(items && { items: strictly(items) }),
    ...(allOf && { allOf: allOf.map(strictly) }),
    ...(anyOf && { anyOf: anyOf.map(strictly) }),
    ...(oneOf && { oneOf: oneOf.map(strictly) }),
    ...(not && { not: strictly(not) }),
  };
}

function mapValues<T>(record: Readonly<Record<string, T>>, change: (one: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([key, one]) => [key, change(one)]));
}

function pathOf({ group, version, kind }: z.infer<typeof groupVersionKind>): string {
  return `${group || version}/${kind.toLowerCase()}_${version}.json`;
}

function reference(definition: string): string {
  return `../${DEFINITIONS}#/definitions/${definition}`;
}
