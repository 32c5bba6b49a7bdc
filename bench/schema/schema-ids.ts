export const schemaIds = ['schema.read', 'schema.upcast'] as const;
export type SchemaId = (typeof schemaIds)[number];
